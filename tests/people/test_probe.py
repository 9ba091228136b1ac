"""`doctor --probe` on a sandbox set to each rule, unit and set of paths: it finds the right one by reading alone."""

import itertools
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from harness.patient import Answer, Patient, Report, patient, sandbox_on_a_port, server_that
from harness.settings import SANDBOX_ACCOUNT
from harness.vendor_request import VENDOR_EXAMPLE_REQUEST
from xportcn_server.doctor.probe import sum_up
from xportcn_server.doctor.signed_call import Attempt, Meaning, sort_reply
from xportcn_server.sandbox.books import Bill
from xportcn_server.sandbox.parsing import CreateBody, Operation, read
from xportcn_server.sandbox.prices import price
from xportcn_server.sandbox.service import INFERRED_PATHS, Sandbox, build_sandbox
from xportcn_tools.upstream.envelope import read_envelope
from xportcn_tools.upstream.outcome import Reply
from xportcn_tools.upstream.reading_paths import reads_only
from xportcn_tools.upstream.signing import SignatureRule, TimestampUnit

__all__ = ["patient"]

RULES: tuple[SignatureRule, ...] = ("concat", "query")
UNITS: tuple[TimestampUnit, ...] = ("s", "ms")

SEARCH = "/alibaba/ka/product/keywords/query"
KA = {name: path for path, name in INFERRED_PATHS.items()}
SIBLING: Mapping[str, Operation] = {
    "/alibaba/product/detail/get": "sibling-product",
    "/alibaba/order/page": "list",
    "/alibaba/order/detail": "details",
}
PATHS: dict[str, Mapping[str, Operation]] = {"as inferred": INFERRED_PATHS, "sibling": SIBLING, "none": {}}
LINES = {
    "as inferred": {
        f"XPORTCN_PRODUCT_PATH={KA['product']}",
        f"XPORTCN_ORDER_LIST_PATH={KA['list']}",
        f"XPORTCN_ORDER_DETAIL_PATH={KA['details']}",
        "XPORTCN_ORDER_LOOKUP=on",
    },
    "sibling": {
        "XPORTCN_PRODUCT_PATH=/alibaba/product/detail/get",
        "XPORTCN_ORDER_LIST_PATH=/alibaba/order/page",
        "XPORTCN_ORDER_DETAIL_PATH=/alibaba/order/detail",
        "XPORTCN_ORDER_LOOKUP=on",
    },
    "none": set[str](),
}


def only_read(sandbox: Sandbox) -> None:
    """The sandbox's book of calls has nothing but calls that read."""
    assert sandbox.books.paths
    assert [path for path in sandbox.books.paths if not reads_only(path) or "create" in path] == []


def probed(patient: Patient, sandbox: Sandbox, **settings: str) -> Report:
    with sandbox_on_a_port(sandbox) as base_url:
        patient.set(**{"MODE": "preview", "BASE_URL": base_url} | SANDBOX_ACCOUNT | settings)
        report = patient.examined("--probe")
    only_read(sandbox)
    return report


def found_by(report: Report) -> dict[str, Any]:
    return report.content["probe"]


def meanings(report: Report, call: str) -> list[tuple[str, str]]:
    return [(each["path"], each["meaning"]) for each in found_by(report)["paths"] if each["call"] == call]


@pytest.mark.parametrize(("rule", "unit", "paths"), [*itertools.product(RULES, UNITS, PATHS)])
def test_rule_unit_and_paths_that_the_account_accepts_are_found(
    patient: Patient, rule: SignatureRule, unit: TimestampUnit, paths: str
) -> None:
    report = probed(patient, build_sandbox(rule=rule, unit=unit, paths=PATHS[paths]))
    probe = found_by(report)
    assert (probe["outcome"], probe["inferred"]) == ("accepted", False)
    signing = {f"XPORTCN_SIGNATURE={rule}", f"XPORTCN_TIMESTAMP_UNIT={unit}"}
    assert set(probe["env_lines"]) == signing | LINES[paths]
    assert [attempt["meaning"] for attempt in probe["attempts"]].count("accepted") == 1
    assert (probe["attempts"][-1]["signature"], probe["attempts"][-1]["timestamp_unit"]) == (rule, unit)
    assert report.code == 0


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("rule", RULES)
def test_a_person_gets_the_lines_to_copy(patient: Patient, rule: SignatureRule, unit: TimestampUnit) -> None:
    with sandbox_on_a_port(build_sandbox(rule=rule, unit=unit)) as base_url:
        patient.set(MODE="live", BASE_URL=base_url, **SANDBOX_ACCOUNT)
        code, printed = patient.told("--probe")
    assert f"\nXPORTCN_SIGNATURE={rule}\nXPORTCN_TIMESTAMP_UNIT={unit}\nXPORTCN_PRODUCT_PATH=" in printed
    assert code == 0


