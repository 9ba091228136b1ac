"""What differs since the same goods were bought last. Pure."""

from collections.abc import Sequence
from datetime import tzinfo

from xportcn_tools.ledger.approvals import Bought
from xportcn_tools.messages import UiLanguage, said
from xportcn_tools.money import yuan
from xportcn_tools.order import Line
from xportcn_tools.upstream.clean import quoted


def since_last_time(line: Line, bought: Sequence[Bought], language: UiLanguage, zone: tzinfo) -> list[str]:
    """Sentences about the newest order that has this offer and spec; none where it was never bought.

    `bought`: newest first. Only what is known of both times is compared.
    """
    for order in bought:
        then = [each for each in order.shown.lines if each.goods == line.goods]
        if not then:
            continue
        first = then[0]
        price, now = first.unit_price, line.unit_price
        known = price is not None and now is not None
        sentences = [
            said(
                language,
                "last_time_now" if known and price != now else "last_time",
                price="?" if price is None else yuan(price),
                now="?" if now is None else yuan(now),
                date=f"{order.created_at.astimezone(zone):%Y-%m-%d}",
                quantity=sum(each.quantity for each in then),
                order=order.out_order_id,
            )
        ]
        for key, was, is_now in (
            ("last_title", first.title, line.title),
            ("last_option", first.option, line.option),
        ):
            if was and is_now and was != is_now:
                sentences.append(said(language, key, was=quoted(was)))
        return sentences
    return []
