"""Many write on one ticket: each has in their export their own words, and what they were told (decisions 21)."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services.intake.disclosure import disclosed
from services.intake.domain.decision import By
from services.intake.erasures import Erasures
from services.intake.merges import Merges
from services.intake.privacy_worker import PrivacyWorker
from services.intake.retention import begin_again
from services.intake.store import Store
from tests.component.intake_mail.conftest import Post, mail
from tests.component.intake_mail.stories import answered, become, opened

ROOT = "<root@customer.example>"
WORD = "quokka"
EVE, BOB = "eve@elsewhere.example", "bob@other.example"
MIRA, BOSS = By.agent_named("mira"), By("agent:boss", agent="boss", person=True)
Write = Callable[[Post, str], Awaitable[str]]


@pytest.fixture(autouse=True)
def fresh(post: Post) -> None:
    post.begin_anew(inbound={"deny": ["denied.example"]}, follow_up={"default": "refuse"})
    post.say("TRUNCATE customer_identities, customer_log, erasures, retention_progress, loose_blobs")


async def held(post: Post, ticket: str) -> str:
    """A stranger's words, kept aside."""
    (receipt,) = await post.deliver(mail("Re: It hurts", f"{WORD} held", sender=EVE, in_reply_to=ROOT))
    assert (receipt["ticket_id"], (await post.messages(ticket))[-1]["visibility"]) == (ticket, "unverified")
    return EVE


async def held_machine(post: Post, ticket: str) -> str:
    """A stranger's automatic answer, kept aside."""
    away = mail("Away", f"{WORD} away", sender=EVE, in_reply_to=ROOT, auto_submitted="auto-replied")
    await post.deliver(away)
    assert [each["visibility"] for each in await post.messages(ticket)][-1] == "unverified"
    is_known(post, EVE)
    return EVE


async def machine(post: Post, ticket: str) -> str:
    """The automatic answer of somebody who takes part."""
    takes_part(post, ticket, BOB)
    away = mail("Away", f"{WORD} away", sender=BOB, in_reply_to=ROOT, auto_submitted="auto-replied")
    await post.deliver(away)
    assert [(each["kind"], each["visibility"]) for each in await post.messages(ticket)][-1] == ("automatic", "public")
    is_known(post, BOB)
    return BOB


async def participant(post: Post, ticket: str) -> str:
    """A public message of somebody else who takes part."""
    takes_part(post, ticket, BOB)
    await post.deliver(mail("Re: It hurts", f"{WORD} too", sender=BOB, in_reply_to=ROOT))
    return BOB


async def merged(post: Post, ticket: str) -> str:
    """A ticket of somebody else that was merged into this one, and what he writes since."""
    other = await opened(post, "other", subject=f"{WORD} order", text=f"{WORD} mine", sender=BOB)
    async with post.intake.transactions.begin() as transaction:
        merges = Merges(Store(transaction), MIRA)
        await merges.merge(*await merges.target(ticket, [other]), confirmed=True)
    parent = "<other@customer.example>"
    (receipt,) = await post.deliver(mail(f"Re: {WORD} order", f"{WORD} more", sender=BOB, in_reply_to=parent))
    assert receipt["ticket_id"] == ticket
    return BOB


async def refused(post: Post, ticket: str) -> str:
    """A mail of somebody else on a closed ticket, and the notice that he was sent for it."""
    takes_part(post, ticket, BOB)
    await become(post, ticket, "resolved", "closed")
    await post.deliver(mail(f"It hurts {WORD}", f"{WORD} late", sender=BOB, in_reply_to=ROOT))
    assert WORD in str((await post.messages(ticket))[-1]["outbound"])
    return BOB


async def suspended(post: Post, ticket: str) -> str:
    """A mail of a sender who is denied."""
    sender = "mallory@denied.example"
    (receipt,) = await post.deliver(mail("Re: It hurts", f"{WORD} sale", sender=sender, in_reply_to=ROOT))
    assert receipt["disposition"] == "suspended"
    is_known(post, sender)
    return sender


