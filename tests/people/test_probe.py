"""`doctor --probe` on a sandbox set to each rule and unit: it finds the right pair, and creates nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from harness.patient import Answer, Patient, Report, patient, sandbox_on_a_port, server_that
from harness.settings import SANDBOX_ACCOUNT
from xportcn_server.doctor.probe import Attempt, Meaning, sort_reply, sum_up
from xportcn_server.sandbox.service import Sandbox, build_sandbox
from xportcn_tools.upstream.outcome import Reply
from xportcn_tools.upstream.signing import SignatureRule, TimestampUnit
from xportcn_tools.upstream.wire import read_envelope

__all__ = ["patient"]

RULES: tuple[SignatureRule, ...] = ("concat", "query")
UNITS: tuple[TimestampUnit, ...] = ("s", "ms")


def probed(patient: Patient, sandbox: Sandbox, **settings: str) -> Report:
    with sandbox_on_a_port(sandbox) as base_url:
        patient.set(**{"MODE": "preview", "BASE_URL": base_url} | SANDBOX_ACCOUNT | settings)
        report = patient.examined("--probe")
    assert sandbox.books.received["create"] == 0
    assert sandbox.books.orders == []
    return report


def found_by(report: Report) -> dict[str, Any]:
    return report.content["probe"]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("rule", RULES)
def test_the_pair_that_the_account_accepts_is_found(
    patient: Patient, rule: SignatureRule, unit: TimestampUnit
) -> None:
    report = probed(patient, build_sandbox(rule=rule, unit=unit))
    probe = found_by(report)
    assert (probe["outcome"], probe["inferred"]) == ("accepted", False)
    assert probe["env_lines"] == [f"XPORTCN_SIGNATURE={rule}", f"XPORTCN_TIMESTAMP_UNIT={unit}"]
    assert [attempt["meaning"] for attempt in probe["attempts"]].count("accepted") == 1
    assert probe["attempts"][-1]["signature"] == rule
    assert probe["attempts"][-1]["timestamp_unit"] == unit
    assert report.code == 0


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("rule", RULES)
def test_a_person_gets_the_two_lines_to_copy(
    patient: Patient, rule: SignatureRule, unit: TimestampUnit
) -> None:
    with sandbox_on_a_port(build_sandbox(rule=rule, unit=unit)) as base_url:
        patient.set(MODE="live", BASE_URL=base_url, **SANDBOX_ACCOUNT)
        code, printed = patient.told("--probe")
    assert f"\nXPORTCN_SIGNATURE={rule}\nXPORTCN_TIMESTAMP_UNIT={unit}\n" in printed
    assert code == 0


def test_the_pair_that_is_set_is_tried_first_and_is_then_the_only_call(patient: Patient) -> None:
    sandbox = build_sandbox(rule="query", unit="ms")
    report = probed(patient, sandbox, SIGNATURE="query", TIMESTAMP_UNIT="ms")
    assert report.checks["probe"]["status"] == "ok"
    assert len(found_by(report)["attempts"]) == 1
    assert sandbox.books.received["preview"] == 2  # the check of the network, which is not signed, and this


def test_another_pair_than_the_one_that_is_set_is_a_warning_that_names_it(patient: Patient) -> None:
    check = probed(patient, build_sandbox(rule="query")).checks["probe"]
    assert check["status"] == "warning"
    assert "XPORTCN_SIGNATURE=query" in check["next_step"]


def test_at_most_four_calls_are_signed(patient: Patient) -> None:
    sandbox = build_sandbox()
    report = probed(patient, sandbox, ACCESS_SECRET="not-the-secret")
    assert len(found_by(report)["attempts"]) == 4
    assert sandbox.books.received["preview"] == 1 + 4


@pytest.mark.parametrize(
    ("settings", "outcome", "cure"),
    [
        ({"ACCESS_SECRET": "not-the-secret"}, "signature", "XPORTCN_ACCESS_SECRET"),
        ({"ACCESS_KEY": "NOT0the0key"}, "key", "XPORTCN_ACCESS_KEY"),
        ({"USER_ID": "not-the-user"}, "permission", "XPORTCN_USER_ID"),
    ],
    ids=["secret", "key", "user"],
)
def test_a_refused_preview_is_named_with_its_cure_and_the_raw_answer(
    patient: Patient, settings: dict[str, str], outcome: str, cure: str
) -> None:
    report = probed(patient, build_sandbox(), **settings)
    probe = found_by(report)
    assert (probe["outcome"], probe["inferred"], probe["env_lines"]) == (outcome, True, [])
    assert report.checks["probe"]["status"] == "fault"
    assert cure in report.checks["probe"]["next_step"]
    assert report.code == 1
    assert "XPORTCN_SIGNATURE=" not in report.printed
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
    assert "concat s   signature refused, inferred: HTTP 200, code 401, '签名错误', request id " in printed
    assert "query  ms  timestamp refused (the clock, or the unit), inferred: " in printed
    assert "For .env" not in printed


def test_a_clock_that_is_off_is_told_from_a_wrong_signature(patient: Patient) -> None:
    sandbox = build_sandbox(clock=lambda: datetime.now(UTC) + timedelta(minutes=20))
    report = probed(patient, sandbox)
    assert found_by(report)["outcome"] == "clock"
    assert "clock" in report.checks["probe"]["next_step"]


def test_a_refusal_of_the_goods_means_inferred_that_the_signature_is_right(patient: Patient) -> None:
    sandbox = build_sandbox("list")
    sandbox.faults.add("refusal", "preview", times=None)
    probe = found_by(probed(patient, sandbox))
    assert (probe["outcome"], probe["inferred"]) == ("accepted", True)
    assert probe["attempts"][0]["code"] == "500_004"
    assert "库存" in probe["attempts"][0]["text"]


def test_the_upstreams_trouble_says_nothing_of_the_signature(patient: Patient) -> None:
    sandbox = build_sandbox()
    sandbox.faults.add("http-503", "preview", times=None)
    report = probed(patient, sandbox)
    assert found_by(report)["outcome"] == "unclear"
    assert found_by(report)["attempts"][0]["http_status"] == 503
    assert sandbox.books.received["preview"] == 1 + 4


def test_an_upstream_that_limits_calls_is_not_asked_again(patient: Patient) -> None:
    sandbox = build_sandbox()
    sandbox.faults.add("http-429", "preview", times=None)
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


def test_without_credentials_nothing_is_sent(patient: Patient) -> None:
    sandbox = build_sandbox()
    with sandbox_on_a_port(sandbox) as base_url:
        patient.set(MODE="preview", BASE_URL=base_url)
        report = patient.examined("--probe")
    assert found_by(report)["outcome"] == "not run"
    assert "XPORTCN_ACCESS_SECRET" in report.checks["probe"]["next_step"]
    assert sandbox.books.received["preview"] == 1


def test_an_address_that_cannot_be_read_is_not_replaced_by_the_real_one(patient: Patient) -> None:
    patient.set(MODE="preview", BASE_URL="http://xportcn.example/api", **SANDBOX_ACCOUNT)
    report = patient.examined("--probe")
    assert found_by(report)["outcome"] == "not run"
    assert report.checks["http"]["found"] == "not looked at"


def test_an_answer_that_repeats_the_secret_is_shown_without_it(patient: Patient) -> None:
    secret = "Kolibri-Geheimnis-7719"
    body = f'{{"code":401,"msg":"签名错误: SANDBOX0access0key1760000000ABC{secret}","data":null}}'
    with server_that(Answer(body=body)) as base_url:
        patient.set(MODE="preview", BASE_URL=base_url, **SANDBOX_ACCOUNT | {"ACCESS_SECRET": secret})
        report = patient.examined("--probe")
        _, printed = patient.told("--probe")
    assert found_by(report)["outcome"] == "signature"
    for text in (report.printed, printed):
        assert secret not in text
        assert SANDBOX_ACCOUNT["ACCESS_KEY"] not in text
        assert "***" in text


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
        (Reply(403, None, "not JSON"), "permission", True),
        (Reply(200, None, "not JSON"), "unclear", True),
    ],
    ids=lambda part: f"{part.code} {part.text}" if isinstance(part, Reply) else str(part),
)
def test_an_answer_is_sorted_conservatively(reply: Reply, meaning: str, *, inferred: bool) -> None:
    assert sort_reply(reply) == (meaning, inferred)


def test_one_answer_unlike_the_others_is_named_as_a_candidate_and_no_more() -> None:
    pairs: list[tuple[SignatureRule, TimestampUnit]] = [(rule, unit) for rule in RULES for unit in UNITS]
    meanings: tuple[Meaning, ...] = ("signature", "clock", "unclear", "clock")
    finding = sum_up(
        tuple(
            Attempt(rule, unit, 200, "10001", "x", None, meaning, inferred=True)
            for (rule, unit), meaning in zip(pairs, meanings, strict=True)
        )
    )
    assert finding.outcome == "unclear"
    assert finding.env_lines == ()
    assert "query with s" in finding.found
