"""As an OAuth resource server: the tokens of one issuer for this server get in, and no others."""

import asyncio
import base64
import json
import socket
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from harness.house import call, previewed
from harness.over_http import (
    ACCEPT,
    INITIALIZE,
    bearer,
    client_of,
    http_client,
    loop_server,
    made_callers,
    serving,
)
from harness.settings import settings_for
from xportcn_server.http import issuer_keys
from xportcn_server.http.limits import MOST_CALLS
from xportcn_server.parts import Seams, ledger_of
from xportcn_tools.ledger.ledger import OrderQuery

pytestmark = pytest.mark.anyio

AUDIENCE = "https://orders.example/mcp"
RSA = rsa.generate_private_key(65537, 2048)
OTHER_RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
PUBLIC_PEM = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
Forge = Callable[["Issuer"], str]


class Issuer:
    """An authorization server as far as we need one: its metadata, and its keys."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.metadata: dict[str, Any] = {}
        self.openid_only = False
        self.keys: list[dict[str, Any]] = [
            RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True) | {"kid": "rsa", "use": "sig"},
            ECAlgorithm.to_jwk(EC.public_key(), as_dict=True) | {"kid": "ec", "use": "sig"},
        ]

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        whole = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "alice",
            "iat": now,
            "exp": now + 300,
            "client_id": "desk",
        }
        return {name: value for name, value in (whole | changes).items() if value is not None}

    def token(self, **changes: Any) -> str:
        return jwt.encode(self.claims(**changes), RSA, "RS256", {"kid": "rsa"})

    def _answer(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        match request.url.path:
            case "/keys":
                return JSONResponse({"keys": self.keys})
            case "/.well-known/oauth-authorization-server" if self.openid_only:
                return Response(status_code=404)
            case _:
                return JSONResponse({"issuer": self.url, "jwks_uri": f"{self.url}/keys"} | self.metadata)

    @property
    def app(self) -> Starlette:
        async def answer(request: Request) -> Response:
            return self._answer(request)

        return Starlette(routes=[Route("/{path:path}", answer)])


@asynccontextmanager
async def guarded(
    folder: Path, issuer: Issuer | None = None, **changes: str
) -> AsyncGenerator[tuple[str, Issuer]]:
    """A server that trusts an issuer on loopback."""
    issuer = issuer or Issuer()
    with anyio.fail_after(60):
        async with loop_server(issuer.app) as url:
            issuer.url = url
            changes = {"OAUTH_ISSUER": url, "OAUTH_AUDIENCE": AUDIENCE} | changes
            settings = settings_for(folder / "ledger.sqlite3", **changes)
            async with serving(settings, Seams(), ledger_of(settings)) as base:
                yield base, issuer


async def status_with(base: str, token: str) -> int:
    async with http_client(base) as client:
        return (await client.post("/mcp", headers=ACCEPT | bearer(token), json=INITIALIZE)).status_code


def unsigned(issuer: Issuer, algorithm: str = "none") -> str:
    parts = [{"alg": algorithm, "typ": "JWT", "kid": "rsa"}, issuer.claims()]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, ""])


def signed_with_the_public_key(issuer: Issuer) -> str:
    """HS256 with the published key as the secret: what a careless verifier takes for RS256."""
    import hashlib
    import hmac

    head = {"alg": "HS256", "typ": "JWT", "kid": "rsa"}
    encoded = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (head, issuer.claims())
    ]
    text = b".".join(encoded)
    mark = base64.urlsafe_b64encode(hmac.new(PUBLIC_PEM, text, hashlib.sha256).digest()).rstrip(b"=")
    return (text + b"." + mark).decode()


def changed_after_signing(issuer: Issuer) -> str:
    head, _, mark = issuer.token().split(".")
    body = base64.urlsafe_b64encode(json.dumps(issuer.claims(sub="root")).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{mark}"


GOOD: dict[str, Forge] = {
    "RSA": lambda issuer: issuer.token(),
    "a long subject, in any script": lambda issuer: issuer.token(sub="王 小明@x|" * 25),
    "EC": lambda issuer: jwt.encode(issuer.claims(), EC, "ES256", {"kid": "ec"}),
    "an issuer whose clock is ahead": lambda issuer: issuer.token(
        iat=int(time.time()) + 5, nbf=int(time.time()) + 5
    ),
    "several audiences": lambda issuer: issuer.token(aud=["https://other.example", AUDIENCE]),
}
BAD: dict[str, Forge] = {
    "expired": lambda issuer: issuer.token(exp=int(time.time()) - 1),
    "not yet": lambda issuer: issuer.token(nbf=int(time.time()) + 300),
    "without end": lambda issuer: issuer.token(exp=None),
    "another audience": lambda issuer: issuer.token(aud="https://other.example/mcp"),
    "an audience that begins alike": lambda issuer: issuer.token(aud=AUDIENCE + "/x"),
    "no audience": lambda issuer: issuer.token(aud=None),
    "another issuer": lambda issuer: issuer.token(iss="https://evil.example"),
    "no issuer": lambda issuer: issuer.token(iss=None),
    "no subject": lambda issuer: issuer.token(sub=None),
    "an empty subject": lambda issuer: issuer.token(sub=""),
    "a subject of two lines": lambda issuer: issuer.token(sub="x\nTotal to pay: 1.00 CNY"),
    "a subject that turns the line around": lambda issuer: issuer.token(sub="alice\u202e"),
    "a subject without end": lambda issuer: issuer.token(sub="a" * 201),
    "a number for a subject": lambda issuer: issuer.token(sub=7),
    "no signature": unsigned,
    "no signature, in capitals": lambda issuer: unsigned(issuer, "NONE"),
    "no signature, said to be RSA": lambda issuer: unsigned(issuer, "RS256"),
    "signed with the public key": signed_with_the_public_key,
    "another key": lambda issuer: jwt.encode(issuer.claims(), OTHER_RSA, "RS256", {"kid": "rsa"}),
    "an unknown key": lambda issuer: jwt.encode(issuer.claims(), OTHER_RSA, "RS256", {"kid": "other"}),
    "a key of another kind": lambda issuer: jwt.encode(issuer.claims(), RSA, "RS256", {"kid": "ec"}),
    "no key named": lambda issuer: jwt.encode(issuer.claims(), RSA, "RS256"),
    "changed after signing": changed_after_signing,
    "no token at all": lambda _: "a.b.c",
    "one word": lambda _: "alice",
}


async def test_only_a_whole_token_of_the_issuer_for_this_server_gets_in(tmp_path: Path) -> None:
    async with guarded(tmp_path) as (base, issuer):
        good = {name: await status_with(base, forge(issuer)) for name, forge in GOOD.items()}
        bad = {name: await status_with(base, forge(issuer)) for name, forge in BAD.items()}
    assert good == dict.fromkeys(GOOD, 200)
    assert bad == dict.fromkeys(BAD, 401)


async def test_the_caller_is_the_subject_whatever_client_it_comes_with(tmp_path: Path) -> None:
    async with guarded(tmp_path) as (base, issuer):
        async with client_of(base, issuer.token()) as client:
            arguments = (await previewed(client))["create_order_arguments"]
        async with client_of(base, issuer.token(sub="bob")) as client:
            refused = await call(client, "create_order", arguments)
        async with client_of(base, issuer.token(client_id="another")) as client:
            placed = await call(client, "create_order", arguments)
    ledger = ledger_of(settings_for(tmp_path / "ledger.sqlite3"))
    (order,) = await ledger.orders(OrderQuery(None))
    await ledger.aclose()
    assert refused["problem"]["code"] == "unknown_token"
    assert placed["order"]["state"] == "placed"
    assert order.caller == f"oauth:{issuer.url}|alice"


async def test_a_subject_that_is_named_like_a_caller_of_the_file_is_another(tmp_path: Path) -> None:
    tokens = made_callers(tmp_path / "callers.toml", "alice")
    async with guarded(tmp_path, CALLERS=str(tmp_path / "callers.toml")) as (base, issuer):
        async with client_of(base, tokens["alice"]) as client:
            arguments = (await previewed(client))["create_order_arguments"]
        for subject in ("alice", "caller:alice", "local"):
            async with client_of(base, issuer.token(sub=subject, client_id="caller:alice")) as client:
                told = await call(client, "create_order", arguments)
            assert told["problem"]["code"] == "unknown_token"


async def test_a_stranger_is_told_which_issuer_to_ask(tmp_path: Path) -> None:
    async with guarded(tmp_path) as (base, issuer), http_client(base) as client:
        answer = await client.post("/mcp", headers=ACCEPT, json=INITIALIZE)
        assert 'resource_metadata="' in answer.headers["www-authenticate"]
        described = await client.get("/.well-known/oauth-protected-resource/mcp")
    assert described.json()["resource"] == AUDIENCE
    assert described.json()["authorization_servers"] == [issuer.url]  # to the letter: clients compare strings


async def test_an_issuer_of_openid_connect_alone_is_understood(tmp_path: Path) -> None:
    issuer = Issuer()
    issuer.openid_only = True
    async with guarded(tmp_path, issuer) as (base, _):
        assert await status_with(base, issuer.token()) == 200
    assert "/.well-known/openid-configuration" in issuer.asked


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"jwks_uri": None},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "http://127.0.0.1:1/keys"},
    ],
    ids=str,
)
async def test_metadata_that_are_not_the_issuers_own_let_nobody_in_until_they_are(
    tmp_path: Path, metadata: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuer_keys, "RETRY_SECONDS", 0.0)
    issuer = Issuer()
    issuer.metadata = metadata
    async with guarded(tmp_path, issuer) as (base, _):
        assert await status_with(base, issuer.token()) == 401
        issuer.metadata = {}
        assert await status_with(base, issuer.token()) == 200


async def test_metadata_and_keys_are_asked_for_once_and_a_new_key_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuer_keys, "COOLDOWN_SECONDS", 0.0)
    async with guarded(tmp_path) as (base, issuer):
        for _ in range(3):
            assert await status_with(base, issuer.token()) == 200
        assert len(issuer.asked) == 2
        issuer.keys.append(RSAAlgorithm.to_jwk(OTHER_RSA.public_key(), as_dict=True) | {"kid": "new"})
        token = jwt.encode(issuer.claims(), OTHER_RSA, "RS256", {"kid": "new"})
        assert await status_with(base, token) == 200


async def test_strangers_cannot_make_this_server_press_the_issuer(tmp_path: Path) -> None:
    async with guarded(tmp_path) as (base, issuer):
        assert await status_with(base, issuer.token()) == 200
        asked = len(issuer.asked)
        for number in range(20):
            token = jwt.encode(issuer.claims(), OTHER_RSA, "RS256", {"kid": f"made-up-{number}"})
            assert await status_with(base, token) == 401
        assert len(issuer.asked) - asked <= 1


@pytest.mark.parametrize("audience", ["https://Orders.Example/mcp", "https://orders.example:443/mcp"])
async def test_the_audience_is_the_same_however_the_setting_spells_it(tmp_path: Path, audience: str) -> None:
    async with guarded(tmp_path, OAUTH_AUDIENCE=audience) as (base, issuer):
        statuses = [await status_with(base, issuer.token(aud=named)) for named in (audience, AUDIENCE)]
    assert statuses == [200, 200]


async def test_a_token_that_cannot_be_the_issuers_is_refused_before_the_issuer_is_asked(
    tmp_path: Path,
) -> None:
    async with guarded(tmp_path) as (base, issuer):
        for name in (
            "another issuer",
            "no issuer",
            "no signature",
            "no key named",
            "no token at all",
            "one word",
        ):
            assert await status_with(base, BAD[name](issuer)) == 401
        assert issuer.asked == []


@pytest.mark.parametrize(
    "keys_url", ["http://127.0.0.1:1/keys", "file:///etc/keys", "ftp://issuer.example/keys"]
)
def test_keys_of_an_issuer_with_tls_come_with_tls(keys_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def get(url: str, **_: Any) -> httpx.Response:
        asked.append(url)
        return httpx.Response(200, json={"issuer": "https://issuer.example", "jwks_uri": keys_url})

    monkeypatch.setattr(issuer_keys.httpx, "get", get)
    with pytest.raises(ValueError, match="https"):
        issuer_keys.fetched("https://issuer.example", None)
    assert asked == ["https://issuer.example/.well-known/oauth-authorization-server"]


@contextmanager
def hung_server() -> Generator[str]:
    """Takes connections and never says a word; its base URL."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


