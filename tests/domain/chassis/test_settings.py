"""A wrong environment is refused before anything starts, with everything that is wrong named at once."""

from pathlib import Path

import pytest

from libs.chassis.errors import SettingsError
from libs.chassis.settings import Settings, SigningKey

KEY = "k" * 32
DSN = "postgresql://sla:hunter2@db/signalbox"
GOOD = {"POSTGRES_URL": DSN, "NATS_URL": "nats://broker:4222", "TOKEN_SECRET": KEY}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in GOOD.items():
        monkeypatch.setenv(f"SIGNALBOX_{name}", value)
    return monkeypatch


def faults(settings: type[Settings] = Settings) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        settings.read()
    return {fault.variable: str(fault) for fault in caught.value.faults}


def test_three_variables_are_enough(environment: pytest.MonkeyPatch) -> None:
    settings = Settings.read()

    assert settings.postgres_url.get_secret_value() == DSN
    assert (settings.env, settings.clock, settings.shards, settings.batch_size) == ("development", "real", 1, 512)
    assert settings.holder != Settings.read().holder


def test_everything_wrong_is_reported_at_once(environment: pytest.MonkeyPatch) -> None:
    wrong = {"POSTGRES_URL": "mysql://x:hunter2@y/z", "SHARDS": "5", "LOG_LEVEL": "loud", "HTTP_PORT": "http"}
    for name, value in wrong.items():
        environment.setenv(f"SIGNALBOX_{name}", value)
    environment.delenv("SIGNALBOX_NATS_URL")
    environment.setenv("SIGNALBOX_TOKEN_SECRET", "short")

    named = faults()

    assert set(named) == {f"SIGNALBOX_{name}" for name in (*wrong, "NATS_URL", "TOKEN_SECRET")}
    assert named["SIGNALBOX_SHARDS"] == "SIGNALBOX_SHARDS: 5 does not divide 16 (allowed: 1, 2, 4, 8 or 16)"
    assert "is missing" in named["SIGNALBOX_NATS_URL"]
    assert "allowed: debug or info or warning or error" in named["SIGNALBOX_LOG_LEVEL"]
    assert "SIGNALBOX_TOKEN_SECRET_FILE" in named["SIGNALBOX_TOKEN_SECRET"]


def test_an_error_never_shows_a_secret(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SIGNALBOX_POSTGRES_URL", "mysql://x:hunter2@y/z")
    environment.setenv("SIGNALBOX_TOKEN_SECRET", "hunter2")

    with pytest.raises(SettingsError) as caught:
        Settings.read()

    assert "hunter2" not in str(caught.value)


def test_settings_never_show_a_secret(environment: pytest.MonkeyPatch) -> None:
    shown = repr(Settings.read())

    assert KEY not in shown
    assert "hunter2" not in shown


def test_simulated_time_is_refused_in_production(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SIGNALBOX_CLOCK", "simulated")
    assert Settings.read().clock == "simulated"

    environment.setenv("SIGNALBOX_ENV", "production")
    assert "refused where SIGNALBOX_ENV=production" in faults()["SIGNALBOX_CLOCK"]


@pytest.mark.parametrize("name", ["POSTGRES_URL", "TOKEN_SECRET"])
def test_a_secret_may_come_from_a_file(environment: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    file = tmp_path / "secret"
    file.write_text(GOOD[name] + "\n")
    environment.delenv(f"SIGNALBOX_{name}")
    environment.setenv(f"SIGNALBOX_{name}_FILE", str(file))

    assert getattr(Settings.read(), name.lower()).get_secret_value() == GOOD[name]


def test_a_missing_file_is_named_once_and_beside_the_other_faults(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("SIGNALBOX_TOKEN_SECRET")
    environment.setenv("SIGNALBOX_TOKEN_SECRET_FILE", "/nowhere/secret")
    environment.setenv("SIGNALBOX_SHARDS", "3")

    named = faults()

    assert set(named) == {"SIGNALBOX_TOKEN_SECRET_FILE", "SIGNALBOX_SHARDS"}
    assert "No such file" in named["SIGNALBOX_TOKEN_SECRET_FILE"]


def test_a_secret_given_twice_is_refused(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("SIGNALBOX_TOKEN_SECRET_FILE", str(tmp_path / "secret"))

    assert set(faults()) == {"SIGNALBOX_TOKEN_SECRET_FILE"}


def test_a_password_needs_a_user(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SIGNALBOX_NATS_PASSWORD", "hunter2")
    assert set(faults()) == {"SIGNALBOX_NATS_PASSWORD"}

    environment.setenv("SIGNALBOX_NATS_USER", "sla")
    assert Settings.read().nats_user == "sla"


def test_an_empty_variable_counts_as_not_set(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SIGNALBOX_HOLDER", "")
    environment.setenv("SIGNALBOX_ROUTER_URL", "")

    settings = Settings.read()

    assert settings.holder
    assert settings.router_url is None


def test_the_url_of_a_peer_loses_its_last_slash(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SIGNALBOX_SLA_URL", "http://sla:8080/")
    assert Settings.read().sla_url == "http://sla:8080"

    environment.setenv("SIGNALBOX_SLA_URL", "sla:8080")
    assert "http:// or https:// URL" in faults()["SIGNALBOX_SLA_URL"]


class MailSettings(Settings):
    mail_secret: SigningKey
    smtp_port: int = 2525


def test_a_service_adds_fields_and_may_require_what_is_optional(environment: pytest.MonkeyPatch) -> None:
    assert set(faults(MailSettings)) == {"SIGNALBOX_MAIL_SECRET"}

    environment.setenv("SIGNALBOX_MAIL_SECRET", KEY)
    environment.setenv("SIGNALBOX_SMTP_PORT", "25")
    assert MailSettings.read().smtp_port == 25


def test_given_values_win_over_the_environment(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SIGNALBOX_SHARDS", "2")

    assert Settings.read(shards=4, holder="embedded").shards == 4
