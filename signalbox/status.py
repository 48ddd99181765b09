"""`signalbox status`: what runs, and whether it is ready."""

import json
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.table import Table

from libs.embedded.data_folder import DataFolder
from signalbox.connection import DEFAULT_FOLDER, Data

app = typer.Typer()


@app.command()
def status(
    data: Data = DEFAULT_FOLDER, as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False
) -> None:
    """Ask every service of the stack; exit code 1 if something is not ready."""
    folder = DataFolder(data)
    written = json.loads(folder.stack.read_text()) if folder.stack.exists() else {"services": {}}
    services = {name: {"url": s["url"], **_state(s["url"])} for name, s in written["services"].items()}
    content = {"services": services, "nats": written.get("nats"), "postgres": written.get("postgres")}
    if as_json:
        typer.echo(json.dumps({**content, "smtp": written.get("smtp")}))
    else:
        _show(services)
    if not services or not all(service["ready"] for service in services.values()):
        raise typer.Exit(1)


def _state(url: str) -> dict[str, object]:
    try:
        answer = httpx.get(f"{url}/readyz", params={"verbose": ""}, timeout=5)
        checks = answer.json().get("checks", {})
    except (httpx.HTTPError, ValueError):
        return {"ready": False, "problems": {"process": "does not answer"}}
    problems = {name: reason for name, reason in checks.items() if reason != "ok"}
    return {"ready": answer.status_code == 200, "problems": problems}


def _show(services: dict[str, dict[str, object]]) -> None:
    table = Table("service", "url", "ready", "problems", box=None)
    for name, service in services.items():
        table.add_row(name, str(service["url"]), "yes" if service["ready"] else "no", str(service["problems"] or ""))
    Console().print(table if services else "nothing runs here; `signalbox up` starts a stack")
