"""Whether two addresses are one destination, however each is cut and spelled. Pure.

Taking two places for one costs a fresh preview; taking one for two costs a second parcel. So what an address
may leave out (its city, its district) tells two places apart only where both name it, and differently.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from xportcn_tools.order import Address, OrderRequest, folded, simplified

# Provinces that are cities of their own, so that an address may name no other.
_ENGLISH = {
    "beijing": "北京",
    "shanghai": "上海",
    "tianjin": "天津",
    "chongqing": "重庆",
    "hongkong": "香港",
    "macau": "澳门",
    "macao": "澳门",
}
_RANK = re.compile(
    "(?:(?:(?:维吾尔|壮族|回族)?自治区|特别行政区|自治州|地区|[省市区县盟旗])"
    "|(?:specialadministrativeregion|autonomousregion|municipality|province|district|county|city|sar))$"
)
_NO_NAME = frozenset(("市辖区", "县", "市区", "辖区", "省直辖县级行政区划", "直辖县级"))

# A division that stands before the street. Not 小区 and its like, and no street's name (乌镇大道, 红旗路).
_OF_STREETS = "[东西南北中前后一二三四五六七八九十]{0,2}(?:路|街(?!道)|大道|巷|弄|道|桥|村|场|口|心|民|委)"
_DIVISION = re.compile(
    r"(?:省直辖县级行政区划|直辖县级|市辖区|[\u4e00-\u9fff]{2,9}?"
    r"(?:特别行政区|自治区|自治州|自治县|地区|(?<!超)(?<!夜)(?<!菜)(?<!门)市|(?<![小园社校厂库景街业])区|街道|[省县镇乡旗盟]))"
    rf"(?!{_OF_STREETS})"
)
_COUNTRY = re.compile(r"^(?:中国|china)[\W_]*")
_ASIDE = re.compile(r"\([^()0-9]*\)")  # a building's name; a number tells houses apart
_DIGITS = "一二三四五六七八九"
_CHINESE_NUMBER = re.compile(
    rf"(?=[{_DIGITS}十])([{_DIGITS}]?十)?([{_DIGITS}]?)(?=号楼|号院|单元|[栋幢座室房层楼])"
)
_DIGIT_BY_DIGIT = re.compile(rf"[〇零{_DIGITS}]{{2,}}(?=[号栋幢座室弄])")
_TO_DIGITS = str.maketrans(f"〇零{_DIGITS}", "00123456789")
_HOUSE = re.compile(r"(?<=[0-9a-z])\s*(?:号楼|号院|单元|[号栋幢座室房层楼#])|(?<![a-z])no[.\s]*(?=[0-9])")
_WORDS = re.compile(r"[0-9a-z]+|[^\W0-9a-z_]+")


MOST_KNOWN = 8192
MOST_READ = 500  # values of one statement


class Destination(NamedTuple):
    """An address as it is compared: its mobile, and its place."""

    mobile: str
    city: str
    area: str
    street: str

    @classmethod
    def of(cls, address: Address) -> "Destination":
        return cls(_mobile(address.mobile), *_cut(address))

    def is_same(self, other: "Destination") -> bool:
        """The same mobile, or the same place: one street and number, in no two cities or districts."""
        if self.mobile == other.mobile:
            return True
        if self.street != other.street or _differ(self.area, other.area):
            return False
        # A city of a county's rank (义乌市) stands in either field.
        return not _differ(self.city, other.city) or self.city == other.area or self.area == other.city


class Destinations:
    """Those of earlier orders, by the ids of their previews: working one out takes many times as long as
    comparing it, and a preview is compared with all that was ordered of its goods lately.
    """

    def __init__(self) -> None:
        self._known: dict[str, Destination] = {}

    def of(
        self, preview_ids: Collection[str], read: Callable[[list[str]], Mapping[str, OrderRequest]]
    ) -> dict[str, Destination]:
        """Without those that `read`, which gets the ids of some that are not known yet, cannot give."""
        found = {each: place for each in preview_ids if (place := self._known.get(each))}
        missing = [each for each in preview_ids if each not in found]
        for start in range(0, len(missing), MOST_READ):
            for preview_id, request in read(missing[start : start + MOST_READ]).items():
                found[preview_id] = Destination.of(request.address)
        if missing:
            self._known = dict([*(self._known | found).items()][-MOST_KNOWN:])
        return found

    def forget(self, preview_ids: Iterable[str]) -> None:
        """The personal data of these orders was erased."""
        for preview_id in preview_ids:
            self._known.pop(preview_id, None)


def _differ(one: str, other: str) -> bool:
    """Whether these name two divisions. In two scripts, or where one is not named, nobody can tell."""
    return bool(one and other) and one != other and one.isascii() == other.isascii()


def _mobile(text: str) -> str:
    digits = re.sub(r"\D", "", folded(text))
    return re.sub(r"^0*(?:86)?0*(?=1\d{10}$)", "", digits)


def bare_name(name: str | None) -> str:
    """A division's name without its rank; nothing where it names none (市辖区)."""
    text = "".join(_WORDS.findall(simplified(name)))
    if text in _NO_NAME:
        return ""
    bare = _RANK.sub("", text) if len(text) > 2 else text
    return _ENGLISH.get(bare, bare)


