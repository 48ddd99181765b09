"""`signalbox secrets DIR`: random secrets for a deployment, one folder for each container, made once."""

from pathlib import Path
from typing import Annotated

import typer

from libs.embedded.secrets import Secrets
from signalbox.nats_config import server_document
from signalbox.provisioning.permissions import ADMIN, SOURCES, users
from signalbox.services import SERVICES

app = typer.Typer()

PUBLIC_IN_ITS_VOLUME = 0o444
"""Each folder is a volume that only its container mounts, and containers run as different users."""


@app.command()
def secrets(
    folder: Annotated[Path, typer.Argument(help="A folder below which all/ keeps what was made.")],
    postgres_host: Annotated[str, typer.Option(help="Where services find PostgreSQL.")] = "postgres",
    database: Annotated[str, typer.Option(help="The database.")] = "signalbox",
    shards: Annotated[int, typer.Option(envvar="SIGNALBOX_SHARDS")] = 1,
) -> None:
    """Write nats/, postgres/, migrate/, sources/ and a folder for each service. Repeating it changes nothing."""
    kept = folder / "all"
    kept.mkdir(parents=True, exist_ok=True)
    made = Secrets(kept / "secrets.json")
    for name, content in _files(made, postgres_host, database, shards).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != content:
            path.unlink(missing_ok=True)
            path.write_text(content)
        path.chmod(PUBLIC_IN_ITS_VOLUME)
    typer.echo(f"secrets are in {folder}")


def _files(made: Secrets, host: str, database: str, shards: int) -> dict[str, str]:
    known = users(shards)
    administrator = made.postgres_password("postgres")
    files = {
        "postgres/password": administrator,
        "nats/nats.conf": server_document(known, {user.name: made.nats_password(user.name) for user in known}),
        "migrate/postgres_admin_url": f"postgresql://postgres:{administrator}@{host}:5432/{database}",
        "migrate/nats_admin_password": made.nats_password(ADMIN),
        **{f"sources/{source}": made.nats_password(source) for source in SOURCES},
    }
    for service in SERVICES:
        password = made.postgres_password(service)
        files |= {
            f"migrate/postgres_password_{service}": password,
            f"{service}/postgres_url": f"postgresql://{service}:{password}@{host}:5432/{database}",
            f"{service}/nats_password": made.nats_password(service),
            f"{service}/token_secret": made.token_signing_key(),
            f"{service}/mail_secret": made.hmac_key("mail"),
        }
    return files