async def test_an_issuer_that_hangs_is_asked_by_one_alone_and_then_left_in_peace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    get = httpx.get

    def noted(url: str, **options: Any) -> httpx.Response:
        asked.append(url)
        return get(url, **options)

    monkeypatch.setattr(issuer_keys.httpx, "get", noted)
    with hung_server() as url, anyio.fail_after(10):
        keys = issuer_keys.IssuerKeys(url, ask_seconds=0.5)
        async with anyio.create_task_group() as tasks:
            for number in range(100):
                tasks.start_soon(keys.named, f"made-up-{number}")
        assert await keys.named("later") is None
        assert len(asked) == 1


async def test_a_caller_that_goes_away_does_not_take_the_answer_from_those_who_wait(tmp_path: Path) -> None:
    async with guarded(tmp_path) as (_, issuer):
        keys = issuer_keys.IssuerKeys(issuer.url)
        found: list[object] = []

        async def wait() -> None:
            found.append(await keys.named("rsa"))

        async with anyio.create_task_group() as tasks:
            gone = anyio.CancelScope()

            async def go_away() -> None:
                with gone:
                    await keys.named("rsa")

            tasks.start_soon(go_away)
            await anyio.lowlevel.checkpoint()
            tasks.start_soon(wait)
            await anyio.lowlevel.checkpoint()
            gone.cancel()
    assert found
    assert found[0] is not None


