"""An agent without a language model: it goes from a preview to two orders by what a client shows it.

It takes the next call from what it reads, as a model would, and never from anything else; what became of it
is looked up in the sandbox's own books.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import httpx

from harness.house import order_arguments
from xportcn_server.sandbox.access import SANDBOX_CREDENTIALS

Half = Literal["text", "structured content"]
Shown = dict[str, Any]
"""`text` and `structured`, either of which may be absent: what a client shows its model of a result."""

CALL = "create_order "
METHODS = {"form", "page", "operator", "rule", "client_dialog"}
_CODE = re.compile(r"^(?:\[[^]]*\] )?([a-z_]+): ", re.MULTILINE)


@dataclass(frozen=True)
class Seen:
    """What the agent takes from a result.

    `code`: of the problem, None where there is none. `create`: the arguments for the next create, if any.
    """

    half: Half
    whole: str
    code: str | None
    create: dict[str, Any] | None


def read(shown: Shown, half: Half | None = None) -> Seen:
    """Read one half of a result, or the only one that is shown."""
    structured = cast("dict[str, Any] | None", shown.get("structured"))
    text = cast("str | None", shown.get("text"))
    if half == "structured content" or text is None:
        assert structured is not None, f"no structured content is shown: {text}"
        return _read_structured(structured)
    if half is None:
        for each in _unwrapped(text):
            if isinstance(each, dict):
                return _read_structured(each)
            text = each
    return _read_text(text)


def halves(shown: Shown) -> set[Half]:
    seen: set[Half] = set()
    seen.add(read(shown).half)
    if shown.get("structured") is not None:
        seen.add("structured content")
    return seen


def _unwrapped(text: str) -> list[str | dict[str, Any]]:
    """What is inside JSON that a framework made of a result: our envelope, or the text."""
    try:
        value = json.loads(text)
    except ValueError:
        return [text]
    if not isinstance(value, dict):
        return [text]
    value = cast("dict[str, Any]", value)
    if "ok" in value:
        return [value]
    inner = value.get("details", value.get("error"))
    return _unwrapped(inner) if isinstance(inner, str) else [text]


def _read_structured(envelope: dict[str, Any]) -> Seen:
    problem = envelope["problem"]
    preview = problem["preview"] if problem else envelope.get("preview")
    return Seen(
        "structured content",
        json.dumps(envelope, ensure_ascii=False),
        problem["code"] if problem else None,
        preview["create_order_arguments"] if preview else None,
    )


def _read_text(text: str) -> Seen:
    lines = text.strip().splitlines()
    found = _CODE.match(lines[0])
    create = json.loads(lines[-1].removeprefix(CALL)) if lines[-1].startswith(CALL) else None
    return Seen("text", text, found[1] if found else None, create)


@dataclass
class Upstream:
    """The sandbox on a port, seen from outside."""

    url: str

    @property
    def settings(self) -> dict[str, str]:
        """For a server that orders there; a create looks at the price again each time."""
        return {
            "XPORTCN_MODE": "live",
            "XPORTCN_BASE_URL": f"{self.url}/api",
            "XPORTCN_ACCESS_KEY": SANDBOX_CREDENTIALS.access_key,
            "XPORTCN_ACCESS_SECRET": SANDBOX_CREDENTIALS.access_secret,
            "XPORTCN_USER_ID": SANDBOX_CREDENTIALS.user_id,
            "XPORTCN_RECHECK_AFTER_SECONDS": "0",
        }

    def wait(self) -> None:
        """Until it answers."""
        transport = httpx.HTTPTransport(retries=10)  # of connecting: half a second, one, two, four …
        with httpx.Client(transport=transport) as client:
            client.get(f"{self.url}/sandbox/health").raise_for_status()

    def books(self) -> dict[str, Any]:
        return httpx.get(f"{self.url}/sandbox/books", trust_env=False).raise_for_status().json()

    def raise_prices(self) -> None:
        """From now on everything is one per cent dearer."""
        fault = {"name": "price-drift", "endpoint": "preview", "times": None}
        httpx.post(f"{self.url}/sandbox/faults", json=fault, trust_env=False).raise_for_status()

    def calm(self) -> None:
        httpx.delete(f"{self.url}/sandbox/faults", trust_env=False).raise_for_status()


@dataclass
class Agent:
    """`call`: a tool's name and arguments to what is shown of its result. `half`: all that is read of it."""

    call: Callable[[str, dict[str, Any]], Shown]
    upstream: Upstream
    half: Half | None = None
    shown: dict[bool, set[Half]] = field(default_factory=lambda: {True: set(), False: set()})
    """Which halves were shown, by whether the result was a problem."""
    approval: str = ""
    """How the orders were approved, as the results say."""

    def _do(self, tool: str, arguments: dict[str, Any], problem: str | None = None) -> Seen:
        shown = self.call(tool, arguments)
        seen = read(shown, self.half)
        assert seen.code == problem, seen.whole
        self.shown[problem is not None] |= halves(shown)
        return seen

    def order_twice(self) -> None:
        """Preview, wrong total, create, repeat; preview, a price that changes, create, create again."""
        ready = self._ready(self._do("preview_order", order_arguments()))
        wrong = self._do("create_order", ready | {"expected_total": "1.00"}, "echo_mismatch")
        assert ready["expected_total"] in wrong.whole
        before = self.upstream.books()["creates_received"]
        placed = self._do("create_order", ready)
        first = self._order_id(placed)
        assert ready["expected_total"] in placed.whole
        again = self._do("create_order", ready)
        assert first in again.whole
        assert self.upstream.books()["creates_received"] == before + 1

        ready = self._ready(self._do("preview_order", order_arguments(quantity=3)))
        self.upstream.raise_prices()
        changed = self._do("create_order", ready, "terms_changed")
        assert ready["expected_total"] in changed.whole
        dearer = self._ready(changed)
        assert float(dearer["expected_total"]) > float(ready["expected_total"])
        placed = self._do("create_order", dearer)
        assert self._order_id(placed) != first
        assert dearer["expected_total"] in placed.whole
        assert self.upstream.books()["creates_received"] == before + 2

    def _ready(self, seen: Seen) -> dict[str, Any]:
        assert seen.create is not None, seen.whole
        return seen.create

    def _order_id(self, placed: Seen) -> str:
        """The newest order in the upstream's books, which the result names."""
        *_, (order,) = self.upstream.books()["orders"].values()
        (order_id,) = order["order_ids"]
        assert order_id in placed.whole
        (self.approval,) = METHODS.intersection(re.findall(r"\w+", placed.whole))
        return order_id
