"""Addresses are checked before anybody is asked; a saved one need not pass through the model at all."""

import json
import logging
import os
import sqlite3
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from mcp import Client

from harness.house import ADDRESS, ERAS, Era, House, Person, call, order_arguments, previewed, text_of
from harness.terminal import command

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("elsewhere")]

# GB/T 2260: the first two digits of all 34 provinces, with the name that an address has for each.
PROVINCES = {
    "11": "北京市",
    "12": "天津市",
    "13": "河北省",
    "14": "山西省",
    "15": "内蒙古自治区",
    "21": "辽宁省",
    "22": "吉林省",
    "23": "黑龙江省",
    "31": "上海市",
    "32": "江苏省",
    "33": "浙江省",
    "34": "安徽省",
    "35": "福建省",
    "36": "江西省",
    "37": "山东省",
    "41": "河南省",
    "42": "湖北省",
    "43": "湖南省",
    "44": "广东省",
    "45": "广西壮族自治区",
    "46": "海南省",
    "50": "重庆市",
    "51": "四川省",
    "52": "贵州省",
    "53": "云南省",
    "54": "西藏自治区",
    "61": "陕西省",
    "62": "甘肃省",
    "63": "青海省",
    "64": "宁夏回族自治区",
    "65": "新疆维吾尔自治区",
    "71": "台湾省",
    "81": "香港特别行政区",
    "82": "澳门特别行政区",
}

PRIVATE = {
    "full_name": "王小明",
    "mobile": "+8613987654321",
    "phone": "0571-88997766",
    "province": "浙江省",
    "city": "杭州市",
    "area": "滨江区",
    "town": "长河街道",
    "address": "保密路77弄寅卯室",
    "post_code": "310051",
    "district_code": "330108",
}
SECRETS = ("13987654321", "3987654", "88997766", "保密路", "寅卯室", "长河街道")


async def save(house: House, name: str, fields: dict[str, str]) -> Result:
    options = [word for field, value in fields.items() for word in (f"--{field.replace('_', '-')}", value)]
    return await command(house, "address", "add", name, *options)


def by_name(name: str = "home", **changes: Any) -> dict[str, Any]:
    arguments = order_arguments(**changes)
    del arguments["address"]
    return arguments | {"address_name": name}


async def fields_refused(client: Client, arguments: dict[str, Any]) -> set[str]:
    problem = (await call(client, "preview_order", arguments))["problem"]
    assert problem, arguments
    assert problem["code"] == "invalid_arguments"
    assert problem["request_sent"] == "no"
    named = {field["field"] for field in problem["details"]["fields"]}
    assert all(name in problem["message"] for name in named)
    return named


# What an address is


@pytest.mark.parametrize("era", ERAS)
async def test_each_required_field_is_missed_by_name(tmp_path: Path, era: Era) -> None:
    house = House(tmp_path)
    async with house.client(era) as client:
        for field in ("full_name", "mobile", "province", "city", "address"):
            for address in (
                {name: value for name, value in ADDRESS.items() if name != field},
                ADDRESS | {field: ""},
                ADDRESS | {field: " \u3000"},
                ADDRESS | {field: None},
            ):
                assert await fields_refused(client, order_arguments(address=address)) == {f"address.{field}"}
        everything = await fields_refused(client, order_arguments(address={}))
    assert everything == {
        f"address.{name}" for name in ("full_name", "mobile", "province", "city", "address")
    }
    assert house.sandbox.books.received["preview"] == 0


LENGTHS = {
    "full_name": 64,
    "province": 64,
    "city": 64,
    "area": 64,
    "town": 64,
    "address": 200,
}


async def test_each_field_takes_its_length_and_no_more(tmp_path: Path) -> None:
    async with House(tmp_path).client() as client:
        for field, most in LENGTHS.items():
            assert await fields_refused(
                client, order_arguments(address=ADDRESS | {field: "好" * (most + 1)})
            ) == {f"address.{field}"}
            await previewed(client, address=ADDRESS | {field: "好" * most})


