"""List prices on the wire, and their unit. Pure.

On 1688 a price is a text in yuan. Through Xportcn's KA its unit could not be read, and one of its calls has
turned yuan into fen. So a figure with decimals is yuan; a whole number is one only where the same field of
the same answer has decimals elsewhere, written alike (text or number). Else it is no price.
"""

import re
from collections.abc import Iterable
from decimal import Decimal

_YUAN = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,6}))?")


class ListPrices:
    """Reads the figures of one field of one answer. `figures`: all that the answer has for it."""

    def __init__(self, figures: Iterable[object]) -> None:
        self._proven = {type(figure) for figure in figures if _has_decimals(figure)}

    def fen(self, figure: object) -> int | None:
        """Integer fen; `None` where the figure is no price, its unit unproven, or it has parts of a fen."""
        if isinstance(figure, bool) or not isinstance(figure, str | int | Decimal):
            return None
        kind = Decimal if isinstance(figure, int) else type(figure)  # a double loses its zeros: 18 for 18.0
        match = _YUAN.fullmatch(figure.strip() if isinstance(figure, str) else _plain(figure))
        if not match or not (_has_decimals(figure) or kind in self._proven):
            return None
        decimals = (match[2] or "").rstrip("0")
        if len(decimals) > 2:
            return None
        return int(match[1]) * 100 + int(decimals.ljust(2, "0")) or None


def _has_decimals(figure: object) -> bool:
    """A text with a dot; or a number with a fraction, since 680.0 may be a double that holds fen."""
    if isinstance(figure, str):
        return "." in figure and _YUAN.fullmatch(figure.strip()) is not None
    return isinstance(figure, Decimal) and abs(figure) < 10**9 and figure != figure.to_integral_value()


def _plain(figure: int | Decimal) -> str:
    return f"{figure:f}" if abs(figure) < 10**9 else ""
