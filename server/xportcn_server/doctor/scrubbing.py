"""An answer without what is a person's, an account's or an id, and with what its readers need. Pure.

What is kept is named here: sums, counts, times, words of states, codes, and the texts of goods and refusals.
All else becomes another value of the same form, the same one wherever it stands: ids still fit each other.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Collection
from typing import Any, cast

_LONGEST = 300  # characters of a text
_LARGEST_COUNT = 10**8  # larger whole numbers are ids or phones, or more than a million yuan in fen
_IN_TEXT_FROM = 6  # characters: a shorter secret is also half of every number

_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,40}")
_ID = re.compile(r"(?:id|no|sn|key)|.*(?:Id|ID|Ids|IDs|No|NO|Sn|SN|Key|Token|OfStr|String)|.*_(?:id|no|key)")
_PERSONAL = re.compile(
    r"name$|person|mobile|phone|^tel|fax|zip|post(?!fee)|address|area|city|province|town|street|district|login"
    r"|mail|qq|wechat|wangwang|account|card|birth|memo|remark|feedback|note|buyer|receiver|contact|lat(?:itude)?$"
    r"|lng$|longitude",
    re.IGNORECASE,
)
_TIME = re.compile(r".*(?:Time|Date|timestamp)")
_TIME_FORM = re.compile(r"[0-9]{14,17}[+-][0-9]{4}|[0-9]{4}-[0-9]{2}-[0-9]{2}[T 0-9:.Z+-]{0,20}")
_STATES = re.compile(
    "code|resultCode|errorCode|status|payStatus|payWay|tradeType|tradeTypeCode|tradeWay|tradeModeNameList|flow"
    "|flowFlag|channel|webSite|country|success|sort"
)
_STATE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,40}|-?[0-9_-]{1,8}")
_NUMBER = re.compile(r"-?(?:[0-9]{1,6}|[0-9]{1,8}\.[0-9]{1,4})%?")
_TEXTS = re.compile(
    "msg|message|errorMsg|errorMessage|statusStr|closeReason|subject|subjectTrans|attributeName"
    "|attributeNameTrans|unit|transUnit|logisticsCompanyName"
)
_TEXTS_OF = {
    "name": ("productItems", "skuInfos", "tradeModelList", "payChannelInfos"),
    "value": ("skuInfos", "skuAttributes"),
    "valueTrans": ("skuAttributes",),
    "description": ("tradeModelList",),
    "text": ("shopPromotionList", "cargoPromotionList"),
}
_PICTURE = re.compile(r"https?://\S+", re.IGNORECASE)
_IN_TEXTS = re.compile(
    r"\S+@\S+|https?://\S+|(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9][0-9 -]{4,}[0-9]|[A-Za-z0-9_+/=-]{20,}"
)
_HEX = re.compile(r"(?=[0-9]*[a-f])[0-9a-f]{16,}")
_CHINESE = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"


class Scrubber:
    """One recording's disguises. `secrets` never stay in any form; `salt` is kept nowhere."""

    def __init__(self, secrets: Collection[str], salt: bytes) -> None:
        self._secrets = frozenset(filter(None, secrets))
        self._salt = salt
        self._disguises: dict[str, str] = {}

    def scrub(self, value: object, name: str = "", within: str = "", *, texts: bool = True) -> object:
        """The value of a field `name` in `within`. `texts`: whether texts of goods and refusals are kept.

        A text is only free of what has been met before, so that all of a recording goes through here twice.
        """
        if isinstance(value, dict):
            fields = cast("dict[str, Any]", value)
            return {self._key(key): self.scrub(each, key, name, texts=texts) for key, each in fields.items()}
        if isinstance(value, list):
            items = cast("list[object]", value)
            # An object in a list stands in the list's name, a text has the name of the list.
            return [
                self.scrub(each, name, name if isinstance(each, list) else within, texts=texts)
                for each in items
            ]
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, str):
            return self._text(value, name, within, texts=texts)
        if isinstance(value, int):
            if self._is_figure(value, name):
                return value
            return (-1 if value < 0 else 1) * int(self.disguised(str(abs(value))))
        return None if _is_of_account(name) else value

    def disguised(self, text: str) -> str:
        """Another text of the same form, the same one for the same text."""
        text = text[:_LONGEST]
        if text not in self._disguises:
            used = set(self._disguises.values())
            # A short one that finds nothing free becomes longer.
            tries = (_other(text * (1 + number // 20), self._stream(text, number)) for number in range(100))
            self._disguises[text] = next((each for each in tries if each != text and each not in used), text)
        return self._disguises[text]

    def free_of_people(self, text: str) -> str:
        """A text that is kept, without what stands elsewhere as a person's, and without numbers and links."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            if len(secret) >= _IN_TEXT_FROM or text == secret:
                text = text.replace(secret, "***")
        known = [each for each in self._disguises if len(each) > (1 if ord(each[0]) > 0x2E80 else 4)]
        for each in sorted(known, key=len, reverse=True):
            text = text.replace(each, self._disguises[each])
        text = _IN_TEXTS.sub(lambda found: _other(found[0], self._stream(found[0], 0)), text)
        return text[:_LONGEST]

    def _key(self, key: str) -> str:
        return key if _FIELD.fullmatch(key) and not self._holds_secret(key) else self.disguised(key)

    def _holds_secret(self, text: str) -> bool:
        """Whether a secret is in it."""
        return text in self._secrets or any(
            each in text for each in self._secrets if len(each) >= _IN_TEXT_FROM
        )

    def _is_figure(self, value: int, name: str) -> bool:
        if self._holds_secret(str(value)):
            return False
        return _is_time(name) or (abs(value) < _LARGEST_COUNT and not _is_of_account(name))

    def _text(self, text: str, name: str, within: str, *, texts: bool) -> str:
        if not text:
            return text
        if texts and (_TEXTS.fullmatch(name) or within in _TEXTS_OF.get(name, ())):
            return self.free_of_people(text)
        kept = (
            (_STATES.fullmatch(name) and _STATE.fullmatch(text))
            or (_is_time(name) and _TIME_FORM.fullmatch(text))
            or (not _is_of_account(name) and _NUMBER.fullmatch(text))
        )
        if kept and not self._holds_secret(text):
            return text
        if _PICTURE.fullmatch(text):
            digest = self._stream(text, 0)
            return f"https://cbu01.alicdn.com/img/ibank/{''.join(f'{digest(9):d}' for _ in range(12))}.jpg"
        return self.disguised(text)

    def _stream(self, text: str, number: int) -> Callable[[int], int]:
        """Whole numbers below what is asked for, the same ones for the same text."""
        seed = hmac.digest(self._salt, f"{number} {text}".encode(errors="replace"), "sha256")
        count = 0

        def below(most: int) -> int:
            nonlocal count
            count += 1
            digest = hashlib.sha256(seed + count.to_bytes(4, "big")).digest()
            return int.from_bytes(digest[:8], "big") % most

        return below


def _is_time(name: str) -> bool:
    return bool(_TIME.fullmatch(name)) and not _PERSONAL.search(name)


def _is_of_account(name: str) -> bool:
    return bool(_ID.fullmatch(name) or _PERSONAL.search(name))


def _other(text: str, below: Callable[[int], int]) -> str:
    """Letters for letters, digits for digits, Chinese for Chinese; a number begins with no zero."""
    if _HEX.fullmatch(text):
        return "".join("0123456789abcdef"[below(16)] for _ in text)
    made: list[str] = []
    for place, character in enumerate(text):
        if character.isdecimal():
            made.append(str(below(10) if place or not text.isdecimal() else 1 + below(9)))
        elif character.isascii() and character.isalpha():
            letter = "abcdefghijklmnopqrstuvwxyz"[below(26)]
            made.append(letter.upper() if character.isupper() else letter)
        elif character.isalnum():
            made.append(_CHINESE[below(len(_CHINESE))])
        else:
            made.append(character if character.isascii() and character.isprintable() else " ")
    return "".join(made)


def as_json(value: object) -> str:
    """For a person to look through. A figure with a point keeps its point."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=float)
