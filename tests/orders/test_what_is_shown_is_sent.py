"""Over random orders: what the person approved, in the form and in the dialog, is what reached the upstream."""

import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from mcp_types import TextResourceContents

from harness.house import Era, House, Person, call, text_of
from xportcn_server.guide.receipts import plain
from xportcn_server.sandbox.books import Order
from xportcn_server.sandbox.catalogue import CATALOGUE
from xportcn_server.sandbox.service import build_sandbox
from xportcn_server.sandbox.shapes import AnswerShape
from xportcn_tools.upstream.clean import clean, seen

PLENTY = {"MAX_ORDER_CNY": "9999999", "MAX_DAY_CNY": "9999999", "MAX_DAY_ORDERS": "9999"}
ACCOUNT = {
    "userId",
    "staffName",
    "developerId",
    "platformOrder",
}  # the owner's settings, the same for every order

WORDY = (664417205538, 676005531127, 693355108842)
"""A title of 120 characters, a poisoned one, and one without a translation."""

# Offer, spec, least and most pieces of a line: one seller's, since an order has one.
SELLERS: dict[str, list[tuple[str, str | None, int, int]]] = {
    "BBBsandboxYiwuHousehold01": [
        ("610947572360", "b266e0726506185beaf205cbae88530d", 2, 60),
        ("610947572360", "5f1d7a84b9e34c0a9d3c1e7f60b2a845", 2, 60),
        ("628913047512", "0c9d2f6e8b7a41539e2c5d1f4a6b8703", 3, 40),
        ("655830126694", "3a84c6d20f9b4e17b5e8d7a1c2f06943", 1, 90),
        *((str(offer_id), sku.spec_id, 1, 9) for offer_id in WORDY for sku in CATALOGUE[offer_id].skus),
    ],
    "BBBsandboxShenzhenDigital2": [
        ("7043215678901", "9b2e4d7c1a5f48e0b3c6f8d2071e9a54", 2, 7),
        ("7043215678901", "c4f70a1e6d3b49258e9a0b5d7c2f1836", 2, 3),
        ("698450213377", "6d0f8e2b4c7a4913a5d1e9b3f8c20647", 10, 90),
        ("7105589340126", None, 5, 40),
    ],
}

NO_WORDS = {"", "null", "none", "undefined", "n/a"}
WORDS = (
    st.text("路Ab1 号", min_size=50, max_size=64)
    | st.text(
        st.characters(
            categories=("Lu", "Ll", "Lo", "Nd", "Po", "Sm", "Sc", "Zs"),
            exclude_characters="\u115f\u1160\u3164\uffa0\u17b4\u17b5",
        ),
        min_size=1,
        max_size=40,
    )
).filter(lambda text: text.strip().casefold() not in NO_WORDS)
NO_SIGNS = str.maketrans("", "", "「」")
PIECES = st.text("ABCabc0123456789-_", min_size=1, max_size=20)


@st.composite
def orders(draw: st.DrawFn) -> dict[str, Any]:
    """Arguments of `preview_order` that the sandbox can fulfil."""
    seller = draw(st.sampled_from(sorted(SELLERS)))
    items: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(1, 14))):
        offer_id, spec_id, least, most = draw(st.sampled_from(SELLERS[seller]))
        item: dict[str, Any] = {"offer_id": offer_id, "quantity": draw(st.integers(least, most))}
        if spec_id:
            item["spec_id"] = spec_id
        extras = {"seller_open_id": st.just(seller), "product_no": PIECES, "container": PIECES}
        item |= {name: draw(values) for name, values in extras.items() if draw(st.integers(0, 5)) == 0}
        items.append(item)
    address = {name: draw(WORDS) for name in ("full_name", "province", "city", "address")}
    address["mobile"] = draw(st.from_regex(r"\+?[0-9]{5,19}", fullmatch=True))
    optional = {
        "area": WORDS,
        "town": WORDS,
        "phone": st.from_regex(r"[0-9+() -]{0,10}[0-9]{3}", fullmatch=True),
        "post_code": st.from_regex(r"[0-9A-Z]{3,10}", fullmatch=True),
        "district_code": st.sampled_from(["330108", "440305", "820000"]),
    }
    address |= {name: draw(values) for name, values in optional.items() if draw(st.booleans())}
    wishes = {
        "flow": st.sampled_from(["general", "fenxiao", "saleproxy"]),
        "trade_type": st.just("assureTrade"),
        "message": st.text(max_size=80).filter(_printable) | st.text("好ok 1！", min_size=60, max_size=500),
        "dropshipping": st.booleans(),
        "out_order_id": st.from_regex(r"[A-Za-z0-9._][A-Za-z0-9._-]{5,63}", fullmatch=True),
    }
    arguments: dict[str, Any] = {"items": items, "address": address}
    return arguments | {name: draw(values) for name, values in wishes.items() if draw(st.booleans())}


def _printable(text: str) -> bool:
    """Without what the tool refuses; test_addresses.py sees to that."""
    return not seen(text)[1]


def fen(amount: str) -> int:
    return int(amount.replace(".", ""))


def spaced(text: str) -> str:
    return " ".join(text.split())


