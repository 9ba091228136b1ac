"""What can be known of an address without asking anyone. Pure, but for tables that are read once.

Upstream the district code (GB/T 2260, six digits) wins over the texts, silently (1688). So where its
province, city or district is not the one that the text names, the preview warns with both. A name that is not
recognised contradicts nothing: even the vendor's own sample has province and town swapped, its code right.
"""

import re
from collections.abc import Iterator
from functools import cache

from xportcn_tools.desk.divisions import districts, prefectures
from xportcn_tools.ledger.place import bare_name
from xportcn_tools.order import Address, ShownWarning, simplified

# The first two digits of a GB/T 2260 code, with the names that addresses use for the province.
PROVINCES: dict[str, tuple[str, str]] = {
    "11": ("北京市", "Beijing"),
    "12": ("天津市", "Tianjin"),
    "13": ("河北省", "Hebei"),
    "14": ("山西省", "Shanxi"),
    "15": ("内蒙古自治区", "Inner Mongolia"),
    "21": ("辽宁省", "Liaoning"),
    "22": ("吉林省", "Jilin"),
    "23": ("黑龙江省", "Heilongjiang"),
    "31": ("上海市", "Shanghai"),
    "32": ("江苏省", "Jiangsu"),
    "33": ("浙江省", "Zhejiang"),
    "34": ("安徽省", "Anhui"),
    "35": ("福建省", "Fujian"),
    "36": ("江西省", "Jiangxi"),
    "37": ("山东省", "Shandong"),
    "41": ("河南省", "Henan"),
    "42": ("湖北省", "Hubei"),
    "43": ("湖南省", "Hunan"),
    "44": ("广东省", "Guangdong"),
    "45": ("广西壮族自治区", "Guangxi"),
    "46": ("海南省", "Hainan"),
    "50": ("重庆市", "Chongqing"),
    "51": ("四川省", "Sichuan"),
    "52": ("贵州省", "Guizhou"),
    "53": ("云南省", "Yunnan"),
    "54": ("西藏自治区", "Tibet"),
    "61": ("陕西省", "Shaanxi"),
    "62": ("甘肃省", "Gansu"),
    "63": ("青海省", "Qinghai"),
    "64": ("宁夏回族自治区", "Ningxia"),
    "65": ("新疆维吾尔自治区", "Xinjiang"),
    "71": ("台湾省", "Taiwan"),
    "81": ("香港特别行政区", "Hong Kong"),
    "82": ("澳门特别行政区", "Macau"),
}
MUNICIPALITIES = frozenset(("11", "12", "31", "50", "81", "82"))
_ALIASES = {
    "内蒙": "15",
    "neimenggu": "15",
    "广西壮族": "45",
    "guangxizhuang": "45",
    "xizang": "54",
    "宁夏回族": "64",
    "ningxiahui": "64",
    "新疆维吾尔": "65",
    "xinjianguygur": "65",
    "xinjianguyghur": "65",
}
_PARTS = re.compile(r"[\u3400-\u9fff]+|[^\u3400-\u9fff/|,;()]+")
_LOWER = re.compile(r"[\u3400-\u9fff]+(?:街道|[镇乡区县])")
_CITY = re.compile(r".+?(?:自治州|地区|[市盟])")


def is_known(district_code: str) -> bool:
    """Whether its first four digits are those of a prefecture, or the whole is a province's code."""
    return district_code[:4] in prefectures() or (
        district_code[:2] in PROVINCES and district_code[2:] == "0000"
    )


def is_municipality(province: str) -> bool:
    """Whether the province is a city of its own, so that an address may name no other."""
    return bool(_provinces(province) & MUNICIPALITIES)


