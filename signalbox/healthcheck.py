"""`signalbox healthcheck`: for the container's HEALTHCHECK; slim images have no curl."""

import os
import urllib.error
import urllib.request

import typer

app = typer.Typer()


@app.command()
def healthcheck() -> None:
    """Exit 0 when the service on this host answers 200 on /readyz."""
    port = os.environ.get("SIGNALBOX_HTTP_PORT", "8080")
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=3) as answer:
            ready = answer.status == 200
    except (urllib.error.URLError, OSError):
        ready = False
    raise typer.Exit(0 if ready else 1)
