"""Every YHDESSA_* environment variable, read once and frozen."""

import os
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_DATABASE_URL = "sqlite:///./data/yhdessa.db"
PREFIX = "YHDESSA_"
TEST_PREFIX = "YHDESSA_TEST_"


class Settings(BaseSettings):
    """What the operator may set; the README's table of settings says the same in prose."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    database_url: str = DEFAULT_DATABASE_URL
    max_body_bytes: Annotated[int, Field(ge=1_024)] = 1_048_576
    max_rows: Annotated[int, Field(ge=1)] = 10_000
    lock_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    pool_size: Annotated[int, Field(ge=1, le=200)] = 10
    shutdown_seconds: Annotated[int, Field(ge=1, le=600)] = 10
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"

    @field_validator("database_url")
    @classmethod
    def _name_the_driver(cls, url: str) -> str:
        """The URL with the driver that ships: psycopg for postgresql://, Python's own for sqlite://."""
        for plain in ("postgresql://", "postgres://"):
            if url.startswith(plain):
                return "postgresql+psycopg://" + url.removeprefix(plain)
        if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("must start with sqlite:/// or postgresql://")
        if url in ("sqlite:///", "sqlite:///:memory:"):
            raise ValueError("a database in memory keeps nothing; name a file, as in sqlite:///./data/yhdessa.db")
        return url


class UnknownSetting(Exception):
    """An environment variable starts with YHDESSA_ and is no setting: most likely a misspelling."""


def read_settings() -> Settings:
    """The settings of this process.

    Raises:
        UnknownSetting: a YHDESSA_* variable is not a setting (YHDESSA_TEST_* is left to the tests).
        pydantic.ValidationError: a value is outside its bounds.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    given = {name for name in os.environ if name.upper().startswith(PREFIX)}
    unknown = sorted(name for name in given if name not in known and not name.startswith(TEST_PREFIX))
    if unknown:
        raise UnknownSetting(f"{', '.join(unknown)}: no such setting; there are {', '.join(sorted(known))}")
    return Settings()
