"""The weekly report computed naively from the speakers' logs, and compared with what reporting answers.

It shares no code with Signalbox and uses the standard library only: it reads `GET /v1/events` of every speaker, sorts,
replays every ticket from its first fact, and keeps all durations. Slow, and meant to be obviously right.

    python independent_report.py --week 2026-W12 --token TOKEN --reporting URL SPEAKER_URL...

prints its report; the exit code is 1 when reporting's numbers are others.
"""

import argparse
import base64
import json
import math
import sys
import urllib.parse
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

Fact = dict[str, Any]
Ticket = dict[str, Any]

DONE = ("resolved", "closed")
OPEN = ("open", "pending", "on_hold")


# ---- reading ------------------------------------------------------------------------------------------------------


def read_log(url: str, token: str) -> list[Fact]:
    """Every fact a speaker said."""
    facts: list[Fact] = []
    after: str | None = None
    while True:
        query = urllib.parse.urlencode({"limit": 1000, **({"after": after} if after else {})})
        request = urllib.request.Request(f"{url}/v1/events?{query}", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request) as answer:
            page = json.load(answer)
        facts += [read_fact(item) for item in page["items"]]
        after = page["next"]
        if after is None:
            return facts


def read_fact(item: dict[str, str]) -> Fact:
    head: dict[str, str] = {}
    for line in item["headers"].split("\r\n")[1:]:
        if line:
            name, _, value = line.partition(": ")
            head[name] = urllib.parse.unquote(value) if "%" in value else value
    state, written = None, head.get("ticket")
    if written is not None:
        state = json.loads(base64.urlsafe_b64decode(written + "=" * (-len(written) % 4)))
    return {
        "speaker": head["ce-source"],
        "subject": head["ce-subject"],
        "n": int(head["ce-n"]),
        "type": head["ce-type"],
        "time": moment(head["ce-time"]),
        "actor": head.get("ce-actor"),
        "state": state,
        "data": json.loads(item["data"]),
    }


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


# ---- replaying ----------------------------------------------------------------------------------------------------


def histories(facts: list[Fact]) -> list[Ticket]:
    """What happened to each ticket, and when."""
    per_ticket: defaultdict[str, list[Fact]] = defaultdict(list)
    for fact in sorted(facts, key=lambda fact: (fact["subject"], fact["speaker"], fact["n"])):
        if ":" not in fact["subject"]:
            per_ticket[fact["subject"]].append(fact)
    return [history(mine) for mine in per_ticket.values()]


def history(facts: list[Fact]) -> Ticket:
    ticket: Ticket = {"state": None, "gone": False, "start": None, "first": None, "created": None, "rating": None}
    ticket |= {"answers": [], "solved": [], "assigned": [], "replies": [], "verdicts": {}}
    for fact in facts:
        entity, event = fact["type"].split(".")[1:3]
        if entity == "ticket":
            ticket_fact(ticket, event, fact)
        elif entity == "sla":
            sla_fact(ticket, event, fact["data"])
    return ticket


def ticket_fact(ticket: Ticket, event: str, fact: Fact) -> None:
    data, time = fact["data"], fact["time"]
    if event == "opened":
        ticket["created"] = moment(fact["state"]["created_at"])
        ticket["first"] = data.get("message_id")
        ticket["channel"] = data["channel"]
        if data.get("opened_by_customer", True):
            ticket["start"] = ticket["created"]
    if event in ("opened", "changed"):
        follow(ticket, fact)
    if event == "message-added":
        message(ticket, data, time)
    if event == "delivery-failed" and data["permanent"]:
        ticket["answers"] = [answer for answer in ticket["answers"] if answer[1] != data["message_id"]]
    if event in ("merged", "removed"):
        ticket["gone"] = True
    if event in ("unmerged", "restored"):
        ticket["gone"] = False
    if event == "rated":
        ticket["rating"] = (time, data["score"])


def message(ticket: Ticket, data: dict[str, Any], time: datetime) -> None:
    if data["kind"] == "customer" and data["human"] and ticket["start"] is None:
        ticket["start"] = time
    if data["kind"] == "agent" and data["human"] and data["message_id"] != ticket["first"]:
        ticket["replies"].append((time, data.get("author") or ""))
        if ticket["start"] is not None and not ticket["answers"]:
            ticket["answers"].append((time, data["message_id"], ticket["state"].get("priority") or ""))