def address_warnings(address: Address) -> Iterator[ShownWarning]:
    """Where code and text contradict each other, with both; and where the province is outside China."""
    code, named = address.district_code, _provinces(address.province)
    swapped = not named and _LOWER.fullmatch(simplified(address.province))
    if not named and not swapped:
        yield ShownWarning(
            "address_abroad",
            f"{address.province} is no province of China, and sellers on 1688 deliver within China: check "
            "the address with the person.",
        )
    if code is None or not is_known(code):
        return
    prefecture = prefectures().get(code[:4])
    city = prefecture.short + prefecture.rank if prefecture else None
    place = " ".join(filter(None, (PROVINCES[code[:2]][0], city, districts().get(code))))
    elsewhere = _city_contradicts(address.city, code) or _district_contradicts(address, code)
    if swapped or (named and code[:2] not in named) or elsewhere:
        said = " ".join(filter(None, (address.province, address.city, address.area)))
        yield ShownWarning(
            "address_conflict",
            f"District code {code} is {place}, but the address says {said}: the upstream goes by the code.",
        )
    elif prefecture and code[4:] not in prefecture.known:
        yield ShownWarning(
            "address_conflict",
            f"District code {code} is no known district of {place}, and the upstream goes by the code: "
            "check it with the person.",
        )


@cache
def _names_of_provinces() -> dict[str, str]:
    names = {bare_name(name): code for code, both in PROVINCES.items() for name in both}
    return names | _ALIASES


def _provinces(text: str) -> set[str]:
    """The provinces that a text names, in one language or both."""
    parts = _PARTS.findall(simplified(text))
    found = {_names_of_provinces().get(bare_name(part)) for part in parts}
    found |= {code for code, (name, _) in PROVINCES.items() for part in parts if part.startswith(name)}
    return {code for code in found if code}


@cache
def _names_of_cities() -> dict[str, str]:
    """Names with their rank, by which a city is recognised wherever it lies."""
    cities = {PROVINCES[code][0]: code for code in MUNICIPALITIES}
    for number, each in prefectures().items():
        if each.short:
            cities |= dict.fromkeys((each.short + each.rank, f"{each.short}市", f"{each.short}州"), number)
    return cities


def _city_contradicts(text: str, code: str) -> bool:
    """Whether a text names cities, and not that of the code. `xx90` are counties under a province itself.

    The code of a whole province is that of no city.
    """
    province, own = PROVINCES[code[:2]][0], prefectures().get(code[:4])
    if code[2:4] == "90" or not (own is None or own.short or code[:2] in MUNICIPALITIES):
        return False
    found: set[str] = set()
    for part in _PARTS.findall(simplified(text)):
        name = part.removeprefix(province)
        city = _CITY.match(name)
        ranked = _names_of_cities().get(name) or (city and _names_of_cities().get(city[0]))
        bare = bare_name(name)
        found |= (
            {ranked}
            if ranked
            else {
                # Without its rank a name may be a district's elsewhere (朝阳, Fuyang).
                number
                for number, each in prefectures().items()
                if number[:2] == code[:2] and each.short and bare in (each.short, each.english)
            }
        )
    return bool(found) and not any(code.startswith(number) for number in found)


@cache
def _codes_of_districts() -> dict[str, set[str]]:
    codes: dict[str, set[str]] = {}
    for code, name in districts().items():
        codes.setdefault(name, set()).add(code)
    return codes


def _district_contradicts(address: Address, code: str) -> bool:
    """Whether area or city names districts (a county-level city is one), and none that the code is in or has.

    Without its rank only a name of the same prefecture is recognised.
    """
    if code[4:] != "00" and code not in districts():
        return False
    near = {each: bare_name(name) for each, name in districts().items() if each.startswith(code[:4])}
    found: set[str] = set()
    for part in _PARTS.findall(simplified(f"{address.city} / {address.area or ''}")):
        name = part.removeprefix(PROVINCES[code[:2]][0])
        if name not in _names_of_cities():
            city = _CITY.match(name)
            for each in {name, name[city.end() :] if city else name} - {""}:
                bare = bare_name(each)
                found |= _codes_of_districts().get(each, set())
                found |= {number for number, other in near.items() if bare and bare == other}
    own = code.removesuffix("00").removesuffix("00") if code[2:] == "0000" else code.removesuffix("00")
    return bool(found) and not any(number.startswith(own) for number in found)
