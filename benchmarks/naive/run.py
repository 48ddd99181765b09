"""`python -m benchmarks.naive.run ROLE`: one role as a process of its own, configured by NAIVE_ variables."""

import os
import sys
from importlib import import_module

import uvloop

from benchmarks.naive.role import SCHEMA, Role


def main(name: str) -> None:
    """Run a role until SIGTERM."""
    os.environ[SCHEMA] = name
    role: Role = import_module(f"benchmarks.naive.{name}").role
    uvloop.run(role.run())


if __name__ == "__main__":
    main(sys.argv[1])
