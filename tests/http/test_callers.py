"""The callers' file: who is in it gets in, as what it says, from the moment it says so."""

import hashlib
import os
import re
import stat
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from click.testing import CliRunner

from harness.clock import Clock
from harness.house import ERAS, Era, call, order_arguments, previewed
from harness.over_http import bearer, client_of, http_client, made_callers, serving
from harness.seams import SteppedLedger, SteppedUpstream
from harness.settings import settings_for
from xportcn_server.commands.cli import main
from xportcn_server.http import callers as module
from xportcn_server.http.callers import PREVIEWS_PER_MINUTE, Callers, CallersError, new_caller
from xportcn_server.http.gate import Gate
from xportcn_server.parts import Seams, ledger_of, upstream_of
from xportcn_server.sandbox.service import Sandbox, build_sandbox
from xportcn_server.sandbox.transport import SandboxTransport
from xportcn_server.serve import StartError, gate_of
from xportcn_tools.desk.caps import Caps
from xportcn_tools.desk.policy import Profile
from xportcn_tools.desk.rate import RateLimit
from xportcn_tools.upstream.signing import Credentials

pytestmark = pytest.mark.anyio

OWNER = Caps(200_000, 1_000_000, 50)
TOKEN = "xc_not-a-real-token-but-secret-all-the-same"
DIGEST = hashlib.sha256(TOKEN.encode()).hexdigest()
OTHER_DIGEST = hashlib.sha256(b"other").hexdigest()
ALICE = f'[callers.alice]\ntoken_sha256 = "{DIGEST}"\n'


def callers_of(path: Path, text: str = ALICE) -> Callers:
    path.write_text(text, encoding="utf-8")
    return Callers(path, OWNER)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "callers.toml"


# The file


def test_a_caller_is_known_by_its_token_and_by_nothing_else(path: Path) -> None:
    callers = callers_of(path)
    assert callers.name_of(TOKEN) == "caller:alice"
    for other in ("", DIGEST, TOKEN + " ", TOKEN[:-1], "alice", TOKEN.upper(), "\ud800", "é" * 5000):
        assert callers.name_of(other) is None


def test_while_a_token_is_rotated_the_old_and_the_new_one_are_the_same_callers(path: Path) -> None:
    callers = callers_of(path, f'[callers.alice]\ntoken_sha256 = ["{OTHER_DIGEST}", "{DIGEST}"]\n')
    assert callers.name_of(TOKEN) == callers.name_of("other") == "caller:alice"
    path.write_text(f'[callers.alice]\ntoken_sha256 = ["{DIGEST}"]\n', encoding="utf-8")
    assert callers.name_of(TOKEN) == "caller:alice"
    assert callers.name_of("other") is None


def test_an_entry_overrides_the_owners_caps_one_by_one(path: Path) -> None:
    callers = callers_of(path, ALICE + 'max_day_cny = "99.5"\nuser_id = "sub-1"\npreviews_per_minute = 3\n')
    assert callers.profile_of("caller:alice") == Profile(Caps(200_000, 9_950, 50), "sub-1", 3)
    callers = callers_of(path, ALICE + 'max_order_cny = "0"\nmax_day_orders = 0\n')
    assert callers.profile_of("caller:alice") == Profile(Caps(0, 1_000_000, 0), None, PREVIEWS_PER_MINUTE)


def test_a_file_with_a_byte_order_mark_is_read(path: Path) -> None:
    assert callers_of(path, "\ufeff" + ALICE).name_of(TOKEN)


