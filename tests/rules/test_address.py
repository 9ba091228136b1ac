"""District code, province and city: a contradiction is a warning, and nothing else is."""

import pytest

from harness.builders import address
from xportcn_tools.desk.address import PROVINCES, address_warnings, is_known, is_municipality
from xportcn_tools.desk.divisions import districts, prefectures

CODES = sorted(PROVINCES)
SHORT = {"15": "内蒙古", "45": "广西", "54": "西藏", "64": "宁夏", "65": "新疆", "81": "香港", "82": "澳门"}
ALIASES = [
    ("540102", "Xizang"),
    ("540102", "Tibet Autonomous Region"),
    ("820101", "Macao"),
    ("440305", "廣東"),
    ("150102", "内蒙"),
    ("150102", "內蒙古自治區"),
    ("150102", "Inner Mongolia  Autonomous Region"),
    ("450102", "广西壮族"),
    ("450102", "广西自治区"),
    ("450102", "Guangxi Zhuang Autonomous Region"),
    ("640104", "宁夏回族"),
    ("640104", "Ningxia Hui Autonomous Region"),
    ("650102", "新疆维吾尔"),
    ("650102", "Xinjiang Uygur Autonomous Region"),
    ("650102", "Xinjiang Uyghur Autonomous Region"),
    ("330106", "Zhejiang / 浙江"),
    ("330106", "浙江 Zhejiang"),
    ("330106", "Zhejiang Province (浙江省)"),
    ("330106", "浙江省杭州市"),
    ("330106", "ＺＨＥＪＩＡＮＧ"),
    ("810101", "香港特別行政區"),
    ("810101", "Hong Kong SAR"),
    ("810101", "Hong Kong, China"),
    ("110101", "Beijing Municipality"),
    ("110101", "北京"),
]


def short(code: str) -> str:
    return SHORT.get(code, PROVINCES[code][0].removesuffix("省").removesuffix("市"))


def warned(code: str | None, province: str = "浙江省", city: str = "somewhere") -> list[str]:
    """Codes of the warnings."""
    return [each.code for each in address_warnings(address(district_code=code, province=province, city=city))]


def said(code: str, province: str, city: str) -> str:
    (warning,) = address_warnings(address(district_code=code, province=province, city=city))
    assert warning.code == "address_conflict"
    return warning.message


def test_every_prefecture_is_known_once_by_its_code_and_lies_in_a_province() -> None:
    table = prefectures()
    assert {number[:2] for number in table} == set(PROVINCES)
    named = [each for each in table.values() if each.short]
    assert len(named) == 334
    assert len({each.short + each.rank for each in named}) == 334
    assert all("00" in each.known for each in table.values())


@pytest.mark.parametrize(
    "code", ["330108", "330100", "330000", "441900", "429004", "659001", "820000", "710000"]
)
def test_a_code_is_known_by_its_first_four_digits(code: str) -> None:
    assert is_known(code)


@pytest.mark.parametrize("code", ["339901", "000000", "990101", "160000", "330001", "131201"])
def test_a_code_of_no_prefecture_is_not_known(code: str) -> None:
    assert not is_known(code)


@pytest.mark.parametrize("code", CODES)
def test_the_province_agrees_with_its_code_in_every_common_form(code: str) -> None:
    chinese, english = PROVINCES[code]
    forms = [chinese, short(code), f" {chinese} ", english, english.upper(), f"{english} Province"]
    for form in forms:
        assert warned(f"{code}0101", form) == [], form


@pytest.mark.parametrize(("code", "name"), ALIASES)
def test_other_forms_of_a_name_are_no_contradiction(code: str, name: str) -> None:
    assert warned(code, name) == []


@pytest.mark.parametrize("code", CODES)
def test_every_other_province_contradicts_the_code_in_both_languages(code: str) -> None:
    for other in CODES:
        if other != code:
            for form in (*PROVINCES[other], short(other)):
                assert warned(f"{code}0101", form) == ["address_conflict"], form


def test_a_contradiction_names_both_and_says_which_wins() -> None:
    found = said("440305", "浙江省", "杭州市")
    assert all(part in found for part in ("440305", "广东省 深圳市", "浙江省 杭州市", "goes by the code"))


@pytest.mark.parametrize(
    ("code", "province", "city"),
    [
        ("440305", "广东省", "广州市"),
        ("440305", "广东", "广州"),
        ("440305", "廣東省", "廣州市"),
        ("440305", "Guangdong", "Guangzhou"),
        ("440305", "Guangdong", "Guangzhou City"),
        ("440305", "广东省", "杭州市"),
        ("441900", "广东省", "中山市"),
        ("620200", "甘肃省", "兰州"),
        ("222401", "吉林省", "吉林市"),
        ("110105", "北京市", "上海市"),
        ("330108", "浙江省", "北京市"),
        ("330108", "浙江省", "浙江省宁波市"),
        ("330108", "浙江省", "宁波市鄞州区"),
        ("330108", "浙江省", "宁波 / Ningbo"),
        ("330108", "浙江省", "义乌市"),
        ("330108", "浙江省", "余姚市"),
        ("330108", "浙江省", "金华市义乌市"),
        ("330782", "浙江省", "永康市"),
        ("330000", "浙江省", "宁波市"),
    ],
)
def test_another_city_contradicts_the_code_though_the_province_agrees(
    code: str, province: str, city: str
) -> None:
    found = said(code, province, city)
    assert code in found
    assert f"{province} {city}" in found


