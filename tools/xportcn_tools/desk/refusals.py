"""Refusals of the upstream in our words: what each means, for which line, and the way out. Pure."""

from dataclasses import asdict
from typing import Any

from xportcn_tools.desk.product_facts import quantity_advice
from xportcn_tools.desk.quote import NotOrderableError, Products, Reason
from xportcn_tools.order import Item, OrderRequest
from xportcn_tools.upstream.words import Cause, Code, cause_of, documented

_SELLERS = "if goods of several sellers are in it, preview an order for each seller."
_ANOTHER = "Tell the person; choose another offer and preview again."

# Meaning and way out of 1688's documented refusals.
_DOCUMENTED: dict[Code, tuple[str, str]] = {
    "001": ("cannot be ordered by API: it is off sale or not sold online", _ANOTHER),
    "002": (
        "is of another seller than the rest, or needs a spec_id",
        f"Name the spec_id of each line; {_SELLERS}",
    ),
    "003": (
        "is of another seller than the rest, or its spec_id is not one of this offer",
        f"Check the spec_id (32 hex digits, not the sku_id) of this offer with the person; {_SELLERS}",
    ),
    "004": (
        "asks for more than the seller has in stock",
        "Tell the person; preview again with fewer pieces, another option or another offer.",
    ),
    "005": (
        "is below the seller's minimum quantity",
        "Tell the person; preview again with at least the minimum, if they want so many.",
    ),
    "006": (
        "does not fit the seller's rule for mixed batches",
        "Tell the person; preview again with a quantity that fits, or with more of this seller's goods.",
    ),
    "007": (
        "is consigned, and the account has no consignment relation with its seller",
        "Tell the person; the owner must agree a consignment with the seller, or choose another offer.",
    ),
    "008": (
        "has an option without a price",
        "Tell the person; choose another option or offer and preview again.",
    ),
    "009": (
        "is below the seller's wholesale minimum",
        "Tell the person; preview again with more pieces, if they want so many.",
    ),
}
# Which advice on quantities has the numbers for a refusal.
_ADVICE: dict[str, tuple[str, ...]] = {
    "004": ("low_stock",),
    "005": ("below_minimum", "not_in_lots"),
    "006": ("below_minimum", "not_in_lots"),
    "009": ("below_minimum", "not_in_lots"),
}
_CAUSES: dict[Cause, tuple[str, str]] = {
    "busy": ("is refused for now: the upstream asks to wait", "Wait a minute, then preview the same again."),
    "signature": (
        "is refused: the signature is not accepted",
        "Tell the person; the owner must check XPORTCN_ACCESS_SECRET and XPORTCN_SIGNATURE.",
    ),
    "key": (
        "is refused: the access key is not accepted",
        "Tell the person; the owner must check XPORTCN_ACCESS_KEY, and ask the vendor whether it is active.",
    ),
    "clock": (
        "is refused: the time of the request is not accepted",
        "Tell the person; the owner must set this machine's clock, or check XPORTCN_TIMESTAMP_UNIT.",
    ),
    "permission": (
        "is refused: the account is not permitted to order this",
        "Tell the person; the owner must check XPORTCN_USER_ID and ask the vendor for the permission.",
    ),
}
UNKNOWN_WAY_OUT = (
    "Tell the person the reason; change the line that it names, if it names one, and preview again."
)


def way_out(cause: Cause) -> str:
    """What to do about a refusal that is about no goods."""
    return _CAUSES[cause][1]


def create_refused(code: str, text: str) -> tuple[str | None, str]:
    """Meaning and way out of a create that was refused: from a preview on, since its token is spent."""
    meaning, out = _meaning(Reason("", code=code, text=text), None)
    return meaning, out if meaning else "Tell the person the reason; for another try, preview again."


def explained(reason: Reason, request: OrderRequest, products: Products) -> dict[str, Any]:
    """A reason for `details.reasons`: our message with the numbers that are known, its line (from 1) and
    product number, and the way out.

    `code` and `text` are the upstream's own, cleaned: data, not advice.
    """
    at = _line(reason, request.items)
    item = request.items[at] if at is not None else None
    meaning, out = _meaning(reason, item)
    if meaning is None:
        message = reason.message
    else:
        message = f"{_name(at, item) if item and at is not None else 'the order'} {meaning}"
        message += _numbers(reason, item, request, products)
    return asdict(reason) | {
        "message": message,
        "line": None if at is None else at + 1,
        "product_no": item.product_no if item else None,
        "next_step": out,
    }


def reasons_of(error: NotOrderableError, request: OrderRequest) -> list[dict[str, Any]]:
    return [explained(reason, request, error.products) for reason in error.reasons]


def _numbers(reason: Reason, item: Item | None, request: OrderRequest, products: Products) -> str:
    """What product data says of a refused quantity: of the line's offer, or of all where none is named."""
    codes = _ADVICE.get(documented(reason.code) or "", ())
    found = [
        note.message if item else f"offer {offer_id}: {note.message}"
        for offer_id, notes in quantity_advice(request.items, products).items()
        for note in notes
        if note.code in codes and offer_id == (item.offer_id if item else reason.offer_id or offer_id)
    ]
    numbers = " ".join(found).removesuffix(".")
    return f": {numbers[0].lower()}{numbers[1:]}" if numbers else ""


def _meaning(reason: Reason, item: Item | None) -> tuple[str | None, str]:
    code = documented(reason.code)
    if code == "002" and item and item.spec_id is None:
        return (
            "needs a spec_id",
            "Ask the person which option they want, and name its spec_id (32 hex digits).",
        )
    if code:
        return _DOCUMENTED[code]
    cause = cause_of(reason.code, reason.text) if reason.code or reason.text else None
    if cause and not reason.next_step:
        return _CAUSES[cause]
    return None, reason.next_step or UNKNOWN_WAY_OUT


def _line(reason: Reason, items: tuple[Item, ...]) -> int | None:
    """The position of the line that a reason is about, where that is certain."""
    if reason.lists:
        return None
    if reason.offer_id is None:
        return 0 if len(items) == 1 else None
    of_offer = [at for at, item in enumerate(items) if item.offer_id == reason.offer_id]
    same = [at for at in of_offer if items[at].spec_id == reason.spec_id] or of_offer
    return same[0] if len(same) == 1 else None


def _name(at: int, item: Item) -> str:
    number = f", product_no {item.product_no}" if item.product_no else ""
    spec = f" spec {item.spec_id}" if item.spec_id else ""
    return f"line {at + 1}{number} (offer {item.offer_id}{spec})"