BAD = {
    "empty": "",
    "no callers": "[callers]\n",
    "not TOML": "[callers.alice\n",
    "a value for the table": "callers = 3\n",
    "a list": "[[callers]]\n",
    "another table": ALICE + "[other]\nx = 1\n",
    "a top-level key": "x = 1\n" + ALICE,
    "no digest": "[callers.alice]\n",
    "the token itself": f'[callers.alice]\ntoken_sha256 = "{TOKEN}"\n',
    "digest in capitals": f'[callers.alice]\ntoken_sha256 = "{DIGEST.upper()}"\n',
    "digest with a line end": f'[callers.alice]\ntoken_sha256 = "{DIGEST}\\n"\n',
    "digest cut off": f'[callers.alice]\ntoken_sha256 = "{DIGEST[:-1]}"\n',
    "a token beside it": ALICE + f'token = "{TOKEN}"\n',
    "an unknown field": ALICE + 'max_order = "5"\n',
    "a number for an amount": ALICE + "max_order_cny = 500\n",
    "a float for an amount": ALICE + "max_day_cny = 99.5\n",
    "an amount with a sign": ALICE + 'max_order_cny = "-1"\n',
    "an amount of three decimals": ALICE + 'max_order_cny = "1.005"\n',
    "text for a number": ALICE + 'max_day_orders = "5"\n',
    "true for a number": ALICE + "max_day_orders = true\n",
    "a negative number": ALICE + "max_day_orders = -1\n",
    "no previews": ALICE + "previews_per_minute = 0\n",
    "an empty user id": ALICE + 'user_id = ""\n',
    "a user id that ends a header": ALICE + 'user_id = "x\\r\\naccess-key: y"\n',
    "a user id with a line end": ALICE + 'user_id = "x\\n"\n',
    "a number for a user id": ALICE + "user_id = 17\n",
    "a value for an entry": "[callers]\nalice = 3\n",
    "the name of another source": f'[callers."oauth:x"]\ntoken_sha256 = "{DIGEST}"\n',
    "a name with a line end": f'[callers."alice\\n"]\ntoken_sha256 = "{DIGEST}"\n',
    "an empty name": f'[callers.""]\ntoken_sha256 = "{DIGEST}"\n',
    "no token": "[callers.alice]\ntoken_sha256 = []\n",
    "three tokens": f'[callers.alice]\ntoken_sha256 = ["{DIGEST}", "{OTHER_DIGEST}", "{"0" * 64}"]\n',
    "one token twice": f'[callers.alice]\ntoken_sha256 = ["{DIGEST}", "{DIGEST}"]\n',
    "one token for two": ALICE + f'[callers.bob]\ntoken_sha256 = "{DIGEST}"\n',
    "a name twice": ALICE + ALICE,
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_a_file_that_is_not_as_described_stops_the_start_in_one_line_and_lets_nobody_in(
    path: Path, text: str
) -> None:
    callers = callers_of(path, text)
    with pytest.raises(CallersError) as error:
        callers.check()
    settings = settings_for(path.with_name("ledger.sqlite3"), CALLERS=str(path))
    with pytest.raises(StartError, match="XPORTCN_CALLERS") as stop:
        gate_of(settings)
    for said in (str(error.value), str(stop.value)):
        assert "\n" not in said
        assert TOKEN not in said
        assert DIGEST[:-1] not in said.lower()
    assert callers.name_of(TOKEN) is None


@pytest.mark.parametrize(
    "content", [b"\xff\xfe[callers.alice]", b"[callers.\x00]"], ids=["not UTF-8", "zero"]
)
def test_a_file_of_other_bytes_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(CallersError):
        Callers(path, OWNER).check()


def test_a_folder_or_nothing_where_the_file_should_be_is_refused(path: Path) -> None:
    for place in (path, path.parent):
        with pytest.raises(CallersError):
            Callers(place, OWNER).check()
        assert Callers(place, OWNER).name_of(TOKEN) is None


# Read again


def test_a_change_holds_at_once(path: Path) -> None:
    callers = callers_of(path)
    assert callers.name_of(TOKEN)
    path.write_text(ALICE.replace("alice", "carol"), encoding="utf-8")
    assert callers.name_of(TOKEN) == "caller:carol"
    path.write_text(ALICE.replace(DIGEST, OTHER_DIGEST), encoding="utf-8")
    assert callers.name_of(TOKEN) is None
    path.write_text(ALICE, encoding="utf-8")
    assert callers.name_of(TOKEN) == "caller:alice"


def test_a_file_of_the_same_size_and_age_that_is_moved_over_it_is_another_file(path: Path) -> None:
    callers = callers_of(path)
    assert callers.name_of(TOKEN)
    other = path.with_name("other")
    other.write_text(ALICE.replace(DIGEST, OTHER_DIGEST), encoding="utf-8")
    was = path.stat()
    os.utime(other, ns=(was.st_atime_ns, was.st_mtime_ns))
    other.replace(path)
    assert callers.name_of(TOKEN) is None


def test_a_removed_caller_stays_out_whichever_threads_read_the_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    callers = callers_of(path)
    assert callers.name_of(TOKEN)
    path.write_text(ALICE + "# touched\n", encoding="utf-8")
    here, read = threading.get_ident(), module.entries_of
    has_read, may_go_on = threading.Event(), threading.Event()

    def held_up_elsewhere(path: Path) -> object:
        entries = read(path)
        if threading.get_ident() != here:
            has_read.set()
            may_go_on.wait(5)
        return entries

    def other_thread_comes_between(self: Callers, name: str, value: object) -> None:
        object.__setattr__(self, name, value)
        if threading.get_ident() == here:
            may_go_on.set()
            claim.join(5)

    monkeypatch.setattr(module, "entries_of", held_up_elsewhere)
    claim = threading.Thread(target=callers.profile_of, args=("caller:alice",))
    claim.start()
    assert has_read.wait(5)
    path.write_text(f'[callers.bob]\ntoken_sha256 = "{OTHER_DIGEST}"\n', encoding="utf-8")
    monkeypatch.setattr(Callers, "__setattr__", other_thread_comes_between)
    callers.name_of(TOKEN)
    assert not claim.is_alive()
    assert callers.name_of(TOKEN) is None


def test_a_change_while_the_file_is_read_is_read_at_the_next_call(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    callers = callers_of(path)
    read = module.entries_of

    def read_then_struck_out(path: Path) -> Any:
        entries = read(path)
        monkeypatch.undo()
        path.write_text(ALICE.replace(DIGEST, OTHER_DIGEST), encoding="utf-8")
        return entries

    monkeypatch.setattr(module, "entries_of", read_then_struck_out)
    callers.check()
    assert callers.name_of(TOKEN) is None


@pytest.mark.parametrize("text", ["", "[callers.alice\n", None], ids=["empty", "not TOML", "deleted"])
def test_a_file_that_can_no_longer_be_read_lets_nobody_in_until_it_can(path: Path, text: str | None) -> None:
    callers = callers_of(path)
    assert callers.name_of(TOKEN)
    path.write_text(text, encoding="utf-8") if text is not None else path.unlink()
    for _ in range(2):
        assert callers.name_of(TOKEN) is None
        assert callers.profile_of("caller:alice").caps == Caps(0, 0, 0)
    path.write_text(ALICE, encoding="utf-8")
    assert callers.name_of(TOKEN) == "caller:alice"


def test_a_failure_to_read_that_passes_needs_no_change_of_the_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    callers = callers_of(path)

    def too_many_files(*_: object, **__: object) -> str:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", too_many_files)
        assert callers.name_of(TOKEN) is None
    assert callers.name_of(TOKEN) == "caller:alice"


def test_a_removed_caller_has_neither_caps_nor_the_owners_account(path: Path) -> None:
    callers = callers_of(path, ALICE + 'user_id = "sub-1"\n')
    callers.check()
    path.write_text(ALICE.replace("alice", "bob"), encoding="utf-8")
    assert callers.profile_of("caller:alice").caps == Caps(0, 0, 0)
    assert callers.profile_of("oauth:https://issuer|alice") == Profile(
        previews_per_minute=PREVIEWS_PER_MINUTE
    )


def test_tokens_of_an_issuer_have_a_rate_limit_without_a_callers_file(tmp_path: Path) -> None:
    settings = settings_for(
        tmp_path / "l", OAUTH_ISSUER="https://issuer.example", OAUTH_AUDIENCE="https://here.example/mcp"
    )
    assert gate_of(settings).profile_of("oauth:x|y").previews_per_minute == PREVIEWS_PER_MINUTE
    assert Gate().profile_of("local") == Profile()


# `caller new`


def invoke(path: Path | None, name: str, *, command: str = "new") -> Any:
    environment = {"XPORTCN_CALLERS": str(path)} if path else {}
    return CliRunner().invoke(
        main, ["caller", command, *([name] if name or command == "new" else [])], env=environment
    )


def test_a_new_callers_token_is_printed_once_and_only_its_digest_kept(path: Path) -> None:
    done = invoke(path, "alice")
    assert done.exit_code == 0
    token = done.stdout.strip()
    assert re.fullmatch(r"xc_[A-Za-z0-9_-]{43}", token)
    assert done.output.count(token) == 1
    text = path.read_text(encoding="utf-8")
    assert token not in text
    assert hashlib.sha256(token.encode()).hexdigest() in text
    assert Callers(path, OWNER).name_of(token) == "caller:alice"
    second = invoke(path, "bob").stdout.strip()
    assert second != token
    callers = Callers(path, OWNER)
    assert (callers.name_of(token), callers.name_of(second)) == ("caller:alice", "caller:bob")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_token_for_a_file_kept_elsewhere_comes_with_its_line_and_writes_nothing(tmp_path: Path) -> None:
    nowhere = tmp_path / "callers.toml"
    environment = {"XPORTCN_CALLERS": str(nowhere)}
    result = CliRunner().invoke(main, ["caller", "new", "alice", "--digest-only"], env=environment)
    assert result.exit_code == 0
    assert not nowhere.exists()
    token = result.stdout.strip()
    (line,) = re.findall(r'token_sha256 = "[0-9a-f]{64}"', result.stderr)
    assert callers_of(nowhere, f"[callers.alice]\n{line}\n").name_of(token) == "caller:alice"


def test_the_file_is_made_for_its_owner_alone_and_keeps_the_mode_that_it_has(path: Path) -> None:
    before = os.umask(0)
    try:
        new_caller(path, "alice")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    new_caller(path, "bob")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.skipif(sys.platform == "win32", reason="a file that is open cannot be moved over there")
def test_a_new_caller_comes_in_a_whole_file_that_is_moved_over_the_old_one(path: Path) -> None:
    path.write_text(ALICE, encoding="utf-8")
    link = path.with_name("link.toml")
    link.symlink_to(path)
    with path.open(encoding="utf-8") as before:
        new_caller(link, "bob")
        assert before.read() == ALICE
    assert link.is_symlink()
    callers = Callers(link, OWNER)
    callers.check()
    assert callers.names == ("alice", "bob")
    assert sorted(path.parent.iterdir()) == [path, link]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_a_new_caller_in_anothers_file_leaves_it_to_its_owner(path: Path) -> None:
    path.write_text(ALICE, encoding="utf-8")
    os.chown(path, 10001, 10001)
    path.chmod(0o600)
    new_caller(path, "bob")
    status = path.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (10001, 10001, 0o600)


def test_two_new_callers_at_once_are_both_written_once(path: Path) -> None:
    def made(name: str) -> bool:
        try:
            new_caller(path, name)
        except CallersError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        names = [f"caller-{number % 10}" for number in range(80)]
        done = [name for name, told in zip(names, pool.map(made, names), strict=True) if told]
    callers = Callers(path, OWNER)
    callers.check()
    assert sorted(callers.names) == sorted(done)


def test_a_write_that_was_cut_off_long_ago_is_told_with_what_to_remove(path: Path) -> None:
    left = path.with_name("callers.toml.new")
    left.touch()
    done = invoke(path, "alice")
    assert (done.exit_code, done.stdout) == (2, "")
    assert str(left) in done.stderr
    left.unlink()
    assert invoke(path, "alice").exit_code == 0


def test_a_file_without_a_line_end_takes_a_new_caller(path: Path) -> None:
    path.write_text(ALICE.rstrip("\n"), encoding="utf-8")
    token = new_caller(path, "bob")
    callers = Callers(path, OWNER)
    assert (callers.name_of(TOKEN), callers.name_of(token)) == ("caller:alice", "caller:bob")


@pytest.mark.parametrize("text", ["", "# callers of this server\n"])
def test_a_file_that_holds_nobody_yet_takes_a_first_caller(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    assert Callers(path, OWNER).name_of(new_caller(path, "alice")) == "caller:alice"


@pytest.mark.parametrize("name", ["alice", "", "a b", "a.b", 'a"]', "oauth:x", "a" * 65, "naïve", "a\nb"])
def test_a_name_that_is_taken_or_none_changes_nothing(path: Path, name: str) -> None:
    path.write_text(ALICE, encoding="utf-8")
    done = invoke(path, name)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert path.read_text(encoding="utf-8") == ALICE


def test_a_file_that_is_not_as_described_takes_no_new_caller(path: Path) -> None:
    path.write_text("[other]\n", encoding="utf-8")
    done = invoke(path, "bob")
    assert (done.exit_code, done.stdout) == (2, "")
    assert path.read_text(encoding="utf-8") == "[other]\n"


def test_without_the_setting_or_the_folder_there_is_no_new_caller(tmp_path: Path) -> None:
    for path in (None, tmp_path / "missing" / "callers.toml"):
        done = invoke(path, "alice")
        assert (done.exit_code, done.stdout) == (2, "")
        assert len(done.stderr.splitlines()) == 1


# `caller list`, `caller remove`


def test_the_list_shows_callers_and_what_their_entries_set_and_no_token(path: Path) -> None:
    path.write_text(ALICE + 'max_day_cny = "99.5"\nuser_id = "sub-1"\n', encoding="utf-8")
    token = new_caller(path, "bob")
    done = invoke(path, "", command="list")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "alice  user_id sub-1  max_day_cny 99.50  previews_per_minute 60",
        "bob  previews_per_minute 60",
    ]
    hidden = (DIGEST, TOKEN, token, hashlib.sha256(token.encode()).hexdigest())
    assert not any(secret in done.output for secret in hidden)


def test_before_the_first_caller_the_list_is_empty(path: Path) -> None:
    assert (invoke(path, "", command="list").exit_code, invoke(path, "", command="list").output) == (0, "")


def test_a_caller_who_is_removed_is_refused_and_all_else_in_the_file_stays(path: Path) -> None:
    others = '# of the desk\n[callers.bob]\ntoken_sha256 = [  # two\n  "{}",\n]\n'.format("1" * 64)
    path.write_text(f"# ours\n\n{ALICE}max_day_orders = 3\n\n{others}", encoding="utf-8")
    callers = Callers(path, OWNER)
    assert callers.name_of(TOKEN) == "caller:alice"
    done = invoke(path, "alice", command="remove")
    assert (done.exit_code, done.stdout) == (0, "")
    assert path.read_text(encoding="utf-8") == f"# ours\n\n{others}"
    assert callers.name_of(TOKEN) is None
    assert invoke(path, "alice").exit_code == 0  # with another token
    assert callers.name_of(TOKEN) is None


@pytest.mark.parametrize(
    "text",
    [
        f'[callers]\nalice = {{token_sha256 = "{DIGEST}"}}\n',
        f'callers.alice.token_sha256 = "{DIGEST}"\n',
    ],
)
def test_a_caller_who_has_no_table_is_left_for_the_owner_to_remove(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    done = invoke(path, "alice", command="remove")
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)
    assert "by hand" in done.stderr
    assert path.read_text(encoding="utf-8") == text


def test_a_caller_who_is_not_there_cannot_be_removed(path: Path) -> None:
    path.write_text(ALICE, encoding="utf-8")
    for name in ("bob", "", "alice]"):
        done = invoke(path, name or "-", command="remove")
        assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)
    assert path.read_text(encoding="utf-8") == ALICE


def test_the_last_caller_can_be_removed_and_another_added(path: Path) -> None:
    token = new_caller(path, "alice")
    callers = Callers(path, OWNER)
    assert callers.name_of(token)
    done = invoke(path, "alice", command="remove")
    assert done.exit_code == 0
    assert "the last one: everybody is refused" in done.stderr
    assert callers.name_of(token) is None
    listed = invoke(path, "", command="list")
    assert (listed.exit_code, listed.output) == (0, "")
    for command in ("page", "remove"):
        refused = invoke(path, "alice", command=command)
        assert refused.exit_code != 0
        assert "there is no caller alice" in refused.stderr
    settings = settings_for(path.with_name("ledger.sqlite3"), CALLERS=str(path))
    with pytest.raises(StartError, match="names no caller; `xportcn-mcp caller new NAME` adds one"):
        gate_of(settings)
    assert callers.name_of(new_caller(path, "bob")) == "caller:bob"
    assert "last one" not in invoke(path, "bob2").stderr + invoke(path, "bob", command="remove").stderr


# What holds for a caller, over HTTP


class Noted(SandboxTransport):
    """Notes the user id of each request."""

    def __init__(self, sandbox: Sandbox, seen: list[tuple[str, str]]) -> None:
        super().__init__(sandbox)
        self._seen = seen

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._seen.append((request.url.path.rpartition("/")[2], request.headers["user-id"]))
        return await super().handle_async_request(request)


class Both(Noted):
    """An account with two sub-accounts, of which the sandbox knows one."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._seen.append((request.url.path.rpartition("/")[2], request.headers["user-id"]))
        request.headers["user-id"] = "sandbox-user"
        return await SandboxTransport.handle_async_request(self, request)


async def test_a_callers_own_user_id_goes_upstream_with_its_previews_rechecks_and_creates(path: Path) -> None:
    credentials = Credentials("SANDBOX0access0key", "SANDBOX0access0secret", "sub-1")
    sandbox = build_sandbox(credentials=credentials)  # which knows this sub-account and no other
    tokens = made_callers(path, "alice", "bob", alice='user_id = "sub-1"')
    settings = settings_for(path.with_name("ledger"), CALLERS=str(path), RECHECK_AFTER_SECONDS="0")
    seen: list[tuple[str, str]] = []
    seams = Seams(new_transport=lambda: Noted(sandbox, seen))
    with anyio.fail_after(60):
        async with serving(settings, seams, ledger_of(settings)) as url:
            async with client_of(url, tokens["alice"]) as client:
                arguments = (await previewed(client))["create_order_arguments"]
                assert (await call(client, "create_order", arguments))["ok"]
            assert seen == [(name, "sub-1") for name in ("preview", "get", "preview", "get", "create")]
            async with client_of(url, tokens["bob"]) as client:
                refused = await call(client, "preview_order", order_arguments())
    assert refused["problem"]["code"] == "upstream_unauthorized"
    assert ("preview", "sandbox-user") in seen[5:]
    assert {user for _, user in seen[5:]} == {"sandbox-user"}


async def test_a_callers_own_caps_hold_and_anothers_orders_do_not_count(path: Path) -> None:
    tokens = made_callers(path, "alice", "bob", alice="max_day_orders = 1", bob='max_order_cny = "63.99"')
    settings = settings_for(path.with_name("ledger"), CALLERS=str(path))
    with anyio.fail_after(60):
        async with serving(settings, Seams(), ledger_of(settings)) as url:
            codes: dict[str, list[str | None]] = {}
            for name, token in tokens.items():
                async with client_of(url, token) as client:
                    told: list[str | None] = []
                    for _ in range(2):
                        arguments = (await previewed(client))["create_order_arguments"]
                        assert arguments["expected_total"] == "64.00"
                        answer = await call(client, "create_order", arguments)
                        told.append(answer["problem"] and answer["problem"]["code"])
                    codes[name] = told
    assert codes == {"alice": [None, "over_limit"], "bob": ["over_limit", "over_limit"]}


@pytest.mark.parametrize("era", ERAS)
async def test_a_cap_that_is_passed_is_named_with_the_place_where_it_stands(path: Path, era: Era) -> None:
    own = {"alice": 'max_day_cny = "100"\nmax_day_orders = 0', "bob": 'max_order_cny = "63.99"'}
    tokens = made_callers(path, "alice", "bob", "carol", **own)
    settings = settings_for(path.with_name("ledger"), CALLERS=str(path), MAX_DAY_CNY="0.01")
    places = {
        "alice": "max_day_orders in [callers.alice] of the callers' file",
        "bob": "max_order_cny in [callers.bob] of the callers' file",
        "carol": "XPORTCN_MAX_DAY_CNY",
    }
    with anyio.fail_after(60):
        async with serving(settings, Seams(), ledger_of(settings)) as url:
            for name, place in places.items():
                async with client_of(url, tokens[name], era) as client:
                    arguments = (await previewed(client))["create_order_arguments"]
                    problem = (await call(client, "create_order", arguments))["problem"]
                assert (problem["code"], problem["details"]["setting"]) == ("over_limit", place)
                assert place in problem["message"]


@pytest.mark.parametrize("era", ERAS)
async def test_the_day_of_all_callers_together_has_a_cap_which_the_claim_judges(path: Path, era: Era) -> None:
    tokens = made_callers(path, "alice", "bob", "carol")
    settings = settings_for(path.with_name("ledger"), CALLERS=str(path), TOTAL_DAY_CNY="128")
    sandbox = build_sandbox()
    with anyio.fail_after(60):
        async with serving(settings, Seams(sandbox=sandbox), ledger_of(settings)) as url:
            answers: list[dict[str, Any]] = []

            async def order(token: str) -> None:
                async with client_of(url, token, era) as client:
                    arguments = (await previewed(client))["create_order_arguments"]
                    answers.append(await call(client, "create_order", arguments))

            async with anyio.create_task_group() as tasks:
                for token in tokens.values():
                    tasks.start_soon(order, token)
    (over,) = [answer["problem"] for answer in answers if not answer["ok"]]
    details = over["details"]
    assert details.pop("ends_at") in over["message"]
    assert (over["code"], over["request_sent"]) == ("over_limit", "no")
    assert details == {
        "setting": "XPORTCN_TOTAL_DAY_CNY",
        "cap": "128.00",
        "used": "128.00",
        "would_be": "192.00",
    }
    assert sandbox.books.received["create"] == 2


def strike_out_alice(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    path.write_text(text[text.index("[callers.bob]") :], encoding="utf-8")


async def test_a_removed_caller_is_refused_at_its_next_request(path: Path) -> None:
    tokens = made_callers(path, "alice", "bob")
    settings = settings_for(path.with_name("ledger"), CALLERS=str(path))

    async def let_in(http: httpx.AsyncClient) -> list[bool]:
        posts = [await http.post("/mcp", headers=bearer(token), content=b"{}") for token in tokens.values()]
        return [answer.status_code != 401 for answer in posts]

    with anyio.fail_after(60):
        async with serving(settings, Seams(), ledger_of(settings)) as url, http_client(url) as http:
            assert await let_in(http) == [True, True]
            strike_out_alice(path)
            assert await let_in(http) == [False, True]


MOMENTS = ["find", "check", "recheck", "claim"]


@pytest.mark.parametrize("at", range(len(MOMENTS)))
async def test_a_caller_removed_between_two_steps_of_its_create_sends_nothing(path: Path, at: int) -> None:
    tokens = made_callers(path, "alice", "bob", alice='user_id = "sandbox-user"')
    settings = settings_for(path.with_name("ledger"), CALLERS=str(path), RECHECK_AFTER_SECONDS="0")
    sandbox = build_sandbox()

    passed: list[str] = []

    async def strike_out(moment: str) -> None:
        passed.append(moment)
        if len(passed) == at + 1:
            strike_out_alice(path)

    ledger = SteppedLedger(ledger_of(settings), strike_out)
    upstream = SteppedUpstream(upstream_of(settings, Seams(sandbox=sandbox)), strike_out)

    with anyio.fail_after(60):
        async with (
            serving(settings, Seams(ledger=ledger, upstream=upstream), ledger) as url,
            client_of(url, tokens["alice"]) as client,
        ):
            arguments = (await previewed(client))["create_order_arguments"]
            answer = await call(client, "create_order", arguments)
    assert passed[: at + 1] == MOMENTS[: at + 1]
    assert (answer["problem"]["code"], answer["problem"]["request_sent"]) == ("over_limit", "no")
    assert sandbox.books.received["create"] == 0


# How often


async def test_more_previews_a_minute_than_allowed_are_told_when_to_come_back(path: Path) -> None:
    tokens = made_callers(path, "alice", "bob", alice="previews_per_minute = 2")
    settings = settings_for(path.with_name("ledger"), CALLERS=str(path), RECHECK_AFTER_SECONDS="600")
    clock, sandbox = Clock(datetime.now(UTC)), build_sandbox()  # the sandbox judges signatures by its own
    with anyio.fail_after(60):
        async with (
            serving(settings, Seams(sandbox=sandbox, clock=clock), ledger_of(settings)) as url,
            client_of(url, tokens["alice"]) as alice,
            client_of(url, tokens["bob"]) as bob,
        ):
            arguments = (await previewed(alice))["create_order_arguments"]
            clock.now += timedelta(seconds=20)
            await previewed(alice)
            clock.now += timedelta(seconds=10.5)
            over = await call(alice, "preview_order", order_arguments())
            assert sandbox.books.received["preview"] == 2
            for _ in range(3):
                await previewed(bob)
            # Orders and look-ups go on, and a refused preview does not push the way back further away.
            assert (await call(alice, "create_order", arguments))["ok"]
            assert (await call(alice, "get_orders"))["ok"]
            problem = over["problem"]
            clock.now += timedelta(seconds=problem["details"]["retry_after_seconds"])
            await previewed(alice)
            again = await call(alice, "preview_order", order_arguments())
    assert (problem["code"], problem["request_sent"]) == ("over_limit", "no")
    assert problem["details"] == {"cap": "2", "unit": "previews per minute", "retry_after_seconds": 30}
    assert "30 seconds" in problem["next_step"]
    assert again["problem"]["details"]["retry_after_seconds"] == 20


async def test_a_create_that_prices_afresh_counts_as_a_preview_and_waits_without_spending_anything(
    path: Path,
) -> None:
    tokens = made_callers(path, "alice", alice="previews_per_minute = 1")
    settings = settings_for(path.with_name("ledger"), CALLERS=str(path), RECHECK_AFTER_SECONDS="0")
    clock, sandbox = Clock(datetime.now(UTC)), build_sandbox()  # the sandbox judges signatures by its own
    with anyio.fail_after(60):
        async with (
            serving(settings, Seams(sandbox=sandbox, clock=clock), ledger_of(settings)) as url,
            client_of(url, tokens["alice"]) as alice,
        ):
            arguments = (await previewed(alice))["create_order_arguments"]
            over = await call(alice, "create_order", arguments)
            asked = sandbox.books.received["preview"]
            clock.now += timedelta(seconds=over["problem"]["details"]["retry_after_seconds"])
            later = await call(alice, "create_order", arguments)
    assert (over["problem"]["code"], over["problem"]["request_sent"], asked) == ("over_limit", "no", 1)
    assert "create_order again with the same token" in over["problem"]["next_step"]
    assert later["order"]["state"] == "placed"


def give_alice_another_account(path: Path) -> None:
    path.write_text(path.read_text("utf-8").replace("sandbox-user", "other-user"), "utf-8")


@pytest.mark.parametrize("recheck", ["600", "0"])
async def test_a_preview_for_one_sub_account_is_not_ordered_for_another(path: Path, recheck: str) -> None:
    tokens = made_callers(path, "alice", alice='user_id = "sandbox-user"')
    settings = settings_for(path.with_name("ledger"), CALLERS=str(path), RECHECK_AFTER_SECONDS=recheck)
    seen: list[tuple[str, str]] = []
    sandbox = build_sandbox()
    with anyio.fail_after(60):
        async with (
            serving(settings, Seams(new_transport=lambda: Both(sandbox, seen)), ledger_of(settings)) as url,
            client_of(url, tokens["alice"]) as client,
        ):
            arguments = (await previewed(client))["create_order_arguments"]
            give_alice_another_account(path)
            told = await call(client, "create_order", arguments)
            fresh = told["problem"]["preview"]["create_order_arguments"]
            again = await call(client, "create_order", fresh)
    assert told["problem"]["code"] == "terms_changed"
    assert [change["what"] for change in told["problem"]["details"]["changes"]] == ["account"]
    assert again["order"]["state"] == "placed"
    assert [user for path, user in seen if path == "create"] == ["other-user"]


def test_the_window_slides_and_never_asks_for_less_than_it_takes() -> None:
    pace, start = RateLimit(), datetime(2026, 1, 1, tzinfo=UTC)
    assert [pace.wait_seconds("a", 2, start + timedelta(seconds=s)) for s in (0, 30, 59.5)] == [0, 0, 1]
    for seconds in (59.999999, 60.0):
        assert bool(pace.wait_seconds("a", 2, start + timedelta(seconds=seconds))) is (seconds < 60)
    assert pace.wait_seconds("a", 2, start + timedelta(seconds=61)) == 29


def test_a_clock_that_was_set_back_locks_nobody_out() -> None:
    pace, start = RateLimit(), datetime(2026, 1, 1, tzinfo=UTC)
    assert pace.wait_seconds("a", 1, start) == 0
    assert pace.wait_seconds("a", 1, start - timedelta(hours=1)) == 0


def test_who_has_been_idle_for_a_minute_takes_no_memory() -> None:
    pace, start = RateLimit(), datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(1000):
        assert pace.wait_seconds(f"address-{number}", 1, start + timedelta(seconds=number)) == 0
        assert len(vars(pace)["_seen"]) <= 60
    assert pace.wait_seconds("address-999", 1, start + timedelta(seconds=1000)) == 59


def test_a_limit_that_was_lowered_holds_for_what_was_counted_before() -> None:
    pace, start = RateLimit(), datetime(2026, 1, 1, tzinfo=UTC)
    for seconds in (0, 10, 20):
        assert pace.wait_seconds("a", 3, start + timedelta(seconds=seconds)) == 0
    wait = pace.wait_seconds("a", 1, start + timedelta(seconds=30))
    assert pace.wait_seconds("a", 1, start + timedelta(seconds=30 + wait)) == 0
