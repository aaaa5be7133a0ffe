"""The settings, out of an environment that holds nothing but what a test puts there."""

import os
import re
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import SECRETS, Settings, UnknownSetting, UnusableSecret, read_settings


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("YHDESSA_"):
            monkeypatch.delenv(name)


def test_without_a_variable_everything_has_a_default() -> None:
    assert read_settings().model_dump() == {
        "database_url": "sqlite:///./data/yhdessa.db",
        "max_body_bytes": 1_048_576,
        "requests_per_minute": 600,
        "failed_keys_per_minute": 20,
        "trusted_proxies": (),
        "licence_name": "CC BY 4.0",
        "licence_url": "https://creativecommons.org/licenses/by/4.0/",
        "contact": None,
        "max_rows": 10_000,
        "lock_timeout_seconds": 5.0,
        "pool_size": 10,
        "public_role": "yhdessa_public",
        "migrate_timeout_seconds": 60.0,
        "shutdown_seconds": 10,
        "drain_seconds": 1.0,
        "head_timeout_seconds": 5.0,
        "body_timeout_seconds": 10.0,
        "idle_timeout_seconds": 5.0,
        "answer_timeout_seconds": 10.0,
        "max_connections": 800,
        "metrics_open": False,
        "otlp_endpoint": None,
        "disclosure_threshold": 5,
        "disclosure_thresholds": {},
        "publish_timeout_seconds": 600.0,
        "due_day": 20,
        "log_level": "info",
    }


