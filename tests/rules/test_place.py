"""One destination, however its address is cut and spelled; and what is another one."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xportcn_tools.ledger import place
from xportcn_tools.ledger.place import MOST_READ, Destination, Destinations
from xportcn_tools.order import Address, OrderRequest

HERE = Address("王小明", "13800138000", "浙江省", "杭州市", "网商路699号3号楼101室", area="滨江区")
BEIJING = Address("王小明", "13800138000", "北京市", "北京市", "建国路88号", area="朝阳区")
ELSEBODY: dict[str, Any] = {"full_name": "李雷", "mobile": "13900139000"}

SPELLINGS: list[dict[str, Any]] = [
    {"area": None, "address": "滨江区网商路699号3号楼101室"},
    {"address": "滨江区网商路699号3号楼101室"},
    {"address": "浙江省杭州市滨江区网商路699号3号楼101室"},
    {"address": "浙江 杭州 滨江区 网商路699号3号楼101室"},
    {"town": "长河街道"},
    {"town": "长河街道", "address": "长河街道网商路699号3号楼101室"},
    {"area": None, "address": "滨江区长河街道网商路699号3号楼101室"},
    {"area": "市辖区"},
    {"area": "市辖区", "address": "滨江区网商路699号3号楼101室"},
    {"area": "濱江區", "address": "網商路699號3號樓101室"},
    {"province": "Zhejiang"},
    {"province": "Zhejiang Province", "city": "Hangzhou"},
    {"province": "浙江", "city": "杭州", "area": "滨江"},
    {"address": "网商路699号3栋101室"},
    {"address": "网商路６９９号 3幢 101"},
    {"address": "网商路699号，3#，101室"},
    {"address": "网商路 699 号（3号楼）101室"},
    {"address": "网商路699号3座-101"},
    {"address": "网商路699号三号楼101室"},
    {"address": "中国浙江省杭州市滨江区网商路699号3号楼101室"},
    {"address": "中国 网商路699号3号楼101室"},
    {"address": "网商路699号3号楼101室（阿里中心）"},
    {"address": "网商路699号(阿里中心)3号楼101室"},
    {"address": "中国浙江杭州网商路699号3号楼101室"},
    {"area": None, "address": "浙江杭州滨江区网商路699号3号楼101室"},
    {"area": None, "address": "杭州滨江区网商路699号3号楼101室"},
    {"address": "网商路No.699，3号楼101室"},
    {"address": "网商路六九九号3号楼一〇一室"},
    {"area": "杭州市滨江区"},
    {"area": "浙江省杭州市滨江区", "city": "浙江省杭州市"},
]


def same_destination(one: Address, other: Address) -> bool:
    return Destination.of(one).is_same(Destination.of(other))


@pytest.mark.parametrize("changes", SPELLINGS, ids=str)
def test_a_place_is_recognised_however_its_address_is_cut_and_spelled(changes: dict[str, Any]) -> None:
    spelled = replace(HERE, **ELSEBODY, **changes)
    assert same_destination(HERE, spelled)
    assert same_destination(spelled, HERE)


@pytest.mark.parametrize(
    "changes",
    [
        {"city": "市辖区"},
        {"city": ""},
        {"province": "Beijing", "city": "Beijing"},
        {"province": "北京", "city": "北京", "area": None, "address": "北京市朝阳区建国路88号"},
        {"province": "北京市", "city": "", "area": None, "address": "北京市北京市朝阳区建国路88号"},
    ],
    ids=str,
)
def test_a_city_that_is_a_province_may_be_named_or_not(changes: dict[str, Any]) -> None:
    assert same_destination(BEIJING, replace(BEIJING, **ELSEBODY, **changes))


def test_a_city_of_a_countys_rank_stands_in_either_field() -> None:
    one = Address("王小明", "13800138000", "浙江省", "金华市", "稠州北路1号", area="义乌市")
    other = replace(one, **ELSEBODY, city="义乌市", area=None)
    assert same_destination(one, other)
    assert same_destination(other, one)


@pytest.mark.parametrize(
    "changes",
    [
        {"address": "网商路700号3号楼101室"},
        {"address": "网商路699号3号楼102室"},
        {"address": "网商路69号93号楼101室"},
        {"address": "网商路6993号楼101室"},
        {"address": "江南大道699号3号楼101室"},
        {"address": "网商路699号四号楼101室"},
        {"address": "网商路699号(5号楼)3号楼101室"},
        {"area": "杭州市西湖区"},
        {"city": "宁波市"},
        {"area": "西湖区"},
        {"area": None, "address": "西湖区网商路699号3号楼101室"},
    ],
    ids=str,
)
def test_another_place_is_another(changes: dict[str, Any]) -> None:
    other = replace(HERE, **ELSEBODY, **changes)
    assert not same_destination(HERE, other)
    assert not same_destination(other, HERE)


@pytest.mark.parametrize("other", ["阳光小区3号楼", "科技园区3号楼", "乌镇大道3号", "红旗路3号", "镇海路3号"])
def test_what_only_looks_like_a_division_belongs_to_the_street(other: str) -> None:
    one = replace(HERE, address=other)
    assert not same_destination(one, replace(one, **ELSEBODY, address="3号楼"))
    assert not same_destination(one, replace(one, **ELSEBODY, address=f"明月{other}"))
    assert same_destination(one, replace(one, **ELSEBODY, address=f"滨江区长河街道{other}"))


@pytest.mark.parametrize(
    "mobile",
    ["13800138000", "+8613800138000", "008613800138000", "86 138-0013-8000", "１３８００１３８０００"],
)
def test_the_same_mobile_is_the_same_person_wherever_the_goods_go(mobile: str) -> None:
    far = Address("李雷", mobile, "广东省", "深圳市", "深南大道1号")
    assert same_destination(HERE, far)
    assert not same_destination(HERE, replace(far, mobile="13900139000"))


@pytest.mark.parametrize(
    ("chinese", "number"), [("一", 1), ("九", 9), ("十", 10), ("十二", 12), ("二十", 20), ("九十九", 99)]
)
def test_a_house_is_the_same_in_chinese_numerals(chinese: str, number: int) -> None:
    one = replace(HERE, address=f"网商路699号{chinese}幢{chinese}单元")
    for other in (number - 1, number, number + 1, number + 10):
        there = replace(one, **ELSEBODY, address=f"网商路699号{other}幢{other}单元")
        assert same_destination(one, there) == (other == number)


def test_an_address_that_is_nothing_but_a_division_is_compared_as_it_stands() -> None:
    one = replace(HERE, area=None, address="白马镇")
    assert not same_destination(one, replace(one, **ELSEBODY, address="黑马镇"))
    assert same_destination(one, replace(one, **ELSEBODY))


@pytest.mark.parametrize(
    "mobile", ["013800138000", "08613800138000", "+86 (0)138 0013 8000", "008613800138000"]
)
def test_a_mobile_is_one_however_it_is_prefixed(mobile: str) -> None:
    elsewhere = replace(HERE, mobile=mobile, address="人民路1号")
    assert same_destination(replace(HERE, mobile="13800138000"), elsewhere)


NAMES = st.text("东西南北中和平安宁长江白云青山", min_size=2, max_size=3)
CUTS = st.fixed_dictionaries(
    {part: st.sampled_from(["field", "text", "both", "nowhere"]) for part in ("city", "area", "town")}
)


# A street that begins like the names of directions reads as one with the town before it (东中镇东东路).
STREETS = st.text("和平安宁长江白云青山", min_size=2, max_size=3)


@given(NAMES, NAMES, STREETS, st.integers(1, 9999), CUTS, CUTS, st.sampled_from(["", " ", "，"]))
def test_no_cutting_of_an_address_makes_it_another_place(
    area: str, town: str, street: str, number: int, one: dict[str, str], other: dict[str, str], space: str
) -> None:
    names = {"city": "杭州市", "area": f"{area}区", "town": f"{town}镇"}

    def cut(ways: dict[str, str], mobile: str) -> Address:
        text = space.join(name for part, name in names.items() if ways[part] in ("text", "both"))
        fields = {part: name for part, name in names.items() if ways[part] in ("field", "both")}
        return Address(
            "王小明",
            mobile,
            "浙江省",
            fields.pop("city", "杭州市"),
            f"{text}{space}{street}路{number}号",
            **fields,
        )

    assert same_destination(cut(one, "13800138000"), cut(other, "13900139000"))


def test_an_earlier_destination_is_worked_out_once_and_read_in_portions() -> None:
    known, asked = Destinations(), list[int]()
    request = OrderRequest("", (), HERE)
    orders = {f"preview-{number}": request for number in range(MOST_READ + 1)}

    def read(missing: list[str]) -> dict[str, OrderRequest]:
        asked.append(len(missing))
        return {each: orders[each] for each in missing if each in orders}

    found = known.of([*orders, "unreadable"], read)
    assert found == dict.fromkeys(orders, Destination.of(request.address))
    assert asked == [MOST_READ, 2]
    assert known.of(["unreadable", "preview-7"], read).keys() == {"preview-7"}
    assert asked[2:] == [1], "what cannot be read is asked for again, and nothing else"
    known.forget(["preview-7", "never known"])
    known.of(["preview-7", "preview-8"], read)
    assert asked[3:] == [1], "only what was forgotten is read again"


def test_no_more_destinations_are_kept_than_have_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "MOST_KNOWN", 3)
    known, request = Destinations(), OrderRequest("", (), HERE)
    asked = list[str]()

    def read(missing: list[str]) -> dict[str, OrderRequest]:
        asked.extend(missing)
        return dict.fromkeys(missing, request)

    assert len(known.of(["1", "2", "3", "4"], read)) == 4
    asked.clear()
    known.of(["1", "4"], read)
    assert asked == ["1"]