@pytest.mark.parametrize("era", ERAS)
async def test_the_longest_address_can_be_ordered_to(tmp_path: Path, era: Era) -> None:
    """Whatever `ship_to` a preview shows, `create_order` takes."""
    longest = {field: "好" * most for field, most in LENGTHS.items()}
    longest |= {
        "mobile": "+1234567890123456789",
        "phone": "(0571) 8899-7766 0571 8899-7766",
        "post_code": "SW1A 1AA-9",
        "district_code": "330108",
    }
    house = House(tmp_path)
    async with house.client(era, Person()) as client:
        arguments = (await previewed(client, address=longest))["create_order_arguments"]
        envelope = await call(client, "create_order", arguments)
    assert envelope["ok"], envelope["problem"]
    (order,) = house.sandbox.books.orders
    assert order.body["addressParam"]["address"] == longest["address"]


FORMS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "mobile": (
        (
            *("13800138000", "+8613800138000", "+14155550123", "0044207946000", "55512"),
            *("138 0013 8000", "138-0013-8000", "(138)0013800", "１３８００１３８０００"),
        ),
        (
            "1380013800o",
            "+",
            "1234",
            "13800138000+",
            "++13800138000",
            "1" * 21,
            "13800138000;",
            "一三八〇〇一三八〇〇〇",
        ),
    ),
    "post_code": (
        ("310051", "SW1A 1AA", "1234-567", "D02", "31005１"),
        ("31", "3" * 11, "310051!", "<31>", "邮编310051"),
    ),
    "phone": (
        ("0571-88997766", "+86 (571) 8899 7766", "110", "0571－88997766", "18412345678转1234"),
        ("none", "12", "8" * 33),
    ),
    "district_code": (
        ("330108", "110000", "820000", "３３０１０８"),
        ("33010", "3301080", "33O108", "000000", "100101", "990101", "-30108", "33 108"),
    ),
}


async def test_numbers_and_codes_have_their_form(tmp_path: Path) -> None:
    async with House(tmp_path).client() as client:
        for field, (good, bad) in FORMS.items():
            for value in good:
                await previewed(client, address=ADDRESS | {field: value})
            for value in bad:
                refused = await fields_refused(client, order_arguments(address=ADDRESS | {field: value}))
                assert refused == {f"address.{field}"}, value


async def test_a_district_code_begins_with_one_of_the_34_provinces_and_no_other(tmp_path: Path) -> None:
    assert len(PROVINCES) == 34
    async with House(tmp_path).client() as client:
        for number in range(100):
            code = f"{number:02d}0101"
            arguments = order_arguments(address=ADDRESS | {"district_code": code})
            if f"{number:02d}" in PROVINCES:
                assert (await call(client, "preview_order", arguments))["ok"], code
            else:
                assert await fields_refused(client, arguments) == {"address.district_code"}


def conflicts(preview: dict[str, Any]) -> list[str]:
    return [warning["message"] for warning in preview["warnings"] if warning["code"] == "address_conflict"]


async def test_a_code_of_the_named_province_warns_of_nothing(tmp_path: Path) -> None:
    async with House(tmp_path).client() as client:
        for code, province in PROVINCES.items():
            address = ADDRESS | {"province": province, "city": "市辖区", "district_code": f"{code}0101"}
            assert conflicts(await previewed(client, address=address)) == []
        for province in ("浙江", "Zhejiang", "zhejiang province", " 浙江省 "):
            address = ADDRESS | {"province": province, "district_code": "330108"}
            assert conflicts(await previewed(client, address=address)) == [], province


@pytest.mark.parametrize("era", ERAS)
async def test_a_code_of_another_province_warns_of_both_in_the_preview_and_in_the_form(
    tmp_path: Path, era: Era
) -> None:
    person = Person()
    async with House(tmp_path).client(era, person) as client:
        address = ADDRESS | {"province": "广东省", "district_code": "330108"}
        preview = await previewed(client, address=address)
        (conflict,) = conflicts(preview)
        await call(client, "create_order", preview["create_order_arguments"])
    assert all(part in conflict for part in ("330108", "浙江省", "广东省"))
    assert conflict in person.asked[0]


