"""The command `signalbox`. A command's module is imported when it is asked for: services do not pay for the others."""

import os
import sys
from importlib import import_module

COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("signalbox.up", "start the embedded stack and all services"),
    "down": ("signalbox.down", "stop the embedded stack"),
    "status": ("signalbox.status", "what runs, and whether it is ready"),
    "demo": ("signalbox.demo", "play a day of support on simulated time"),
    "run": ("signalbox.run", "run one service, configured by the environment"),
    "migrate": ("signalbox.migrate", "roles, schemas, streams and consumers"),
    "nats-config": ("signalbox.nats_config", "the broker's configuration with everybody's rights"),
    "config": ("signalbox.config", "check or apply a configuration folder"),
    "mail": ("signalbox.mail", "inspect and send mails, list the ledger and the outbox"),
    "conversations": ("signalbox.conversations", "send conversation events or whole chats"),
    "tickets": ("signalbox.tickets", "list, show and export tickets"),
    "rules": ("signalbox.rules", "check routing rules and ask them about tickets"),
    "worktime": ("signalbox.worktime", "compute with business time"),
    "report": ("signalbox.report", "the reviews"),
    "reporting": ("signalbox.reporting", "rebuild the numbers from the log"),
    "parked": ("signalbox.parked", "messages that could not be handled"),
    "repair": ("signalbox.repair", "compare with every speaker's events and apply what is missing"),
    "events": ("signalbox.events", "write the contracts, validate events"),
    "token": ("signalbox.token", "make an API token"),
    "bench": ("signalbox.bench", "the benchmarks"),
    "secrets": ("signalbox.secrets", "random secrets for a deployment, one folder a container"),
    "spool": ("signalbox.spool_server", "a mail server that keeps mails in a folder, for trying things out"),
    "healthcheck": ("signalbox.healthcheck", "exit 0 if the service in this container is ready"),
}


USAGE = "usage: signalbox COMMAND [OPTIONS]; `signalbox COMMAND --help` tells more"


def main() -> None:
    """What the script `signalbox` calls. Exit code 0 done, 1 failed, 2 wrong use; errors are one line on stderr."""
    name, *rest = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help"):
        _say_what_there_is()
    elif name not in COMMANDS:
        sys.stderr.write(f"error: there is no command {name!r}; {USAGE}\n")
        sys.exit(2)
    else:
        _run(name, rest)


def _run(name: str, arguments: list[str]) -> None:
    from libs.chassis.errors import ChassisError
    from libs.embedded.errors import EmbeddedError
    from signalbox.failure import Failure

    # a pretty traceback shows the values of variables, secrets among them
    os.environ.setdefault("TYPER_STANDARD_TRACEBACK", "1")
    try:
        import_module(COMMANDS[name][0]).app(arguments, prog_name=f"signalbox {name}")
    except (ChassisError, EmbeddedError, Failure) as fault:
        sys.stderr.write(f"error: {fault}\n")
        sys.exit(1)


def _say_what_there_is() -> None:
    width = max(map(len, COMMANDS)) + 2
    lines = [f"  {name:<{width}}{text}" for name, (_, text) in COMMANDS.items()]
    sys.stdout.write("\n".join([USAGE, "", *lines]) + "\n")
