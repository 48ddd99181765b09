"""The figures for people."""

from benchmarks.pipeline.figures import Figures


def printed(figures: Figures) -> str:
    """A few lines of text."""
    cpu = ", ".join(f"{name} {value}" for name, value in figures.cpu_us_per_ticket.items() if name != "total")
    lines = [
        f"{figures.tickets_per_s:g} tickets/s, {figures.cpu_us_per_ticket['total']} us of CPU a ticket ({cpu})",
        *(
            f"at {rate}: assigned {each.assigned.p50:g} / {each.assigned.p99:g} ms, "
            f"counted {each.counted.p50:g} / {each.counted.p99:g} ms (p50 / p99)"
            for rate, each in figures.latency_ms.items()
        ),
        f"busy at 100 a second: {figures.busy_at_100_per_s:.0%} of two cores",
        f"lost {figures.lost}, duplicated {figures.duplicated}, {figures.facts_per_ticket:g} facts a ticket",
    ]
    if figures.naive is not None:
        ratio = figures.naive.cpu_us_per_ticket / figures.cpu_us_per_ticket["total"]
        lines.append(
            f"naive: {figures.naive.tickets_per_s:g} tickets/s, {figures.naive.cpu_us_per_ticket} us a ticket, "
            f"{ratio:.1f} times as much"
        )
    lines += [f"{'met    ' if fine else 'NOT MET'} {what}" for what, fine in figures.met.items()]
    return "\n".join([*lines, *figures.notes])
