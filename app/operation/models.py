"""What is said of the server itself."""

from typing import Literal

from pydantic import BaseModel


class State(BaseModel):
    """How the server is."""

    status: Literal["alive", "ready"]
