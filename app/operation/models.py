"""What is said of the server itself."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class State(BaseModel):
    """How the server is."""

    status: Literal["alive", "ready"]


class Licence(BaseModel):
    """Under what terms the public figures may be used; the operator decides."""

    name: str
    url: str


class PublishedLimits(BaseModel):
    """What the server takes; each field is the setting of its name."""

    model_config = ConfigDict(from_attributes=True)

    max_body_bytes: int = Field(description="A larger body is refused (413)")
    max_rows: int = Field(description="A submission of more rows, counts and statuses together, is refused (413)")
    requests_per_minute: int = Field(
        description="So many requests with one key at once, and as many again in each minute; more are refused (429)"
    )
    failed_keys_per_minute: int = Field(
        description="So many requests with a wrong key from one address are answered 401, more are answered 429"
    )


class Config(BaseModel):
    """The terms of the service: what it is, and within what limits it may be used."""

    version: str = Field(description="Of the product, and of the contract")
    api: Literal["v1"] = Field(description="With what the addresses of the calls begin")
    languages: list[str] = Field(
        description="In which there are names and pages: ISO 639-1 codes, the first the main one"
    )
    licence: Licence = Field(description="Of the public figures; the software has its own")
    contact: str | None = Field(description="Whom to ask about this server, in the operator's words; null if not said")
    limits: PublishedLimits
