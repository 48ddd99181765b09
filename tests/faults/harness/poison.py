"""A fault in hearers that one ticket sets off, and its mending."""

from dataclasses import dataclass

from tests.faults.harness.rig import Rig

CHOKE = """
CREATE FUNCTION {service}.choke() RETURNS trigger LANGUAGE plpgsql AS $choke$
BEGIN
    IF NEW.id = '{ticket}' THEN RAISE EXCEPTION 'cannot digest this ticket'; END IF;
    RETURN NEW;
END $choke$;
CREATE TRIGGER choke BEFORE INSERT OR UPDATE ON {service}.{table} FOR EACH ROW EXECUTE FUNCTION {service}.choke();
"""
MEND = "DROP FUNCTION {service}.choke() CASCADE"
PARKED = "SELECT n, reason FROM {service}.parked WHERE state = 'parked' AND subject = $1 ORDER BY n"
LATENCY = """
SELECT extract(epoch FROM min(h.said_at) - o.said_at)::float AS seconds
FROM intake.events o JOIN {speaker}.events h ON h.subject = o.subject
WHERE o.type = 'signalbox.ticket.opened.v1' AND o.said_at > $1 GROUP BY o.subject, o.said_at
"""


@dataclass(frozen=True)
class Poison:
    """`tables`: by service, the table whose rows of `ticket` cannot be written while it works."""

    ticket: str
    tables: dict[str, str]

    async def begin(self, rig: Rig) -> None:
        """From now on these services fail on the ticket."""
        for service, table in self.tables.items():
            await rig.execute(CHOKE.format(service=service, table=table, ticket=self.ticket))

    async def mend(self, rig: Rig) -> None:
        """The fault is mended."""
        for service in self.tables:
            await rig.execute(MEND.format(service=service))

    async def parked(self, rig: Rig, service: str) -> list[int]:
        """The numbers of the ticket's facts that are parked there."""
        return [row["n"] for row in await rig.rows(PARKED.format(service=service), self.ticket)]


async def latencies(rig: Rig, speaker: str, since: object) -> list[float]:
    """Seconds from a ticket's opening to the first that `speaker` said about it, for tickets opened since then."""
    return [row["seconds"] for row in await rig.rows(LATENCY.format(speaker=speaker), since)]
