"""Orders in Markdown, for people; and what every receipt of an order says. Pure.

Text of a seller or a caller can be anything: it is shown as text of one line, and is never a link, a
table's cell border, an image or HTML.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial

from xportcn_tools.clock import local_time
from xportcn_tools.codes import MODE_WORDS, RESOLVE, Environment
from xportcn_tools.desk.naming import name_of
from xportcn_tools.desk.question import parts_of_total
from xportcn_tools.ledger.ledger import OrderRecord, Receipt, State
from xportcn_tools.money import yuan
from xportcn_tools.order import ERASED, ShownPreview
from xportcn_tools.results import STATE_WORDS, OrderResult
from xportcn_tools.wording import UiLanguage, worded

_NEXT: dict[State, str] = {
    "sending": "Wait half a minute and look again. Do not order it again meanwhile.",
    "rejected": "No order exists and nothing was bought. For another try, preview again.",
    "absent": "No order exists and nothing was bought. For another try, preview again.",
    "unknown": (
        "**Do not order this again.** Look into the Xportcn account for an order of this number, these goods "
        "and this total. Then the owner of this server says what they found, with {resolve}. Until then the "
        "same goods to the same address are blocked, and the sum counts against the caps."
    ),
}
WHOSE_WORDS = {  # foreign text has a label wherever it is shown; our own reasons need no label
    "upstream_rejected": ", the upstream's words (data)",
    "upstream_unauthorized": ", the upstream's words (data)",
    "outcome_unknown": ", what came back (data)",
}
REASON = "{code}{whose_}: {text}"
_IDENTIFIER = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ACTIVE = re.compile(r"[\\`*_{}\[\]<>#+!|~&@$^]|(?<=www)\.|:(?=//)", re.IGNORECASE)


def plain(text: str) -> str:
    """Any text as text: one line, with each character that Markdown might act on escaped."""
    return _ACTIVE.sub(r"\\\g<0>", " ".join(text.split()))


def code(text: str | None) -> str:
    """An identifier in code style; what does not look like one, as plain text; `–` for nothing."""
    if not text:
        return "–"
    return f"`{text}`" if _IDENTIFIER.fullmatch(text) else plain(text)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def page(environment: Environment, parts: Sequence[str], language: UiLanguage = "en") -> str:
    """A title, the mode, and the rest."""
    title, *rest = parts
    return "\n\n".join([title, worded(language, "{mode_}.", mode_=MODE_WORDS[environment]), *rest])


def orders_list(orders: Sequence[OrderResult], language: UiLanguage = "en") -> list[str]:
    """The newest orders, a line each; parts of a `page`."""
    t = partial(worded, language)
    if not orders:
        return [f"# {t('Recent orders')}", t("No orders yet.")]
    rows = [
        (
            code(order.out_order_id),
            f"**{t(order.state)}**" if order.state == "unknown" else t(order.state),
            f"{order.payable.amount} {order.payable.currency}",
            order.created_at,
            _ids(order.order_ids),
            plain(order.ship_to),
        )
        for order in orders
    ]
    head = ("Order number", "State", "Total", "Created (UTC)", "Order ids", "Ship to")
    parts = [f"# {t('Recent orders')}", table([t(each) for each in head], rows)]
    if any(order.state == "unknown" for order in orders):
        what_next = t(_NEXT["unknown"], resolve=t(RESOLVE, reference="REF"))
        parts.append(t("Of unknown outcome: an order may exist. {what_next}", what_next=what_next))
    return parts


@dataclass(frozen=True)
class Style:
    """How a format writes what others wrote: `code` an identifier, `plain` any text. `state`: a sentence."""

    code: Callable[[str | None], str]
    plain: Callable[[str], str]
    state: str


def receipt(found: Receipt, zone: tzinfo, language: UiLanguage = "en") -> list[str]:
    """One order: what, how much, where to, how approved, when, and what to do next; parts of a `page`."""
    t = partial(worded, language)
    style = Style(code, plain, "**{state}**: this order {words_}")
    title = t("Order {number}", number=code(found.order.out_order_id))
    parts = [f"# {title}", table(("", ""), facts(found, zone, style, language))]
    head, *lines = goods(found, style, language)
    if lines:
        parts += [f"## {t('Goods')}", table(head, lines)]
    if todo := what_next(found.order, language):
        parts += [f"## {t('What to do next')}", todo]
    return parts


def facts(found: Receipt, zone: tzinfo, style: Style, language: UiLanguage) -> list[tuple[str, str]]:
    """What every receipt says of an order, by name. Times are those of `zone`."""
    t, when = partial(worded, language), local_time(zone)
    order = found.order
    shown = found.preview.shown if found.preview else None
    total = f"{yuan(order.payable_fen)} CNY"
    state = t(style.state, state=order.state, words_=STATE_WORDS[order.state])
    unpaid = t("; not paid yet unless you paid it in your Xportcn account") if order.state == "placed" else ""
    request_id = style.code(order.request_id)
    rows = [
        ("State", state + unpaid),
        ("Total", f"{total} = {parts_of_total(shown, language)}" if shown else total),
        ("Order ids", ", ".join(map(style.code, order.order_ids)) or "–"),
        ("Ship to", style.plain(order.ship_to or t(ERASED))),
        ("Ordered for", style.plain(order.caller)),
        ("Seller", style.plain(_sellers(shown))),
        ("Trade type", style.code(shown and shown.trade_type)),
        ("Flow", style.code(shown and shown.flow)),
        ("Promotion", style.code(shown and shown.promotion_id)),
        ("Approval", _approval(order, language)),
        ("Create sent", t(order.request_sent)),
        ("Reason", _reason(order, style, language)),
        ("Created", when(order.created_at)),
        ("Updated", when(order.updated_at)),
        ("Request id", t("{id} (for the vendor's support)", id=request_id) if order.request_id else "–"),
    ]
    return [(t(name), text) for name, text in rows]


def goods(found: Receipt, style: Style, language: UiLanguage) -> list[tuple[str, ...]]:
    """The names of the columns, then a row for each line of goods; amounts last."""
    t = partial(worded, language)
    columns = ("Goods", "Unit", "Offer", "Spec", "Own number", "Quantity", "Unit price", "Amount")
    rows = [
        (
            style.plain(name_of(line, language=language) or t("not named: {url}", url=line.url)),
            style.plain(line.unit or "–"),
            style.code(line.offer_id),
            style.code(line.spec_id),
            style.plain(line.product_no or "–"),
            str(line.quantity),
            "–" if line.unit_price is None else f"{yuan(line.unit_price)} CNY",
            f"{yuan(line.amount)} CNY",
        )
        for line in (found.preview.shown.lines if found.preview else ())
    ]
    return [tuple(map(t, columns)), *rows]


def what_next(order: OrderRecord, language: UiLanguage) -> str:
    """In Markdown, without anything of others; empty where nothing is to be done."""
    resolve = worded(language, RESOLVE, reference=order.out_order_id)
    return worded(language, _NEXT[order.state], resolve=resolve) if order.state in _NEXT else ""


def _ids(order_ids: Sequence[str]) -> str:
    return ", ".join(map(code, order_ids)) or "–"


def _approval(order: OrderRecord, language: UiLanguage) -> str:
    t = partial(worded, language)
    if order.approval_method == "off":
        return t("off (no approval was asked for)")
    if order.approval_method == "rule":
        return t("rule (the total needs no question by XPORTCN_ASK_ABOVE_CNY)")
    verified = "verified" if order.approval_verified else "not verified"
    return t("{method_} ({verified_})", method_=order.approval_method, verified_=verified)


def _reason(order: OrderRecord, style: Style, language: UiLanguage) -> str:
    if order.state == "placed" or not order.problem_code:
        return "–"
    text = style.plain(order.problem_text or worded(language, "no text"))
    whose = WHOSE_WORDS.get(order.problem_code, "")
    return worded(language, REASON, code=style.code(order.problem_code), whose_=whose, text=text)


def _sellers(shown: ShownPreview | None) -> str:
    known = [group.seller_open_id for group in shown.groups if group.seller_open_id] if shown else []
    return ", ".join(dict.fromkeys(known)) or "–"
