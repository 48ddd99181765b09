"""A configuration folder as a bundle: read whole, validated whole, put in force as one version (decisions 15)."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from time import time
from typing import Any

import yaml
from nats.js.errors import KeyNotFoundError
from nats.js.kv import KeyValue

from libs.chassis.configuration import BUCKET, KEY, Bundle
from services.intake.status_file import STATUSES_FILE, wrong_moves
from signalbox.provisioning.broker import administrator
from signalbox.provisioning.provision import Servers
from signalbox.services import parsers

TEXT = frozenset({".txt", ".html", ".j2"})
YAML = frozenset({".yaml", ".yml"})


class ConfigurationFault(ValueError):
    """A configuration that cannot be put in force; the text names file, field and reason."""


def read_configuration(folder: Path) -> dict[str, Any]:
    """Every file of the folder by its relative name: YAML parsed, templates as text. ConfigurationFault."""
    if not folder.is_dir():
        raise ConfigurationFault(f"{folder}: there is no such folder")
    return dict(_files(folder))


def check_configuration(files: Mapping[str, Any]) -> None:
    """Have every service parse its part; ConfigurationFault names them all."""
    faults = []
    for service, parse in parsers().items():
        try:
            parse(files)
        except ValueError as fault:
            faults.append(f"{service}: {fault}")
    if faults:
        raise ConfigurationFault("\n".join(faults))


async def apply_configuration(servers: Servers, files: Mapping[str, Any], *, only_if_none: bool = False) -> int:
    """Validate and put in force; returns the version, which is the time in milliseconds so that it only rises,
    even on a broker that was wiped. only_if_none: leave a configuration that is in force alone."""
    async with administrator(servers.nats_url, servers.nats_user, servers.nats_password) as client:
        bucket = await client.jetstream().key_value(BUCKET)
        present, revision = await _present(bucket)
        if present is not None and only_if_none:
            return present.version
        check_configuration(files)
        if present is not None:
            _check_moves(present.files, files)
        version = max(int(time() * 1000), present.version + 1 if present is not None else 0)
        await bucket.update(KEY, Bundle(version, files).encode(), last=revision)
        return version


def _check_moves(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """ConfigurationFault where a status is taken out and nothing sound says where its tickets are (behaviour S-8)."""
    wrong = wrong_moves(before.get(STATUSES_FILE), after[STATUSES_FILE])
    if wrong:
        raise ConfigurationFault(f"{STATUSES_FILE}: moved: {wrong[0]}")


async def _present(bucket: KeyValue) -> tuple[Bundle | None, int]:
    try:
        entry = await bucket.get(KEY)
    except KeyNotFoundError:
        return None, 0
    return (Bundle.decode(entry.value) if entry.value else None), entry.revision or 0


def _files(folder: Path) -> Iterator[tuple[str, Any]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix in YAML:
            yield name, _parsed(name, path.read_text(encoding="utf-8"))
        elif path.suffix in TEXT:
            yield name, path.read_text(encoding="utf-8")


def _parsed(name: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as fault:
        raise ConfigurationFault(f"{name}: {' '.join(str(fault).split())}") from None
