"""The owner's saved addresses, as the desk uses them: by name, and as they are at this moment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from xportcn_tools.desk import problems
from xportcn_tools.ledger.address_book import AddressBook
from xportcn_tools.ledger.ledger import LedgerUnavailableError
from xportcn_tools.order import Address, OrderRequest
from xportcn_tools.results import wrong_argument


@dataclass(frozen=True)
class SavedAddresses:
    """Each method raises `ledger_unavailable` where the book cannot be read, and `invalid_arguments` for an
    address that is not complete. `read`: reads an entry, or raises `ValueError`.
    """

    _book: AddressBook | None = None
    _read: Callable[[Mapping[str, Any]], Address] = lambda fields: Address(**fields)

    def all(self) -> dict[str, dict[str, Any]]:
        """Every entry by its name, unchecked."""
        try:
            return self._book.all() if self._book else {}
        except LedgerUnavailableError as error:
            raise problems.ledger_unavailable(str(error)) from error

    def named(self, name: str) -> Address | None:
        """The address of this name; `None` where there is none."""
        fields = self.all().get(name)
        try:
            return None if fields is None else self._read(fields)
        except ValueError:
            again = f"save it again with `xportcn-mcp address add {name}`"
            raise wrong_argument("address_name", f"the saved address is not complete: {again}") from None

    def now(self, request: OrderRequest) -> Address:
        """Where the goods would go by today's book. A name that was removed since names no other place."""
        saved = self.named(request.address_name) if request.address_name else None
        return saved or request.address


NO_ADDRESSES = SavedAddresses()
