"""Who writes on a ticket, and about what: strangers, other matters, agents (behaviour H-2, H-3, H-6)."""

import pytest
from pydantic_core import from_json

from libs.contracts.mail_ids import body_mark, plus_address, reply_message_id
from services.intake.merges import Merges
from services.intake.store import Store
from tests.component.intake_mail.conftest import KEY, Post, mail
from tests.component.intake_mail.stories import MIRA, answered, become, opened

ROOT = "<root@customer.example>"
VERIFIED = "mx.support.example.com; dkim=pass header.d=lumen.example.com; dmarc=pass header.from=lumen.example.com"


@pytest.fixture(autouse=True)
def fresh(post: Post) -> None:
    post.begin_anew()
    post.say("INSERT INTO agents (key, name, email, active) VALUES ('mira', 'Mira', 'mira@lumen.example.com', true)")


def said(post: Post) -> list[str]:
    return [fact.type.split(".")[2] for fact in post.intake.said()]


# ---- strangers -------------------------------------------------------------------------------------------------


async def test_H2_a_strangers_words_are_in_no_fact_and_wake_nobody(post: Post) -> None:
    ticket = await opened(post)
    await become(post, ticket, "resolved")
    post.intake.said()
    await post.deliver(mail("Re: It hurts", "SECRET", sender="eve@elsewhere.example", in_reply_to=ROOT))
    (fact,) = post.intake.said()
    assert fact.type == "signalbox.ticket.message-held.v1"
    assert b"SECRET" not in fact.payload
    row = await post.ticket(ticket)
    assert (row["status"], row["customer_messages"], row["version"]) == ("resolved", 1, 3)
    events = await post.intake.fetch("SELECT data::text FROM events")
    assert not any("SECRET" in each["data"] for each in events)


async def test_H2_a_strangers_automatic_answer_is_kept_aside_too(post: Post) -> None:
    ticket = await opened(post)
    away = mail("Away", sender="eve@elsewhere.example", in_reply_to=ROOT, auto_submitted="auto-replied")
    await post.deliver(away)
    assert [each["visibility"] for each in await post.messages(ticket)] == ["public", "unverified"]


async def test_H2_answers_to_a_campaign_are_tickets_of_their_own(post: Post) -> None:
    ticket = await opened(post)
    post.say(f"UPDATE tickets SET tags = '{{campaign}}' WHERE id = '{ticket}'")
    reference = (await post.ticket(ticket))["reference"]
    address = plus_address(KEY, "help@support.example.com", reference)
    receipts = await post.take_in([mail("Re: It hurts", sender=f"{n}@other.example") for n in "ab"], address)
    await post.work_off()
    tickets = {receipt["ticket_id"] for receipt in await post.receipts(receipts)}
    assert len(tickets) == 2
    assert ticket not in tickets
    (own,) = await post.deliver(mail("Re: It hurts", in_reply_to=ROOT))
    assert own["ticket_id"] == ticket


@pytest.mark.parametrize(("sender", "joins"), [("ada@customer.example", True), ("eve@elsewhere.example", False)])
async def test_H1_the_mark_in_a_body_counts_only_for_participants(post: Post, sender: str, joins: bool) -> None:
    """A gateway took every header away; whoever was forwarded the mail has the mark as well."""
    ticket = await opened(post)
    mark = body_mark(KEY, (await post.ticket(ticket))["reference"])
    (receipt,) = await post.deliver(mail("It hurts more", f"See below.\n\n> {mark}\n", sender=sender))
    assert (receipt["ticket_id"] == ticket) is joins
    (forged,) = await post.deliver(mail("It hurts a lot", f"[ref:{mark[5:10]}.aaaaaaaa]", sender=sender))
    assert forged["ticket_id"] != ticket


# ---- other matters ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("statuses", [("resolved",), ("resolved", "closed")])
async def test_H3_another_matter_on_a_ticket_that_is_done_is_split_off(post: Post, statuses: tuple[str, ...]) -> None:
    ticket = await opened(post)
    await become(post, ticket, *statuses)
    (receipt,) = await post.deliver(mail("Refund for chair", in_reply_to=ROOT, message_id="<chair@x.example>"))
    assert (receipt["disposition"], receipt["reason"]) == (
        "accepted",
        "speaks of something else than the ticket it answers",
    )
    new = await post.ticket(receipt["ticket_id"])
    assert (new["split_from"], new["follow_up_of"], new["subject"]) == (ticket, None, "Refund for chair")
    assert (await post.ticket(ticket))["status"] == statuses[-1]
    (more,) = await post.deliver(mail("Re: Refund for chair", in_reply_to="<chair@x.example>"))
    assert more["ticket_id"] == receipt["ticket_id"]
    (back,) = await post.deliver(mail("Re: It hurts", "still", in_reply_to=ROOT))
    assert (back["ticket_id"] == ticket) is (statuses[-1] == "resolved")


