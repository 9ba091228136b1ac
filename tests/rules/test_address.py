"""District code and province: a contradiction is told, and only a contradiction."""

import pytest

from harness.builders import address
from xportcn_tools.desk.address import PROVINCES, province_conflict, province_of

CODES = sorted(PROVINCES)
SHORT = {"15": "内蒙古", "45": "广西", "54": "西藏", "64": "宁夏", "65": "新疆", "81": "香港", "82": "澳门"}


def short(code: str) -> str:
    return SHORT.get(code, PROVINCES[code][0].removesuffix("省").removesuffix("市"))


def conflict(code: str | None, province: str) -> str | None:
    return province_conflict(address(district_code=code, province=province))


def test_all_34_provinces_are_known() -> None:
    assert len(PROVINCES) == 34
    assert len({name for names in PROVINCES.values() for name in names}) == 68


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("330106", "浙江省"),
        ("110000", "北京市"),
        ("450102", "广西壮族自治区"),
        ("810001", "香港特别行政区"),
        ("710000", "台湾省"),
    ],
)
def test_a_district_code_begins_with_its_province(code: str, name: str) -> None:
    assert province_of(code) == name


@pytest.mark.parametrize("code", ["000000", "990101", "160000", "", "1"])
def test_a_code_of_no_province_says_nothing(code: str) -> None:
    assert province_of(code) is None
    assert conflict(code, "浙江省") is None


@pytest.mark.parametrize("code", CODES)
def test_the_province_agrees_with_its_code_in_every_common_form(code: str) -> None:
    chinese, english = PROVINCES[code]
    forms = [
        chinese,
        short(code),
        f" {chinese} ",
        english,
        english.upper(),
        english.lower(),
        f"{english} Province",
    ]
    for form in forms:
        assert conflict(f"{code}0101", form) is None, form


@pytest.mark.parametrize("code", CODES)
def test_every_other_province_contradicts_the_code_in_both_languages(code: str) -> None:
    for other in CODES:
        if other != code:
            for form in (*PROVINCES[other], short(other)):
                assert conflict(f"{code}0101", form), form


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("110101", "北京"),
        ("110101", "Beijing Municipality"),
        ("310101", "上海市"),
        ("450102", "广西自治区"),
        ("450102", "Guangxi Zhuang Autonomous Region"),
        ("640104", "Ningxia Hui Autonomous Region"),
        ("650102", "Xinjiang Uygur Autonomous Region"),
        ("650102", "Xinjiang Uyghur Autonomous Region"),
        ("150102", "Inner Mongolia  Autonomous Region"),
        ("540102", "Tibet Autonomous Region"),
        ("810001", "Hong Kong SAR"),
        ("330106", "ＺＨＥＪＩＡＮＧ"),
    ],
)
def test_other_forms_of_a_name_are_no_contradiction(code: str, name: str) -> None:
    assert conflict(code, name) is None


def test_a_contradiction_names_both_and_says_which_wins() -> None:
    found = conflict("440305", "浙江省")
    assert found is not None
    assert all(part in found for part in ("440305", "广东省", "浙江省", "goes by the code"))


def test_the_vendors_swapped_sample_is_a_contradiction() -> None:
    assert conflict("330106", "长河街道")


def test_without_a_code_there_is_nothing_to_contradict() -> None:
    assert conflict(None, "Atlantis") is None
