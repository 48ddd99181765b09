"""Mails that wait for a person: why, and what a person makes of them (behaviour A-4, E-1)."""

import asyncio
from typing import Any

import pytest

from services.intake.erasing import sweep
from services.intake.inbound.reconciling import differences
from services.intake.inbound.suspension import Suspension
from tests.component.intake_mail.conftest import Post, mail
from tests.component.intake_mail.stories import become, opened

ALONE = {"auto_submitted": "auto-replied"}


@pytest.fixture(autouse=True)
def fresh(post: Post) -> None:
    post.begin_anew()


async def released(post: Post, receipt: int) -> dict[str, Any]:
    """A person lets a mail go on; what became of it."""
    async with post.intake.transactions.begin() as transaction:
        assert await Suspension(transaction.connection, "agent:mira", transaction.now).release(receipt)
    await post.work_off()
    (after,) = await post.receipts([receipt])
    return after


async def deleted(post: Post, receipt: int) -> bool:
    """A person does not want a mail, and loose blobs are looked at."""
    async with post.intake.transactions.begin() as transaction:
        did = await Suspension(transaction.connection, "agent:mira", transaction.now).delete(receipt)
    async with post.intake.transactions.begin() as transaction:
        await sweep(transaction.connection)
    return did


async def adds_up(post: Post) -> bool:
    async with post.intake.pool.connection() as connection:
        found = await differences(connection, post.intake.clock.now())
    assert found == []
    return True


@pytest.mark.parametrize(
    ("raw", "because"),
    [
        (mail("Out of office", **ALONE), "answers_nothing"),
        (mail(sender="help@support.example.com"), "ourselves"),
        (b"Subject: From nobody\r\n\r\nHello.\r\n", "no_sender"),
        (mail(sender="Spam <eve@spam.example>"), "denied"),
        (mail(sender="Spam <eve@mail.spam.example>"), "denied"),
    ],
)
async def test_E1_what_is_suspended_says_why_and_becomes_a_ticket_once_a_person_wants_it(
    post: Post, raw: bytes, because: str
) -> None:
    post.begin_anew(inbound={"deny": ["spam.example"]})
    (receipt,) = await post.deliver(raw)
    assert (receipt["disposition"], receipt["because"]) == ("suspended", because)
    assert receipt["reason"]
    after = await released(post, receipt["id"])
    assert (after["disposition"], after["because"], after["handled_by"]) == ("accepted", None, "agent:mira")
    assert len(await post.messages(after["ticket_id"])) == 1
    async with post.intake.transactions.begin() as transaction:
        assert not await Suspension(transaction.connection, "agent:tom", transaction.now).release(receipt["id"])
    assert await adds_up(post)


async def test_E1_of_many_who_release_a_mail_one_does(post: Post) -> None:
    (receipt,) = await post.deliver(mail("Out of office", **ALONE))

    async def try_it() -> bool:
        async with post.intake.transactions.begin() as transaction:
            return await Suspension(transaction.connection, "agent:mira", transaction.now).release(receipt["id"])

    assert sorted(await asyncio.gather(*(try_it() for _ in range(5)))) == [False] * 4 + [True]
    await post.work_off(workers=3)
    assert await post.ledger() == {"accepted": 1}


async def test_E2_a_copy_of_a_suspended_mail_is_a_duplicate_before_and_after_its_release(post: Post) -> None:
    raw = mail("Out of office", message_id="<away@x.example>", **ALONE)
    first, copy = await post.deliver(raw, raw)
    assert (first["disposition"], copy["disposition"]) == ("suspended", "duplicate")
    assert (await released(post, first["id"]))["disposition"] == "accepted"
    (later,) = await post.deliver(raw)
    assert later["disposition"] == "duplicate"


async def test_A4_a_released_mail_does_not_count_for_its_senders_limit(post: Post) -> None:
    post.begin_anew(inbound={"sender_limit": {"tickets": 1, "minutes": 10}})
    _, second = await post.deliver(mail("One"), mail("Two", message_id="<two@x.example>"))
    assert second["because"] == "too_many"
    (answer,) = await post.deliver(mail("Re: Two", in_reply_to="<two@x.example>"))
    assert answer["because"] == "too_many"
    ticket = (await released(post, second["id"]))["ticket_id"]
    joined = await released(post, answer["id"])
    assert (joined["disposition"], joined["ticket_id"]) == ("appended", ticket)