@pytest.mark.parametrize("era", ERAS)
async def test_a_code_of_another_city_warns_of_both_in_the_preview_and_in_the_form(
    tmp_path: Path, era: Era
) -> None:
    person = Person()
    async with House(tmp_path).client(era, person) as client:
        preview = await previewed(client, address=ADDRESS | {"district_code": "330206"})
        (conflict,) = conflicts(preview)
        await call(client, "create_order", preview["create_order_arguments"])
    assert all(part in conflict for part in ("330206", "宁波市", "杭州市"))
    assert conflict in person.asked[0]


async def test_a_code_of_no_city_is_refused_with_the_form_that_is_taken(tmp_path: Path) -> None:
    async with House(tmp_path).client() as client:
        for code in ("339901", "330001"):
            arguments = order_arguments(address=ADDRESS | {"district_code": code})
            assert await fields_refused(client, arguments) == {"address.district_code"}
            message = (await call(client, "preview_order", arguments))["problem"]["message"]
            assert "GB/T 2260" in message


async def test_the_vendors_own_sample_has_a_warning_and_is_never_refused(tmp_path: Path) -> None:
    """Published with province and town swapped, and the right code."""
    swapped = {"province": "长河街道", "town": "浙江省", "area": "滨江区", "district_code": "330108"}
    async with House(tmp_path).client() as client:
        (conflict,) = conflicts(await previewed(client, address=ADDRESS | swapped))
    assert "长河街道" in conflict


async def test_a_province_that_is_none_of_chinas_has_a_warning(tmp_path: Path) -> None:
    async with House(tmp_path).client() as client:
        for province, warned in (("California", True), ("Xizang", False), ("香港特別行政區", False)):
            preview = await previewed(client, address=ADDRESS | {"province": province})
            assert ("address_abroad" in [each["code"] for each in preview["warnings"]]) == warned


async def test_an_address_without_a_code_warns_of_nothing(tmp_path: Path) -> None:
    async with House(tmp_path).client() as client:
        assert conflicts(await previewed(client, address=ADDRESS | {"province": "Atlantis"})) == []


INVISIBLE = {
    "a line break": "\n",
    "a bidirectional override": "\u202e",
    "a zero-width space": "\u200b",
    "a tag character": "\U000e0041",
    "a terminal's escape": "\x1b",
    "a grapheme joiner": "\u034f",
    "a variation selector without a base": "A\ufe0f",
    "a variation selector that its base does not take": "\ufe0f",
    "a run of variation selectors": "\U000e0101\U000e0102",
    "a run of joiners": "\u200d\u200d",
    "an unassigned character": "\u0378",
    "a private-use character": "\ue000",
    "a fifth mark on one base": "a" + "\u0301" * 5,
}


@pytest.mark.parametrize("what", INVISIBLE)
async def test_a_text_that_could_not_be_shown_as_it_is_is_refused(tmp_path: Path, what: str) -> None:
    """The person approves what they see; what is sent must hold no more."""
    async with House(tmp_path).client() as client:
        for field in ("full_name", "city", "address"):
            arguments = order_arguments(address=ADDRESS | {field: f"网商{INVISIBLE[what]}路699号"})
            assert await fields_refused(client, arguments) == {f"address.{field}"}
        if what != "a line break":
            arguments = order_arguments(message=f"谢谢{INVISIBLE[what]}谢谢")
            assert await fields_refused(client, arguments) == {"message"}


async def test_a_refusal_of_an_unseen_character_names_the_field_and_the_character(tmp_path: Path) -> None:
    async with House(tmp_path).client() as client:
        arguments = order_arguments(address=ADDRESS | {"town": "长河\u200b街道"})
        problem = (await call(client, "preview_order", arguments))["problem"]
    assert problem["code"] == "invalid_arguments"
    assert "address.town" in problem["message"]
    assert "U+200B ZERO WIDTH SPACE" in problem["message"]


