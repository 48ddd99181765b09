"""H-1 and decisions 18, 19: ids of our own mail prove their ticket, and nobody else's do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.mail_ids import (
    MailIdKind,
    OwnMailId,
    bare_address,
    body_mark,
    notice_message_id,
    plus_address,
    reply_message_id,
    verify_body_marks,
    verify_message_id,
    verify_plus_address,
)
from services.intake.mail.message_ids import threading
from services.intake.mail.parse import parse

KEY, OLD = b"new key of 16 by", b"old key of 16 by"
TICKET, MESSAGE = "0198a7c2-0000-7000-8000-000000000001", "0198a7c2-0000-7000-8000-000000000002"
PIECES = st.from_regex(r"[a-z0-9-]{1,36}", fullmatch=True)


def test_H1_replies_and_notices_have_the_promised_forms() -> None:
    reply = reply_message_id(KEY, TICKET, MESSAGE, "shop.example")
    notice = notice_message_id(KEY, TICKET, "n1", "shop.example")
    assert reply.startswith(f"t.{TICKET}.{MESSAGE}.")
    assert notice.startswith(f"n.{TICKET}.n1.")
    assert len(reply.split(".")[3].partition("@")[0]) == 8
    assert verify_message_id([KEY], reply) == OwnMailId(MailIdKind.REPLY, TICKET, MESSAGE)
    assert verify_message_id([KEY], f"<{notice.upper()}>") == OwnMailId(MailIdKind.NOTICE, TICKET, "n1")


@given(PIECES, PIECES, st.sampled_from("tn"), PIECES)
def test_H1_no_part_of_an_id_can_be_changed(ticket: str, item: str, kind: str, other: str) -> None:
    mint = reply_message_id if kind == "t" else notice_message_id
    id_ = mint(KEY, ticket, item, "shop.example")
    proof = id_.split(".")[3].partition("@")[0]
    assert verify_message_id([KEY], id_) == OwnMailId(MailIdKind(kind), ticket, item)
    assert verify_message_id([OLD], id_) is None
    swapped = "n" if kind == "t" else "t"
    for forged in (f"{swapped}.{ticket}.{item}", f"{kind}.{ticket}x.{item}", f"{kind}.{ticket}.{item}x"):
        assert verify_message_id([KEY], f"{forged}.{proof}@shop.example") is None


def test_H1_an_older_key_still_proves_and_a_gateway_may_change_the_domain() -> None:
    id_ = reply_message_id(OLD, "t1", "m1", "shop.example")
    assert verify_message_id([KEY, OLD], id_.replace("shop", "gateway")) is not None


@pytest.mark.parametrize(
    "id_", ["", "t.a.b@x", "t.a.b.cccccccc@x", "<random@x>", "t.a.b.c.dddddddd@x", "t.ä.b.cccccccc@x"]
)
def test_H1_other_peoples_ids_are_not_ours(id_: str) -> None:
    assert verify_message_id([KEY], id_) is None


@pytest.mark.parametrize("ticket", ["", "a.b", "a@b", "a b", "ä", "x" * 65])
def test_H1_what_would_not_come_back_is_not_minted(ticket: str) -> None:
    with pytest.raises(ValueError, match="ticket"):
        reply_message_id(KEY, ticket, "m", "shop.example")


def test_H1_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="key: 5 bytes"):
        reply_message_id(b"short", "t", "m", "shop.example")


@given(PIECES)
def test_H1_plus_addresses_carry_a_proved_token(token: str) -> None:
    address = plus_address(KEY, "support@shop.example", token)
    assert address.startswith(f"support+{token}.")
    assert verify_plus_address([KEY], address.upper()) == token
    assert verify_plus_address([OLD], address) is None
    assert verify_plus_address([KEY], address.replace("+", "+x")) is None
    assert bare_address(address) == "support@shop.example"


def test_H1_an_address_that_would_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 64"):
        plus_address(KEY, f"{'x' * 40}@shop.example", TICKET)
    with pytest.raises(ValueError, match="no mailbox"):
        plus_address(KEY, "support+x@shop.example", "t1")


def test_H1_a_mail_offers_its_ticket_in_the_order_of_trust() -> None:
    own = reply_message_id(KEY, "t1", "m1", "shop.example")
    forged = own.replace("t.t1.", "t.t2.")
    to = plus_address(KEY, "support@shop.example", "SB-1001")
    raw = f"To: {to}\nSubject: Re: [#SB-1001] Parcel\nIn-Reply-To: <{own}>\n"
    raw += f"References: <root@x> <{forged}> <near@x>\n\nhi"
    offers = threading(parse(raw.encode()), [KEY])
    assert offers.plus_tokens == ("sb-1001",)
    assert [id_.ticket for id_ in offers.own_ids] == ["t1"]
    assert offers.known_ids == (own, "near@x", forged, "root@x")
    assert offers.subject_references == ("SB-1001",)


def test_H1_the_envelope_knows_the_plus_address_of_a_blind_copy() -> None:
    to = plus_address(KEY, "support@shop.example", "t1")
    assert threading(parse(b"Subject: x\n\n"), [KEY], recipients=[to]).plus_tokens == ("t1",)


def test_H1_a_mark_is_found_in_any_text_and_cannot_be_made_up() -> None:
    key, other = b"a key of more than sixteen bytes", b"another key of sixteen bytes and more"
    mark = body_mark(key, "10019")
    text = f"> > {mark} and {mark} and {body_mark(other, '10027')} and [ref:10019.aaaaaaaa]"
    assert verify_body_marks([key], text) == ("10019",)
    assert verify_body_marks([key, other], text) == ("10019", "10027")