def test_the_pair_that_is_set_is_tried_first_and_is_then_the_only_one(patient: Patient) -> None:
    sandbox = build_sandbox(rule="query", unit="ms")
    report = probed(patient, sandbox, SIGNATURE="query", TIMESTAMP_UNIT="ms")
    assert report.checks["probe"]["status"] == "ok"
    assert len(found_by(report)["attempts"]) == 1
    # The check of the network, which is not signed, then the probe: keyword search first.
    assert sandbox.books.paths == [SEARCH, SEARCH, KA["product"], KA["list"], KA["details"]]


def test_another_pair_than_the_one_that_is_set_is_a_warning_that_names_it(patient: Patient) -> None:
    check = probed(patient, build_sandbox(rule="query")).checks["probe"]
    assert check["status"] == "warning"
    assert "XPORTCN_SIGNATURE=query" in check["next_step"]


def test_at_most_four_searches_are_signed(patient: Patient) -> None:
    sandbox = build_sandbox()
    report = probed(patient, sandbox, ACCESS_SECRET="not-the-secret")
    assert len(found_by(report)["attempts"]) == 4
    assert sandbox.books.paths == [SEARCH] * 5


# Paths


def test_a_path_that_answers_404_is_not_confirmed_and_the_next_candidate_is_tried(patient: Patient) -> None:
    report = probed(patient, build_sandbox(paths=SIBLING))
    assert meanings(report, "product") == [
        (KA["product"], "not confirmed"),
        ("/alibaba/product/detail/get", "confirmed"),
    ]


def test_paths_that_nobody_confirms_are_warnings_only_where_they_are_in_use(patient: Patient) -> None:
    checks = probed(patient, build_sandbox(paths={})).checks
    assert checks["path of product"]["status"] == "warning"
    assert "XPORTCN_PRODUCTS=off" in checks["path of product"]["next_step"]
    assert checks["path of order list"]["status"] == "ok"
    assert "not in use" in checks["path of order list"]["found"]
    checks = probed(patient, build_sandbox(paths={}), ORDER_LOOKUP="on").checks
    assert "XPORTCN_ORDER_LOOKUP off" in checks["path of order list"]["next_step"]


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ("path-404", "not confirmed"),
        ("no-such-interface", "not confirmed"),
        ("not-permitted", "not permitted"),
        ("no-such-product", "confirmed"),
        ("no-such-product-native", "confirmed"),
        ("other-offer", "unreadable"),
        ("html", "unreadable"),
        ("null-data", "unreadable"),
        ("http-503", "no answer"),
        ("cut-json", "unreadable"),
    ],
)
def test_what_a_product_path_answers_is_told_apart(patient: Patient, fault: str, verdict: str) -> None:
    sandbox = build_sandbox()
    for operation in ("product", "sibling-product"):
        sandbox.faults.add(fault, operation, times=None)
    report = probed(patient, sandbox)
    assert {meaning for _, meaning in meanings(report, "product")} == {verdict}
    assert found_by(report)["outcome"] == "accepted"
    assert ("XPORTCN_PRODUCT_PATH" in report.printed) is (verdict == "confirmed")


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ("path-404", "not confirmed"),
        ("no-such-order", "confirmed"),
        ("other-order", "unreadable"),
        ("null-data", "unreadable"),
        ("firewall", "not permitted"),
        ("totals-in-fen", "confirmed"),
    ],
)
def test_what_the_path_of_order_details_answers_is_told_apart(
    patient: Patient, fault: str, verdict: str
) -> None:
    sandbox = build_sandbox()
    ordered = read(CreateBody, json.dumps(VENDOR_EXAMPLE_REQUEST).encode())
    bill = Bill(6400, 600, price(ordered, sandbox.catalogue)[0].lines)
    sandbox.books.place(VENDOR_EXAMPLE_REQUEST, trade_type="alipay", bills=[bill], now=datetime.now(UTC))
    sandbox.faults.add(fault, "details", times=None)
    report = probed(patient, sandbox)
    assert meanings(report, "order details")[0] == (KA["details"], verdict)