def test_every_setting_has_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "YHDESSA_DATABASE_URL": "sqlite:////var/lib/yhdessa.db",
        "YHDESSA_MAX_BODY_BYTES": "2048",
        "YHDESSA_REQUESTS_PER_MINUTE": "60",
        "YHDESSA_FAILED_KEYS_PER_MINUTE": "5",
        "YHDESSA_TRUSTED_PROXIES": "10.0.0.0/8, fd00::/8,192.0.2.7",
        "YHDESSA_LICENCE_NAME": "CC0 1.0",
        "YHDESSA_LICENCE_URL": "https://creativecommons.org/publicdomain/zero/1.0/",
        "YHDESSA_CONTACT": "tilastot@kunta.example",
        "YHDESSA_MAX_ROWS": "50",
        "YHDESSA_LOCK_TIMEOUT_SECONDS": "0.5",
        "YHDESSA_POOL_SIZE": "3",
        "YHDESSA_PUBLIC_ROLE": "readers",
        "YHDESSA_MIGRATE_TIMEOUT_SECONDS": "90",
        "YHDESSA_SHUTDOWN_SECONDS": "30",
        "YHDESSA_DRAIN_SECONDS": "0",
        "YHDESSA_HEAD_TIMEOUT_SECONDS": "2",
        "YHDESSA_BODY_TIMEOUT_SECONDS": "20",
        "YHDESSA_IDLE_TIMEOUT_SECONDS": "3",
        "YHDESSA_ANSWER_TIMEOUT_SECONDS": "4.5",
        "YHDESSA_MAX_CONNECTIONS": "100",
        "YHDESSA_METRICS_OPEN": "true",
        "YHDESSA_DISCLOSURE_THRESHOLD": "10",
        "YHDESSA_DISCLOSURE_THRESHOLDS": '{"13": 3}',
        "YHDESSA_PUBLISH_TIMEOUT_SECONDS": "1200",
        "YHDESSA_OTLP_ENDPOINT": "http://collector.example:4318",
        "YHDESSA_DUE_DAY": "15",
        "YHDESSA_LOG_LEVEL": "debug",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    settings = read_settings()

    assert settings.model_dump() == {
        "database_url": "sqlite:////var/lib/yhdessa.db",
        "max_body_bytes": 2048,
        "requests_per_minute": 60,
        "failed_keys_per_minute": 5,
        "trusted_proxies": (ip_network("10.0.0.0/8"), ip_network("fd00::/8"), ip_network("192.0.2.7/32")),
        "licence_name": "CC0 1.0",
        "licence_url": "https://creativecommons.org/publicdomain/zero/1.0/",
        "contact": "tilastot@kunta.example",
        "max_rows": 50,
        "lock_timeout_seconds": 0.5,
        "pool_size": 3,
        "public_role": "readers",
        "migrate_timeout_seconds": 90.0,
        "shutdown_seconds": 30,
        "drain_seconds": 0.0,
        "head_timeout_seconds": 2.0,
        "body_timeout_seconds": 20.0,
        "idle_timeout_seconds": 3.0,
        "answer_timeout_seconds": 4.5,
        "max_connections": 100,
        "metrics_open": True,
        "disclosure_threshold": 10,
        "disclosure_thresholds": {"13": 3},
        "publish_timeout_seconds": 1_200.0,
        "otlp_endpoint": "http://collector.example:4318",
        "due_day": 15,
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
        ("YHDESSA_REQUESTS_PER_MINUTE", "0"),
        ("YHDESSA_REQUESTS_PER_MINUTE", "1000001"),
        ("YHDESSA_FAILED_KEYS_PER_MINUTE", "0"),
        ("YHDESSA_FAILED_KEYS_PER_MINUTE", "1000001"),
        ("YHDESSA_TRUSTED_PROXIES", "*"),
        ("YHDESSA_LICENCE_NAME", ""),
        ("YHDESSA_LICENCE_URL", "CC BY 4.0"),
        ("YHDESSA_CONTACT", ""),
        ("YHDESSA_CONTACT", "x" * 201),
        ("YHDESSA_LOCK_TIMEOUT_SECONDS", "0"),
        ("YHDESSA_LOCK_TIMEOUT_SECONDS", "61"),
        ("YHDESSA_LOCK_TIMEOUT_SECONDS", "nan"),
        ("YHDESSA_POOL_SIZE", "0"),
        ("YHDESSA_POOL_SIZE", "201"),
        ("YHDESSA_POOL_SIZE", "many"),
        ("YHDESSA_PUBLIC_ROLE", "readers; DROP TABLE counts"),
        ("YHDESSA_PUBLIC_ROLE", "Readers"),
        ("YHDESSA_PUBLIC_ROLE", "1"),
        ("YHDESSA_PUBLIC_ROLE", "a" * 64),
        ("YHDESSA_SHUTDOWN_SECONDS", "0"),
        ("YHDESSA_SHUTDOWN_SECONDS", "601"),
        ("YHDESSA_MIGRATE_TIMEOUT_SECONDS", "0"),
        ("YHDESSA_MIGRATE_TIMEOUT_SECONDS", "3601"),
        ("YHDESSA_DRAIN_SECONDS", "-1"),
        ("YHDESSA_DRAIN_SECONDS", "61"),
        ("YHDESSA_HEAD_TIMEOUT_SECONDS", "0"),
        ("YHDESSA_BODY_TIMEOUT_SECONDS", "601"),
        ("YHDESSA_IDLE_TIMEOUT_SECONDS", "nan"),
        ("YHDESSA_ANSWER_TIMEOUT_SECONDS", "0"),
        ("YHDESSA_MAX_CONNECTIONS", "9"),
        ("YHDESSA_DISCLOSURE_THRESHOLD", "1"),
        ("YHDESSA_DISCLOSURE_THRESHOLD", "101"),
        ("YHDESSA_DISCLOSURE_THRESHOLDS", '{"13": 1}'),
        ("YHDESSA_DISCLOSURE_THRESHOLDS", '{"North Savo": 10}'),
        ("YHDESSA_PUBLISH_TIMEOUT_SECONDS", "0"),
        ("YHDESSA_PUBLISH_TIMEOUT_SECONDS", "3601"),
        ("YHDESSA_PUBLIC_ROLE", "Public role"),
        ("YHDESSA_DUE_DAY", "0"),
        ("YHDESSA_DUE_DAY", "29"),
        ("YHDESSA_LOG_LEVEL", "INFO"),
        ("YHDESSA_LOG_LEVEL", "verbose"),
    ],
)
def test_a_value_out_of_bounds_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ValidationError) as refused:
        read_settings()

    assert [error["loc"][:1] for error in refused.value.errors()] == [(name.removeprefix("YHDESSA_").lower(),)]


