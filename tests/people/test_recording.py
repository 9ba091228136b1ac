"""`doctor --record` and `call`: raw answers as files and on the terminal, without secrets and people."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from harness.patient import Answer, Patient, patient, sandbox_on_a_port, server_that
from harness.settings import SANDBOX_ACCOUNT
from harness.vendor_request import VENDOR_EXAMPLE_REQUEST
from recorded.player import play
from xportcn_server.commands.cli import main
from xportcn_server.doctor.scrubbing import Scrubber, as_json
from xportcn_server.sandbox.books import Bill
from xportcn_server.sandbox.parsing import CreateBody, read
from xportcn_server.sandbox.prices import price
from xportcn_server.sandbox.service import Sandbox, build_sandbox
from xportcn_tools.goods.product import Product, SearchPage
from xportcn_tools.upstream.requests import PREVIEW_PATH
from xportcn_tools.upstream_state import UpstreamOrder

__all__ = ["patient"]

PERSON = {"fullName": "王小明", "mobile": "13912345678", "address": "网商路699号", "cityText": "杭州市"}


def sandbox_with_an_order() -> Sandbox:
    """One order of a person, by the vendor's sample of an address."""
    sandbox = build_sandbox()
    address = cast("dict[str, str]", VENDOR_EXAMPLE_REQUEST["addressParam"]) | PERSON
    request = {**VENDOR_EXAMPLE_REQUEST, "outOrderId": "PO-2026-7731", "addressParam": address}
    order = read(CreateBody, json.dumps(request).encode())
    (priced,) = price(order, sandbox.catalogue)
    bill = Bill(priced.payment_fen, priced.carriage_fen, priced.lines)
    sandbox.books.place(request, trade_type="alipay", bills=[bill], now=datetime.now(UTC))
    return sandbox


def recorded(patient: Patient, sandbox: Sandbox, **settings: str) -> Path:
    folder = patient.folder / "answers"
    with sandbox_on_a_port(sandbox) as base_url:
        patient.set(**{"MODE": "live", "BASE_URL": base_url} | SANDBOX_ACCOUNT | settings)
        report = patient.examined("--record", str(folder))
    assert report.checks["record"]["status"] == "ok"
    assert str(folder) in report.checks["record"]["found"]
    return folder


def texts(folder: Path) -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted(folder.iterdir()))


def test_a_recorded_folder_holds_no_secret_and_no_person_and_plays(patient: Patient) -> None:
    sandbox = sandbox_with_an_order()
    folder = recorded(patient, sandbox)
    written = texts(folder)
    (order,) = sandbox.books.orders
    planted = [*SANDBOX_ACCOUNT.values(), *PERSON.values(), *order.order_ids, order.out_order_id]
    planted += ["滨江区", "330108", "310000", *map(str, sandbox.catalogue)]
    assert [each for each in planted if each in written] == []

    played = {each.call: each for each in play(folder)}
    page, product = played["search"].read, played["product"].read
    assert isinstance(page, SearchPage)
    assert isinstance(product, Product)
    assert page.products[0].offer_id == product.offer_id
    details = played["order details"].read
    (row,) = cast("list[UpstreamOrder]", played["order list"].read)
    assert isinstance(details, UpstreamOrder)
    assert row.order_id == details.order_id == played["order details"].request["orderId"]
    assert row.out_order_id == details.out_order_id
    assert details.total is not None
    assert details.total * 100 == order.payable_fen
    assert [item.amount for item in details.items] == [58]


def test_the_readme_of_a_folder_names_each_file_and_what_is_hidden(patient: Patient) -> None:
    folder = recorded(patient, build_sandbox())
    readme = (folder / "README.md").read_text("utf-8")
    for path in folder.glob("*.json"):
        assert path.name in readme
    for word in ("keys", "names", "phones", "addresses", "ids", "look through the files"):
        assert word in readme


def test_a_page_of_a_firewall_is_kept_as_its_title_and_length(patient: Patient) -> None:
    page = f"<html><title>403 for {SANDBOX_ACCOUNT['ACCESS_KEY']} at 203.0.113.77</title>王小明</html>"
    folder = patient.folder / "answers"
    with server_that(Answer(403, page)) as base_url:
        patient.set(MODE="live", BASE_URL=base_url, **SANDBOX_ACCOUNT)
        patient.examined("--record", str(folder))
    content = json.loads((folder / "01-search.json").read_text("utf-8"))
    assert content["not_json"]["bytes"] == len(page.encode())
    assert content["not_json"]["title"].startswith("403 for ***")
    for each in (SANDBOX_ACCOUNT["ACCESS_KEY"], "203.0.113.77", "王小明"):
        assert each not in texts(folder)
    (played,) = play(folder)
    assert str(played.read).startswith("HTTP 403: the body is not JSON")


def test_a_text_of_a_refusal_stays_readable_without_what_it_repeats(patient: Patient) -> None:
    said = "收货人王小明(13912345678)的地址无效, key SANDBOX0access0key, mail ming@example.cn"
    answer = {"code": 400, "msg": said, "data": {"contactPerson": "王小明", "count": 3, "id": 7}}
    folder = patient.folder / "answers"
    with server_that(Answer(200, json.dumps(answer, ensure_ascii=False))) as base_url:
        patient.set(MODE="live", BASE_URL=base_url, **SANDBOX_ACCOUNT)
        patient.examined("--record", str(folder))
    written = texts(folder)
    for each in ("王小明", "13912345678", "SANDBOX0access0key", "ming@example.cn"):
        assert each not in written
    content = json.loads((folder / "01-search.json").read_text("utf-8"))["answer"]
    assert content["msg"].startswith("收货人")
    assert "的地址无效" in content["msg"]
    assert (content["code"], content["data"]["count"]) == (400, 3)
    assert content["data"]["id"] != 7


