"""A preview answer read as a `Quote`: refusals by line, lines matched, units proven, terms pinned. Pure."""

from xportcn_tools.desk.pins import pin_flow, pin_promotion, pin_trade_type
from xportcn_tools.desk.quote import NotOrderableError, PinRules, Quote, Reason
from xportcn_tools.desk.sums import group_in_fen, proven_unit
from xportcn_tools.order import Item, Line, OrderRequest, Pinned
from xportcn_tools.upstream.preview_answer import GroupAnswer, LineAnswer, PreviewAnswer


def read_quote(answer: PreviewAnswer, request: OrderRequest, rules: PinRules) -> Quote:
    """Prove the units, match the lines, pin the terms.

    Raises:
        NotOrderableError: refused by the upstream, by line or group, or not orderable as shown.
        UnitsUnclearError: the sums close in neither unit, or contradict the prices.
    """
    refused = _refusals(answer)
    if refused:
        raise NotOrderableError(refused)
    matched = _match(answer.groups, request.items)
    unit = proven_unit(answer.groups)
    # The order of the groups is the upstream's whim; the order of the request is not.
    by_position = sorted(zip(answer.groups, matched, strict=True), key=lambda pair: min(pair[1]))
    ordered = tuple(group_in_fen(group, lines, request.items, unit) for group, lines in by_position)
    asked = {item.offer_id for item in request.items}
    promotion_id, priced = pin_promotion(ordered, request.promotion_id)
    return Quote(
        groups=ordered,
        pinned=Pinned(
            flow=pin_flow(answer.groups, request.flow),
            trade_type=pin_trade_type(ordered, request.trade_type, rules),
            promotion_id=promotion_id,
        ),
        freight_by_description=_named(answer.freight_by_description, asked),
        no_cross_border_pay=_named(answer.no_cross_border_pay, asked),
        promotion_not_priced=not priced,
        unit=unit,
        unverified_unit=unit != "yuan" and all(_is_cheap(line) for group in ordered for line in group.lines),
    )


def _is_cheap(line: Line) -> bool:
    """Below 1.00 yuan a piece, if its figures are fen."""
    return (line.amount if line.unit_price is None else line.unit_price * line.quantity) < 100 * line.quantity


def _named(listed: list[str] | None, asked: set[str]) -> tuple[str, ...]:
    return tuple(sorted(asked.intersection(listed or ())))


def _refusals(answer: PreviewAnswer) -> list[Reason]:
    """What the upstream itself says against the order, by line where it says so by line."""
    reasons: list[Reason] = []
    if answer.refused:
        message = "the upstream refuses the preview"
        reasons.append(Reason(message, code=answer.error_code, text=answer.error_message))
    for group in answer.groups:
        by_line = [
            Reason(
                f"offer {line.offer_id} is refused",
                line.offer_id,
                line.spec_id,
                line.result_code,
                line.message,
            )
            for line in group.lines
            if line.refused
        ]
        if group.refused and not by_line:
            # What is said of a line is its own reason, also where the code stands at the group alone.
            by_line = [
                Reason(
                    f"offer {line.offer_id} is refused",
                    line.offer_id,
                    line.spec_id,
                    group.result_code,
                    line.message,
                )
                for line in group.lines
                if line.message
            ]
        reasons += by_line
        if group.refused and (group.message or not by_line) and not any(line.refused for line in group.lines):
            offers = ", ".join(dict.fromkeys(line.offer_id for line in group.lines)) or "none named"
            reasons.append(
                Reason(
                    f"the group of offers {offers} is refused",
                    code=group.result_code,
                    text=group.message,
                )
            )
        if group.offered_trade_types() == () and not group.refused and not by_line:
            message = "the upstream lists no trade type: the group cannot be ordered by API"
            reasons.append(
                Reason(message, next_step="Tell the person; choose another offer and preview again.")
            )
    return reasons


