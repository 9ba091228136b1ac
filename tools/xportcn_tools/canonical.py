"""Canonical JSON and its fingerprint: sorted keys, NFC, no floats. The raw body is not the order. Pure."""

import hashlib
import json
import unicodedata
from typing import Any, cast


def canonical_json(value: object) -> str:
    """Sorted keys, no spaces, NFC text, integers only.

    Raises:
        TypeError: a float or another type that has no single spelling.
    """
    return json.dumps(_canonical(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def fingerprint(value: object) -> str:
    """SHA-256 of the canonical JSON, 64 hex digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def _canonical(value: object) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        given = cast("dict[object, object]", value)
        fields = {_name(key): _canonical(item) for key, item in given.items()}
        if len(fields) != len(given):
            raise TypeError("two names with one canonical spelling")
        return fields
    raise TypeError(f"{type(value).__name__} has no canonical form")


def _name(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a name is text, not {type(key).__name__}")
    return unicodedata.normalize("NFC", key)