@pytest.mark.parametrize("name", ["ORDER_DETAIL_PATH", "ORDER_LIST_PATH", "PRODUCT_PATH", "SEARCH_PATH"])
def test_a_path_of_the_owner_that_may_do_more_than_read_is_not_tried(patient: Patient, name: str) -> None:
    sandbox = build_sandbox()
    report = probed(patient, sandbox, **{name: "/alibaba/ka/order/send"})
    assert "/alibaba/ka/order/send" not in sandbox.books.paths
    assert found_by(report)["outcome"] == "accepted"


# Refusals


@pytest.mark.parametrize("rule", RULES)
def test_the_right_pair_is_found_where_the_search_alone_is_not_permitted(
    patient: Patient, rule: SignatureRule
) -> None:
    report = probed(patient, build_sandbox(rule=rule, forbidden=["search"]))
    probe = found_by(report)
    assert probe["outcome"] == "accepted"
    assert f"XPORTCN_SIGNATURE={rule}" in probe["env_lines"]
    assert "search is not permitted" in probe["found"]


@pytest.mark.parametrize("rule", RULES)
def test_an_account_that_may_call_nothing_is_named_and_nothing_is_accepted(
    patient: Patient, rule: SignatureRule
) -> None:
    everything = (*INFERRED_PATHS.values(), *cast("list[Operation]", ["search"]))
    report = probed(patient, build_sandbox(rule=rule, forbidden=everything))
    probe = found_by(report)
    assert (probe["outcome"], probe["env_lines"]) == ("permission", [])
    assert f"{rule} with s" in probe["found"]
    assert {each["meaning"] for each in probe["paths"] if each["path"] in (*INFERRED_PATHS, SEARCH)} == {
        "not permitted"
    }


@pytest.mark.parametrize(
    ("settings", "outcome", "cure"),
    [
        ({"ACCESS_SECRET": "not-the-secret"}, "signature", "XPORTCN_ACCESS_SECRET"),
        ({"ACCESS_KEY": "NOT0the0key"}, "key", "XPORTCN_ACCESS_KEY"),
        ({"USER_ID": "not-the-user"}, "user", "XPORTCN_USER_ID"),
    ],
    ids=["secret", "key", "user"],
)
def test_a_refused_search_is_named_with_its_cure_and_the_raw_answer(
    patient: Patient, settings: dict[str, str], outcome: str, cure: str
) -> None:
    report = probed(patient, build_sandbox(), **settings)
    probe = found_by(report)
    assert (probe["outcome"], probe["inferred"], probe["env_lines"]) == (outcome, True, [])
    assert report.checks["probe"]["status"] == "fault"
    assert cure in report.checks["probe"]["next_step"]
    assert report.code == 1
    assert "XPORTCN_SIGNATURE=" not in report.printed
    assert probe["paths"] == []
    for attempt in probe["attempts"]:
        assert attempt["code"] == "401"
        assert attempt["text"]
        assert attempt["request_id"]


def test_a_person_sees_the_raw_answers_for_the_vendor_and_what_is_inferred(patient: Patient) -> None:
    with sandbox_on_a_port(build_sandbox()) as base_url:
        patient.set(
            MODE="preview", BASE_URL=base_url, **SANDBOX_ACCOUNT | {"ACCESS_SECRET": "not-the-secret"}
        )
        code, printed = patient.told("--probe")
    assert code == 1
    assert (
        f"concat s  {SEARCH}  signature refused, inferred: HTTP 200, code 401, 「签名错误」, request"
        in printed
    )
    assert f"query  ms {SEARCH}  timestamp refused (the clock, or the unit), inferred: " in printed
    assert "For .env" not in printed


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_is_off_is_told_from_a_wrong_signature(patient: Patient, hours: int) -> None:
    sandbox = build_sandbox(clock=lambda: datetime.now(UTC) + timedelta(hours=hours))
    report = probed(patient, sandbox)
    assert found_by(report)["outcome"] == "clock"
    assert "clock" in report.checks["probe"]["next_step"]


