"""What the environment says: one reader, typed, every fault at once."""

import os
import re
import socket
from collections.abc import Sequence
from pathlib import Path
from secrets import token_hex
from typing import Annotated, Any, Literal, Self, get_args
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from libs.chassis.errors import Fault, SettingsError

PREFIX = "SIGNALBOX_"
SECRET_BYTES = 32
PARTITIONS = 16


def _address(text: str, schemes: Sequence[str]) -> SplitResult:
    parts = urlsplit(text)
    if parts.scheme not in schemes or not (parts.hostname or parts.query):
        raise ValueError(f"is not a URL that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    return parts


def _http_address(text: str) -> str:
    _address(text, ("http", "https"))
    return text.rstrip("/")


def _nats_addresses(text: str) -> str:
    for address in text.split(","):
        _address(address.strip(), ("nats", "tls", "ws", "wss"))
    return text


def _postgres_address(secret: SecretStr) -> SecretStr:
    _address(secret.get_secret_value(), ("postgresql", "postgres"))
    return secret


def _long_enough(secret: SecretStr) -> SecretStr:
    size = len(secret.get_secret_value().encode())
    if size < SECRET_BYTES:
        raise ValueError(f"has {size} bytes, which is too short for a key")
    return secret


def _divides_the_partitions(shards: int) -> int:
    if shards < 1 or PARTITIONS % shards:
        raise ValueError(f"{shards} does not divide {PARTITIONS}")
    return shards


def unique_holder() -> str:
    """A name for this process as a holder of leases: host, process id and a random part."""
    return f"{socket.gethostname()}-{os.getpid()}-{token_hex(4)}"


Peer = Annotated[str, AfterValidator(_http_address)]
"""The base URL of another service, without a slash at its end."""

SigningKey = Annotated[SecretStr, AfterValidator(_long_enough)]
"""A secret for HMAC, at least 32 bytes."""

KEY_ALLOWED = f"at least {SECRET_BYTES} bytes"
PEER_ALLOWED = "an http:// or https:// URL"


def read_secret_files(settings: type[BaseSettings]) -> tuple[dict[str, str], list[Fault]]:
    """The secrets that `<VARIABLE>_FILE` names, without the line end that editors add, and what is wrong with them."""
    found: dict[str, str] = {}
    faults: list[Fault] = []
    for name, field in settings.model_fields.items():
        path = os.environ.get(file_variable(name)) if is_secret(field) else None
        if path and os.environ.get(variable(name)):
            faults.append(Fault(file_variable(name), f"is set beside {variable(name)}", "one of the two"))
        elif path:
            try:
                found[name] = Path(path).read_text().rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "is not text"
                faults.append(Fault(file_variable(name), f"{path}: {reason}", "a readable text file"))
    return found, faults


class Settings(BaseSettings):
    """The settings that every service has; a service adds its own fields in a subclass.

    Each field is the environment variable SIGNALBOX_<NAME>; a secret may also be given as a file by
    SIGNALBOX_<NAME>_FILE. An empty variable counts as not set. Make one by `Settings.read()`. The description of a
    field says what is allowed and is part of the error a wrong value gets.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    env: Literal["development", "production"] = "development"
    clock: Literal["real", "simulated"] = "real"
    postgres_url: Annotated[SecretStr, AfterValidator(_postgres_address)] = Field(
        description="postgresql://user:password@host:port/database"
    )
    nats_url: Annotated[str, AfterValidator(_nats_addresses)] = Field(description="nats://host:port, several by comma")
    nats_user: str | None = None
    nats_password: SecretStr | None = None
    http_host: str = "127.0.0.1"
    http_port: int = Field(8080, ge=0, le=65535, description="0 (any free port) to 65535")
    requests_per_second: int = Field(1000, ge=1, description="1 or more, for each token and process")
    request_burst: int = Field(2000, ge=1, description="1 or more requests at once, for each token and process")
    shards: Annotated[int, AfterValidator(_divides_the_partitions)] = Field(1, description="1, 2, 4, 8 or 16")
    holder: str = Field(default_factory=unique_holder, min_length=1)
    token_secret: SigningKey = Field(description=KEY_ALLOWED)
    mail_secret: SigningKey | None = Field(None, description=KEY_ALLOWED)
    intake_url: Peer | None = Field(None, description=PEER_ALLOWED)
    router_url: Peer | None = Field(None, description=PEER_ALLOWED)
    sla_url: Peer | None = Field(None, description=PEER_ALLOWED)
    notifier_url: Peer | None = Field(None, description=PEER_ALLOWED)
    reporting_url: Peer | None = Field(None, description=PEER_ALLOWED)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    statement_cache: bool = Field(True, description="true, or false behind pgbouncer in transaction mode")
    pool_size: int = Field(8, ge=2, le=200, description="2 to 200 connections")
    batch_size: int = Field(512, ge=1, le=4096, description="1 to 4096 messages")
    linger_ms: int = Field(10, ge=0, le=1000, description="0 to 1000 milliseconds")
    strike_ms: int = Field(100, ge=0, le=1000, description="0 to 1000 milliseconds")

    @classmethod
    def read(cls, **overrides: Any) -> Self:
        """From the environment; `overrides` win over it. SettingsError names everything that is wrong at once."""
        files, faults = read_secret_files(cls)
        already_named = {fault.variable.removesuffix("_FILE") for fault in faults}
        try:
            settings = cls(**{**files, **overrides})
        except ValidationError as error:
            found = [_fault(cls, detail) for detail in error.errors(include_url=False, include_input=False)]
            faults += [fault for fault in found if fault.variable not in already_named]
            raise SettingsError(faults) from None
        if faults:
            raise SettingsError(faults)
        return settings

    @field_validator("clock")
    @classmethod
    def _real_in_production(cls, clock: str, given: ValidationInfo) -> str:
        if clock == "simulated" and given.data.get("env") == "production":
            raise ValueError(f"simulated time is refused where {PREFIX}ENV=production")
        return clock

    @field_validator("nats_password")
    @classmethod
    def _password_of_a_user(cls, password: SecretStr | None, given: ValidationInfo) -> SecretStr | None:
        if password is not None and given.data.get("nats_user") is None:
            raise ValueError(f"is of no use without {PREFIX}NATS_USER")
        return password


def variable(field_name: str) -> str:
    """The environment variable of a field."""
    return f"{PREFIX}{field_name}".upper()


def file_variable(field_name: str) -> str:
    """The environment variable that names a file with the secret."""
    return f"{variable(field_name)}_FILE"


def is_secret(field: FieldInfo) -> bool:
    """Is the value never to be shown, and may it come from a file?"""
    return _mentions_secret(field.annotation)


def _mentions_secret(annotation: object) -> bool:
    return annotation is SecretStr or any(_mentions_secret(part) for part in get_args(annotation))


def _fault(settings: type[BaseSettings], detail: ErrorDetails) -> Fault:
    name = str(detail["loc"][0]) if detail["loc"] else "settings"
    field = settings.model_fields.get(name)
    missing = detail["type"] == "missing"
    reason = "is missing" if missing else re.sub(r"^(Value error, |Input )", "", detail["msg"])
    return Fault(variable(name), reason, _allowed(name, field))


def _allowed(name: str, field: FieldInfo | None) -> str:
    if field is None:
        return ""
    choices = [str(choice) for choice in get_args(field.annotation) if isinstance(choice, str)]
    allowed = field.description or " or ".join(choices)
    return f"{allowed}; or a file of it by {file_variable(name)}" if is_secret(field) else allowed
