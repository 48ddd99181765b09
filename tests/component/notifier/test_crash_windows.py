"""Decisions 20: whatever dies while a mail leaves, an answer arrives and an acknowledgment does not arrive twice."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from libs.chassis.metrics import Metrics
from libs.contracts.ticket import Attachment, Customer, MessageKind, Outbound, TicketMessageAdded
from services.notifier.domain.notice import State
from services.notifier.domain.outcome import Settlement
from services.notifier.sender.ledger import Done, Ledger
from services.notifier.sender.sender import Sender
from services.notifier.settings import NotifierSettings
from tests.component.notifier.mail_server import Fault
from tests.component.notifier.world import CUSTOMER, World
from tests.support.stack import until

IN_SENDING = """
UPDATE notices SET state = 'sending', attempts = attempts + 1, next_try = NULL,
                   sending_since = clock_timestamp() - interval '61 seconds'
WHERE ticket = $1
"""


@pytest.fixture(autouse=True)
async def calm(world: World) -> None:
    world.server.spool.faults.clear()


async def test_20_a_busy_server_is_asked_again(world: World) -> None:
    world.server.fail(Fault.BUSY, Fault.BUSY)
    ticket = await world.acknowledge()
    notice = await world.notice(ticket, "sent")
    assert notice["attempts"] == 3
    assert len(world.mails(ticket)) == 1


async def test_20_a_refusal_is_final_and_said_without_the_address(world: World) -> None:
    world.server.fail(Fault.REFUSED)
    ticket = await world.open()
    identity = await world.reply(ticket)
    notice = await world.notice(ticket, "failed")
    (name, said), *_ = await world.said(ticket)
    assert (name, said["state"], said["permanent"]) == ("failed", "refused", True)
    assert said["source_message"] == notice["source_message"]
    assert "550" in said["reason"]
    assert CUSTOMER not in said["reason"]
    assert world.mails(identity) == []


async def test_20_an_answer_that_may_have_left_is_sent_again_with_its_message_id(world: World) -> None:
    world.server.fail(Fault.SILENT)
    ticket = await world.open()
    identity = await world.reply(ticket)
    await world.notice(ticket, "sent")
    first, second = world.mails(identity)
    assert first.message_id == second.message_id == identity
    folder = world.server.spool.folder
    assert (folder / first.file).read_bytes() == (folder / second.file).read_bytes()


async def test_20_an_acknowledgment_that_may_have_left_is_not_sent_again(world: World) -> None:
    world.server.fail(Fault.SILENT)
    ticket = await world.acknowledge()
    notice = await world.notice(ticket, "unknown")
    assert len(world.mails(ticket)) == 1
    (name, said), *_ = await world.said(ticket)
    assert (name, said["state"]) == ("failed", "unknown")
    assert notice["attempts"] == 1


async def test_20_a_server_that_is_away_costs_no_notice_an_attempt(world: World) -> None:
    await world.server.spool.stop()
    ticket = await world.acknowledge()
    await world.notice(ticket, "queued")
    await world.server.spool.start()
    notice = await world.notice(ticket, "sent")
    assert notice["attempts"] == 1
    assert len(world.mails(ticket)) == 1


async def test_20_an_abandoned_answer_is_sent_an_abandoned_acknowledgment_is_not(world: World) -> None:
    """As a sender leaves them that is killed between the commit of `sending` and its next commit."""
    await world.server.spool.stop()
    replied = await world.open()
    identity = await world.reply(replied)
    acknowledged = await world.acknowledge()
    for ticket in (replied, acknowledged):
        await world.notice(ticket, "queued")
        await world.execute(IN_SENDING, ticket)
    await world.server.spool.start()
    await world.mail(identity)
    await world.notice(acknowledged, "unknown")
    assert world.mails(acknowledged) == []
    assert [name for name, _ in await world.said(acknowledged)] == ["failed"]


async def test_20_whoever_comes_late_changes_nothing(world: World) -> None:
    """A sender that was taken for dead cannot overwrite what was decided meanwhile: the attempt's number differs."""
    await world.server.spool.stop()
    ticket = await world.open()
    await world.reply(ticket)
    await world.notice(ticket, "queued")
    await world.execute(IN_SENDING, ticket)
    ledger = Ledger(world.notifier.resources, lambda *_: None)
    (row,) = await world.rows(ticket)
    await until(lambda: world.rows(ticket, "queued"))
    claimed = await ledger.turn(None, claim=True)
    assert claimed is not None
    assert (claimed.ticket, claimed.attempts) == (ticket, row["attempts"] + 1)
    late = Done(replace(claimed, attempts=row["attempts"]), Settlement(State.SENT))
    await ledger.turn(late, claim=False)
    assert (await world.notice(ticket, "sending"))["attempts"] == claimed.attempts
    await ledger.turn(Done(claimed, Settlement(State.QUEUED, None, "x", world.notifier.clock.now())), claim=False)
    await world.server.spool.start()
    assert (await world.notice(ticket, "sent"))["attempts"] == claimed.attempts + 1


async def test_20_automatic_notices_about_yesterday_are_suppressed(world: World) -> None:
    ticket = await world.open()
    await world.promise(ticket, ago=24 * 3600 + 60)
    await world.notice(ticket, "suppressed")
    assert world.mails(ticket) == []


async def test_20_what_waited_longer_than_a_day_is_suppressed(world: World) -> None:
    await world.server.spool.stop()
    ticket = await world.acknowledge()
    await world.notice(ticket, "queued")
    await world.execute("UPDATE notices SET fact_at = fact_at - interval '25 hours' WHERE ticket = $1", ticket)
    await world.notice(ticket, "suppressed")
    await world.server.spool.start()
    assert [said["state"] for _, said in await world.said(ticket)] == ["suppressed"]


async def test_an_attachment_that_is_gone_is_not_left_out_silently(world: World) -> None:
    """Without intake nothing can be fetched: the answer waits, and is not sent without its attachment."""
    ticket = await world.open()
    outbound = Outbound(to=CUSTOMER, sender="help@support.example.com", subject="x", message_id="a@example.com")
    attachment = Attachment(id="1", name="a.pdf", content_type="application/pdf", size=1, sha256="0" * 64)
    event = TicketMessageAdded(
        message_id="m",
        kind=MessageKind.AGENT,
        human=True,
        channel="email",
        text="see there",
        outbound=outbound,
        attachments=(attachment,),
    )
    await world.say(event, ticket)
    notice = await until(lambda: _waiting(world, ticket))
    assert "INTAKE_URL" in notice["reason"]
    assert world.mails("a@example.com") == []
    await world.execute("DELETE FROM notices WHERE ticket = $1", ticket)


async def test_two_senders_at_once_send_each_mail_once(world: World) -> None:
    settings = world.stack.settings(NotifierSettings, "notifier", smtp_url=world.server.spool.url, smtp_connections=4)
    replica = replace(world.notifier.resources, metrics=Metrics("notifier", "0"))
    over = asyncio.Event()
    other = asyncio.ensure_future(Sender(settings).run(replica, over))
    tickets = [await world.acknowledge(customer=Customer(id="c", email=f"c{n}@example.org")) for n in range(20)]
    for ticket in tickets:
        await world.notice(ticket, "sent")
    over.set()
    await other
    assert [len(world.mails(ticket)) for ticket in tickets] == [1] * 20


async def _waiting(world: World, ticket: str) -> asyncpg.Record | None:
    rows = await world.rows(ticket)
    return rows[0] if rows and rows[0]["reason"] else None
