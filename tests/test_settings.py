"""The settings, out of an environment that holds nothing but what a test puts there."""

import os

import pytest
from pydantic import ValidationError

from app.settings import Settings, UnknownSetting, read_settings


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("YHDESSA_"):
            monkeypatch.delenv(name)


def test_without_a_variable_everything_has_a_default() -> None:
    assert read_settings().model_dump() == {
        "database_url": "sqlite:///./data/yhdessa.db",
        "max_body_bytes": 1_048_576,
        "max_rows": 10_000,
        "lock_timeout_seconds": 5.0,
        "pool_size": 10,
        "shutdown_seconds": 10,
        "log_level": "info",
    }


def test_every_setting_has_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "YHDESSA_DATABASE_URL": "sqlite:////var/lib/yhdessa.db",
        "YHDESSA_MAX_BODY_BYTES": "2048",
        "YHDESSA_MAX_ROWS": "50",
        "YHDESSA_LOCK_TIMEOUT_SECONDS": "0.5",
        "YHDESSA_POOL_SIZE": "3",
        "YHDESSA_SHUTDOWN_SECONDS": "30",
        "YHDESSA_LOG_LEVEL": "debug",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    settings = read_settings()

    assert settings.model_dump() == {
        "database_url": "sqlite:////var/lib/yhdessa.db",
        "max_body_bytes": 2048,
        "max_rows": 50,
        "lock_timeout_seconds": 0.5,
        "pool_size": 3,
        "shutdown_seconds": 30,
        "log_level": "debug",
    }
    assert len(given) == len(Settings.model_fields)


def test_settings_are_frozen() -> None:
    settings = read_settings()

    with pytest.raises(ValidationError, match="frozen"):
        settings.pool_size = 3


@pytest.mark.parametrize(
    ("given", "driver_named"),
    [
        (
            "postgresql://u:p@db.example:5432/y?sslmode=require",
            "postgresql+psycopg://u:p@db.example:5432/y?sslmode=require",
        ),
        ("postgres://db.example/y", "postgresql+psycopg://db.example/y"),
        ("postgresql+psycopg:///y?host=/run/postgresql", "postgresql+psycopg:///y?host=/run/postgresql"),
        ("sqlite:///yhdessa.db", "sqlite:///yhdessa.db"),
    ],
)
def test_the_driver_that_ships_is_named_in_the_database_url(
    monkeypatch: pytest.MonkeyPatch, given: str, driver_named: str
) -> None:
    monkeypatch.setenv("YHDESSA_DATABASE_URL", given)

    assert read_settings().database_url == driver_named


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://db.example/y", "must start with sqlite:/// or postgresql://"),
        ("postgresql+asyncpg://db.example/y", "must start with sqlite:/// or postgresql://"),
        ("yhdessa.db", "must start with sqlite:/// or postgresql://"),
        ("", "must start with sqlite:/// or postgresql://"),
        ("sqlite://", "must start with sqlite:/// or postgresql://"),
        ("sqlite:///", "a database in memory keeps nothing"),
        ("sqlite:///:memory:", "a database in memory keeps nothing"),
    ],
)
def test_a_database_that_we_cannot_use_or_that_keeps_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch, url: str, reason: str
) -> None:
    monkeypatch.setenv("YHDESSA_DATABASE_URL", url)

    with pytest.raises(ValidationError, match=reason):
        read_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("YHDESSA_MAX_BODY_BYTES", "1023"),
        ("YHDESSA_LOCK_TIMEOUT_SECONDS", "0"),
        ("YHDESSA_LOCK_TIMEOUT_SECONDS", "61"),
        ("YHDESSA_LOCK_TIMEOUT_SECONDS", "nan"),
        ("YHDESSA_POOL_SIZE", "0"),
        ("YHDESSA_POOL_SIZE", "201"),
        ("YHDESSA_POOL_SIZE", "many"),
        ("YHDESSA_SHUTDOWN_SECONDS", "0"),
        ("YHDESSA_SHUTDOWN_SECONDS", "601"),
        ("YHDESSA_LOG_LEVEL", "INFO"),
        ("YHDESSA_LOG_LEVEL", "verbose"),
    ],
)
def test_a_value_out_of_bounds_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ValidationError) as refused:
        read_settings()

    assert [error["loc"] for error in refused.value.errors()] == [(name.removeprefix("YHDESSA_").lower(),)]


@pytest.mark.parametrize("name", ["YHDESSA_DATABSE_URL", "YHDESSA_", "yhdessa_pool_size", "Yhdessa_Database_Url"])
def test_a_misspelt_variable_is_refused_and_the_known_ones_are_listed(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "3")

    with pytest.raises(UnknownSetting) as refused:
        read_settings()

    assert str(refused.value) == (
        f"{name}: no such setting; there are YHDESSA_DATABASE_URL, YHDESSA_LOCK_TIMEOUT_SECONDS, YHDESSA_LOG_LEVEL, "
        "YHDESSA_MAX_BODY_BYTES, YHDESSA_MAX_ROWS, YHDESSA_POOL_SIZE, YHDESSA_SHUTDOWN_SECONDS"
    )


def test_variables_of_the_tests_and_of_others_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YHDESSA_TEST_DATABASE_URL", "postgresql://localhost")
    monkeypatch.setenv("YHDESSAN_ASIA", "3")

    assert read_settings() == Settings()
