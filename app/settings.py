"""Every YHDESSA_* environment variable, read once and frozen."""

import os
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import make_url

DEFAULT_DATABASE_URL = "sqlite:///./data/yhdessa.db"
PREFIX = "YHDESSA_"
TEST_PREFIX = "YHDESSA_TEST_"
CLIENT_VARIABLES = frozenset({"YHDESSA_URL", "YHDESSA_KEY", "YHDESSA_KEY_FILE"})
"""What commands that talk to a server elsewhere read; no settings of a server, and no mistake beside them."""


SECRETS = ("database_url",)
"""The settings that hold a secret: each can also be read from a file, as containers are handed secrets."""


class Settings(BaseSettings):
    """What the operator may set; the README's table of settings says the same in prose."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: str = DEFAULT_DATABASE_URL
    max_body_bytes: Annotated[int, Field(ge=1_024)] = 1_048_576
    max_rows: Annotated[int, Field(ge=1)] = 10_000
    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    failed_keys_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] = 20
    # Written as a list with commas and not, as pydantic-settings would have it, as JSON.
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    licence_name: Annotated[str, Field(min_length=1, max_length=200)] = "CC BY 4.0"
    licence_url: Annotated[str, Field(pattern=r"^https?://\S+$", max_length=2_000)] = (
        "https://creativecommons.org/licenses/by/4.0/"
    )
    contact: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    lock_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    pool_size: Annotated[int, Field(ge=1, le=200)] = 10
    public_role: Annotated[str, Field(pattern=r"^([a-z_][a-z0-9_]{0,62})?$")] = "yhdessa_public"
    migrate_timeout_seconds: Annotated[float, Field(gt=0, le=3_600)] = 60.0
    shutdown_seconds: Annotated[int, Field(ge=1, le=600)] = 10
    drain_seconds: Annotated[float, Field(ge=0, le=60)] = 1.0
    head_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    body_timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 10.0
    idle_timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 5.0
    answer_timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 10.0
    max_connections: Annotated[int, Field(ge=10, le=100_000)] = 800
    metrics_open: bool = False
    otlp_endpoint: Annotated[str | None, Field(pattern=r"^https?://[^\s?#]+$")] = None
    disclosure_threshold: Annotated[int, Field(ge=2, le=100)] = 5
    disclosure_thresholds: dict[Annotated[str, Field(pattern="^[0-9]{2}$")], Annotated[int, Field(ge=2, le=100)]] = (
        Field(default={})
    )
    publish_timeout_seconds: Annotated[float, Field(gt=0, le=3_600)] = 600.0
    due_day: Annotated[int, Field(ge=1, le=28)] = 20
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"

    @field_validator("database_url")
    @classmethod
    def _name_the_driver(cls, url: str) -> str:
        """The URL with the driver that ships: psycopg for postgresql://, Python's own for sqlite://."""
        for plain in ("postgresql://", "postgres://"):
            if url.startswith(plain):
                url = "postgresql+psycopg://" + url.removeprefix(plain)
        if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("must start with sqlite:/// or postgresql://")
        if url in ("sqlite:///", "sqlite:///:memory:"):
            raise ValueError("a database in memory keeps nothing; name a file, as in sqlite:///./data/yhdessa.db")
        if not _an_address(url):
            raise ValueError(
                "cannot be read as postgresql://user:password@host:port/name; "
                "in a password write @ as %40, : as %3A, / as %2F and % as %25"
            )
        return url

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _read_networks(cls, listed: object) -> object:
        """The networks that are listed with commas between them; none in an empty text."""
        if not isinstance(listed, str):
            return listed
        return tuple(_network(text.strip()) for text in listed.split(",")) if listed.strip() else ()


class UnusableSecret(Exception):
    """A setting is to be read from a file and cannot be."""


class UnknownSetting(Exception):
    """An environment variable starts with YHDESSA_ and is no setting: most likely a misspelling."""


def read_settings() -> Settings:
    """The settings of this process.

    A setting of SECRETS may stand in the file that the variable with _FILE behind its name names.

    Raises:
        UnknownSetting: a YHDESSA_* variable is not a setting (YHDESSA_TEST_* is left to the tests,
            CLIENT_VARIABLES to the client).
        UnusableSecret: a file cannot be read, or the setting is given besides.
        pydantic.ValidationError: a value is outside its bounds.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {_file_variable(name) for name in SECRETS}
    given = {name for name in os.environ if name.upper().startswith(PREFIX)}
    unknown = sorted(name for name in given - known - CLIENT_VARIABLES if not name.startswith(TEST_PREFIX))
    if unknown:
        raise UnknownSetting(f"{', '.join(unknown)}: no such setting; there are {', '.join(sorted(known))}")
    return Settings(**_secrets_in_files())


def _file_variable(name: str) -> str:
    return f"{PREFIX}{name.upper()}_FILE"


def _secrets_in_files() -> dict[str, Any]:
    """By name: the settings that stand in files, without the white space around them."""
    given = {name.upper(): value for name, value in os.environ.items()}
    read = {}
    for name in SECRETS:
        variable, file = PREFIX + name.upper(), given.get(_file_variable(name))
        if file is None:
            continue
        if variable in given:
            raise UnusableSecret(f"{variable} and {variable}_FILE are both set; which one counts?")
        try:
            read[name] = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or "it is not UTF-8 text"
            raise UnusableSecret(f"{variable}_FILE: {file} cannot be read: {reason}") from error
        if not read[name]:
            raise UnusableSecret(f"{variable}_FILE: {file} is empty")
    return read


def _an_address(url: str) -> bool:
    """True if `url` can be taken apart; a password with @ or : in it makes parts of itself a host or a port."""
    try:
        return "@" not in (make_url(url).host or "")
    except ValueError:
        return False


def _network(text: str) -> IPv4Network | IPv6Network:
    """The network that `text` names, as 10.0.0.0/8; a single address is a network of one.

    Raises:
        ValueError: it names none, or one by which a caller could write down any address as its own.
    """
    network = ip_network(text)
    if network.prefixlen == 0:
        raise ValueError(f"{text} trusts everyone, who could then write any address; name your proxies' networks")
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped:
        raise ValueError(f"{text} is IPv4 written as IPv6; write it as IPv4")
    return network
