"""The audit chain (behaviour J-2): hashes over the events of a ticket, and over the blocks they were sealed in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

GENESIS = bytes(32)
"""What stands before the first event of a ticket and before the first block."""


@dataclass(frozen=True, slots=True)
class Seal:
    """The chain over the events of a subject up to number n."""

    subject: str
    n: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Link:
    """One stored event: its number, the digest of its content, whether it is younger than the last block."""

    n: int
    digest: bytes
    is_young: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check of one ticket found. sealed: events up to this number are. fault: None if all is as it was."""

    subject: str
    events: int
    sealed: int
    fault: str | None


def chained(previous: bytes, links: Iterable[bytes]) -> bytes:
    """sha256(previous + digest), once for each digest in order."""
    for digest in links:
        previous = sha256(previous + digest).digest()
    return previous


def block_hash(previous: bytes, end: str, seals: Iterable[Seal]) -> bytes:
    """The chain over blocks: sha256 of the previous hash, where the block ends, and its seals by subject."""
    content = sha256(previous + end.encode())
    for seal in sorted(seals, key=lambda each: (each.subject, each.n)):
        content.update(f"\n{seal.subject}\x1f{seal.n}\x1f".encode() + seal.hash)
    return content.digest()


def consecutive(after: int, links: Sequence[Link]) -> list[Link]:
    """Those of the links, sorted by n, that follow number `after` without a gap."""
    found: list[Link] = []
    for link in links:
        if link.n != after + len(found) + 1:
            break
        found.append(link)
    return found


def verified(subject: str, links: Sequence[Link], seals: Sequence[Seal]) -> Verdict:
    """Compare the events of a ticket with its seals, both sorted by n: changed, missing, moved or never sealed."""
    sealed = seals[-1].n if seals else 0
    whole = consecutive(0, links)

    def verdict(fault: str | None) -> Verdict:
        return Verdict(subject, len(links), sealed, fault)

    if len(whole) < min(sealed, len(whole) + 1):
        return verdict(f"event {len(whole) + 1} is missing")
    hash, done = GENESIS, 0
    for seal in seals:
        hash = chained(hash, (link.digest for link in whole[done : seal.n]))
        if hash != seal.hash:
            named = f"event {seal.n} is" if seal.n == done + 1 else f"events {done + 1} to {seal.n} are"
            return verdict(f"{named} not what was sealed")
        done = seal.n
    first = whole[sealed] if len(whole) > sealed else None
    if first is not None and not first.is_young:
        return verdict(f"event {first.n} is older than the last block, and was not sealed")
    return verdict(None)