@pytest.mark.parametrize(
    "name",
    [
        unicodedata.normalize("NFD", "Nguyễn Thị Ngọc Ánh"),
        "น้ำฝน สุขสันต์",
        "王小明👨‍👩‍👧‍👦❤️",
        "葛󠄀城 辻󠄁",
        "𠮷野\U00031350",
    ],
)
async def test_names_of_every_script_are_taken_and_shown_as_they_are(tmp_path: Path, name: str) -> None:
    async with House(tmp_path).client() as client:
        preview = await previewed(client, address=ADDRESS | {"full_name": name}, message=name)
    assert preview["ship_to"].startswith(f"{name}, ")


@pytest.mark.parametrize("blank", [" ", "\t", "\u00a0", "\u3000", "\u2800", "\u3164"])
async def test_blanks_in_a_text_are_one_space_so_that_nothing_is_padded(tmp_path: Path, blank: str) -> None:
    async with House(tmp_path).client() as client:
        address = ADDRESS | {"address": f"网商路699号{blank * 90}2楼{blank}"}
        preview = await previewed(client, address=address, message=f"谢谢{blank * 400}Total: 1.00 CNY")
    assert preview["ship_to"].endswith(" 网商路699号 2楼")


# Saved addresses: the command


async def test_an_address_is_added_listed_shown_and_removed(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert "No saved addresses" in (await command(house, "address", "list")).output
    added = await save(house, "home", PRIVATE)
    assert (added.exit_code, added.stderr) == (0, "")
    assert "address_name" in added.output
    listed = (await command(house, "address", "list")).output
    assert listed.splitlines() == ["home: 王小明, 杭州市"]
    shown = (await command(house, "address", "show", "home")).output
    for field, value in PRIVATE.items():
        assert any(line.split() == [field, value] for line in shown.splitlines()), field
    assert (await command(house, "address", "remove", "home")).exit_code == 0
    assert "No saved addresses" in (await command(house, "address", "list")).output
    for words in (("show", "home"), ("remove", "home")):
        missing = await command(house, "address", *words)
        assert missing.exit_code == 1
        assert missing.stderr == "xportcn-mcp: no saved address has the name home\n"


async def test_the_prompt_asks_for_what_is_not_given(tmp_path: Path) -> None:
    house = House(tmp_path)
    answers = "\n".join(ADDRESS[field] for field in ("full_name", "mobile", "province", "city", "address"))
    assert (await command(house, "address", "add", "home", answer=answers + "\n")).exit_code == 0
    shown = (await command(house, "address", "show", "home")).output
    assert all(value in shown for value in ADDRESS.values())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mobile", "call me"),
        ("district_code", "990101"),
        ("post_code", "x"),
        ("full_name", "  "),
        ("address", "路" * 201),
        ("city", "杭州\u202e市"),
    ],
)
async def test_an_address_that_no_order_would_take_is_not_saved(
    tmp_path: Path, field: str, value: str
) -> None:
    house = House(tmp_path)
    refused = await save(house, "home", PRIVATE | {field: value})
    assert refused.exit_code == 1
    assert refused.stderr.count("\n") == 1
    assert field in refused.stderr
    assert not (tmp_path / "addresses.json").exists()


@pytest.mark.parametrize("name", ["", " ", "a b", "a/b", "../x", "a\nb", "x" * 65, "家\u202e"])
async def test_a_name_is_one_plain_word(tmp_path: Path, name: str) -> None:
    house = House(tmp_path)
    refused = await save(house, name, PRIVATE)
    assert refused.exit_code == 1
    assert refused.stderr.count("\n") == 1
    assert not (tmp_path / "addresses.json").exists()