def takes_part(post: Post, ticket: str, email: str) -> None:
    post.say(f"INSERT INTO participants (ticket_id, email) VALUES ('{ticket}', '{email}') ON CONFLICT DO NOTHING")


def is_known(post: Post, email: str) -> None:
    post.say(f"INSERT INTO customers (id, email, created_at) VALUES ('{email[:3]}', '{email}', now())")


async def export(post: Post, email: str) -> dict[str, Any]:
    (row,) = await post.intake.fetch("SELECT id FROM customers WHERE email = $1", email)
    async with post.intake.pool.connection() as connection:
        found = await disclosed(connection, row["id"], post.intake.clock.now(), notes=False)
    assert found is not None
    return found


WAYS: tuple[Write, ...] = (held, held_machine, machine, participant, merged, refused, suspended)


@pytest.mark.parametrize("write", WAYS, ids=lambda write: write.__name__)
async def test_D21_an_export_has_what_a_person_wrote_and_no_word_of_another(post: Post, write: Write) -> None:
    ticket = await opened(post, text="Mine hurts.")
    await answered(post, ticket)
    author = await write(post, ticket)
    hers, theirs = await export(post, "ada@customer.example"), await export(post, author)
    assert {each["text"].strip() for each in hers["messages"]} == {"Mine hurts.", "Try"}
    assert WORD not in str(hers)
    assert author not in str(hers)
    assert WORD in str([*theirs["messages"], *[each["text"] for each in theirs["mails"]]])
    assert "Mine hurts" not in str(theirs)
    assert not any(each["text"] == "Try" for each in theirs["messages"])


async def test_D21_M3_answers_that_a_person_got_a_copy_of_were_written_to_them(post: Post) -> None:
    ticket, other = await opened(post, text="Mine hurts."), await opened(post, "other", sender=BOB)
    await answered(post, ticket)
    async with post.intake.transactions.begin() as transaction:
        merges = Merges(Store(transaction), MIRA)
        await merges.merge(*await merges.target(ticket, [other]), confirmed=True, copied=True)
    message = await answered(post, ticket)
    copies = f'{{"to": "ada@customer.example", "copies": [{{"ticket": "{other}", "to": "{BOB}"}}]}}'
    post.say(f"UPDATE messages SET outbound = '{copies}' WHERE id = '{message}'")
    found = await export(post, BOB)
    assert [each["id"] for each in found["messages"] if each["kind"] == "agent"] == [message]
    assert "Mine hurts" not in str(found)


@pytest.mark.parametrize("write", WAYS, ids=lambda write: write.__name__)
async def test_D21_what_a_person_wrote_on_tickets_of_others_goes_with_the_person(post: Post, write: Write) -> None:
    """Also where raw mails, which said whose it was, are gone already."""
    ticket = await opened(post, text="Mine hurts.")
    author = await write(post, ticket)
    if write is held:
        post.intake.configure({"privacy.yaml": {"retention": {"raw_mail_days": 1}}})
        post.intake.wait(days=2)
        await work_off(post)
        assert await post.intake.fetch("SELECT FROM inbound_mail WHERE author IS NOT NULL") == []
    (row,) = await post.intake.fetch("SELECT id FROM customers WHERE email = $1", author)
    async with post.intake.transactions.begin() as transaction:
        await Erasures(Store(transaction)).ask(row["id"], BOSS)
    await work_off(post)
    for table in ("messages", "inbound_mail", "tickets", "participants", "customers"):
        rows = await post.intake.fetch(f"SELECT x::text AS line FROM {table} x")
        assert not any(mark in each["line"] for each in rows for mark in (WORD, author)), table
    assert (await post.messages(ticket))[0]["text"].strip() == "Mine hurts."


async def work_off(post: Post) -> None:
    async with post.intake.pool.connection() as connection:
        await begin_again(connection)
    worker = PrivacyWorker()
    while await worker.work_off(post.intake.transactions):
        continue
