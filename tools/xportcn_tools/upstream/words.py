"""What a refusal is about, by its code and its words: one list for ordering and for `doctor`. Pure.

The codes 500_001 … 500_009 are documented (1688); the words are inferred, since the vendor's list of error
codes could not be read. They choose what people are advised, never whether an order exists.
"""

import re
from typing import Literal

Code = Literal["001", "002", "003", "004", "005", "006", "007", "008", "009"]
Cause = Literal["busy", "signature", "key", "clock", "permission"]

_DOCUMENTED = re.compile(r"[A-Za-z]?500[_-]?00([1-9])")

# The first that matches decides. A plainly wrong signature comes first, since such a text may repeat the
# names of the headers; an "expired signature" is about the clock.
_WORDS: tuple[tuple[Cause, re.Pattern[str]], ...] = (
    (
        "signature",
        re.compile(
            r"签名(?:错误|不正确|无效|不匹配|校验|验证)|验签|(?:invalid|wrong|bad|incorrect) sign"
            r"|sign(?:ature)?(?: is)? (?:error|invalid|wrong|incorrect|mismatch|not match)",
            re.IGNORECASE,
        ),
    ),
    (
        "key",
        re.compile(r"access[-_ ]?key|app[-_ ]?key|密钥|(?<![a-z])key (?:not|does|is|invalid)", re.IGNORECASE),
    ),
    ("clock", re.compile(r"time[-_ ]?stamp|时间戳|过期|时钟|服务器时间|expired|clock", re.IGNORECASE)),
    ("signature", re.compile(r"签名|验签|signature|nonce|(?<![a-z])sign(?![a-z])", re.IGNORECASE)),
    (
        "permission",
        re.compile(
            r"权限|未授权|未开通|禁止|白名单|user[-_ ]?id|permission|forbidden|unauthori[sz]ed|not allowed"
            r"|white[-_ ]?list|access denied",
            re.IGNORECASE,
        ),
    ),
    (
        "busy",
        re.compile(
            r"频繁|限流|流控|繁忙|稍后|稍候|过载"
            r"|too (?:many|frequent)|rate.?limit|throttl|busy|overload|try (?:again )?later",
            re.IGNORECASE,
        ),
    ),
)
_GOODS = re.compile(
    r"商品|库存|起批|卖家|收货地址|cargo"
    r"|(?<![a-z])(?:sku|spec ?id|offer ?id|(?:out of|insufficient) stock)(?![a-z])",
    re.IGNORECASE,
)
_OF_CODE: dict[str, Cause] = {"401": "signature", "403": "permission", "429": "busy"}


def documented(code: object) -> Code | None:
    """The last digits of a documented refusal, in any of its spellings: `500_004`, `500-004`, `R500_004`."""
    found = _DOCUMENTED.fullmatch(str(code).strip()) if isinstance(code, str | int) else None
    return f"00{found[1]}" if found else None  # pyright: ignore[reportReturnType] - nine digits, nine codes


def cause_of(code: object, text: str | None, status: int = 200) -> Cause | None:
    """What a refusal is about, where it is not about goods. A documented code wins over words in its text."""
    if documented(code):
        return None
    said = text or ""
    for cause, words in _WORDS:
        # Goods expire and may be forbidden, too: 商品已过期, 商品禁止购买.
        if words.search(said) and not (cause in ("clock", "permission") and about_goods(said)):
            return cause
    return _OF_CODE.get(str(code)) or _OF_CODE.get(str(status))


def about_goods(text: str) -> bool:
    """Whether a text speaks unmistakably of goods. A gateway that checks the signature speaks of parameters
    and addresses, too.
    """
    return bool(_GOODS.search(text))
