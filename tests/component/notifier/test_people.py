"""What our own people are told, and what the API shows."""

from datetime import UTC, datetime, timedelta

from libs.chassis.clock import real_now
from libs.chassis.tokens import Role
from libs.contracts.routing import Presence
from libs.contracts.sla import Metric, Outcome, SlaDecided, SlaWarned
from libs.contracts.ticket import Change, Customer, TicketChanged, TicketDeliveryFailed, TicketRemoved
from tests.component.notifier.world import World
from tests.support.stack import until


def warned(minutes: int = 3) -> SlaWarned:
    now = datetime.now(UTC)
    deadline = now + timedelta(minutes=minutes)
    return SlaWarned(metric=Metric.FIRST_RESPONSE, instance=1, threshold=0.8, scheduled_for=now, deadline=deadline)


def breached() -> SlaDecided:
    now = datetime.now(UTC)
    return SlaDecided(
        metric=Metric.RESOLUTION,
        instance=1,
        outcome=Outcome.BREACHED,
        at=now,
        deadline=now,
        cause="deadline_passed",
        running_seconds=7200,
        calendar_seconds=7200,
    )


async def assign(world: World, ticket: str, agent: str | None) -> None:
    await world.say(TicketChanged(changes={"assignee": Change(new=agent)}), ticket, state=world.state(ticket))
    await world.heard(ticket)


async def recipients(world: World, ticket: str, count: int) -> set[str]:
    mails = await until(lambda: len(world.mails(ticket)) == count and world.mails(ticket))
    return {mail.recipients[0].partition("@")[0] for mail in mails}


async def team(world: World) -> None:
    await world.agent("mira")
    await world.agent("paul", Presence.OFFLINE)
    await world.agent("lena")
    await world.queue("general", "lena")
    await world.queue("orphan", None)
    for subject in ("agent:mira", "agent:paul", "agent:lena", "queue:general", "queue:orphan"):
        await world.heard(subject, "router")


async def test_W2_a_warning_goes_to_the_assignee_or_to_the_lead(world: World) -> None:
    await team(world)
    expected = {"mira": {"mira"}, "paul": {"paul", "lena"}, None: {"lena"}}
    for assignee, told in expected.items():
        ticket = await world.open()
        await assign(world, ticket, assignee)
        await world.say(warned(), ticket)
        assert await recipients(world, ticket, len(told)) == told


async def test_W2_somebody_is_always_told(world: World) -> None:
    ticket = await world.open()
    await world.say(TicketChanged(changes={"queue": Change(new="orphan")}), ticket, state=world.state(ticket))
    await world.heard(ticket)
    await world.say(warned(), ticket)
    assert await recipients(world, ticket, 1) == {"team-leads"}


async def test_a_breach_is_told_and_marked_automatic(world: World) -> None:
    ticket = await world.open()
    await assign(world, ticket, "mira")
    await world.say(breached(), ticket)
    mail = await world.mail(ticket)
    assert mail.subject == "[#SB-10427] resolution is overdue"
    raw = (world.server.spool.folder / mail.file).read_text()
    assert "Auto-Submitted: auto-generated" in raw
    assert mail.sender == ""


async def test_A6_a_mail_that_came_back_is_told_to_the_agent(world: World) -> None:
    await team(world)
    ticket = await world.open()
    await assign(world, ticket, "mira")
    failed = TicketDeliveryFailed(message_id="m", permanent=True, status="5.1.1")
    await world.say(failed, ticket, state=world.state(ticket))
    mail = await world.mail(ticket)
    assert mail.recipients == ("mira@lumen.example.com",)
    assert "5.1.1" in mail.text


async def test_A6_an_address_that_does_not_exist_twice_gets_nothing_by_itself(world: World) -> None:
    """But who writes by mail from there can read there."""
    gone = Customer(id="gone", name="Ann", email="gone@customer.example")
    ticket = await world.open(customer=gone, mail=None)
    await assign(world, ticket, "mira")
    for answer, status in (("m1", "5.1.1"), ("m2", "5.7.1"), ("m3", "5.1.1")):
        failed = TicketDeliveryFailed(message_id=answer, permanent=True, status=status)
        await world.say(failed, ticket, state=world.state(ticket))
    await until(lambda: _failures(world, 2))
    form = await world.acknowledge(customer=gone, channel="form", mail=None)
    assert "does not exist" in (await world.notice(form, "suppressed"))["reason"]
    by_mail = await world.acknowledge(customer=gone, mail=None)
    await world.notice(by_mail, "sent")
    await world.say(TicketRemoved(reason="erased"), ticket, state=world.state(ticket))
    await until(lambda: _failures(world, None))
    again = await world.acknowledge(customer=gone, channel="form", mail=None, subject="Another matter")
    await world.notice(again, "sent")


async def _failures(world: World, count: int | None) -> bool:
    async with world.notifier.resources.database.connection() as connection:
        found: int | None = await connection.fetchval(
            "SELECT failures FROM failing_addresses WHERE address = 'gone@customer.example'"
        )
    return found == count


async def test_the_notices_of_a_ticket_are_listed_page_by_page(world: World) -> None:
    ticket = await world.acknowledge()
    await world.reply(ticket)
    await until(lambda: _sent(world, ticket, 2))
    async with world.stack.client(world.notifier) as client:
        first = (await client.get("/v1/notices", params={"ticket": ticket, "limit": 1})).json()
        second = (await client.get("/v1/notices", params={"ticket": ticket, "cursor": first["next"]})).json()
        wrong = await client.get("/v1/notices")
    assert second["next"] is None
    kinds = {item["kind"] for page in (first, second) for item in page["items"]}
    assert kinds == {"acknowledgment", "reply"}
    assert wrong.status_code == 422


async def test_a_template_can_be_looked_at(world: World) -> None:
    token = world.notifier.resources.tokens.issue("t", Role.AGENT, real_now(), lifetime=timedelta(hours=1))
    asked = {"name": "acknowledgment.after_hours", "language": "de-AT"}
    async with world.stack.client(world.notifier, token) as client:
        preview = (await client.get("/v1/templates/preview", params=asked)).json()
        unknown = await client.get("/v1/templates/preview", params={"name": "nothing"})
    assert preview["language"] == "de"
    assert "gerade nicht besetzt" in preview["text"]
    assert unknown.status_code == 422


async def test_waiting_mails_hold_simulated_time_back(world: World) -> None:
    (worker,) = world.notifier.service.workers
    assert worker.left is not None
    await world.server.spool.stop()
    ticket = await world.acknowledge()
    notice = await world.notice(ticket, "queued")
    now = world.notifier.clock.now()
    assert (await worker.left(world.notifier.resources, now)).busy
    earlier = await worker.left(world.notifier.resources, notice["next_try"] - timedelta(seconds=1))
    assert (earlier.busy, earlier.next_due) == (False, notice["next_try"])
    await world.server.spool.start()
    await world.notice(ticket, "sent")


async def _sent(world: World, ticket: str, count: int) -> bool:
    return len(await world.rows(ticket, "sent")) == count