@pytest.mark.parametrize(
    ("code", "province", "city"),
    [
        ("330108", "浙江省", "杭州市"),
        ("330108", "Zhejiang", "Hangzhou"),
        ("330108", "浙江省", "杭州 (Hangzhou)"),
        ("330108", "浙江省", "浙江省杭州市滨江区"),
        ("330782", "浙江省", "义乌市"),
        ("330108", "浙江省", "滨江区"),
        ("222401", "吉林省", "延边州"),
        ("222401", "吉林省", "延边朝鲜族自治州"),
        ("222401", "吉林省", "延边"),
        ("422801", "湖北省", "恩施市"),
        ("610102", "陕西省", "Xi'an"),
        ("110105", "北京市", "北京市"),
        ("110105", "北京市", "朝阳区"),
        ("110105", "北京市", "朝阳"),
        ("330111", "浙江省", "Fuyang"),
        ("330108", "浙江省", "市辖区"),
        ("440305", "广东省", "Shum Chun"),
        ("710101", "台湾省", "台南市"),
        ("810101", "香港", "九龙"),
    ],
)
def test_the_same_city_and_a_name_that_is_not_recognised_contradict_nothing(
    code: str, province: str, city: str
) -> None:
    assert warned(code, province, city) == []


def with_area(code: str, area: str, **fields: str) -> list[str]:
    return [each.message for each in address_warnings(address(district_code=code, area=area, **fields))]


@pytest.mark.parametrize(
    "area", ["西湖区", "西湖", "杭州市西湖区", "浙江省杭州市西湖区", "鄞州区", "义乌市", "濱湖區"]
)
def test_another_district_contradicts_the_code_though_the_city_agrees(area: str) -> None:
    (message,) = with_area("330108", area)
    assert "330108 is 浙江省 杭州市 滨江区" in message
    assert f"浙江省 杭州市 {area}" in message


@pytest.mark.parametrize(
    ("code", "area"),
    [
        ("330108", "滨江区"),
        ("330108", "滨江"),
        ("330108", "濱江區"),
        ("330108", "杭州市滨江区"),
        ("330108", "滨江区 / Binjiang"),
        ("330108", "Binjiang"),
        ("330108", "Xihu"),
        ("330108", "高新(滨江)区"),
        ("330108", "高新区"),
        ("330108", "市辖区"),
        ("330108", "长河街道"),
        ("330108", "鄞州"),
        ("330100", "西湖区"),
        ("330101", "西湖区"),
        ("330104", "江干区"),
    ],
)
def test_the_same_district_and_a_name_that_is_not_recognised_contradict_nothing(code: str, area: str) -> None:
    assert with_area(code, area) == []


def test_a_county_that_has_become_a_city_is_the_same() -> None:
    assert with_area("340281", "无为县", province="安徽省", city="芜湖市") == []


def test_every_district_agrees_with_its_own_code_and_lies_in_a_known_prefecture() -> None:
    table = prefectures()
    for code, name in districts().items():
        assert code[4:] in table[code[:4]].known, code
        found = with_area(code, name, province=PROVINCES[code[:2]][0], city=PROVINCES[code[:2]][0])
        assert found == [], code
    assert len(districts()) > 2800


@pytest.mark.parametrize("code", ["429004", "469001", "659001", "419001"])
def test_counties_under_a_province_itself_compare_the_province_only(code: str) -> None:
    province = PROVINCES[code[:2]][0]
    assert warned(code, province, "武汉市") == []
    assert warned(code, "浙江省", "武汉市") == ["address_conflict"]


@pytest.mark.parametrize(
    ("code", "city"),
    [("441900", "东莞市"), ("442000", "中山市"), ("460400", "儋州市"), ("620200", "嘉峪关市")],
)
def test_a_city_without_districts_has_no_other_code(code: str, city: str) -> None:
    assert warned(code, PROVINCES[code[:2]][0], city) == []


def test_unknown_last_two_digits_of_a_known_prefecture_are_told() -> None:
    assert "330199" in said("330199", "浙江省", "杭州市")
    assert "浙江省 杭州市" in said("330199", "浙江省", "杭州市")
    assert warned("330101", "浙江省", "杭州市") == []


def test_the_vendors_swapped_sample_is_a_contradiction_and_no_address_abroad() -> None:
    found = said("330108", "长河街道", "杭州市")
    assert "浙江省 杭州市" in found
    assert "长河街道" in found


@pytest.mark.parametrize("province", ["California", "Atlantis", "東京都", "서울", "Bavaria, Germany"])
@pytest.mark.parametrize("code", [None, "330108"])
def test_a_province_that_is_none_of_chinas_is_told_and_contradicts_no_code(
    province: str, code: str | None
) -> None:
    (warning,) = address_warnings(address(district_code=code, province=province))
    assert warning.code == "address_abroad"
    assert province in warning.message


@pytest.mark.parametrize(("code", "name"), ALIASES)
def test_every_form_of_a_province_is_chinas(code: str, name: str) -> None:
    assert warned(None, name) == []
    assert is_municipality(name) == (code[:2] in ("11", "12", "31", "50", "81", "82"))


def test_without_a_code_there_is_nothing_to_contradict() -> None:
    assert warned(None, "浙江省", "广州市") == []