async def test_A4_who_is_allowed_has_no_limit_and_an_address_counts_before_its_domain(post: Post) -> None:
    limit = {"tickets": 1, "minutes": 10}
    lists = {"allow": ["shop.example", "eve@spam.example"], "deny": ["spam.example", "bob@shop.example"]}
    post.begin_anew(inbound={"sender_limit": limit, **lists})
    many = [mail(f"Order {n}", sender="orders@shop.example") for n in range(3)]
    others = [mail(sender=sender) for sender in ("eve@spam.example", "ann@spam.example", "bob@shop.example")]
    got = [receipt["disposition"] for receipt in await post.deliver(*many, *others)]
    assert got == ["accepted"] * 4 + ["suspended"] * 2


async def test_H4_a_refused_mail_that_a_person_wants_begins_a_follow_up(post: Post) -> None:
    post.begin_anew(follow_up={"default": "refuse"})
    ticket = await opened(post)
    await become(post, ticket, "resolved", "closed")
    (receipt,) = await post.deliver(mail("Re: It hurts", "again", in_reply_to="<root@customer.example>"))
    after = await released(post, receipt["id"])
    assert after["disposition"] == "accepted"
    assert (await post.ticket(after["ticket_id"]))["follow_up_of"] == ticket
    assert await adds_up(post)


async def test_E1_a_deleted_mail_is_forgotten_and_its_receipt_stays(post: Post) -> None:
    raw = mail("SECRET", "Out of office", **ALONE)
    (receipt,) = await post.deliver(raw)
    assert await deleted(post, receipt["id"])
    assert not await deleted(post, receipt["id"])
    (after,) = await post.receipts([receipt["id"]])
    assert (after["disposition"], after["subject"], after["author"]) == ("deleted", None, None)
    assert await post.intake.fetch("SELECT * FROM blobs") == []
    (again,) = await post.deliver(raw)
    assert again["disposition"] == "duplicate"
    assert await adds_up(post)


async def test_E1_copies_of_a_deleted_mail_go_with_it_and_one_that_just_comes_is_read(post: Post) -> None:
    raw = mail("SECRET", "Out of office", **ALONE)
    first, copy = await post.deliver(raw, raw)
    (coming,) = await post.take_in([raw])
    assert await deleted(post, first["id"])
    assert await post.intake.fetch("SELECT sha256 FROM blobs") == [{"sha256": first["blob"]}]
    await post.work_off()
    after, late = await post.receipts([copy["id"], coming])
    assert (after["disposition"], after["blob"], after["author"], after["subject"]) == ("duplicate", "", None, None)
    assert (late["disposition"], late["blob"]) == ("duplicate", first["blob"])
    assert await adds_up(post)


async def test_E1_a_deleted_mail_leaves_its_bytes_to_another_that_waits_with_them(post: Post) -> None:
    raw = mail("Out of office", **ALONE)
    first, copy = await post.deliver(raw, raw)
    post.say(f"UPDATE inbound_mail SET disposition = 'suspended', because = 'fault' WHERE id = {copy['id']}")
    (third,) = await post.deliver(raw)
    assert await deleted(post, first["id"])
    assert [each["blob"] for each in await post.receipts([copy["id"], third["id"]])] == [first["blob"]] * 2
    assert await adds_up(post)
    assert await deleted(post, copy["id"])
    assert await post.intake.fetch("SELECT * FROM blobs") == []


async def test_E1_the_ledger_names_what_does_not_add_up(post: Post) -> None:
    ticket = await opened(post)
    kept, lost, moved, unread = [
        (await post.deliver(mail(f"Mail {name}", message_id=f"<{name}@x.example>")))[0] for name in "abcd"
    ]
    assert await adds_up(post)
    post.say(
        f"DELETE FROM messages WHERE id = '{lost['message_id']}';"
        f"UPDATE messages SET ticket_id = '{ticket}' WHERE id = '{moved['message_id']}';"
        f"DELETE FROM blobs WHERE sha256 = '{unread['blob']}';"
        f"DELETE FROM inbound_mail WHERE id = {kept['id']}"
    )
    async with post.intake.pool.connection() as connection:
        found = {each.what: each.which for each in await differences(connection, post.intake.clock.now())}
    assert found == {
        "its bytes are gone": (str(unread["id"]),),
        "it became no message": (str(lost["id"]),),
        "its message is on another ticket": (str(moved["id"]),),
        "a message of a ticket came by no mail": (kept["message_id"],),
    }
