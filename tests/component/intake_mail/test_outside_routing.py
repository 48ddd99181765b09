"""Which ticket a mail goes to, by the cases of another program (behaviour H-1)."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from libs.contracts.mail_ids import reply_message_id
from tests.component.intake_mail.conftest import KEY, Post, mail
from tests.component.intake_mail.stories import opened
from tests.support.outside import outside

DOCS = Path(__file__).resolve().parents[3] / "docs" / "mail.md"
NOWHERE = "0198a7c2-0000-7000-8000-000000000001"


async def where(post: Post, **headers: str) -> str:
    """The ticket of a mail with these headers."""
    (receipt,) = await post.deliver(mail("Re: It hurts", "And more.", **headers))
    assert receipt["disposition"] in ("accepted", "appended")
    return str(receipt["ticket_id"])


async def in_reply_to_a_stored_message(post: Post) -> None:
    ticket = await opened(post)
    assert await where(post, in_reply_to="<root@customer.example>") == ticket


async def one_of_several_parents_is_known(post: Post) -> None:
    ticket = await opened(post)
    assert await where(post, in_reply_to="<who@x.example> <root@customer.example>") == ticket


async def the_parent_is_unknown_and_a_reference_is_not(post: Post) -> None:
    ticket = await opened(post)
    parents = {"in_reply_to": "<who@x.example>", "references": "<a@x.example> <root@customer.example> <b@x.example>"}
    assert await where(post, **parents) == ticket


async def our_own_id_of_a_ticket_that_is_gone(post: Post) -> None:
    ticket = await opened(post)
    own = reply_message_id(KEY, NOWHERE, "m1", "support.example.com")
    assert await where(post, in_reply_to=f"<{own}>") not in (ticket, NOWHERE)


async def our_own_id_malformed(post: Post) -> None:
    ticket = await opened(post)
    own = reply_message_id(KEY, ticket, "m1", "support.example.com").partition("@")[0]
    broken = " ".join(f"<{id}@support.example.com>" for id in (own[:-1], own + "a", "t..", "t." + "x" * 200))
    assert await where(post, references=broken) != ticket


async def the_first_reference_leads_nowhere_and_the_second_does(post: Post) -> None:
    gone, ticket = await opened(post, "gone"), await opened(post)
    post.say(f"UPDATE tickets SET removed = 'erased' WHERE id = '{gone}'")
    parents = {"in_reply_to": "<gone@customer.example>", "references": "<root@customer.example>"}
    assert await where(post, **parents) == ticket


async def our_mailbox_stands_in_cc(post: Post) -> None:
    raw = mail("Hello").replace(
        b"To: help@support.example.com", b"To: else@x.example\r\nCc: Billing@support.example.com"
    )
    receipts = await post.take_in([raw], "else@x.example")
    await post.work_off()
    (receipt,) = await post.receipts(receipts)
    assert receipt["mailbox"] == "billing@support.example.com"
    assert (await post.ticket(receipt["ticket_id"]))["queue"] == "billing"


CASES: dict[str, Callable[[Post], Awaitable[None]]] = {
    "mc-1": in_reply_to_a_stored_message,
    "mc-2": one_of_several_parents_is_known,
    "mc-3": the_parent_is_unknown_and_a_reference_is_not,
    "mc-5": our_own_id_of_a_ticket_that_is_gone,
    "mc-6": our_own_id_malformed,
    "mc-7": the_first_reference_leads_nowhere_and_the_second_does,
    "mc-8": our_mailbox_stands_in_cc,
}


@pytest.mark.parametrize("case", CASES)
async def test_H1_a_mail_finds_its_ticket_where_another_program_does(post: Post, case: str) -> None:
    post.begin_anew()
    await CASES[case](post)


def test_H1_every_case_of_that_program_is_kept_or_explained() -> None:
    cases = json.loads(outside("routing/cases.json").read_text())["mail_to_conversation"]
    explained = {case["id"] for case in cases if f"`{case['id']}`" in DOCS.read_text()}
    assert {case["id"] for case in cases} == CASES.keys() | explained
    assert explained == {"mc-4"}
