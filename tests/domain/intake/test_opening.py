"""How tickets begin, what they are called, what their answers look like (behaviour C-1, C-4, H-4, H-7, E-8)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.conversation import HandedOff, TicketRequested
from libs.contracts.identifiers import uuid7
from libs.contracts.mail_ids import body_mark, verify_message_id, verify_plus_address
from libs.contracts.ticket import AnswerCopy, InboundMail, MessageKind, Outbound, TicketOpened
from services.intake.domain.conversation import Conversation, Roster, opening_from
from services.intake.domain.fields import Fields
from services.intake.domain.message import Customer, inline
from services.intake.domain.opening import Opening, follow_up, open_ticket, subject_from
from services.intake.domain.outbound import Sender, answer_subject, outbound
from services.intake.domain.reference import is_reference, reference
from tests.domain.intake.tickets import ADA, MIRA, NOW, STATUSES, ticket, written

CHAT = Conversation("chat", "7", url="https://chat.example/7", language="de")
KEY = b"a key of at least sixteen bytes"


@given(number=st.integers(1, 10**12), place=st.integers(0, 11), digit=st.integers(0, 9))
def test_H7_one_wrong_digit_or_two_swapped_ones_are_noticed(number: int, place: int, digit: int) -> None:
    good = reference(number)
    assert is_reference(good)
    place %= len(good)
    wrong = good[:place] + str(digit) + good[place + 1 :]
    assert is_reference(wrong) is (wrong == good)
    if place + 1 < len(good):
        swapped = good[:place] + good[place + 1] + good[place] + good[place + 2 :]
        assert is_reference(swapped) is (swapped == good)


@given(
    counters=st.lists(st.integers(0, 20_000), min_size=2, max_size=20, unique=True), random=st.integers(0, 2**62 - 1)
)
def test_ids_of_one_instant_sort_by_the_order_they_were_made_in(counters: list[int], random: int) -> None:
    ordered = [uuid7(NOW, counter, random) for counter in sorted(counters)]
    assert ordered == sorted(ordered)
    assert uuid7(NOW + timedelta(seconds=6), 0, 0) > ordered[-1]
    assert all(each[14] == "7" and each[19] in "89ab" and len(each) == 36 for each in ordered)


def test_C4_a_hand_off_keeps_topic_reason_and_summary_and_chooses_nothing() -> None:
    request = HandedOff(conversation_id="7", topic="Refund", reason="angry", summary="wants money", confidence=0.2)
    transcript = [written(text="Where is my money?"), written(MessageKind.AI, "one moment")]
    opening = opening_from(CHAT, request, transcript, transcript, ADA, Roster(), Fields(), id="t", reference="1")
    assert (opening.subject, opening.first, opening.customer_messages) == ("Refund", transcript[0], 1)
    assert opening.custom == {"topic": "Refund"}
    assert opening.handoff is not None
    assert '"confidence":0.2' in opening.handoff
    assert opening.intent == "default"
    new = open_ticket(opening, STATUSES, NOW, MIRA)
    assert new.ticket.origin.created_at == NOW
    assert new.ticket.human_replies == 0


def test_C1_what_the_person_who_asks_gives_becomes_the_ticket() -> None:
    request = TicketRequested(
        conversation_id="7",
        subject="Lamp",
        priority="high",
        assignee="mira",
        queue="sales",
        tags=("b", "a"),
        intent_id="x",
    )
    opening = opening_from(CHAT, request, [], [], None, Roster({"mira"}, {"sales"}), Fields(), id="t", reference="1")
    new = open_ticket(opening, STATUSES, NOW, MIRA).ticket
    assert (new.subject, new.priority, new.assignee, new.queue) == ("Lamp", "high", "mira", "sales")
    assert (new.tags, new.origin.intent, new.language) == (("a", "b"), "x", "de")
    assert new.set_by_person == {"priority", "assignee", "queue"}


def test_H4_a_follow_up_takes_tags_fields_and_category_and_not_priority_or_owner() -> None:
    closed = replace(
        ticket("closed"),
        tags=("a",),
        custom={"k": 1},
        category="billing",
        priority="high",
        assignee="mira",
        queue="sales",
    )
    decision = open_ticket(
        follow_up(Opening(id="t2", reference="2", channel="chat", subject="", customer=ADA), closed),
        STATUSES,
        NOW,
        MIRA,
    )
    new = decision.ticket
    assert (new.tags, new.custom, new.category, new.subject) == (("a",), {"k": 1}, "billing", "Lamp")
    assert (new.priority, new.assignee, new.queue, new.origin.follow_up_of) == (None, None, None, "t1")
    assert isinstance(decision.say[0].event, TicketOpened)
    assert decision.say[0].event.follow_up_of == "t1"


def test_a_subject_made_from_a_message_is_its_first_line_cut_between_words() -> None:
    assert subject_from("\n  My   lamp\n flickers") == "My lamp"
    assert subject_from("") == ""
    long = subject_from("word " * 40)
    assert len(long) <= 80
    assert long.endswith("word…")
    assert len(subject_from("x" * 500)) == 80


@given(text=st.text(max_size=200), times=st.sampled_from([1, 500, 2000]))
def test_decisions_21_a_fact_carries_at_most_64_KB_of_text(text: str, times: int) -> None:
    carried, cut = inline(text * times)
    assert len(carried.encode()) <= 65_536
    assert (text * times).startswith(carried)
    assert cut is (carried != text * times)


def test_E8_an_answer_threads_in_the_customers_client_and_finds_back() -> None:
    mail = InboundMail(message_id="b@x", references=("a@x",))
    thread = [
        written(mail=mail),
        written(MessageKind.AGENT, outbound=Outbound(to="a", sender="b", subject="", message_id="r@us")),
    ]
    ours = Sender("help@support.example", "support.example", KEY)
    leaving = outbound(ticket(), ADA, "m9", thread, ours)
    assert leaving is not None
    assert (leaving.to, leaving.sender) == ("ada@example.org", "help@support.example")
    assert (leaving.in_reply_to, leaving.references) == ("b@x", ("a@x", "b@x", "r@us"))
    assert leaving.subject == "[#10019] Re: Lamp"
    own = verify_message_id([KEY], leaving.message_id)
    assert own is not None
    assert (own.ticket, own.item) == ("t1", "m9")
    assert leaving.reply_to is not None
    assert verify_plus_address([KEY], leaving.reply_to) == "10019"


def test_H3_an_answer_leaves_under_the_subject_that_the_customer_wrote_last() -> None:
    thread = [written(mail=InboundMail(message_id="a@x")), written(mail=InboundMail(message_id="b@x", subject="Chair"))]
    leaving = outbound(ticket(), ADA, "m9", thread, Sender("h@s.example", "s.example", KEY))
    assert leaving is not None
    assert (leaving.subject, leaving.mark) == ("[#10019] Re: Chair", body_mark(KEY, "10019"))


def test_H3_an_answer_leaves_under_no_subject_of_another_participant() -> None:
    thread = [
        written(author="c1", mail=InboundMail(message_id="a@x", subject="Chair")),
        written(author="c2", mail=InboundMail(message_id="b@x", subject="My illness")),
        written(MessageKind.AUTOMATIC, mail=InboundMail(message_id="c@x", subject="Away: in hospital")),
    ]
    leaving = outbound(ticket(), ADA, "m9", thread, Sender("h@s.example", "s.example", KEY))
    assert leaving is not None
    assert (leaving.subject, leaving.in_reply_to) == ("[#10019] Re: Chair", "c@x")


def test_E8_the_chain_is_capped_at_twenty_with_its_beginning_kept() -> None:
    thread = [written(mail=InboundMail(message_id="z@x", references=tuple(f"{n}@x" for n in range(40))))]
    leaving = outbound(ticket(), ADA, "m9", thread, Sender("h@s.example", "s.example", KEY))
    assert leaving is not None
    assert len(leaving.references) == 20
    assert (leaving.references[0], leaving.references[-1]) == ("0@x", "z@x")


def test_E8_nothing_leaves_for_a_customer_without_an_address() -> None:
    assert outbound(ticket(), Customer("c"), "m9", [], Sender("h@s.example", "s.example", KEY)) is None


BOB = AnswerCopy(ticket="t2", to="bob@example.net")
SHE = AnswerCopy(ticket="t3", to="ada@example.org")


@pytest.mark.parametrize(
    ("customer", "copies", "leaves"),
    [
        pytest.param(ADA, [], ("ada@example.org", ()), id="nobody else"),
        pytest.param(ADA, [BOB], ("ada@example.org", (BOB,)), id="the requester of a merged ticket"),
        pytest.param(ADA, [BOB, SHE], ("ada@example.org", (BOB,)), id="who gets the answer gets no copy"),
        pytest.param(Customer("c"), [BOB], ("", (BOB,)), id="a customer without an address"),
        pytest.param(None, [BOB], ("", (BOB,)), id="nobody known"),
        pytest.param(None, [], None, id="nobody at all"),
    ],
)
def test_M3_who_gets_a_copy_of_an_answer(
    customer: Customer | None, copies: list[AnswerCopy], leaves: tuple[str, tuple[AnswerCopy, ...]] | None
) -> None:
    leaving = outbound(ticket(), customer, "m9", [], Sender("h@s.example", "s.example", KEY), copies)
    assert (None if leaving is None else (leaving.to, leaving.copies)) == leaves


def test_an_answers_subject_says_neither_re_nor_the_reference_twice() -> None:
    assert answer_subject("AW: Lampe [#10019]", "10019") == "AW: Lampe [#10019]"
    assert answer_subject("", "10019") == "[#10019] Re:"
