"""What the shapes of all results stand on. Money outside is a decimal string in yuan, inside integer fen."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from xportcn_tools.money import yuan


class Shape(BaseModel):
    """A part of a result: nothing beyond its fields, and nothing that changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class Money(Shape):
    """An amount in yuan as a decimal string with two digits, such as `65.61`; made of integer fen."""

    amount: str
    currency: Literal["CNY"] = "CNY"

    @model_validator(mode="before")
    @classmethod
    def _of_fen(cls, data: object) -> object:
        return {"amount": yuan(data)} if isinstance(data, int) else data


def timestamp(moment: datetime) -> str:
    """UTC, whole seconds, `2026-11-21T09:30:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