def _match(groups: list[GroupAnswer], items: tuple[Item, ...]) -> list[dict[int, LineAnswer]]:
    """For each group, its lines by the position of the item that they price. Answers carry no quantities.

    Every item must be priced exactly once and nothing else may be: only then is what is shown what was
    asked for.
    """
    waiting = dict(enumerate(items))
    matched: list[dict[int, LineAnswer]] = [{} for _ in groups]
    # A line or an item without a spec fits any; so those that name the same one have the first choice.
    same_goods: dict[tuple[str, str | None], list[int]] = {}
    for at, item in reversed(waiting.items()):
        same_goods.setdefault(_goods(item), []).append(at)
    by_offer: list[tuple[dict[int, LineAnswer], LineAnswer]] = []
    for lines, group in zip(matched, groups, strict=True):
        for line in group.lines:
            if same := same_goods.get(_goods(line)):
                lines[same[-1]] = line
                del waiting[same.pop()]
            else:
                by_offer.append((lines, line))
    unmatched: list[LineAnswer] = []
    for lines, line in by_offer:
        fitting = [at for at, item in waiting.items() if _may_be_same_goods(item, line)]
        if not fitting:
            unmatched.append(line)
        elif _is_ambiguous(line, [items[at] for at in fitting], by_offer):
            raise _which_is_which(line)
        else:
            del waiting[fitting[0]]
            lines[fitting[0]] = line
    reasons = [
        Reason(
            f"the answer prices offer {line.offer_id}, which was not asked for in that form",
            line.offer_id,
            line.spec_id,
        )
        for line in unmatched
    ]
    reasons += [
        Reason(f"the answer does not price offer {item.offer_id}", item.offer_id, item.spec_id)
        for item in waiting.values()
    ]
    if any(not group.lines for group in groups):
        reasons.append(Reason("the answer has a group without lines"))
    if reasons:
        raise NotOrderableError(reasons)
    priced: dict[tuple[str, str | None], list[tuple[Item, LineAnswer]]] = {}
    for lines in matched:
        for at, line in lines.items():
            priced.setdefault(_goods(line), []).append((items[at], line))
    for pairs in priced.values():
        if any(item.spec_id is None for item, _ in pairs) and _are_told_apart_by_nothing(pairs):
            raise _which_is_which(pairs[0][1])
    return matched


def _goods(one: Item | LineAnswer) -> tuple[str, str | None]:
    """Offer and spec; hex digits in either case are one id."""
    return one.offer_id, one.spec_id and one.spec_id.lower()


def _which_is_which(line: LineAnswer) -> NotOrderableError:
    message = f"offer {line.offer_id} is in several lines, and nothing says which of them is which"
    step = "Name the spec of each line; where all have one, order each in a preview of its own."
    return NotOrderableError([Reason(message, line.offer_id, next_step=step)])


def _are_told_apart_by_nothing(pairs: list[tuple[Item, LineAnswer]]) -> bool:
    """Several quantities and amounts of the same goods. A unit price would prove which amount is whose."""
    quantities, amounts = {item.quantity for item, _ in pairs}, {line.amount for _, line in pairs}
    return min(len(quantities), len(amounts)) > 1 and any(line.unit_price is None for _, line in pairs)


def _may_be_same_goods(item: Item, line: LineAnswer) -> bool:
    return item.offer_id == line.offer_id and None in (item.spec_id, line.spec_id)


def _is_ambiguous(
    line: LineAnswer, fitting: list[Item], unmatched: list[tuple[dict[int, LineAnswer], LineAnswer]]
) -> bool:
    """Several specs, several quantities or prices, and no word of which is which: no guess is shown."""
    lines = [other for _, other in unmatched if other.offer_id == line.offer_id]
    specs = max(len({each.spec_id for each in among}) for among in (lines, fitting))
    differ = len({item.quantity for item in fitting}), len({(each.amount, each.unit_price) for each in lines})
    return specs > 1 and max(differ) > 1