async def test_H3_another_matter_on_an_open_ticket_joins_it_with_its_subject(post: Post) -> None:
    """And the customer may go on under that subject, also when the ticket is done."""
    ticket = await opened(post)
    (receipt,) = await post.deliver(mail("Refund for chair", in_reply_to=ROOT))
    assert receipt["ticket_id"] == ticket
    first, second = await post.messages(ticket)
    assert "subject" not in from_json(first["mail"])
    assert from_json(second["mail"])["subject"] == "Refund for chair"
    await become(post, ticket, "resolved")
    (later,) = await post.deliver(mail("Re: Refund for chair", "please", in_reply_to=ROOT))
    assert later["ticket_id"] == ticket


async def test_H3_a_subject_with_the_number_of_the_ticket_speaks_of_it(post: Post) -> None:
    ticket = await opened(post)
    reference = (await post.ticket(ticket))["reference"]
    await become(post, ticket, "resolved")
    (receipt,) = await post.deliver(mail(f"[#{reference}] Thanks", in_reply_to=ROOT))
    assert receipt["ticket_id"] == ticket


# ---- agents ----------------------------------------------------------------------------------------------------


async def by_agent(
    post: Post, ticket: str, text: str, *, results: str = VERIFIED, proved: bool = True
) -> dict[str, object]:
    """A mail from Mira's address on the ticket; its receipt."""
    own = reply_message_id(KEY, ticket, "m1", "support.example.com")
    parent = f"<{own}>" if proved else ROOT
    sender = "Mira <Mira@lumen.example.com>"
    raw = mail("Re: It hurts", text, sender=sender, in_reply_to=parent, authentication_results=results)
    (receipt,) = await post.deliver(raw)
    return receipt


async def test_H6_an_agents_verified_mail_is_a_public_answer_that_leaves(post: Post) -> None:
    ticket = await opened(post)
    receipt = await by_agent(post, ticket, "Rest it.\n\nOn 2 March 2026 Ada wrote:\n> Help me.\n")
    assert (receipt["disposition"], receipt["reason"], receipt["verified"]) == ("appended", "an answer by mira", True)
    message = (await post.messages(ticket))[1]
    assert (message["kind"], message["author"], message["text"]) == ("agent", "mira", "Rest it.")
    outbound = from_json(message["outbound"])
    assert (outbound["to"], outbound["in_reply_to"]) == ("ada@customer.example", "root@customer.example")
    fact = post.intake.said()[-1]
    assert (fact.type, fact.actor) == ("signalbox.ticket.message-added.v1", "agent:mira")
    assert (await post.ticket(ticket))["human_replies"] == 1


async def test_M3_an_agents_mail_leaves_with_copies_as_any_other_answer(post: Post) -> None:
    ticket, source = await opened(post), await opened(post, "b", sender="Bob <bob@elsewhere.example>")
    async with post.intake.transactions.begin() as transaction:
        merges = Merges(Store(transaction), MIRA)
        await merges.merge(*await merges.target(ticket, [source]), confirmed=True, copied=True)
    await by_agent(post, ticket, "Rest it.")
    outbound = from_json((await post.messages(ticket))[-1]["outbound"])
    assert (outbound["to"], outbound["copies"]) == (
        "ada@customer.example",
        [{"ticket": source, "to": "bob@elsewhere.example"}],
    )


async def test_H6_a_note_stays_inside(post: Post) -> None:
    ticket = await opened(post)
    receipt = await by_agent(post, ticket, "#note SECRET: she is right.")
    assert receipt["reason"] == "a note by mira"
    message = (await post.messages(ticket))[1]
    assert (message["visibility"], message["text"], message["outbound"]) == ("internal", "SECRET: she is right.", None)
    assert all(b"SECRET" not in fact.payload for fact in post.intake.said())


@pytest.mark.parametrize(
    ("results", "proved", "why"),
    [
        ("mx.elsewhere.example; dmarc=pass", True, "no trusted server"),
        ("mx.support.example.com; dmarc=fail", True, "no trusted server"),
        ("mx.support.example.com; dkim=pass header.d=elsewhere.example", True, "no trusted server"),
        (VERIFIED, False, "does not answer a mail of ours"),
    ],
)
async def test_H6_what_anybody_could_have_written_in_an_agents_name_waits(
    post: Post, results: str, proved: bool, why: str
) -> None:
    ticket = await opened(post)
    receipt = await by_agent(post, ticket, "Send me the money.", results=results, proved=proved)
    assert (receipt["disposition"], receipt["because"]) == ("suspended", "unproved_agent")
    assert why in str(receipt["reason"])
    assert len(await post.messages(ticket)) == 1


async def test_H6_an_agents_mail_on_a_closed_ticket_waits(post: Post) -> None:
    ticket = await opened(post)
    await become(post, ticket, "resolved", "closed")
    assert (await by_agent(post, ticket, "One more thing."))["because"] == "closed"


async def test_H6_agents_are_customers_too(post: Post) -> None:
    (receipt,) = await post.deliver(mail("My lamp", sender="mira@lumen.example.com", message_id="<lamp@lumen.example>"))
    assert receipt["disposition"] == "accepted"
    await answered(post, receipt["ticket_id"], "pending")
    more = mail("Re: My lamp", sender="mira@lumen.example.com", in_reply_to="<lamp@lumen.example>")
    (receipt,) = await post.deliver(more)
    assert (await post.messages(receipt["ticket_id"]))[-1]["kind"] == "customer"
