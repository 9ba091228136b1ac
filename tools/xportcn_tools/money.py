"""Money: integer fen inside, a decimal string in yuan outside, never a float. Pure."""

import re


def yuan(fen: int) -> str:
    """Integer fen as a decimal string in yuan: 6561 → `65.61`."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def sum_line(goods: str, freight: str, fees: str, discount: str) -> str:
    """What a total is made of, amounts in yuan."""
    return f"goods {goods} + freight {freight} + fees {fees} - discount {discount}"


def fen_of_yuan(text: str) -> int:
    """Yuan as text to integer fen: `99.5` → 9950. No sign, no exponent, no third decimal.

    Raises:
        ValueError: any other form, or a trillion yuan and more.
    """
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,2})?", text):
        raise ValueError
    whole, _, decimals = text.partition(".")
    return int(whole) * 100 + int(decimals.ljust(2, "0"))