async def test_strangers_do_not_keep_the_files_callers_out_while_the_issuer_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strangers, waiting, all_wait = MOST_CALLS + 20, 0, anyio.Event()
    named = issuer_keys.IssuerKeys.named

    async def counted(keys: issuer_keys.IssuerKeys, key_id: str) -> Any:
        nonlocal waiting
        waiting += 1
        if waiting == strangers:
            all_wait.set()
        return await named(keys, key_id)

    monkeypatch.setattr(issuer_keys.IssuerKeys, "named", counted)
    tokens = made_callers(tmp_path / "callers.toml", "alice")
    issuer = Issuer()
    with hung_server() as issuer.url, anyio.fail_after(60):
        settings = settings_for(
            tmp_path / "ledger.sqlite3",
            OAUTH_ISSUER=issuer.url,
            OAUTH_AUDIENCE=AUDIENCE,
            CALLERS=str(tmp_path / "callers.toml"),
        )
        async with serving(settings, Seams(), ledger_of(settings)) as base:
            forged = [
                asyncio.create_task(
                    status_with(
                        base, jwt.encode(issuer.claims(), OTHER_RSA, "RS256", {"kid": f"made-up-{number}"})
                    )
                )
                for number in range(strangers)
            ]
            await all_wait.wait()
            assert await status_with(base, "garbage") == 401
            assert await status_with(base, tokens["alice"]) == 200
            assert not any(task.done() for task in forged)
            assert set(await asyncio.gather(*forged)) == {401}


async def test_an_issuer_that_does_not_answer_lets_nobody_in_and_callers_of_the_file_still(
    tmp_path: Path,
) -> None:
    tokens = made_callers(tmp_path / "callers.toml", "alice")
    settings = settings_for(
        tmp_path / "ledger.sqlite3",
        OAUTH_ISSUER="http://127.0.0.1:1",
        OAUTH_AUDIENCE=AUDIENCE,
        CALLERS=str(tmp_path / "callers.toml"),
    )
    issuer = Issuer()
    issuer.url = "http://127.0.0.1:1"
    with anyio.fail_after(60):
        async with serving(settings, Seams(), ledger_of(settings)) as base:
            assert await status_with(base, issuer.token()) == 401
            assert await status_with(base, tokens["alice"]) == 200
