"""Mail that other people wrote: threads stay whole and apart, and whatever comes in gets one disposition."""

import json
import mailbox
import random
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from tests.component.intake_mail.conftest import Post
from tests.support.outside import outside


def mails(path: Path) -> list[bytes]:
    box = mailbox.mbox(path, create=False)
    return [box.get_bytes(key) for key in box.iterkeys()]


def pairs(groups: list[list[str]]) -> set[frozenset[str]]:
    return {frozenset(pair) for group in groups for pair in combinations(group, 2)}


async def threads(post: Post) -> list[list[str]]:
    """Message-IDs by ticket."""
    rows = await post.intake.fetch("SELECT ticket_id, mail->>'message_id' AS id FROM messages")
    tickets = await post.intake.fetch("SELECT id, merged_into FROM tickets WHERE merged_into IS NOT NULL")
    merged = {row["id"]: row["merged_into"] for row in tickets}
    by_ticket: dict[str, list[str]] = {}
    for row in rows:
        ticket = row["ticket_id"]
        while ticket in merged:
            ticket = merged[ticket]
        by_ticket.setdefault(ticket, []).append(row["id"])
    return list(by_ticket.values())


async def test_H1_mails_of_a_list_fall_into_the_threads_that_other_programs_see(post: Post) -> None:
    """Pair precision and recall are 1.0; sent twice more, nothing is new (E-2); no list mail may be answered (A-1)."""
    written = mails(outside("threading/easy-ham-1.mbox"))
    expected = json.loads(outside("threading/easy-ham-1.threads.json").read_text())["threads"]
    await post.deliver(*written)
    found = await threads(post)
    assert pairs(found) == pairs(expected)
    assert len(found) == len(expected) == 131
    answerable = await post.intake.fetch("SELECT count(*) AS n FROM tickets WHERE NOT suppress_reply")
    assert answerable[0]["n"] <= 376 - 358
    for again in (1, 2):
        await post.deliver(*written)
        ledger = await post.ledger()
        assert ledger["accepted"] + ledger["appended"] == 376
        assert ledger["duplicate"] == 376 * again
    assert pairs(await threads(post)) == pairs(expected)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_H1_threads_do_not_depend_on_the_order_in_which_mails_arrive(post: Post, seed: int) -> None:
    """Late mails unite what came before them; four workers share the work, a few mails at a time."""
    written = mails(outside("threading/easy-ham-1.mbox"))
    expected = json.loads(outside("threading/easy-ham-1.threads.json").read_text())["threads"]
    post.begin_anew()
    random.Random(seed).shuffle(written)
    for begin in range(0, len(written), 16):
        await post.take_in(written[begin : begin + 16])
        await post.work_off(workers=4, most=4)
    assert pairs(await threads(post)) == pairs(expected)


def robust() -> list[bytes]:
    cases = outside("robust/cases.jsonl")
    lines = map(json.loads, cases.read_text().splitlines())
    return [(cases.parent / case["raw"]).read_bytes() for case in lines]


async def test_E1_each_odd_mail_alone_is_one_receipt_with_one_disposition(post: Post) -> None:
    for raw in robust():
        post.begin_anew()
        (receipt,) = await post.deliver(raw)
        assert receipt["disposition"] not in ("received", "duplicate")
        blobs = await post.intake.fetch("SELECT content FROM blobs WHERE sha256 = $1", receipt["blob"])
        assert [row["content"] for row in blobs] == [raw]
        stored = await post.intake.fetch("SELECT count(*) AS n FROM messages")
        assert stored[0]["n"] == (receipt["disposition"] == "accepted")


async def test_E1_all_odd_mails_together_have_a_receipt_each_and_repeats_are_told(post: Post) -> None:
    post.begin_anew()
    receipts = await post.deliver(*robust())
    assert len(receipts) == 95
    counts = Counter(receipt["disposition"] for receipt in receipts)
    identities = {receipt["identity"] for receipt in receipts}
    assert "received" not in counts
    assert counts["duplicate"] == 95 - len(identities)


async def test_A6_no_bounce_opens_a_ticket(post: Post) -> None:
    cases = outside("machine_mail/cases.jsonl")
    lines = [json.loads(line) for line in cases.read_text().splitlines()]
    bounces = [case["raw"] for case in lines if case["expected"].get("is_bounce") and case["raw"].endswith(".eml")]
    if len(bounces) < 100:
        pytest.fail("the outside set has shrunk")
    post.begin_anew()
    receipts = await post.deliver(*((cases.parent / raw).read_bytes() for raw in bounces))
    assert {receipt["disposition"] for receipt in receipts} <= {"bounce", "duplicate"}
    tickets = await post.intake.fetch("SELECT count(*) AS n FROM tickets")
    assert tickets[0]["n"] == 0
