"""A search for planted values: secrets, tokens, phones and streets are in no trail, log or export."""

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from harness.house import ADDRESS, House, Person, call, order_arguments, previewed
from harness.settings import live
from harness.terminal import command
from xportcn_server.sandbox.access import SANDBOX_CREDENTIALS
from xportcn_server.sandbox.service import build_sandbox
from xportcn_server.sandbox.transport import SandboxTransport

pytestmark = pytest.mark.anyio

PHONE, LANDLINE, STREET, MESSAGE = "13912345678", "0571-87654321", "钥匙胡同77号", "Ring at the planted door"
FORGOTTEN = {"mobile": "13787654321", "address": "忘川路88号", "full_name": "赵忘川"}
SECRETS = (SANDBOX_CREDENTIALS.access_key, SANDBOX_CREDENTIALS.access_secret, "planted-message-0")


def found_in(text: str, planted: list[str]) -> list[str]:
    """Those that a text has, as they are or in JSON's escapes."""
    return [word for word in planted if word in text or json.dumps(word)[1:-1] in text]


def files_of(ledger: Path) -> Iterator[bytes]:
    for path in sorted(ledger.parent.glob(f"{ledger.name}*")):
        yield path.read_bytes()


async def test_no_secret_token_phone_or_street_is_in_trail_log_or_export(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    planted_account = live(MESSAGES_SECRET="planted-message-0", LOG_LEVEL="DEBUG", ORDER_LOOKUP="on")
    house = House(tmp_path, build_sandbox(), **planted_account)
    into_sandbox = partial(SandboxTransport, house.sandbox)
    address = ADDRESS | {"mobile": PHONE, "phone": LANDLINE, "address": STREET}
    tokens: list[str] = []
    async with house.client("auto", Person(), new_transport=into_sandbox) as client:
        for number, fault in enumerate(("", "refusal", "http-502", "split", "reset-after-order")):
            if fault:
                house.sandbox.faults.add(fault, "create")
            to = address | {
                "full_name": f"王小明{number}",
                "address": f"{STREET}{number}",
                "mobile": f"{PHONE}{number}",
            }
            preview = await previewed(client, address=to, message=MESSAGE)
            tokens += [preview["preview_token"], preview["approval_code"]]
            arguments = preview["create_order_arguments"]
            await call(client, "create_order", arguments | {"ship_to": "elsewhere"})
            await call(client, "create_order", arguments)
            await call(client, "create_order", arguments)
        await call(client, "preview_order", order_arguments(address=address | {"district_code": "110101"}))
        await call(
            client, "preview_order", order_arguments(quantity=1, address=address, trade_type="creditBuy")
        )
        await call(client, "get_orders", {"refresh": True})
    planted = [*SECRETS, *tokens, PHONE, LANDLINE, STREET, MESSAGE]
    said = {"log": caplog.text + "".join(record.getMessage() for record in caplog.records)}
    for words in (("audit", "export"), ("orders", "export"), ("orders", "export", "--format", "json")):
        done = await command(house, *words, mode="live")
        assert done.exit_code == 0, done.output
        assert "王小明0" in done.stdout or words[0] == "audit"
        said[" ".join(words)] = done.stdout
    with closing(sqlite3.connect(house.ledger)) as sql:
        said["trail"] = str(sql.execute("SELECT * FROM trail").fetchall())
    for where, text in said.items():
        assert len(text) > 500, where
        assert found_in(text, planted) == [], where
    # The search finds what is there: the address is in the ledger's own table.
    assert any(STREET.encode() in content for content in files_of(house.ledger))


async def test_after_forget_nothing_of_that_order_is_in_the_ledgers_file_though_others_keep_theirs(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    async with house.client("auto", Person()) as client:
        kept = await previewed(client, address=ADDRESS | {"mobile": PHONE, "address": STREET})
        await call(client, "create_order", kept["create_order_arguments"])
        gone = await previewed(client, address=ADDRESS | FORGOTTEN, message=MESSAGE)
        order = (await call(client, "create_order", gone["create_order_arguments"]))["order"]
        planted = [*FORGOTTEN.values(), MESSAGE]
        before = b"".join(files_of(house.ledger)).decode("utf-8", "replace")
        assert found_in(before, planted) == planted
        assert (await command(house, "forget", order["out_order_id"])).exit_code == 0
    with closing(sqlite3.connect(house.ledger)) as sql:
        sql.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    after = b"".join(files_of(house.ledger)).decode("utf-8", "replace")
    assert found_in(after, [*planted, gone["preview_token"], kept["preview_token"]]) == []
    assert found_in(after, [STREET, PHONE]) == [STREET, PHONE]