def test_a_folder_that_is_there_is_not_written_to(patient: Patient) -> None:
    done = CliRunner().invoke(main, ["doctor", "--record", str(patient.folder)], env=patient.environ())
    assert done.exit_code == 2
    assert "does not exist yet" in done.stderr


def test_two_recordings_have_no_id_in_common(patient: Patient) -> None:
    def offers() -> set[str]:
        folder = recorded(patient, build_sandbox())
        (page,) = [each.read for each in play(folder) if each.call == "search"]
        assert isinstance(page, SearchPage)
        folder.rename(folder.with_name(page.products[0].offer_id))
        return {each.offer_id for each in page.products}

    assert not offers() & offers()


FIELDS = st.sampled_from(
    ["fullName", "orderId", "mobile", "memo", "whatever", "data", "id", "name", "value", "count", "price"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(FIELDS | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_a_scrubbed_answer_has_its_form_and_is_the_same_each_time(value: Any) -> None:
    scrubber = Scrubber(["Kolibri-7719"], b"salt")
    first = scrubber.scrub(value)
    assert form(first) == form(value)
    assert json.loads(as_json(first)) == json.loads(as_json(scrubber.scrub(value)))


def form(value: object) -> object:
    if isinstance(value, dict):
        return [form(each) for each in cast("dict[str, object]", value).values()]
    return [form(each) for each in cast("list[object]", value)] if isinstance(value, list) else type(value)


@given(
    st.sampled_from(["whatever", "msg", "subject", "code", "status", "count", "createTime", "fullName"]),
    st.sampled_from(
        [
            "Kolibri-7719",
            "https://x.example/Kolibri-7719",
            "a Kolibri-7719 b",
            "xKolibri7719x",
            "['Kolibri-7719']",
        ]
    ),
)
def test_a_secret_is_in_no_field_whatever_its_name(name: str, text: str) -> None:
    scrubber = Scrubber(["Kolibri-7719", "Kolibri7719"], b"salt")
    scrubbed = as_json(scrubber.scrub({name: text, text: [text, {text: 1}], "n": [{name: [text]}]}))
    assert "Kolibri" not in scrubbed


def test_ids_that_differ_stay_different_and_equal_ones_equal_as_number_and_as_text() -> None:
    scrubber = Scrubber([], b"salt")
    ids = [*range(1, 40), *range(610947572360, 610947572400)]
    made = [scrubber.scrub({"offerId": each, "ids": [str(each)], "offerIds": [str(each)]}) for each in ids]
    assert len({as_json(each) for each in made}) == len(ids)
    for each in made:
        fields = cast("dict[str, object]", each)
        assert [str(fields["offerId"])] == fields["offerIds"]


def test_a_birthday_is_a_persons_and_the_time_of_an_order_is_not() -> None:
    fields = {"birthDate": "1990-01-02", "payTime": "20260601093000000+0800", "createTime": 1780000000000}
    scrubbed = cast("dict[str, object]", Scrubber([], b"salt").scrub(fields))
    assert scrubbed["birthDate"] != fields["birthDate"]
    assert scrubbed == fields | {"birthDate": scrubbed["birthDate"]}


# call


def called(patient: Patient, *words: str) -> Result:
    return CliRunner().invoke(main, ["call", *words], env=patient.environ(), prog_name="xportcn-mcp")


def test_a_call_prints_the_raw_answer_without_the_keys(patient: Patient) -> None:
    sandbox = sandbox_with_an_order()
    with sandbox_on_a_port(sandbox) as base_url:
        patient.set(MODE="live", BASE_URL=base_url, **SANDBOX_ACCOUNT)
        done = called(patient, "/alibaba/ka/order/page", '{"page": 1, "pageSize": 5}')
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert answer["data"]["result"][0]["baseInfo"]["idOfStr"] == sandbox.books.orders[0].order_ids[0]
    assert sandbox.books.paths == ["/alibaba/ka/order/page"]


@pytest.mark.parametrize("words", ["create", "pay", "cancel", "create/preview/", "detail/update"])
def test_a_call_that_may_do_more_than_read_is_refused_and_nothing_is_sent(
    patient: Patient, words: str
) -> None:
    sandbox = build_sandbox()
    with sandbox_on_a_port(sandbox) as base_url:
        patient.set(MODE="live", BASE_URL=base_url, **SANDBOX_ACCOUNT)
        done = called(patient, f"/alibaba/ka/order/{words}")
    assert done.exit_code == 2
    assert "nothing was sent" in done.stderr
    assert "/alibaba/ka/order/detail" in done.stderr
    assert sandbox.books.paths == []


def test_a_call_goes_to_the_sandbox_in_sandbox_mode_and_a_preview_may_be_recorded(patient: Patient) -> None:
    folder = patient.folder / "answer"
    body = json.dumps(VENDOR_EXAMPLE_REQUEST)
    done = called(patient, PREVIEW_PATH, body, "--record", str(folder))
    assert done.exit_code == 0, done.output
    (played,) = play(folder)
    assert played.call == "preview"
    assert played.reply
    for each in ("张三", "13800138000", "网商路699号", "610947572360"):
        assert each not in texts(folder)


def test_a_call_that_finds_nothing_ends_with_1_and_says_what_came(patient: Patient) -> None:
    done = called(patient, "/alibaba/ka/nowhere/query")
    assert done.exit_code == 1
    assert "HTTP 404" in done.stderr


@pytest.mark.parametrize("body", ["[]", "{", "7", '"x"'])
def test_a_body_that_is_no_object_is_refused(patient: Patient, body: str) -> None:
    done = called(patient, "/alibaba/ka/order/page", body)
    assert done.exit_code == 2
    assert "must be an object" in done.stderr