def follow(ticket: Ticket, fact: Fact) -> None:
    before, now, time = ticket["state"] or {}, fact["state"], fact["time"]
    ticket["state"] = now
    if now.get("assignee") and now.get("assignee") != before.get("assignee"):
        ticket["assigned"].append((time, now["assignee"]))
    was, is_ = before.get("status_category") in DONE, now["status_category"] in DONE
    if is_ and not was:
        fields = {name: now.get(name) or "" for name in ("priority", "assignee")}
        ticket["solved"].append({"at": time, "by": fact["actor"], "again": None, **fields})
    if was and not is_:
        last = ticket["solved"][-1]
        soon = time - last["at"] < timedelta(minutes=5)
        if soon and (fact["actor"] or "").startswith("agent:") and fact["actor"] == last["by"]:
            ticket["solved"].pop()
        else:
            last["again"] = time


def sla_fact(ticket: Ticket, event: str, data: dict[str, Any]) -> None:
    if event not in ("decided", "corrected"):
        return
    clock = (data["metric"], data["instance"])
    before = ticket["verdicts"].get(clock)
    deadline = moment(data["deadline"])
    if event == "corrected":
        ticket["verdicts"][clock] = (data["new"], deadline, before[2] if before else "")
    elif before is None or (before[0], data["outcome"]) == ("met", "breached"):
        ticket["verdicts"][clock] = (data["outcome"], deadline, data.get("priority") or "")


# ---- counting -----------------------------------------------------------------------------------------------------


def report(facts: list[Fact], week: str) -> dict[str, Any]:
    """The numbers of one ISO week, as plain as can be."""
    start = datetime.strptime(f"{week}-1", "%G-W%V-%u").replace(tzinfo=UTC)

    def inside(time: datetime) -> bool:
        return start <= time < start + timedelta(days=7)

    tickets = histories(facts)
    real = [ticket for ticket in tickets if ticket["state"] is not None and not ticket["gone"]]
    created = [ticket["state"] for ticket in real if inside(ticket["created"])]
    solved = [
        solution for ticket in real for solution in [last_solution(ticket)] if solution and inside(solution["at"])
    ]
    cohort = [mine for ticket in real for mine in [[s for s in ticket["solved"] if inside(s["at"])]] if mine]
    opened = [ticket["state"] for ticket in real if ticket["state"]["status_category"] in OPEN]
    ratings = [t["rating"][1] for t in real if t["rating"] and inside(t["rating"][0])]
    return {
        "created": len(created),
        "by_category": Counter(state.get("category") or "" for state in created),
        "by_tag": Counter(tag for state in created for tag in state.get("tags") or [""]),
        "by_state": Counter(t["state"]["status_category"] + ":" + t["state"]["status"] for t in real),
        "first_response": durations(
            (t["answers"][0][2], (t["answers"][0][0] - t["start"]).total_seconds())
            for t in real
            if t["answers"] and inside(t["answers"][0][0])
        ),
        "resolution": durations(
            (last_solution(t)["priority"], (last_solution(t)["at"] - t["created"]).total_seconds())
            for t in real
            if last_solution(t) and inside(last_solution(t)["at"])
        ),
        "sla": Counter(
            f"{metric}/{priority}/{outcome}"
            for ticket in tickets
            for (metric, _), (outcome, deadline, priority) in ticket["verdicts"].items()
            if inside(deadline)
        ),
        "reopening": {"resolved": len(cohort), "reopened": sum(any(map(came_back, mine)) for mine in cohort)},
        "open_now": Counter(state.get("assignee") or "" for state in opened),
        "assigned": Counter(agent for t in tickets for time, agent in t["assigned"] if inside(time)),
        "replies": Counter(agent for t in tickets for time, agent in t["replies"] if inside(time)),
        "resolved_by": Counter(solution["assignee"] for solution in solved),
        "rated": len(ratings),
        "satisfied": sum(score >= 4 for score in ratings),
    }


def last_solution(ticket: Ticket) -> Any:
    last = ticket["solved"][-1] if ticket["solved"] else None
    return last if last and last["again"] is None else None


def came_back(solution: dict[str, Any]) -> bool:
    return solution["again"] is not None and solution["again"] - solution["at"] <= timedelta(days=7)