def _cut(address: Address) -> tuple[str, str, str]:
    """City, district and street. What the street's text holds of the divisions is cut off."""
    province, town = bare_name(address.province), bare_name(address.town)
    city = _last(address.city, [province])
    area = _last(address.area, [province, city])
    text = _COUNTRY.sub("", simplified(address.address))
    known = [name for name in (province, city, area, town) if name]
    rest, found = _without(text, known)
    named = [name for name in found if name not in known]
    own_city = city or (province if province in _ENGLISH.values() else "")
    return own_city, area or next(iter(named), ""), _street(rest) or _street(text)


def _last(text: str | None, above: list[str]) -> str:
    """The last division that a field names: of 杭州市滨江区 the district."""
    return bare_name(_without(simplified(text), [name for name in above if name])[0])


def _without(text: str, known: list[str]) -> tuple[str, list[str]]:
    """The text behind its leading divisions, and the districts among them."""
    districts: list[str] = []
    while True:
        text = re.sub(r"^[\W_]+", "", text)
        name = next((name for name in known if text.startswith(name)), "")
        behind = text[len(name) :]
        if re.match(_OF_STREETS, behind) or (name.isascii() and behind[:1].isalnum()):
            name = ""  # a street is named after it
        rank = _DIVISION.match(text)
        if rank and len(rank[0]) < len(text) and (not name or bare_name(rank[0]) == name):
            if re.search("(?<!开发)(?<!高新)[区县旗市]$", rank[0]) and bare_name(rank[0]):
                districts.append(bare_name(rank[0]))
            text = text[rank.end() :]
        elif name:
            text = behind.lstrip("省市区县镇乡旗")
        else:
            return text, districts


def _street(text: str) -> str:
    """Words and numbers alone; 3栋, 三栋, 3号楼 and 3# are one."""
    text = _DIGIT_BY_DIGIT.sub(lambda digits: digits[0].translate(_TO_DIGITS), _ASIDE.sub(" ", text))
    words = _WORDS.findall(_HOUSE.sub(" ", _CHINESE_NUMBER.sub(_in_digits, text)))
    joined = " ".join(words)
    return re.sub(r"(?<![0-9a-z]) | (?![0-9a-z])", "", joined)


def _in_digits(number: re.Match[str]) -> str:
    """十二 is 12, 二十 is 20."""
    tens, ones = number[1] or "", number[2]
    return str(
        10 * (_DIGITS.find(tens[:-1]) + 1 if tens[:-1] else len(tens)) + _DIGITS.find(ones or "十") + 1
    )
