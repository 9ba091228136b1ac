"""What can be known of an address without asking anyone. Pure.

Upstream the district code (GB/T 2260, six digits) wins over the texts, silently (1688). So where its
province is not the one that the text names, the preview warns with both.
"""

from xportcn_tools.order import Address, folded

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
MUNICIPALITIES = ("11", "12", "31", "50", "81", "82")
_SUFFIXES = (
    "维吾尔自治区",
    "壮族自治区",
    "回族自治区",
    "特别行政区",
    "自治区",
    "省",
    "市",
    " province",
    " zhuang autonomous region",
    " hui autonomous region",
    " uygur autonomous region",
    " uyghur autonomous region",
    " special administrative region",
    " sar",
    " municipality",
    " autonomous region",
)


def province_of(district_code: str) -> str | None:
    """The Chinese name of the province that a district code begins with; `None` where there is none."""
    names = PROVINCES.get(district_code[:2])
    return names[0] if names else None


def is_municipality(province: str) -> bool:
    """Whether the province is a city of its own, so that an address may name no other."""
    return _bare(province) in {_bare(name) for code in MUNICIPALITIES for name in PROVINCES[code]}


def _bare(name: str) -> str:
    text = folded(name).casefold()
    for suffix in _SUFFIXES:
        if text.endswith(suffix) and len(text) > len(suffix):
            return text.removesuffix(suffix)
    return text


def province_conflict(address: Address) -> str | None:
    """A sentence that names both provinces where code and text contradict each other, else `None`."""
    if not address.district_code:
        return None
    named = PROVINCES.get(address.district_code[:2])
    if named is None or _bare(address.province) in {_bare(name) for name in named}:
        return None
    return (
        f"district code {address.district_code} lies in {named[0]}, but the address says "
        f"{address.province}: the upstream goes by the code"
    )