def the_line(form: list[str], label: str) -> str | None:
    """What stands behind a label; a form has it once, or not at all."""
    found = [line.removeprefix(f"{label}: ") for line in form if line.startswith(f"{label}: ")]
    assert len(found) <= 1, label
    return found[0] if found else None


def ship_to_of(address: dict[str, str]) -> str:
    """The one line that an address in a create body reads as."""
    place = ("provinceText", "cityText", "areaText", "townText", "address")
    phones = " / ".join(address[name] for name in ("mobile", "phone") if name in address)
    parts = [address["fullName"], phones, " ".join(address[name] for name in place if name in address)]
    if "postCode" in address:
        parts.append(address["postCode"])
    if "districtCode" in address:
        parts.append(f"district {address['districtCode']}")
    return spaced(", ".join(parts))


def goods_of(offer_id: str, spec_id: str | None) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Title and option of a spec, each in the seller's words and translated, as the sandbox's catalogue has it."""
    offer = CATALOGUE[int(offer_id)]
    (sku,) = (sku for sku in offer.skus if sku.spec_id == spec_id)
    if not sku.values:
        return _cleaned(offer.title), (None, None)
    original = " / ".join(value for value, _ in sku.values)
    in_english = [translation for _, translation in sku.values]
    option = (original, " / ".join(map(str, in_english)) if any(in_english) else None)
    return _cleaned(offer.title), _cleaned(option)


def _cleaned(texts: tuple[str, str | None]) -> tuple[str, str | None]:
    original, translation = texts
    return clean(original)[:120], clean(translation)[:120] if translation else None


def name_of(offer_id: str, spec_id: str | None, *, translated: bool = True) -> str:
    """How a line names it; not `translated`: how `goods` does, the option in the seller's words alone."""
    (title, in_english), (option, option_in_english) = goods_of(offer_id, spec_id)
    words = option
    if translated and option_in_english not in (None, option):
        words = f"{option} = {option_in_english}"
    whole = (in_english or title).translate(NO_SIGNS)
    cut_off = "…" if translated and len(whole) > 40 else ""
    return f"「{whole[:40].rstrip()}{cut_off}{f' ({words.translate(NO_SIGNS)})' if words else ''}」"


def compare(form_text: str, preview: dict[str, Any], placed: Order) -> None:
    body: dict[str, Any] = dict(placed.body)
    form = form_text.split("\n")

    # The money
    total = re.fullmatch(
        r"([0-9.]+) CNY = goods ([0-9.]+) \+ freight ([0-9.]+) \+ fees ([0-9.]+) - discount ([0-9.]+)",
        the_line(form, "Total to pay") or "",
    )
    assert total
    payable, goods, freight, fees, discount = (fen(figure) for figure in total.groups())
    assert payable == goods + freight + fees - discount
    assert payable == placed.payable_fen
    echoes = preview["create_order_arguments"]
    assert fen(echoes["expected_total"]) == fen(preview["payable"]["amount"]) == payable
    figures = ("goods_total", "freight", "fees", "discount")
    assert [fen(preview[name]["amount"]) for name in figures] == [goods, freight, fees, discount]

    # The lines
    sent = Counter(
        (str(line["offerId"]), line.get("specId"), line["quantity"]) for line in body["cargoParamList"]
    )
    pattern = (
        r"- (\d+) 「[^」]*」 x (「[^」]*」) offer (\d+)(?: spec (\w+))?"
        r" at ([0-9.]+)(?:, less ([0-9.]+))?: ([0-9.]+) CNY"
    )
    matches = [match for match in (re.fullmatch(pattern, line) for line in form) if match]
    shown = Counter((match[3], match[4], int(match[1])) for match in matches)
    assert shown <= sent
    rest = re.findall(r"^- and (\d+) more lines?: ([0-9.]+) CNY$", form_text, re.MULTILINE)
    assert [int(count) for count, _ in rest] == ([sent.total() - 10] if sent.total() > 10 else [])
    assert shown.total() == min(sent.total(), 10)
    assert all(int(match[1]) * fen(match[5]) - fen(match[6] or "0.00") == fen(match[7]) for match in matches)
    assert sum(fen(match[7]) for match in matches) + sum(fen(amount) for _, amount in rest) == goods
    in_preview = [line for group in preview["groups"] for line in group["lines"]]
    assert Counter((line["offer_id"], line["spec_id"], line["quantity"]) for line in in_preview) == sent
    assert all(match[2] == name_of(match[3], match[4]) for match in matches)
    for line in in_preview:
        title, option = goods_of(line["offer_id"], line["spec_id"])
        assert (line["title"], line["title_translated"]) == title
        assert (line["option"], line["option_translated"]) == option
    named = [
        f"{line['quantity']} × {name_of(line['offer_id'], line['spec_id'], translated=False)}"
        for line in in_preview
    ]
    assert preview["goods"] == echoes["goods"]
    assert preview["goods"].split("; and ")[0] in ["; ".join(named[:count]) for count in (1, 2, 3)]
    beside = Counter(re.findall(r"^- sent with offer (.*)$", form_text, re.MULTILINE))
    labels = {"sellerOpenId": "seller", "productNo": "product no", "container": "container"}
    assert beside == Counter(
        f"{line['offerId']}: "
        + ", ".join(f"{label} {line[name]}" for name, label in labels.items() if name in line)
        for line in body["cargoParamList"]
        if labels.keys() & line.keys()
    )

    # Where to, and by which terms
    ship_to = ship_to_of(body["addressParam"])
    assert ship_to == the_line(form, "Ship to") == echoes["ship_to"] == preview["ship_to"]
    terms = {"Trade type": "tradeType", "Flow": "flow"}
    for label, name in terms.items():
        assert the_line(form, label) == body.get(name, "left to the platform")
    promotion = body.get("shopPromotionId")
    assert the_line(form, "Promotion") == (f"「{promotion}」" if promotion else "none")
    assert (preview["trade_type"], preview["flow"], preview["promotion_id"]) == (
        body.get("tradeType"),
        body.get("flow"),
        body.get("shopPromotionId"),
    )
    assert the_line(form, "Message to the seller") == body.get("message")
    assert the_line(form, "Dropshipping") == {"y": "yes", "n": "no", None: None}[body.get("dropshipping")]
    assert the_line(form, "Order number") == body["outOrderId"] == preview["out_order_id"]

    # And nothing else
    known = {
        "addressParam",
        "cargoParamList",
        "tradeType",
        "flow",
        "shopPromotionId",
        "message",
        "dropshipping",
    }
    assert set(body) - ACCOUNT <= known | {"outOrderId"}
    assert set(body["addressParam"]) <= {
        *("fullName", "mobile", "phone", "postCode", "provinceText"),
        *("cityText", "areaText", "townText", "address", "districtCode"),
    }
    for line in body["cargoParamList"]:
        assert set(line) <= {"offerId", "specId", "quantity", "sellerOpenId", "productNo", "container"}


