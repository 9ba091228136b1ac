"""What one check found."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warning", "fault"]


@dataclass(frozen=True)
class Check:
    """`found` is a phrase; `next_step` says what to do, and is empty where there is nothing to do."""

    name: str
    status: Status
    found: str
    next_step: str = ""


def ok(name: str, found: str, next_step: str = "") -> Check:
    return Check(name, "ok", found, next_step)


def warning(name: str, found: str, next_step: str) -> Check:
    return Check(name, "warning", found, next_step)


def fault(name: str, found: str, next_step: str) -> Check:
    return Check(name, "fault", found, next_step)
