"""The HTTP application of every service, built without servers: for what is written about it, not to be asked."""

from importlib import import_module

from fastapi import FastAPI
from pydantic import SecretStr

from libs.chassis.http import build_app, routers_of
from libs.chassis.metrics import Metrics
from libs.chassis.settings import Settings
from libs.chassis.tokens import Access, Tokens
from signalbox.services import SERVICES

NOWHERE = "nowhere.invalid"


def application(service: str, access: Access | None = None) -> FastAPI:
    """The application of one service. Its routes answer nothing: there is no database behind them."""
    app = import_module(f"services.{service}.app")
    secret = "x" * 32
    settings: Settings = app.SETTINGS.model_validate(
        {
            "postgres_url": SecretStr(f"postgresql://{NOWHERE}/signalbox"),
            "nats_url": f"nats://{NOWHERE}",
            "token_secret": SecretStr(secret),
            "mail_secret": SecretStr(secret),
        }
    )
    built = app.build(settings)
    return build_app(
        built.name,
        built.version,
        routers_of(built.routers, speaks=built.speaker is not None),
        access=access or Access(Tokens(secret)),
        metrics=Metrics(built.name, built.version),
        state={"resources": None, **built.state},
        examples=built.examples,
    )


def documents() -> dict[str, dict[str, object]]:
    """The OpenAPI document of every service, by its name."""
    return {service: application(service).openapi() for service in SERVICES}
