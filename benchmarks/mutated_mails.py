"""Damaged mails, made from a seed: what relays, programs and people who mean harm make of mails."""

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.generated_mails import generated_mails

LARGEST = 1_000_000
REPEATED = 0.02
"""So many of a mail's mutations fill a megabyte with one piece of it."""
TOKENS = (
    b"Content-Type: multipart/mixed; boundary=b\r\n",
    b"Content-Type: text/html\r\n",
    b"Content-Type: message/delivery-status\r\n\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: quoted-printable\r\n",
    b"Auto-Submitted: auto-replied\r\n",
    b"Return-Path: <>\r\n",
    b"From: ",
    b"From x\r\n",
    b"Message-ID: <a@b>\r\n",
    b"References: <a@b> <c@d>\r\n",
    b"In-Reply-To: <>\r\n",
    b"Subject: Re: [#10019]\r\n",
    *(b"\r\n--b\r\n", b"\r\n--b--\r\n"),
    *(b"=?utf-8?B?4pi", b"?=", b"=?utf-7?q?+2AA-?=", b"; charset=utf-16", b'; charset="x\0"', b"; name*0*=utf-8''%ff"),
    *(
        b"<blockquote>",
        b"<b id=1>",
        b"<!--",
        b"&#xD800;",
        b"<a href='javascript:x'>",
        b"<table>",
        b"</",
        b'<img src="cid:',
    ),
    *(b"On 3 May 2026 Ann wrote:\r\n> ", b"-- \r\n", b"\r\n> ", b"-----Original Message-----\r\n"),
    *(b"[ref:10019.aaaaaaaa]", b"\xff\xfe", b"\xed\xa0\x80", b"%s", b"{0}", b"\r\n\r\n"),
    *(b"\0", b"\r", b"\n", b'"', b"(", b"<", b"\t ", b"="),
)

Mutation = Callable[[random.Random, bytes, bytes], bytes]


def mutated_mails(count: int, seed: int, folder: Path | None = None) -> Iterator[bytes]:
    """`count` damaged mails; the same seed and folder make the same. folder: further mails (.eml) to begin with."""
    chance = random.Random(seed)
    origins = generated_mails(200, seed=seed)
    if folder is not None:
        origins += [path.read_bytes() for path in sorted(folder.rglob("*.eml"))]
    for _ in range(count):
        yield _mutated(chance, origins)


def _mutated(chance: random.Random, origins: Sequence[bytes]) -> bytes:
    raw = chance.choice(origins)
    for _ in range(chance.randint(1, 6)):
        raw = chance.choice(MUTATIONS)(chance, raw, chance.choice(origins))
    if chance.random() < REPEATED:
        raw = _filled(chance, raw)
    return raw[:LARGEST]


def _slice(chance: random.Random, raw: bytes) -> tuple[int, int]:
    begin = chance.randrange(len(raw) + 1)
    return begin, min(len(raw), begin + int(chance.expovariate(1 / 60)))


def _flipped(chance: random.Random, raw: bytes, other: bytes) -> bytes:
    changed = bytearray(raw)
    for _ in range(chance.randint(1, 10)):
        if changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _cut(chance: random.Random, raw: bytes, other: bytes) -> bytes:
    begin, end = _slice(chance, raw)
    return raw[:begin] + raw[end:]


def _ended(chance: random.Random, raw: bytes, other: bytes) -> bytes:
    return raw[: chance.randrange(len(raw) + 1)]


def _doubled(chance: random.Random, raw: bytes, other: bytes) -> bytes:
    begin, end = _slice(chance, raw)
    return raw[:end] + raw[begin:end] * chance.randint(1, 30) + raw[end:]


def _inserted(chance: random.Random, raw: bytes, other: bytes) -> bytes:
    at = chance.randrange(len(raw) + 1)
    return raw[:at] + chance.choice(TOKENS) + raw[at:]


def _spliced(chance: random.Random, raw: bytes, other: bytes) -> bytes:
    return raw[: chance.randrange(len(raw) + 1)] + other[chance.randrange(len(other) + 1) :]


def _shuffled(chance: random.Random, raw: bytes, other: bytes) -> bytes:
    head, gap, body = raw.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    chance.shuffle(lines)
    return b"\r\n".join(lines) + gap + body


def _with_other_ends(chance: random.Random, raw: bytes, other: bytes) -> bytes:
    return raw.replace(b"\r\n", chance.choice((b"\n", b"\r", b"\r\r\n", b"\n\n")))


def _filled(chance: random.Random, raw: bytes) -> bytes:
    """A megabyte of one piece of the mail, or of one or two tokens."""
    begin, end = _slice(chance, raw)
    piece = (
        chance.choice((raw[begin:end], chance.choice(TOKENS), chance.choice(TOKENS) + chance.choice(TOKENS))) or b"x"
    )
    return raw[:begin] + piece * ((LARGEST - len(raw)) // len(piece) if len(raw) < LARGEST else 1) + raw[begin:]


MUTATIONS: Sequence[Mutation] = (
    *(_flipped, _cut, _ended, _doubled, _inserted, _inserted, _spliced, _shuffled, _with_other_ends),
)
