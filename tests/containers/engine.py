"""The container engine of this machine, if there is one, and what can be run on it."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILD = {**os.environ, "DOCKER_BUILDKIT": "0"}
"""The classic builder: it is part of every engine, and our Dockerfile needs nothing newer."""


def run(*command: str, timeout: float = 600, check: bool = True, environment: Mapping[str, str] = BUILD) -> str:
    """Run a command in the repository; its standard output. AssertionError with what it said when it fails."""
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, env={**BUILD, **environment}, check=False
    )
    assert done.returncode == 0 or not check, f"{' '.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def require_engine(*images: str) -> None:
    """Skip, loudly, where no engine answers or an image is missing."""
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode
    ):
        pytest.skip("CONTAINERS NOT TESTED: no container engine answers here")
    missing = [image for image in images if not has(image)]
    if missing:
        pytest.skip(f"CONTAINERS NOT TESTED: images are missing here: {', '.join(missing)}")


def has(image: str) -> bool:
    """Is the image on this machine?"""
    return _succeeds("docker", "image", "inspect", image)


def compose() -> list[str]:
    """The Compose of this machine, v2 or 1.29."""
    if _succeeds("docker", "compose", "version"):
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    pytest.skip("CONTAINERS NOT TESTED: no Compose here")


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