def test_only_the_upstreams_own_words_stand_between_signs(patient: Patient) -> None:
    with sandbox_on_a_port(build_sandbox(paths={})) as base_url:
        patient.set(MODE="preview", BASE_URL=base_url, **SANDBOX_ACCOUNT)
        _, printed = patient.told("--probe")
    (line, *_) = [each for each in printed.splitlines() if KA["list"] in each and "HTTP" in each]
    assert "not confirmed, inferred: HTTP 404, the body is not JSON" in line
    assert "「" not in line


@pytest.mark.parametrize("fault", ["firewall", "html"])
def test_a_page_instead_of_an_answer_is_named_and_asked_for_once(patient: Patient, fault: str) -> None:
    sandbox = build_sandbox()
    sandbox.faults.add(fault, "search", times=None)
    report = probed(patient, sandbox)
    assert (found_by(report)["outcome"], found_by(report)["inferred"]) == ("page", False)
    assert "firewall" in report.checks["probe"]["found"]
    assert sandbox.books.paths == [SEARCH, SEARCH]


def test_no_path_of_the_search_means_another_address(patient: Patient) -> None:
    sandbox = build_sandbox()
    report = probed(patient, sandbox, SEARCH_PATH="/alibaba/ka/nowhere/query")
    assert found_by(report)["outcome"] == "path"
    assert "XPORTCN_BASE_URL" in report.checks["probe"]["next_step"]
    assert len(found_by(report)["attempts"]) == 1


def test_the_upstreams_trouble_says_nothing_of_the_signature(patient: Patient) -> None:
    sandbox = build_sandbox()
    sandbox.faults.add("http-503", "search", times=None)
    report = probed(patient, sandbox)
    assert found_by(report)["outcome"] == "unclear"
    assert found_by(report)["attempts"][0]["http_status"] == 503
    assert sandbox.books.paths == [SEARCH] * 5


def test_an_upstream_that_limits_calls_is_not_asked_again(patient: Patient) -> None:
    sandbox = build_sandbox()
    sandbox.faults.add("http-429", "search", times=None)
    assert len(found_by(probed(patient, sandbox))["attempts"]) == 1


def test_where_nobody_answers_one_try_is_enough(patient: Patient) -> None:
    with server_that(Answer(status=0)) as base_url:
        patient.set(MODE="preview", BASE_URL=base_url, **SANDBOX_ACCOUNT)
        report = patient.examined("--probe")
    assert found_by(report)["outcome"] == "unreachable"
    assert len(found_by(report)["attempts"]) == 1


def test_in_sandbox_mode_it_says_that_it_needs_an_account(patient: Patient) -> None:
    report = patient.examined("--probe")
    assert found_by(report)["outcome"] == "not run"
    assert "account" in report.checks["probe"]["found"]
    assert "XPORTCN_MODE=preview" in report.checks["probe"]["next_step"]


def test_without_credentials_nothing_is_signed(patient: Patient) -> None:
    sandbox = build_sandbox()
    with sandbox_on_a_port(sandbox) as base_url:
        patient.set(MODE="preview", BASE_URL=base_url)
        report = patient.examined("--probe")
    assert found_by(report)["outcome"] == "not run"
    assert "XPORTCN_ACCESS_SECRET" in report.checks["probe"]["next_step"]
    assert sandbox.books.paths == [SEARCH]


def test_an_address_that_cannot_be_read_is_not_replaced_by_the_real_one(patient: Patient) -> None:
    patient.set(MODE="preview", BASE_URL="http://xportcn.example/api", **SANDBOX_ACCOUNT)
    report = patient.examined("--probe")
    assert found_by(report)["outcome"] == "not run"
    assert report.checks["http"]["found"] == "not looked at"
    assert patient.examined().checks["account"]["found"] == "not looked at"