@pytest.mark.parametrize(
    ("listed", "reason"),
    [
        ("10.0.0.1/8", "10.0.0.1/8 has host bits set"),
        ("10.0.0.0/8,proxy.example", "'proxy.example' does not appear to be an IPv4 or IPv6 network"),
        ("10.0.0.0/8,", "'' does not appear to be an IPv4 or IPv6 network"),
        ("10.0.0.0/8,0.0.0.0/0", "0.0.0.0/0 trusts everyone, who could then write any address"),
        ("::/0", "::/0 trusts everyone, who could then write any address"),
        ("::ffff:10.0.0.0/104", "::ffff:10.0.0.0/104 is IPv4 written as IPv6; write it as IPv4"),
    ],
)
def test_proxies_are_networks_that_leave_somebody_out(
    monkeypatch: pytest.MonkeyPatch, listed: str, reason: str
) -> None:
    monkeypatch.setenv("YHDESSA_TRUSTED_PROXIES", listed)

    with pytest.raises(ValidationError, match=re.escape(reason)):
        read_settings()


@pytest.mark.parametrize("listed", ["", "  "])
def test_an_empty_list_of_proxies_trusts_none(monkeypatch: pytest.MonkeyPatch, listed: str) -> None:
    monkeypatch.setenv("YHDESSA_TRUSTED_PROXIES", listed)

    assert read_settings().trusted_proxies == ()


@pytest.mark.parametrize("name", ["YHDESSA_DATABSE_URL", "YHDESSA_", "yhdessa_pool_size", "Yhdessa_Database_Url"])
def test_a_misspelt_variable_is_refused_and_the_known_ones_are_listed(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "3")

    with pytest.raises(UnknownSetting) as refused:
        read_settings()

    fields = [*Settings.model_fields, "database_url_file"]
    known = ", ".join(sorted(f"YHDESSA_{field.upper()}" for field in fields))
    assert str(refused.value) == f"{name}: no such setting; there are {known}"


def test_variables_of_the_tests_of_the_client_and_of_others_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("YHDESSA_URL", "YHDESSA_KEY", "YHDESSA_KEY_FILE"):
        monkeypatch.setenv(name, "of the client")
    monkeypatch.setenv("YHDESSA_TEST_DATABASE_URL", "postgresql://localhost")
    monkeypatch.setenv("YHDESSAN_ASIA", "3")

    assert read_settings() == Settings()


def test_a_secret_can_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("postgresql://u:p@db.example/y\n")
    monkeypatch.setenv("YHDESSA_DATABASE_URL_FILE", str(tmp_path / "secret"))

    assert SECRETS == ("database_url",)
    assert read_settings().database_url == "postgresql+psycopg://u:p@db.example/y"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"\xff\xfe", "cannot be read: it is not UTF-8 text"),
        (b" \n", "is empty"),
    ],
)
def test_a_file_without_a_secret_is_refused_and_nothing_falls_back_to_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("YHDESSA_DATABASE_URL_FILE", str(file))

    with pytest.raises(UnusableSecret) as refused:
        read_settings()

    assert str(refused.value) == f"YHDESSA_DATABASE_URL_FILE: {file} {reason}"


def test_a_secret_in_a_file_and_beside_it_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("sqlite:///one.db")
    monkeypatch.setenv("YHDESSA_DATABASE_URL_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("YHDESSA_DATABASE_URL", "sqlite:///other.db")

    with pytest.raises(UnusableSecret, match="both set; which one counts"):
        read_settings()


def test_what_is_wrong_with_a_secret_is_told_without_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("mysql://u:hidden@db.example/y")
    monkeypatch.setenv("YHDESSA_DATABASE_URL_FILE", str(tmp_path / "secret"))

    with pytest.raises(ValidationError) as refused:
        read_settings()

    assert "hidden" not in str(refused.value)


def test_a_setting_that_is_no_secret_is_not_read_from_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YHDESSA_POOL_SIZE_FILE", "/tmp/size")

    with pytest.raises(UnknownSetting):
        read_settings()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://yhdessa:tell@no:body@postgres/yhdessa",
        "postgresql://yhdessa:tellnobody@postgres:five/yhdessa",
        "postgresql://yhdessa:tellnobody@[::1/yhdessa",
    ],
)
def test_an_address_that_cannot_be_taken_apart_says_how_to_write_one_and_quotes_nothing(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YHDESSA_DATABASE_URL", url)

    with pytest.raises(ValidationError, match="cannot be read as postgresql://user:password@host:port/name") as refused:
        read_settings()

    assert "body" not in str(refused.value)