async def test_a_contradiction_between_code_and_province_is_told_when_it_is_saved(tmp_path: Path) -> None:
    saved = await save(House(tmp_path), "home", PRIVATE | {"province": "广东省"})
    assert saved.exit_code == 0
    assert "浙江省" in saved.stderr
    assert "广东省" in saved.stderr


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
async def test_the_file_is_beside_the_ledger_and_for_its_owner_alone(tmp_path: Path) -> None:
    house = House(tmp_path)
    file = tmp_path / "addresses.json"
    await save(house, "home", PRIVATE)
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    await save(house, "work", PRIVATE)
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    await command(house, "address", "remove", "work")
    assert file.stat().st_mode & 0o777 == 0o600
    assert [name for name in os.listdir(tmp_path) if "address" in name] == ["addresses.json"]  # noqa: PTH208


@pytest.mark.parametrize("content", ["{", "[]", '"home"', '{"home": "x"}', '{"home": {"mobile": 1}}', "\x00"])
async def test_a_spoilt_file_is_reported_in_one_line_and_orders_nothing(tmp_path: Path, content: str) -> None:
    house = House(tmp_path)
    (tmp_path / "addresses.json").write_text(content, encoding="utf-8")
    for words in (["list"], ["show", "home"]):
        told = await command(house, "address", *words)
        assert told.stderr.count("\n") == (1 if told.exit_code else 0)
    async with house.client() as client:
        problem = (await call(client, "preview_order", by_name()))["problem"]
        assert problem["code"] in ("ledger_unavailable", "invalid_arguments")
        assert (await call(client, "preview_order", order_arguments()))["ok"]


# Saved addresses: used by name


@pytest.mark.parametrize("era", ERAS)
async def test_exactly_one_of_address_and_its_name_is_given(tmp_path: Path, era: Era) -> None:
    house = House(tmp_path)
    await save(house, "home", PRIVATE)
    async with house.client(era) as client:
        both = by_name() | {"address": ADDRESS}
        neither = {name: value for name, value in by_name().items() if name != "address_name"}
        for arguments in (both, neither):
            problem = (await call(client, "preview_order", arguments))["problem"]
            assert problem["code"] == "invalid_arguments"
            assert "address_name" in problem["message"]
    assert house.sandbox.books.received["preview"] == 0


@pytest.mark.parametrize("era", ERAS)
async def test_a_name_that_is_not_saved_is_named_with_those_that_are(tmp_path: Path, era: Era) -> None:
    house = House(tmp_path)
    async with house.client(era) as client:
        assert await fields_refused(client, by_name("home")) == {"address_name"}
        await save(house, "home", PRIVATE)
        assert await fields_refused(client, by_name("Home")) == {"address_name"}
        problem = (await call(client, "preview_order", by_name("../home")))["problem"]
        assert "home" in problem["message"]
        assert not any(secret in json.dumps(problem, ensure_ascii=False) for secret in SECRETS)
    assert house.sandbox.books.received["preview"] == 0


@pytest.mark.parametrize("era", ERAS)
async def test_the_upstream_gets_the_whole_saved_address(tmp_path: Path, era: Era) -> None:
    house = House(tmp_path)
    await save(house, "home", PRIVATE)
    async with house.client(era) as client:
        preview = (await call(client, "preview_order", by_name()))["preview"]
        assert (await call(client, "create_order", preview["create_order_arguments"]))["ok"]
    (order,) = house.sandbox.books.orders
    assert order.body["addressParam"] == {
        "fullName": PRIVATE["full_name"],
        "mobile": PRIVATE["mobile"],
        "phone": PRIVATE["phone"],
        "postCode": PRIVATE["post_code"],
        "provinceText": PRIVATE["province"],
        "cityText": PRIVATE["city"],
        "areaText": PRIVATE["area"],
        "townText": PRIVATE["town"],
        "address": PRIVATE["address"],
        "districtCode": PRIVATE["district_code"],
    }