def test_an_answer_that_repeats_the_secret_is_shown_without_it(patient: Patient) -> None:
    secret = "Kolibri-Geheimnis-7719"
    body = f'{{"code":401,"msg":"签名错误: SANDBOX0access0key1760000000ABC{secret}","data":null}}'
    with server_that(Answer(body=body)) as base_url:
        patient.set(MODE="preview", BASE_URL=base_url, **SANDBOX_ACCOUNT | {"ACCESS_SECRET": secret})
        report = patient.examined("--probe")
        _, printed = patient.told("--probe")
    assert found_by(report)["outcome"] == "signature"
    for text in (report.printed, printed, patient.told()[1]):
        assert secret not in text
        assert SANDBOX_ACCOUNT["ACCESS_KEY"] not in text
    assert "***" in printed


# The plain doctor


def test_a_plain_doctor_makes_the_one_search(patient: Patient) -> None:
    sandbox = build_sandbox()
    with sandbox_on_a_port(sandbox) as base_url:
        patient.set(MODE="live", BASE_URL=base_url, **SANDBOX_ACCOUNT)
        report = patient.examined()
    assert report.checks["account"]["status"] == "ok"
    assert sandbox.books.paths == [SEARCH, SEARCH]


@pytest.mark.parametrize(
    "settings",
    [{"ACCESS_SECRET": "not-the-secret"}, {"USER_ID": "not-the-user"}, {"SIGNATURE": "query"}],
    ids=str,
)
def test_a_refused_search_is_a_fault_of_a_plain_doctor_that_names_the_probe(
    patient: Patient, settings: dict[str, str]
) -> None:
    sandbox = build_sandbox()
    with sandbox_on_a_port(sandbox) as base_url:
        patient.set(**{"MODE": "live", "BASE_URL": base_url} | SANDBOX_ACCOUNT | settings)
        report = patient.examined()
    assert [check["name"] for check in report.faults] == ["account"]
    assert "doctor --probe" in report.checks["account"]["next_step"]
    assert "「" in report.checks["account"]["found"]
    only_read(sandbox)


def test_a_search_that_has_no_answer_now_is_a_warning(patient: Patient) -> None:
    sandbox = build_sandbox()
    sandbox.faults.add("http-503", "search", times=None)
    with sandbox_on_a_port(sandbox) as base_url:
        patient.set(MODE="live", BASE_URL=base_url, **SANDBOX_ACCOUNT)
        report = patient.examined()
    assert (report.checks["account"]["status"], report.code) == ("warning", 0)


def said(code: object, text: str, status: int = 200, data: str = "null") -> Reply:
    code = f'"{code}"' if isinstance(code, str) else code
    return Reply(status, read_envelope(f'{{"code":{code},"msg":"{text}","data":{data}}}'.encode()))


