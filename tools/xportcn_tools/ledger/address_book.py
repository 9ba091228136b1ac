"""Saved addresses: a JSON file beside the ledger, mode 0600, so that a private address need not pass
through the model. Names are the owner's; the file is read again for each use.
"""

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from xportcn_tools.ledger.ledger import LedgerUnavailableError


@dataclass(frozen=True)
class AddressBook:
    """The addresses in one file, by name. Values are the address arguments of `preview_order`."""

    path: Path

    def all(self) -> dict[str, dict[str, Any]]:
        """Every saved address by its name; empty where there is no file.

        Raises:
            LedgerUnavailableError: the file cannot be read, or holds something else.
        """
        try:
            stored: object = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise LedgerUnavailableError(f"the saved addresses cannot be read: {error}") from error
        if not isinstance(stored, dict) or not all(
            isinstance(fields, dict) for fields in cast("dict[str, object]", stored).values()
        ):
            raise LedgerUnavailableError("the file of saved addresses holds something else")
        return cast("dict[str, dict[str, Any]]", stored)

    def save(self, name: str, address: dict[str, Any]) -> None:
        """Add an address, or replace the one of this name."""
        self._write(self.all() | {name: address})

    def remove(self, name: str) -> bool:
        """Whether there was one of this name."""
        kept = self.all()
        found = kept.pop(name, None) is not None
        if found:
            self._write(kept)
        return found

    def _write(self, addresses: dict[str, dict[str, Any]]) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A new file (mkstemp makes it 0600) in the old one's place: never half a file, never open to others.
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".addresses-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(addresses, file, ensure_ascii=False, indent=2)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