@pytest.mark.parametrize("mobile", ["+8613987654321", "13987654321", "55512", "+123456"])
async def test_results_show_recipient_and_city_and_a_masked_phone(tmp_path: Path, mobile: str) -> None:
    house = House(tmp_path)
    await save(house, "home", PRIVATE | {"mobile": mobile})
    async with house.client() as client:
        ship_to = (await call(client, "preview_order", by_name()))["preview"]["ship_to"]
    assert "王小明" in ship_to
    assert "杭州市" in ship_to
    assert "home" in ship_to
    assert "****" in ship_to
    assert mobile not in ship_to
    shown = sum(character.isdigit() for character in ship_to)
    assert shown <= 6
    assert shown < sum(character.isdigit() for character in mobile) - 2


@pytest.mark.parametrize("era", ERAS)
async def test_no_result_form_command_trail_or_log_holds_phone_or_street_of_a_saved_address(
    tmp_path: Path, era: Era, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    house, person = House(tmp_path, RECHECK_AFTER_SECONDS="0", LOG_LEVEL="DEBUG"), Person()
    await save(house, "home", PRIVATE | {"province": "广东省"})  # with the warning that names both provinces
    said: list[str] = []

    async with house.client(era, person) as client:

        async def ask(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
            result = await client.call_tool(tool, arguments)
            assert result.structured_content is not None
            said.append(json.dumps(result.structured_content, ensure_ascii=False) + text_of(result))
            return result.structured_content

        first = (await ask("preview_order", by_name()))["preview"]
        said.append((await command(house, "approve", "--list")).output)
        said.append((await command(house, "approve", first["approval_code"], answer="n\n")).output)
        house.sandbox.faults.add("price-drift", "preview")
        changed = await ask("create_order", first["create_order_arguments"])
        assert changed["problem"]["code"] == "terms_changed"
        wrong = await ask("create_order", first["create_order_arguments"] | {"ship_to": "x"})
        assert wrong["problem"]["code"] == "echo_mismatch"
        assert (await ask("create_order", first["create_order_arguments"]))["ok"]
        await ask("create_order", first["create_order_arguments"])
        again = (await ask("preview_order", by_name()))["preview"]
        house.sandbox.faults.add("http-502", "create")
        lost = await ask("create_order", again["create_order_arguments"])
        assert lost["problem"]["code"] == "outcome_unknown"
        third = (await ask("preview_order", by_name()))["preview"]
        blocked = await ask("create_order", third["create_order_arguments"])
        assert blocked["problem"]["code"] == "earlier_order_unknown"
        await ask("get_orders", {})
        said.append((await command(house, "orders", "list")).output)
        said.append((await command(house, "orders", "show", again["out_order_id"])).output)
        said += person.asked
    said.append(caplog.text)
    said += [record.getMessage() for record in caplog.records]

    assert any("王小明" in text for text in said)
    for secret in SECRETS:
        assert not any(secret in text for text in said), secret
    with sqlite3.connect(house.ledger) as ledger:
        tables = [row[0] for row in ledger.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert {"previews", "orders", "trail"} <= set(tables)
        for table in tables:
            found = ledger.execute(f"SELECT * FROM {table}")  # noqa: S608 - the ledger's own names
            names = [column[0] for column in found.description]
            for row in found:
                for name, value in zip(names, row, strict=True):
                    if (table, name) != ("previews", "request"):
                        assert not any(secret in str(value) for secret in SECRETS), (table, name)
    ledger.close()


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("recheck_after", ["0", "15"])
async def test_an_address_that_is_saved_otherwise_after_the_preview_ends_the_create_with_a_fresh_one(
    tmp_path: Path, era: Era, recheck_after: str
) -> None:
    """Only its name and city were shown, and both are the same."""
    house, person = House(tmp_path, RECHECK_AFTER_SECONDS=recheck_after), Person()
    await save(house, "home", PRIVATE)
    async with house.client(era, person) as client:
        preview = (await call(client, "preview_order", by_name()))["preview"]
        await save(house, "home", PRIVATE | {"address": "新搬的路1号"})
        refused = await client.call_tool("create_order", preview["create_order_arguments"])
        assert refused.structured_content is not None
        problem = refused.structured_content["problem"]
        assert (problem["code"], problem["request_sent"]) == ("terms_changed", "no")
        change = {"what": "saved address home", "was": "as it was previewed", "now": "changed since"}
        assert problem["details"]["changes"] == [change]
        assert change["what"] in text_of(refused)
        assert (house.creates, person.asked) == (0, [])
        fresh = problem["preview"]
        assert fresh["ship_to"] == preview["ship_to"]
        assert (await call(client, "create_order", fresh["create_order_arguments"]))["ok"]
        assert len(person.asked) == 1
    (placed,) = house.sandbox.books.orders
    assert placed.body["addressParam"]["address"] == "新搬的路1号"


@pytest.mark.parametrize("era", ERAS)
async def test_an_address_that_is_saved_otherwise_while_the_price_is_asked_again_ends_the_create_too(
    tmp_path: Path, era: Era
) -> None:
    house = House(tmp_path, RECHECK_AFTER_SECONDS="0")
    await save(house, "home", PRIVATE)

    async def saved_meanwhile(moment: str) -> None:
        if moment == "recheck":
            await save(house, "home", PRIVATE | {"address": "新搬的路1号"})

    async with house.client(era, Person(), step=saved_meanwhile) as client:
        preview = (await call(client, "preview_order", by_name()))["preview"]
        problem = (await call(client, "create_order", preview["create_order_arguments"]))["problem"]
        assert [each["what"] for each in problem["details"]["changes"]] == ["saved address home"]
        assert house.creates == 0
        fresh = problem["preview"]["create_order_arguments"]
        assert (await call(client, "create_order", fresh))["ok"]
    (placed,) = house.sandbox.books.orders
    assert placed.body["addressParam"]["address"] == "新搬的路1号"


@pytest.mark.parametrize("era", ERAS)
async def test_an_address_that_is_removed_after_the_preview_changes_no_order(
    tmp_path: Path, era: Era
) -> None:
    house = House(tmp_path, RECHECK_AFTER_SECONDS="0")
    await save(house, "home", PRIVATE)
    async with house.client(era, Person()) as client:
        preview = (await call(client, "preview_order", by_name()))["preview"]
        await command(house, "address", "remove", "home")
        order = (await call(client, "create_order", preview["create_order_arguments"]))["order"]
    assert order["ship_to"] == preview["ship_to"]
    (placed,) = house.sandbox.books.orders
    assert placed.body["addressParam"]["address"] == PRIVATE["address"]


@pytest.mark.parametrize("content", ["{", '{"home": {"full_name": "王小明"}}'])
async def test_a_book_that_cannot_be_compared_lets_no_order_leave(tmp_path: Path, content: str) -> None:
    house = House(tmp_path)
    await save(house, "home", PRIVATE)
    async with house.client(person=Person()) as client:
        preview = (await call(client, "preview_order", by_name()))["preview"]
        (tmp_path / "addresses.json").write_text(content, encoding="utf-8")
        problem = (await call(client, "create_order", preview["create_order_arguments"]))["problem"]
    assert problem["code"] in ("ledger_unavailable", "invalid_arguments")
    assert (problem["request_sent"], house.creates) == ("no", 0)


async def test_the_same_place_is_known_again_by_name_and_in_full(tmp_path: Path) -> None:
    """An order of unknown outcome stands in the way however its address was given."""
    house = House(tmp_path)
    await save(house, "home", PRIVATE)
    async with house.client() as client:
        by_full = await previewed(client, address=PRIVATE)
        house.sandbox.faults.add("http-502", "create")
        await call(client, "create_order", by_full["create_order_arguments"])
        preview = (await call(client, "preview_order", by_name()))["preview"]
        assert "earlier_order_unknown" in {warning["code"] for warning in preview["warnings"]}
        problem = (await call(client, "create_order", preview["create_order_arguments"]))["problem"]
    assert problem["code"] == "earlier_order_unknown"
