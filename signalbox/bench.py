"""`signalbox bench NAME`: the benchmarks. Each is imported when it is asked for."""

import sys
from importlib import import_module

BENCHMARKS = {
    "pipeline": ("benchmarks.pipeline.command", "what a ticket costs from its conversation to the counters"),
    "mail-fuzz": ("benchmarks.mail_fuzz", "mutated mails: nothing raises, hangs or is lost"),
    "mail": ("benchmarks.mail.command", "what a mail costs from the door until its ticket is routed and timed"),
    "views": ("benchmarks.views.command", "what folders, filters and searches cost over a million tickets"),
}
"""The module of each benchmark, whose `app` is the command."""

USAGE = "usage: signalbox bench NAME [OPTIONS]; `signalbox bench NAME --help` tells more"


def app(arguments: list[str], prog_name: str) -> None:
    """Run the benchmark that is named; exit code 2 when there is none of that name."""
    name, *rest = arguments or ["--help"]
    if name in ("-h", "--help"):
        listed = [f"  {name:<12}{text}" for name, (_, text) in BENCHMARKS.items()]
        sys.stdout.write("\n".join([USAGE, "", *listed]) + "\n")
    elif name not in BENCHMARKS:
        sys.stderr.write(f"error: there is no benchmark {name!r}; {USAGE}\n")
        sys.exit(2)
    else:
        import_module(BENCHMARKS[name][0]).app(rest, prog_name=f"{prog_name} {name}")
