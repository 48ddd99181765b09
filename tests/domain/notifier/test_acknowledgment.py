"""Acknowledgments: whether, where to, and how often (behaviour A-1 to A-4, T-3, C-5)."""

from datetime import timedelta
from typing import Any

import pytest

from libs.contracts.sla import TargetState
from services.notifier.domain.answerable import automatic_recipient, why_silent
from services.notifier.domain.desk import Desk
from services.notifier.domain.notice import State, Way
from services.notifier.domain.rate import subject_key
from tests.domain.notifier.desk import CONFIG, MONDAY, acknowledged, desk, ticket

CHAT = {"channel": "chat", "conversation_source": "web", "conversation_id": "42"}


@pytest.mark.parametrize(
    ("changes", "way"),
    [
        pytest.param({}, Way.MAIL, id="mail"),
        pytest.param({"channel": "form"}, Way.MAIL, id="form"),
        pytest.param(CHAT, Way.CHAT, id="chat, though its address is known"),
        pytest.param({**CHAT, "customer_email": None}, Way.CHAT, id="C-5 chat without an address"),
        pytest.param({**CHAT, "channel": "email", "customer_email": None}, Way.CHAT, id="mail without an address"),
        pytest.param({"customer_email": None}, None, id="nobody to write to"),
        pytest.param({"channel": "chat"}, None, id="a chat without a conversation"),
        pytest.param({"channel": "phone"}, None, id="a channel that is not named"),
        pytest.param({"by_hand": True}, None, id="A-3 opened by an agent"),
        pytest.param({"promised": TargetState.CANCELLED}, None, id="merged or removed before"),
    ],
)
def test_A3_how_a_ticket_is_acknowledged(changes: dict[str, Any], way: Way | None) -> None:
    notices = acknowledged(desk(), ticket(**changes))
    assert [notice.way for notice in notices] == ([] if way is None else [way])


def test_T3_once_for_each_ticket_whatever_became_of_it() -> None:
    made, one = desk(), ticket(suppress_reply=True)
    assert len(acknowledged(made, one, one)) == 1
    one.suppress_reply = False
    assert len(acknowledged(made, one)) == 1


def test_11_nothing_is_promised_before_it_is_known() -> None:
    assert acknowledged(desk(), ticket(promise=None)) == []
    assert acknowledged(desk(), ticket(opened_at=None)) == []


def test_a_chat_notice_is_sent_when_it_is_decided() -> None:
    (notice,) = acknowledged(desk(), ticket(**CHAT))
    assert (notice.state, notice.recipient) == (State.SENT, "web/42")


@pytest.mark.parametrize("changes", [{"suppress_reply": True}, {"silenced": "spam"}, {**CHAT, "suppress_reply": True}])
def test_A1_silence_is_recorded_with_its_reason(changes: dict[str, Any]) -> None:
    (notice,) = acknowledged(desk(), ticket(**changes))
    assert notice.state is State.SUPPRESSED
    assert notice.reason
    assert notice.text == ""


@pytest.mark.parametrize(
    "address",
    [
        *("no-reply@x.org", "noreply@x.org", "NoReply+tag@x.org", "shop-noreply@x.org", "do-not-reply@x.org"),
        *("MAILER-DAEMON@x.org", "postmaster@x.org", "bounce-123@x.org", "bounces+a=b.org@x.org", "majordomo@x.org"),
        *("help@support.example.com", "anybody@lumen.example.com", "x@mail.lumen.example.com"),
        *("", "ann", "ann@", "a b@example.org", "ann@example.org,eve@example.org", "<ann@example.org>"),
    ],
)
def test_A1_no_machine_no_address_of_ours_nothing_that_is_no_address(address: str) -> None:
    assert why_silent(address, CONFIG.mail) is not None


@pytest.mark.parametrize(
    "address", ["ann@example.org", "norbert.reply@x.org", "ann+tag@notlumen.example.com", "robert.root@x.org"]
)
def test_A1_people_are_answered(address: str) -> None:
    assert why_silent(address, CONFIG.mail) is None


def test_A2_an_automatic_answer_goes_to_the_envelope_sender_if_it_is_the_customers() -> None:
    assert automatic_recipient("ann@example.org", "ann.smith@Example.org") == "ann.smith@Example.org"
    assert automatic_recipient("ann@example.org", "bounce@forms.example.net") == "ann@example.org"
    assert automatic_recipient("ann@example.org", None) == "ann@example.org"


