"""Signing, step by step against vectors in files: a failure names the step that broke."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.builders import VECTORS
from xportcn_tools.upstream.signing import (
    Canonical,
    Credentials,
    Signer,
    canonical,
    headers,
    new_nonce,
    signature,
    string_to_sign,
)

FILES = sorted((VECTORS / "signing").glob("*.json"))
MOMENT = datetime(2025, 10, 9, 8, 53, 20, tzinfo=UTC)
CREDENTIALS = Credentials("AK0123456789abcdef", "SK-secret", "10001")


@pytest.fixture(params=FILES, ids=[file.stem for file in FILES])
def vector(request: pytest.FixtureRequest) -> dict[str, Any]:
    return json.loads(request.param.read_text(encoding="utf-8"))


def test_step_1_the_three_header_values_that_are_signed(vector: dict[str, Any]) -> None:
    given_ = vector["given"]
    moment = datetime.fromisoformat(given_["moment"])
    found = canonical(given_["access_key"], moment, given_["unit"], given_["nonce"])
    assert vars(found) == vector["canonical"]


def test_step_2_the_string_to_sign(vector: dict[str, Any]) -> None:
    given_ = vector["given"]
    parts = Canonical(**vector["canonical"])
    assert string_to_sign(given_["rule"], parts, given_["access_secret"]) == vector["string_to_sign"]


def test_step_3_the_signature(vector: dict[str, Any]) -> None:
    assert signature(vector["string_to_sign"]) == vector["signature"]


def test_step_4_the_headers(vector: dict[str, Any]) -> None:
    parts = Canonical(**vector["canonical"])
    assert headers(parts, vector["given"]["user_id"], vector["signature"]) == vector["headers"]


def test_the_signer_takes_all_four_steps(vector: dict[str, Any]) -> None:
    given_ = vector["given"]
    account = Credentials(given_["access_key"], given_["access_secret"], given_["user_id"])
    signer = Signer(account, given_["rule"], given_["unit"])
    assert signer.sign(datetime.fromisoformat(given_["moment"]), given_["nonce"]) == vector["headers"]


def test_the_vectors_of_the_upstream_page_are_among_the_files() -> None:
    known = {json.loads(file.read_text(encoding="utf-8"))["signature"] for file in FILES}
    assert {"C04401AFF18CE7F43CB5D544B20F8CBA", "6B2C51A317700E7F72C2CE6FBE54C67B"} <= known


def test_one_moment_in_another_time_zone_is_the_same_timestamp() -> None:
    from datetime import timezone

    in_china = MOMENT.astimezone(timezone(timedelta(hours=8)))
    assert canonical("AK", in_china, "s", "n").timestamp == "1760000000"


@given(st.integers(1_600_000_000_000, 4_000_000_000_000), st.integers(0, 999))
def test_milliseconds_are_exact_and_seconds_are_cut_off(milliseconds: int, microseconds: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
        milliseconds=milliseconds, microseconds=microseconds
    )
    assert canonical("AK", moment, "ms", "n").timestamp == str(milliseconds)
    assert canonical("AK", moment, "s", "n").timestamp == str(milliseconds // 1000)


def test_a_nonce_has_32_letters_and_digits_and_does_not_repeat() -> None:
    nonces = [new_nonce() for _ in range(500)]
    assert all(re.fullmatch(r"[A-Za-z0-9]{32}", nonce) for nonce in nonces)
    assert len(set(nonces)) == 500
    assert len(set("".join(nonces))) == 62, "every letter and digit is used"


def test_each_request_has_a_nonce_and_a_signature_of_its_own() -> None:
    signer = Signer(CREDENTIALS)
    first, second = signer.sign(MOMENT), signer.sign(MOMENT)
    assert first["nonce-str"] != second["nonce-str"]
    assert first["signature"] != second["signature"]


@pytest.mark.parametrize("shown", [repr, str, "{}".format])
def test_the_secret_is_not_shown_with_the_credentials(shown: Any) -> None:
    assert "SK-secret" not in shown(CREDENTIALS)
    assert "SK-secret" not in shown(Signer(CREDENTIALS))
    assert "AK0123456789abcdef" in shown(CREDENTIALS)


def test_the_headers_do_not_hold_the_secret() -> None:
    assert "SK-secret" not in json.dumps(Signer(CREDENTIALS).sign(MOMENT))