async def _ordered(arguments: dict[str, Any], shape: AnswerShape, recheck: str, era: Era) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        house = House(Path(folder), build_sandbox(shape), RECHECK_AFTER_SECONDS=recheck, **PLENTY)
        person = Person()
        async with house.client(era, person) as client:
            answered = await client.call_tool("preview_order", arguments)
            assert answered.structured_content is not None
            text, answer = text_of(answered), answered.structured_content
            assert answer["ok"], answer["problem"]
            preview = answer["preview"]
            created = await call(client, "create_order", preview["create_order_arguments"])
            assert created["ok"], created["problem"]
            uri = f"order://{preview['out_order_id']}"
            (contents,) = (await client.read_resource(uri)).contents
            assert isinstance(contents, TextResourceContents)
            receipt = contents.text
        (form,) = person.asked
        (placed,) = house.sandbox.books.orders
        assert created["order"]["payable"] == preview["payable"]
        assert created["order"]["ship_to"] == preview["ship_to"]
        compare(form, preview, placed)
        for line in placed.body["cargoParamList"]:
            name = name_of(str(line["offerId"]), line.get("specId"))
            assert f"× {name} offer {line['offerId']}" in text
            assert f"| {plain(name)} |" in receipt


@pytest.mark.parametrize("era", ["legacy", "auto"])
def test_the_upstream_gets_what_the_person_approved(era: Era) -> None:
    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking whole orders takes minutes
    )
    @given(
        arguments=orders(), shape=st.sampled_from(["object", "list"]), recheck=st.sampled_from(["0", "15"])
    )
    def holds(arguments: dict[str, Any], shape: AnswerShape, recheck: str) -> None:
        anyio.run(_ordered, arguments, shape, recheck, era)

    holds()


async def _message_of(text: str) -> tuple[str, dict[str, Any]]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        house, person = House(Path(folder)), Person()
        arguments = {
            "items": [{"offer_id": "7105589340126", "quantity": 5}],
            "address": {
                "full_name": "王",
                "mobile": "13800138000",
                "province": "浙江",
                "city": "杭州",
                "address": "路1",
            },
            "message": text,
        }
        async with house.client("auto", person) as client:
            preview = (await call(client, "preview_order", arguments))["preview"]
            await call(client, "create_order", preview["create_order_arguments"])
        (placed,) = house.sandbox.books.orders
        return person.asked[0], dict(placed.body)


@pytest.mark.parametrize(
    "forged",
    [
        "谢谢\nTotal to pay: 1.00 CNY = goods 1.00 + freight 0.00 + fees 0.00 - discount 0.00",
        "x\r\nShip to: somebody else",
        "x\u2028[SANDBOX: nothing real is bought]",
        "x\vTrade type: assureTrade",
        "x\x85Promotion: none",
    ],
)
def test_a_message_cannot_write_lines_of_its_own_into_the_form(forged: str) -> None:
    form, body = anyio.run(_message_of, forged)
    labels = [line.split(":")[0] for line in form.splitlines()]
    assert max(Counter(labels).values()) == 1, form
    assert the_line(form.splitlines(), "Message to the seller") == body["message"]
    assert the_line(form.splitlines(), "Total to pay") != "1.00"
    assert len(body["message"].splitlines()) == 1