def test_A4_one_an_hour_for_each_subject() -> None:
    made = desk()
    tickets = [ticket(id=str(n), subject=subject) for n, subject in enumerate(["A", "Re: [x] a", "B"])]
    assert [notice.state for notice in acknowledged(made, *tickets)] == [
        State.QUEUED,
        State.SUPPRESSED,
        State.QUEUED,
    ]
    made.now += timedelta(hours=1)
    later = ticket(id="later", subject="a", now=made.now)
    assert acknowledged(made, later)[-1].state is State.QUEUED


def test_A4_four_a_day_for_each_address() -> None:
    made = desk()
    tickets = [ticket(id=str(n), subject=f"subject {n}") for n in range(6)]
    others = ticket(id="x", customer_email="bob@example.org")
    states = [notice.state for notice in acknowledged(made, *tickets, others)]
    assert states == [State.QUEUED] * 4 + [State.SUPPRESSED] * 2 + [State.QUEUED]


def _states(made: Desk, *customers: str) -> list[State]:
    tickets = [ticket(id=email, customer_email=email) for email in customers]
    return [notice.state for notice in acknowledged(made, *tickets)]


@pytest.mark.parametrize(
    ("earlier", "customers", "left"),
    [
        pytest.param({}, ["a@x.example", "b@x.example", "c@x.example"], 2, id="so many within a batch"),
        pytest.param({"x.example": 1}, ["a@x.example", "b@X.Example"], 1, id="those before it count, whatever case"),
        pytest.param({"x.example": 2}, ["a@x.example"], 0, id="no more"),
        pytest.param({"x.example": 2}, ["a@y.example", "a@mail.x.example"], 2, id="other domains"),
        pytest.param({}, [f"{n}@gmail.com" for n in range(9)], 9, id="free mail has no limit"),
        pytest.param({}, [f"{n}@freemail.example" for n in range(9)], 9, id="nor have domains that are configured so"),
    ],
)
def test_A4_so_many_an_hour_for_each_domain(earlier: dict[str, int], customers: list[str], left: int) -> None:
    made = desk(acknowledgment={"per_domain_and_hour": 2})
    made.to_domains.update(earlier)
    states = _states(made, *customers)
    assert states == [State.QUEUED] * left + [State.SUPPRESSED] * (len(customers) - left)


def test_A4_without_a_limit_no_domain_is_counted() -> None:
    made = desk(acknowledgment={})
    assert set(_states(made, *(f"{n}@x.example" for n in range(300)))) == {State.QUEUED}
    assert not made.to_domains


def test_A4_a_domain_counts_only_what_is_sent() -> None:
    made = desk(acknowledgment={"per_domain_and_hour": 1})
    silent = ticket(id="silent", customer_email="a@x.example", suppress_reply=True)
    told = ticket(id="told", customer_email="b@x.example")
    assert [notice.state for notice in acknowledged(made, silent, told)] == [State.SUPPRESSED, State.QUEUED]


def test_A4_a_suppressed_one_does_not_count() -> None:
    made = desk()
    silent = [ticket(id=str(n), suppress_reply=True) for n in range(9)]
    assert acknowledged(made, *silent, ticket(id="last"))[-1].state is State.QUEUED


@pytest.mark.parametrize("subject", ["Lamp", "re: Lamp", "AW: Re[2]: LAMP", "[SB-1] Fwd:  lamp ", "RE:RE:lamp"])
def test_A4_answers_have_the_subject_of_what_they_answer(subject: str) -> None:
    assert subject_key(subject) == "lamp"


def test_20_an_acknowledgment_of_yesterday_is_suppressed() -> None:
    promise_then = ticket(now=MONDAY - timedelta(hours=24, seconds=1))
    (notice,) = acknowledged(desk(), promise_then)
    assert (notice.state, notice.reason) == (State.SUPPRESSED, "its cause is older than 24 hours")


def test_E8_it_threads_below_the_customers_mail() -> None:
    (notice,) = acknowledged(desk(), ticket())
    assert notice.in_reply_to == "first@example.org"
    assert notice.thread == "older@example.org first@example.org"
    assert notice.sender == "help@support.example.com"
    assert notice.subject == "[#SB-10427] Re: My lamp flickers"
