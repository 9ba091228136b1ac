"""Problems about goods before anything is priced, in the words of the contract. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from xportcn_tools.desk.problems import BUSY_SECONDS
from xportcn_tools.desk.refusals import way_out
from xportcn_tools.goods.product import NotRead, NotReadReason, ProductOption
from xportcn_tools.order import OrderRequest
from xportcn_tools.product_results import MOST_OPTIONS, option_results
from xportcn_tools.results import ProblemError, problem, wrong_argument
from xportcn_tools.upstream.words import cause_of

FEWEST_OPTIONS = 5
"""Listed for each line, however many lines are open."""

WHY_NOT_READ: dict[NotReadReason, str] = {
    "not_found": "the upstream says that there is no such product",
    "not_permitted": "this account is not permitted to read it",
    "not_confirmed": "the upstream knows no such path, so its path is not confirmed for this account",
    "unreadable": "the answer cannot be read",
    "no_answer": "no answer came",
}
_NEXT: dict[NotReadReason, str] = {
    "not_found": "Check the offer_id or link with the person, or look for another with search_products.",
    "not_permitted": "Tell the person; the owner must ask the vendor for the permission.",
    "not_confirmed": "Tell the person; the owner must ask the vendor for the path and set {setting}.",
    "unreadable": "Tell the person.",
    "no_answer": "Try again in a minute.",
}
_BY_SPEC = "; an order with spec_id instead of option does not need it, so ask the person for the spec_id."


@dataclass(frozen=True)
class OpenLine:
    """A line, from 1, whose option a person has to choose; `options`: the likeliest first."""

    line: int
    offer_id: str
    options: tuple[ProductOption, ...]


def products_off(field: str) -> ProblemError:
    return wrong_argument(
        field,
        "products are not read here (XPORTCN_PRODUCTS=off), so options in words are unknown; give spec_id",
    )


def not_read(found: NotRead, *, line: int | None = None) -> ProblemError:
    """A product that is needed; `line`, from 1, where a line of an order needs it."""
    where = f" of line {line}" if line else ""
    return _unread(found, f"The product of offer {found.offer_id}{where}", "XPORTCN_PRODUCT_PATH", line=line)


def no_search(found: NotRead) -> ProblemError:
    return _unread(found, "The list of products", "XPORTCN_SEARCH_PATH")


def _unread(found: NotRead, what: str, setting: str, *, line: int | None = None) -> ProblemError:
    code, why = "product_unavailable", WHY_NOT_READ[found.reason]
    next_step = _NEXT[found.reason].format(setting=setting)
    cause = cause_of((found.code or "").removeprefix("HTTP "), found.text)
    if found.reason == "not_found":
        code = "product_not_found"
    elif found.reason == "not_permitted" and cause in ("signature", "key", "clock"):
        code, next_step = "upstream_unauthorized", way_out(cause)
        why = f"the upstream refused this account's request (by its words: {cause})"
    elif found.reason == "no_answer" and cause == "busy":
        code, why = "upstream_busy", "the upstream asks to wait"
        next_step = f"Wait {BUSY_SECONDS} seconds, then call this again."
    if found.offer_id and code in ("product_unavailable", "upstream_busy"):
        next_step = next_step.removesuffix(".") + _BY_SPEC
    # A refusal is in the upstream's words; of anything else the text says what was read, or was not.
    said = "text" if found.reason in ("not_found", "not_permitted") else "reason"
    details = {"offer_id": found.offer_id, "line": line, "why": found.reason}
    details |= {"code": found.code, said: found.text}
    return problem(
        code,
        f"{what} could not be read: {why}.",
        next_step,
        request_id=found.request_id,
        details={name: value for name, value in details.items() if value},
    )


def choose_option(lines: Sequence[OpenLine]) -> ProblemError:
    """`lines`: every line that is open; `details.options` are those of the first."""
    most = max(FEWEST_OPTIONS, min(MOST_OPTIONS, 2 * MOST_OPTIONS // len(lines)))
    listed = [
        {
            "line": line.line,
            "offer_id": line.offer_id,
            "options": [option.model_dump() for option in option_results(line.options, most)],
            "options_total": len(line.options),
        }
        for line in lines
    ]
    cut = any(len(line.options) > most for line in lines)
    names = ", ".join(str(line.line) for line in lines)
    without = [str(line.line) for line in lines if not line.options]
    return problem(
        "choose_option",
        f"It is not clear which option is meant in line{'s' * (len(lines) > 1)} {names}.",
        "Show the person these options and let them choose, then preview again with the chosen spec_id in "
        "each of these lines"
        + ("; more words in option list other options, for there are more than these" if cut else "")
        + (f"; line {', '.join(without)} has no options: leave option out" if without else "")
        + ".",
        details={"lines": listed, "options": listed[0]["options"]},
    )


def several_sellers(
    request: OrderRequest, lines: Mapping[str | None, list[int]], request_id: str | None = None
) -> ProblemError:
    """`lines`: the positions of the lines of each seller; `None`: of a seller that is not known."""
    own = [name for name in ("out_order_id", "promotion_id") if getattr(request, name)]
    without = f" (without {' and '.join(own)}, which one order alone can have)" if own else ""
    sellers = len([seller for seller in lines if seller])
    return problem(
        "several_sellers",
        f"These goods are of {sellers} sellers, and one order holds goods of one seller.",
        f"Call preview_order once for each seller, with the arguments given{without}; show the person every "
        "preview.",
        request_id=request_id,
        details={
            "by_seller": [
                {
                    "seller_open_id": seller,
                    "lines": [at + 1 for at in positions],
                    "preview_order_arguments": _arguments(request, positions),
                }
                for seller, positions in lines.items()
            ]
        },
    )


def _arguments(request: OrderRequest, positions: Sequence[int]) -> dict[str, Any]:
    """What `preview_order` takes for some lines of a request."""
    part = replace(
        request, items=tuple(request.items[at] for at in positions), out_order_id="", promotion_id=None
    )
    fields = asdict(part)
    fields.pop("address" if request.address_name else "address_name")
    fields["items"] = [_given(item) for item in fields["items"]]
    if "address" in fields:
        fields["address"] = _given(fields["address"])
    return _given(fields)


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, "")}