def durations(pairs: Iterable[tuple[str, float]]) -> dict[str, dict[str, float]]:
    by_priority: defaultdict[str, list[float]] = defaultdict(list)
    for priority, seconds in pairs:
        by_priority[priority].append(seconds)
    return {priority: summary(sorted(found)) for priority, found in sorted(by_priority.items())}


def summary(found: list[float]) -> dict[str, float]:
    def rank(share: float) -> float:
        return found[math.ceil(share * len(found)) - 1]

    return {"n": len(found), "mean": sum(found) / len(found), "p50": rank(0.5), "p90": rank(0.9), "p95": rank(0.95)}


# ---- comparing ----------------------------------------------------------------------------------------------------


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """What reporting's weekly review says otherwise, in words."""
    workload = {load["agent"]: load for load in theirs["workload"]["agents"]}

    def loads(field: str) -> dict[str, int]:
        return {agent: load[field] for agent, load in workload.items() if load[field]}

    def named(counts: dict[str, int]) -> dict[str, int]:
        return {key: n for key, n in counts.items() if key and n}

    def slices(rows: list[dict[str, Any]]) -> dict[str, int]:
        return {row["key"] or "": row["tickets"] for row in rows}

    verdicts = {}
    for row in theirs["sla"]["by_metric_and_priority"]:
        for outcome in ("met", "breached"):
            verdicts[f"{row['metric']}/{row['priority'] or ''}/{outcome}"] = row[outcome]
    pairs = {
        "created": (ours["created"], theirs["tickets"]["created"]),
        "by_category": (ours["by_category"], slices(theirs["volume"]["by_category"])),
        "by_tag": (ours["by_tag"], slices(theirs["volume"]["by_tag"])),
        "by_state": (
            ours["by_state"],
            {f"{row['category']}:{row['status']}": row["tickets"] for row in theirs["tickets"]["by_state"]},
        ),
        "sla": (named(ours["sla"]), named(verdicts)),
        "reopening": (ours["reopening"], {name: theirs["reopening"][name] for name in ("resolved", "reopened")}),
        "open_now": (named(ours["open_now"]), loads("open_now")),
        "assigned": (named(ours["assigned"]), loads("assigned")),
        "replies": (named(ours["replies"]), loads("replies")),
        "resolved_by": (named(ours["resolved_by"]), loads("resolved")),
        "rated": (ours["rated"], theirs["satisfaction"]["rated"]),
        "satisfied": (ours["satisfied"], theirs["satisfaction"]["satisfied"]),
    }
    found = [f"{name}: {mine!r}, reporting says {other!r}" for name, (mine, other) in pairs.items() if mine != other]
    for table in ("first_response", "resolution"):
        found += duration_differences(table, ours[table], theirs[table]["by_priority"])
    return found


def duration_differences(table: str, ours: dict[str, Any], rows: list[dict[str, Any]]) -> list[str]:
    theirs = {row["priority"] or "": row for row in rows}
    if ours.keys() != theirs.keys():
        return [f"{table}: priorities {sorted(ours)}, reporting has {sorted(theirs)}"]
    allowed = {"n": 0, "mean": 1e-6, "p50": 0.01000001, "p90": 0.01000001, "p95": 0.01000001}
    return [
        f"{table} of {priority or 'none'}: {name} is {mine[name]}, reporting says {theirs[priority][name]}"
        for priority, mine in ours.items()
        for name, tolerance in allowed.items()
        # durations are kept in milliseconds
        if not math.isclose(mine[name], theirs[priority][name], rel_tol=tolerance, abs_tol=0.00101 if tolerance else 0)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--week", required=True)
    parser.add_argument("--token", required=True, help="a system token")
    parser.add_argument("--reporting", help="URL of reporting, to compare with")
    parser.add_argument("speakers", nargs="+", metavar="SPEAKER_URL")
    given = parser.parse_args()
    ours = report([fact for url in given.speakers for fact in read_log(url, given.token)], given.week)
    print(json.dumps(ours, indent=2))
    if given.reporting:
        url = f"{given.reporting}/v1/reports/weekly?week={given.week}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {given.token}"})
        with urllib.request.urlopen(request) as answer:
            found = differences(ours, json.load(answer))
        print("\n".join(found) or "equal", file=sys.stderr)
        sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
