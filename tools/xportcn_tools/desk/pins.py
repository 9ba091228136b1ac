"""Each default that would otherwise be the platform's to choose, and that moves money, pinned. Pure."""

from xportcn_tools.desk.quote import Group, NotOrderableError, PinRules, Reason
from xportcn_tools.upstream.clean import TEXT_LIMIT, quoted
from xportcn_tools.upstream.preview_answer import GroupAnswer
from xportcn_tools.wording import UiLanguage, worded

# Names that documents know (1688, vendor). Any word may come, also one that reads like a command.
_TRADE_TYPES = (
    "assureTrade",
    "fxassure",
    "alipay",
    "period",
    "assure",
    "creditBuy",
    "bank",
    "631staged",
    "37staged",
)
_FLOWS = (
    "general",
    "fenxiao",
    "fenxiaonew",
    "saleproxy",
    "boutiquefenxiao",
    "boutiquepifa",
    "paired",
    "repurchase",
)


_NAMES = frozenset(_TRADE_TYPES + _FLOWS)
_SEPARATELY = "Preview an order for each of the offers by itself."


def chosen(name: str | None, language: UiLanguage = "en") -> str:
    """A trade type or flow in a text: a known name as it is, any other as a quotation."""
    if name is None:
        return worded(language, "left to the platform")
    return name if name in _NAMES else quoted(name)


def _in_our_words(names: list[str]) -> str:
    """Names that stand in a sentence of ours: those we know; of the others, how many there are."""
    known = [name for name in names if name in _NAMES]
    others = len(names) - len(known)
    return ", ".join([*known, *([f"{others} of other names"] if others else [])])


def pin_flow(groups: list[GroupAnswer], asked: str | None) -> str | None:
    flows = list(dict.fromkeys(group.flow for group in groups if group.flow))
    if len(flows) > 1:
        message = f"one order cannot have several flows ({_in_our_words(flows)}): order separately"
        raise NotOrderableError(
            [Reason(message, text=", ".join(flows)[:TEXT_LIMIT], next_step=_SEPARATELY, lists="flows")]
        )
    return flows[0] if flows else asked


def pin_trade_type(groups: tuple[Group, ...], asked: str | None, rules: PinRules) -> str | None:
    """`asked` is one of the allowed ones already; a group that names no list allows any."""
    lists = [group.trade_types for group in groups if group.trade_types is not None]
    if not lists:
        return asked or (rules.trade_types[0] if rules.trade_types_set else None)
    common = set(lists[0]).intersection(*lists)
    offered = [name for name in lists[0] if name in common]
    wanted = (asked,) if asked else rules.trade_types
    chosen = next((name for name in wanted if name in offered), None)
    if chosen is None:
        message = (
            f"of the trade types {', '.join(wanted)} the upstream offers none; "
            f"it offers {_in_our_words(offered) or 'none for all groups'}"
        )
        allowed = [name for name in offered if name in rules.trade_types]
        out = (
            f"Tell the person; preview again with one of these as trade_type: {', '.join(allowed)}."
            if allowed
            else "Tell the person; only the owner can allow another trade type, in XPORTCN_TRADE_TYPES."
        )
        names = ", ".join(offered)[:TEXT_LIMIT] or None
        raise NotOrderableError([Reason(message, text=names, next_step=out, lists="trade types on offer")])
    return chosen


def pin_promotion(groups: tuple[Group, ...], asked: str | None) -> tuple[str | None, bool]:
    """The promotion to send, and whether the total was computed with it."""
    listed = [promotion for group in groups for promotion in group.promotions or ()]
    selected = list(dict.fromkeys(promotion.promotion_id for promotion in listed if promotion.selected))
    if None in selected:
        raise NotOrderableError(
            [
                Reason(
                    "the upstream applies a promotion without an id: it cannot be pinned",
                    next_step="Tell the person: this offer cannot be ordered here at a price that is sure.",
                )
            ]
        )
    if len(selected) > 1:
        raise NotOrderableError(
            [
                Reason(
                    "the upstream applies several promotions, but one order takes one",
                    next_step=_SEPARATELY,
                )
            ]
        )
    chosen = selected[0] if selected else None
    if asked is None or asked == chosen:
        return chosen, True
    if all(group.promotions is None for group in groups):
        return asked, False  # the answer names no promotions at all: unknown is not refused
    if asked not in {promotion.promotion_id for promotion in listed}:
        known = ", ".join(sorted({promotion.promotion_id for promotion in listed if promotion.promotion_id}))
        known = known[:TEXT_LIMIT]
        raise NotOrderableError(
            [
                Reason(
                    f"promotion {asked} is not among those on offer",
                    text=known or None,
                    next_step="Preview again with a promotion_id that is on offer, or without one.",
                    lists="promotions on offer",
                )
            ]
        )
    return asked, False
