"""At the end of the day: everything that happened, asked from the APIs, as one document."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from signalbox.demo.day import Day
from signalbox.demo.office import Office
from signalbox.demo.outbox import Outbox
from signalbox.demo.player import Player

Row = dict[str, Any]

TICKET_FIELDS = (
    "reference",
    "subject",
    "channel",
    "status",
    "priority",
    "category",
    "tags",
    "queue",
    "assignee",
    "tier",
    "language",
    "created_at",
    "updated_at",
    "next_deadline",
)
WARNED, DECIDED, CHANGED = "signalbox.sla.warned.v1", "signalbox.sla.decided.v1", "signalbox.ticket.changed.v1"

READER = "auditor"
"""Who reads the tickets at the end: a person, programs see no notes."""


class Gathering:
    """Asks every service about every ticket. example: what the ticket of a row began as."""

    def __init__(self, day: Day, office: Office, player: Player, outbox: Outbox) -> None:
        self._day, self._office, self._player, self._outbox = day, office, player, outbox
        self._examples = {ticket: name for name, ticket in player.tickets.items()}

    async def document(self) -> Row:
        """The whole of it."""
        tickets = await self._office.pages("intake", "/v1/tickets", sort="created_at", limit=200)
        ids = [ticket["id"] for ticket in tickets]
        details, timelines, decisions, clocks, notices = await asyncio.gather(
            asyncio.gather(*map(self._ticket, ids)),
            asyncio.gather(*map(self._timeline, ids)),
            asyncio.gather(*map(self._decisions, ids)),
            asyncio.gather(*map(self._clocks, ids)),
            asyncio.gather(*map(self._notices, ids)),
        )
        timeline = _joined(timelines)
        return {
            "tickets": details,
            "timeline": timeline,
            "decisions": _joined(decisions),
            "clocks": _joined(clocks),
            "clock_facts": [self._clock_fact(row) for row in timeline if row["type"] in (WARNED, DECIDED)],
            "changes": [change for row in timeline if row["type"] == CHANGED for change in _changes(row)],
            "notices": _joined(notices),
            "mails_in": await self._mails_in(),
            "mails_out": self._mails_out(details),
            "agents": await self._office.pages("router", "/v1/agents"),
            "weekly_report": await self._report(),
        }

    def _moment(self, instant: str | None) -> str | None:
        return None if instant is None else self._day.moment(datetime.fromisoformat(instant))

    async def _ticket(self, id: str) -> Row:
        ticket, messages = await asyncio.gather(
            self._office.get("intake", f"/v1/tickets/{id}"),
            self._office.pages("intake", f"/v1/tickets/{id}/messages", who=READER),
        )
        customer = ticket["customer"] or {}
        return {
            "id": id,
            "example": self._examples.get(id),
            **{name: ticket[name] for name in TICKET_FIELDS},
            "customer": customer.get("name") or customer.get("email") or customer.get("phone"),
            "email": customer.get("email"),
            "topic": (ticket.get("handoff") or {}).get("topic") or ticket["custom"].get("topic"),
            "reason": (ticket.get("handoff") or {}).get("reason"),
            "roles": [message["role"] for message in messages],
            "texts": [message["text"] for message in messages],
            "attachments": [each["name"] for message in messages for each in message["attachments"]],
        }

    async def _timeline(self, id: str) -> list[Row]:
        rows = await self._office.pages("intake", f"/v1/tickets/{id}/timeline", limit=200)
        return [{"example": self._examples.get(id), **row, "at": self._moment(row["occurred_at"])} for row in rows]

    async def _decisions(self, id: str) -> list[Row]:
        why = await self._office.get("router", f"/v1/tickets/{id}/why")
        return [self._decision(id, row) for row in reversed(why["decisions"])]

    def _decision(self, id: str, row: Row) -> Row:
        return {
            "example": self._examples.get(id),
            **{name: row[name] for name in ("trigger", "reason", "explanation", "queue", "assignee", "fallback")},
            "at": self._moment(row["at"]),
            "fired": [rule["rule"] for rule in row["fired"]],
            "set": {name: f"{change['value']} by {change['by']}" for name, change in row["set"].items()},
            "candidates": [f"{each['agent']} {each['code']}" for each in row["candidates"]],
        }

    async def _clocks(self, id: str) -> list[Row]:
        found = await self._office.get("sla", f"/v1/tickets/{id}/clocks")
        return [self._clock(id, found["policy"], clock) for clock in found["clocks"]]

    def _clock(self, id: str, policy: str | None, clock: Row) -> Row:
        names = ("metric", "instance", "state", "target_seconds", "ran_seconds")
        return {
            "example": self._examples.get(id),
            "policy": policy,
            **{name: clock[name] for name in names},
            "deadline": self._moment(clock["deadline"]),
            "warned": self._moment(clock["warned_at"]),
            "verdict": None if clock["verdict"] is None else clock["verdict"]["outcome"],
        }

    def _clock_fact(self, row: Row) -> Row:
        data = row["data"]
        return {
            "example": row["example"],
            "what": data.get("outcome", "warned"),
            "metric": data["metric"],
            "share": data.get("threshold"),
            "at": self._moment(data.get("at") or data["scheduled_for"]),
            "deadline": self._moment(data["deadline"]),
        }

    async def _notices(self, id: str) -> list[Row]:
        rows = await self._office.pages("notifier", "/v1/notices", ticket=id)
        names = ("kind", "way", "state", "reason", "recipient", "subject", "automatic")
        return [{"example": self._examples.get(id), **{name: row[name] for name in names}} for row in rows]

    async def _mails_in(self) -> list[Row]:
        """What became of each mail. Receipts are numbered from 1, and here nothing else has taken a number."""
        taken = (await self._office.get("intake", "/v1/mail/ledger"))["mails"]
        receipts = range(1, taken + 1)
        rows = await asyncio.gather(*(self._office.get("intake", f"/v1/mail/{number}") for number in receipts))
        names = {(letter.author, letter.subject): name for name, letter in self._player.sent.items()}
        return [
            {
                "example": names.get((row["author"], row["subject"])),
                "from": row["author"],
                "subject": row["subject"],
                "disposition": row["disposition"],
                "reason": row["reason"],
                "ticket_of": self._examples.get(row["ticket_id"]),
                "at": self._moment(row["received_at"]),
            }
            for row in rows
        ]

    def _mails_out(self, tickets: Sequence[Row]) -> list[Row]:
        return [
            {
                "example": _about(tickets, mail.subject),
                "to": mail.to,
                "subject": mail.subject,
                "automatic": mail.automatic,
                "text": mail.text,
            }
            for mail in self._outbox.mails()
        ]

    async def _report(self) -> Row:
        report: Row = await self._office.get("reporting", "/v1/reports/weekly")
        return report


def _about(tickets: Sequence[Mapping[str, Any]], subject: str) -> str | None:
    return next((ticket["example"] for ticket in tickets if ticket["reference"] in subject), None)


def _changes(row: Row) -> list[Row]:
    found = row["data"]["changes"]
    return [
        {"example": row["example"], "at": row["at"], "field": name, "actor": row["actor"], **change}
        for name, change in found.items()
    ]


def _joined(lists: Sequence[list[Row]]) -> list[Row]:
    return [row for rows in lists for row in rows]