@pytest.mark.parametrize(
    ("reply", "meaning", "inferred"),
    [
        (said(200, "成功"), "accepted", False),
        (said(200, "成功", data='{"success":false,"errorCode":"500_004","errorMsg":"x"}'), "unclear", True),
        (said(200, "成功", data='{"success":false,"errorMsg":"签名错误"}'), "signature", True),
        (said(200, "成功", data='{"success":false,"errorMsg":"库存不足"}'), "accepted", True),
        (said("500_001", "x"), "accepted", True),
        (said(400, "参数错误：签名不能为空"), "signature", True),
        (said(400, "invalid param: cargoParamList"), "accepted", True),
        (said(401, "x"), "signature", True),
        (said(403, "x"), "permission", True),
        (said(10001, "无权限访问该接口"), "permission", True),
        (said(10001, "IP不在白名单"), "permission", True),
        (said(10001, "Signature expired"), "clock", True),
        (said(10001, "invalid appKey"), "key", True),
        (said(10001, "x", status=401), "signature", True),
        (said(10001, "x"), "unclear", True),
        (said(400, "IP address is not registered for this account"), "unclear", True),
        (said(400, "请求参数校验失败"), "unclear", True),
        (said(400, "parameter error"), "unclear", True),
        (said(400, "address not known: bind your server IP"), "unclear", True),
        (said(400, "flow control: slow down"), "unclear", True),
        (said(400, "非法下单请求"), "unclear", True),
        (said(400, "special offer ended"), "unclear", True),
        (said(400, "offerId 1 does not exist"), "accepted", True),
        (said(400, "该商品已下架"), "accepted", True),
        (said(400, "insufficient stock"), "accepted", True),
        (said(500, "商品系统异常"), "unclear", True),
        (said(-1, "系统繁忙"), "unclear", True),
        (said(200, "成功", status=502), "unclear", True),
        (said(403, "sub-account not allowed"), "user", True),
        (said(404, "接口不存在"), "path", True),
        (Reply(404, None, "not JSON"), "path", True),
        (Reply(403, None, "not JSON"), "permission", True),
        (Reply(403, None, "not JSON", body=b"\n<html>"), "page", False),
        (Reply(200, None, "not JSON", body=b"<!doctype html>"), "page", False),
        (Reply(503, None, "not JSON", body=b"<html>"), "unclear", True),
        (Reply(200, None, "not JSON"), "unclear", True),
    ],
    ids=lambda part: f"{part.code} {part.text}" if isinstance(part, Reply) else str(part),
)
def test_an_answer_is_sorted_conservatively(reply: Reply, meaning: str, *, inferred: bool) -> None:
    assert sort_reply(reply) == (meaning, inferred)


@pytest.mark.parametrize("meaning", ["unclear", "permission", "user", "clock"])
def test_one_answer_unlike_the_others_is_named_as_a_candidate_and_no_more(meaning: Meaning) -> None:
    pairs: list[tuple[SignatureRule, TimestampUnit]] = [(rule, unit) for rule in RULES for unit in UNITS]
    other: Meaning = "signature" if meaning == "clock" else "clock"
    meanings: tuple[Meaning, ...] = ("signature", other, meaning, other)
    finding = sum_up(
        tuple(
            Attempt("search", SEARCH, rule, unit, 200, "10001", "x", None, each, inferred=True)
            for (rule, unit), each in zip(pairs, meanings, strict=True)
        )
    )
    assert finding.outcome == meaning
    assert finding.env_lines == ()
    assert "query with s" in finding.found


@pytest.mark.parametrize(
    "path",
    [
        "/alibaba/ka/order/create/preview",
        "/alibaba/ka/order/detail",
        "/alibaba/ka/product/image/query",
        "/alibaba/ka/logistics/traceInfo",
        "/alibaba/ka/user/address/list",
        "/alibaba/freight/estimate",
        "/wms/stock/getDetailList",
    ],
)
def test_a_path_that_reads_may_be_called(path: str) -> None:
    assert reads_only(path)


@pytest.mark.parametrize(
    "path",
    [
        "/alibaba/ka/order/create",
        "/alibaba/ka/order/CREATE",
        "/alibaba/ka/order/create/",
        "/alibaba/ka/order/create/preview/",
        "/alibaba/ka/order/create/Preview",
        "/alibaba/ka/order/create/detail",
        "/alibaba/ka/order/pay",
        "/alibaba/ka/order/payUrl/get",
        "/alibaba/ka/order/cancel",
        "/alibaba/ka/order/cancelAndGet",
        "/alibaba/ka/order/queryanddelete",
        "/alibaba/ka/user/address/add",
        "/alibaba/ka/user/address/addGet",
        "/alibaba/ka/user/address/saveInfo",
        "/alibaba/ka/order/receiveGoods/detail",
        "/alibaba/ka/order",
        "/alibaba/ka/detail/order",
        "/alibaba/ka/order/target",
        "/alibaba/ka/order/../order/detail",
        "/alibaba/ka/order/detail?op=pay",
        "/alibaba/ka/order/%63reate/get",
        "alibaba/ka/order/detail",
        "//evil.example/detail",
        "/alibaba/ka/order/detail ",
        "",
    ],
)
def test_a_path_that_may_do_more_than_read_is_refused(path: str) -> None:
    assert not reads_only(path)
