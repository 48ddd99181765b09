"""Domains of free mail: who writes from one of them has nothing in common with the next."""

from functools import cache
from importlib.resources import files


@cache
def free_mail() -> frozenset[str]:
    """Domains where everybody can have an address, in lower case; the file says where they are from."""
    lines = files(__name__).joinpath("domains.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))
