"""Mail on a closed ticket, as its queue wishes (behaviour H-4)."""

import pytest

from libs.contracts.mail_ids import verify_message_id
from libs.contracts.ticket import Outbound
from tests.component.intake_mail.conftest import KEY, Post, mail
from tests.component.intake_mail.stories import become, opened

ROOT = "<root@customer.example>"


async def closed(post: Post, wish: str) -> str:
    """A closed ticket of a queue that wishes this of follow-ups."""
    post.begin_anew(follow_up={"default": "refuse", "queues": {"billing": wish}})
    ticket = await opened(post)
    post.say(f"UPDATE tickets SET queue = 'billing' WHERE id = '{ticket}'")
    await become(post, ticket, "resolved", "closed")
    post.intake.said()
    return ticket


@pytest.fixture(autouse=True)
def fresh(post: Post) -> None:
    post.begin_anew()


async def test_H4_a_queue_may_wish_that_closed_tickets_open_again(post: Post) -> None:
    ticket = await closed(post, "reopen")
    (receipt,) = await post.deliver(mail("Re: It hurts", "again", in_reply_to=ROOT))
    assert (receipt["disposition"], receipt["ticket_id"]) == ("appended", ticket)
    row = await post.ticket(ticket)
    assert (row["status"], row["customer_messages"], row["close_at"]) == ("open", 2, None)
    assert [fact.type.split(".")[2] for fact in post.intake.said()] == ["changed", "message-added"]


async def test_H4_a_deleted_ticket_of_such_a_queue_comes_back(post: Post) -> None:
    ticket = await closed(post, "reopen")
    post.say(f"UPDATE tickets SET removed = 'deleted' WHERE id = '{ticket}'")
    (receipt,) = await post.deliver(mail("Re: It hurts", "again", in_reply_to=ROOT))
    assert (receipt["ticket_id"], (await post.ticket(ticket))["removed"]) == (ticket, None)


async def test_H4_a_queue_may_refuse_and_tells_the_author_once_an_hour(post: Post) -> None:
    ticket = await closed(post, "refuse")
    (receipt,) = await post.deliver(mail("Re: It hurts", "again", in_reply_to=ROOT, message_id="<n@x.example>"))
    assert (receipt["disposition"], receipt["ticket_id"]) == ("refused", ticket)
    notice = (await post.messages(ticket))[-1]
    assert (notice["id"], notice["kind"]) == (receipt["message_id"], "system")
    outbound = Outbound.model_validate_json(notice["outbound"])
    assert (outbound.to, outbound.in_reply_to, outbound.reply_to) == ("ada@customer.example", "n@x.example", None)
    own = verify_message_id([KEY], outbound.message_id)
    assert own is not None
    assert own.item == notice["id"]
    assert "closed" in notice["text"]
    (again,) = await post.deliver(mail("Re: It hurts", "and again", in_reply_to=ROOT))
    assert (again["disposition"], again["message_id"]) == ("refused", None)
    assert (await post.ticket(ticket))["status"] == "closed"
    post.intake.wait(hours=2)
    (later,) = await post.deliver(mail("Re: It hurts", "later", in_reply_to=ROOT))
    assert later["message_id"] is not None


async def test_H4_whom_a_ticket_is_not_for_is_refused_without_its_subject(post: Post) -> None:
    """He takes part, by a merge for instance, and never saw it."""
    told = {"en": "{reference} {subject} is closed."}
    post.begin_anew(follow_up={"default": "refuse", "refusal": told})
    ticket = await opened(post)
    post.say(f"INSERT INTO participants (ticket_id, email) VALUES ('{ticket}', 'bo@b.example')")
    await become(post, ticket, "resolved", "closed")
    (his,) = await post.deliver(mail("", "again", sender="bo@b.example", in_reply_to=ROOT))
    (hers,) = await post.deliver(mail("", "again", in_reply_to=ROOT, message_id="<n@x.example>"))
    notices = {row["id"]: (row["text"], row["outbound"]) for row in (await post.messages(ticket))[1:]}
    assert "hurts" not in str(notices[his["message_id"]])
    assert "It hurts is closed." in notices[hers["message_id"]][0]


async def test_H4_A1_a_machine_is_refused_in_silence(post: Post) -> None:
    ticket = await closed(post, "refuse")
    (receipt,) = await post.deliver(mail("Re: It hurts", in_reply_to=ROOT, precedence="bulk"))
    assert (receipt["disposition"], receipt["message_id"]) == ("refused", None)
    assert len(await post.messages(ticket)) == 1


async def test_H4_a_stranger_learns_nothing_of_a_closed_ticket(post: Post) -> None:
    """Whether it reopens, follows or refuses: who takes no part begins a ticket that has nothing to do with it."""
    for wish in ("reopen", "new_ticket", "refuse"):
        ticket = await closed(post, wish)
        (receipt,) = await post.deliver(mail("Re: It hurts", sender="eve@elsewhere.example", in_reply_to=ROOT))
        new = await post.ticket(receipt["ticket_id"])
        assert (receipt["disposition"], new["follow_up_of"], new["tags"]) == ("accepted", None, [])
        assert (await post.ticket(ticket))["status"] == "closed"


async def test_H4_a_deleted_ticket_is_followed_by_one_that_does_not_name_it(post: Post) -> None:
    ticket = await closed(post, "new_ticket")
    post.say(f"UPDATE tickets SET removed = 'deleted' WHERE id = '{ticket}'")
    (receipt,) = await post.deliver(mail("Re: It hurts", "again", in_reply_to=ROOT))
    assert receipt["disposition"] == "accepted"
    assert (await post.ticket(receipt["ticket_id"]))["follow_up_of"] is None
