"""What can go wrong with a call, by name, and when it does.

`FAULTS` is the one table: `conduct` acts on it, the command line offers it, and tests take from it what
must be true afterwards. All faults are our invention, modelled on what networks and gateways do.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import get_args

from xportcn_server.sandbox.parsing import Operation

DETAIL: frozenset[Operation] = frozenset({"product", "sibling-product"})
PRODUCTS: frozenset[Operation] = frozenset({"product", "sibling-product", "search"})
EVERYWHERE: frozenset[Operation] = frozenset(get_args(Operation))
ORDERING: frozenset[Operation] = frozenset({"preview", "create"})
CREATE: frozenset[Operation] = frozenset({"create"})
LIST: frozenset[Operation] = frozenset({"list"})
DETAILS: frozenset[Operation] = frozenset({"details"})
PREVIEW: frozenset[Operation] = frozenset({"preview"})
QUERIES = EVERYWHERE - ORDERING
ORDERS = QUERIES - PRODUCTS


@dataclass(frozen=True)
class Fault:
    """One way to fail.

    `order_exists`: after a create that was otherwise in order, the books hold the order. It is also what
    the sandbox acts on: the request is carried out before the fault if true, not at all if false.
    `in_process_only`: it cannot happen where a port listens. `status`: of the HTTP error that is answered.
    `variation`: the call is carried out and answered in good order, but with another content.
    """

    name: str
    sentence: str
    order_exists: bool
    endpoints: frozenset[Operation] = EVERYWHERE
    in_process_only: bool = False
    status: int = 200
    variation: bool = False


def _undone(
    name: str,
    sentence: str,
    endpoints: frozenset[Operation] = EVERYWHERE,
    status: int = 200,
    *,
    in_process_only: bool = False,
) -> Fault:
    return Fault(name, sentence, False, endpoints, in_process_only, status)


def _done(
    name: str, sentence: str, endpoints: frozenset[Operation] = EVERYWHERE, *, variation: bool = False
) -> Fault:
    return Fault(name, sentence, True, endpoints, variation=variation)


def _varies(name: str, sentence: str, endpoints: frozenset[Operation]) -> Fault:
    return Fault(name, sentence, False, endpoints, variation=True)


_TABLE = (
    # The network
    _undone("not-connectable", "No connection is made, and nothing is sent.", in_process_only=True),
    _undone("timeout-before-read", "The connection is made, and the request is never read or answered."),
    _undone("reset-before-order", "The request is read, then the connection is reset; nothing was done."),
    _done("reset-after-order", "The request is carried out, then the connection is reset."),
    _undone("hang-before-order", "The request is read, nothing is done and no answer ever comes."),
    _done("hang", "The request is carried out and no answer ever comes."),
    _done("slow", "The request is carried out at once, the right answer comes late."),
    _done(
        "drip", "The request is carried out, the right answer comes byte by byte, slower than any deadline."
    ),
    # Servers and gateways: behind a 5xx an order may exist or not
    _undone("http-500", "HTTP 500 with an HTML page; nothing was done.", status=500),
    _done("http-500-envelope", "HTTP 500 with an envelope, after the request was carried out."),
    _done("http-502", "HTTP 502 with an HTML page: the gateway lost the answer to what was done."),
    _undone("http-502-envelope", "HTTP 502 with an envelope; nothing was done.", status=502),
    _undone("http-503", "HTTP 503 with an HTML page; nothing was done.", status=503),
    _undone("http-503-envelope", "HTTP 503 with an envelope; nothing was done.", status=503),
    _undone("http-429", "HTTP 429 with an HTML page; nothing was done.", status=429),
    _undone("http-429-envelope", "HTTP 429 with an envelope of code 429; nothing was done."),
    _undone("redirect", "HTTP 302 to another address; nothing was done."),
    # Answers that nobody can read
    _undone("html", "HTTP 200 with an HTML page; nothing was done."),
    _done("cut-json", "The request is carried out, the answer's JSON ends in the middle."),
    _done("too-large", "The request is carried out, the answer has more than 3 MB."),
    _done("no-code", "The request is carried out, the envelope has no code."),
    _done("null-data", "The request is carried out, the envelope says success and its data is null."),
    _done("wrong-types", "The request is carried out; ids come as an object, or sums as words.", ORDERING),
    _done("no-ids", "The order is made, the envelope says success and holds no ids.", CREATE),
    # Contradictions
    _done(
        "ids-beside-failure", "The order is made; its ids come with success: false and an error code.", CREATE
    ),
    _done(
        "ids-beside-refusal", "The order is made; its ids come in an envelope whose code is 500_004.", CREATE
    ),
    _done(
        "ids-beside-failed-goods", "The order is made; its ids come with a list of goods that failed.", CREATE
    ),
    # Answers in good order that are not a success
    _undone("refusal", "A definite refusal: code 500_004, out of stock.", ORDERING),
    _undone("signature-refused", "A definite refusal: code 401, wrong signature."),
    _undone(
        "duplicate-refused", "A definite refusal: the outOrderId is taken, and no order is made.", CREATE
    ),
    _done("envelope-500", "HTTP 200, envelope code 500, after the request was carried out."),
    _undone("negative-code", "HTTP 200, envelope code -1; nothing was done."),
    # Successes that are not what one expects
    _done("split", "The order is made as one more order than usual.", CREATE, variation=True),
    _varies("price-drift", "Prices are 1 % higher, by at least one fen.", PREVIEW),
    # Paths that are inferred may not exist
    _undone("path-404", "HTTP 404 with an HTML page: there is no such path.", QUERIES, 404),
    _undone("firewall", "HTTP 403 with an HTML page, as of a firewall.", QUERIES, 403),
    _undone("no-such-interface", "An envelope of code 404: there is no such interface.", QUERIES),
    # Products
    _undone("not-permitted", "A refusal: this account may not see the product.", PRODUCTS),
    _undone("no-such-product", "A refusal in the envelope: there is no such product.", DETAIL),
    _undone("no-such-product-native", "The same, inside 1688's own wrapper.", DETAIL),
    _varies("native-wrapper", "The answer comes inside 1688's own wrapper.", PRODUCTS),
    _varies("delisted", "The product is no longer on sale, and comes without specs.", DETAIL),
    _varies("other-offer", "The answer is another offer's.", DETAIL),
    _varies("renamed-title", "The seller has changed the title.", DETAIL),
    _varies("changed-option", "The seller has renamed each spec's last value; the ids stay.", DETAIL),
    _varies("null-translations", "All translations are null.", PRODUCTS),
    _varies("whole-number-prices", "Product prices are whole numbers of fen.", PRODUCTS),
    # Orders that exist
    _undone("no-such-order", "A refusal: there is no such order.", DETAILS),
    _varies("other-order", "The answer is another order's.", DETAILS),
    _varies("empty-list", "The list is empty.", LIST),
    _varies("no-out-order-id", "outOrderId is absent, and the ids in a list are numbers.", ORDERS),
    _varies("totals-in-fen", "Totals and freight are whole numbers of fen.", ORDERS),
    _varies("vendor-words", "An order's status is one of Xportcn's words.", ORDERS),
    _varies("order-paid", "The order is shown as paid.", ORDERS),
    _varies("order-shipped", "The order is shown as shipped, with a parcel.", ORDERS),
    _varies("order-closed", "The order is shown as closed.", ORDERS),
    _varies("order-repriced", "The seller has raised the total by 1.50 yuan.", ORDERS),
)

FAULTS: dict[str, Fault] = {fault.name: fault for fault in _TABLE}


@dataclass
class _Planned:
    fault: Fault
    endpoint: Operation
    left: int | None
    probability: float
    dice: random.Random


@dataclass
class FaultPlan:
    """Which calls will fail, and how. Plans are asked in the order in which they were added."""

    _planned: list[_Planned] = field(default_factory=list[_Planned])
    _over_a_port: bool = False

    def add(
        self,
        name: str,
        endpoint: Operation,
        times: int | None = 1,
        probability: float = 1.0,
        seed: int = 0,
    ) -> None:
        """Let a call of `endpoint` fail by the fault `name`.

        `times`: how often it happens before it is over, None for ever. `probability`: of happening at each
        call, drawn from a generator of its own that starts at `seed`. Raises ValueError for a fault that
        does not exist, or not there.
        """
        fault = FAULTS.get(name)
        if fault is None:
            raise ValueError(f"no fault is called {name!r}; there are: {', '.join(FAULTS)}")
        if endpoint not in fault.endpoints:
            raise ValueError(
                f"{name} is not a fault of {endpoint}, only of: {', '.join(sorted(fault.endpoints))}"
            )
        if times is not None and times < 1:
            raise ValueError("times must be at least 1, or None")
        if not 0 < probability <= 1:
            raise ValueError("probability must be above 0 and at most 1")
        self._check_port(fault)
        self._planned.append(_Planned(fault, endpoint, times, probability, random.Random(seed)))  # noqa: S311 - repeatable, not secret

    def clear(self) -> None:
        """From now on all is well."""
        self._planned.clear()

    def next(self, endpoint: Operation) -> Fault | None:
        """The fault of the call of `endpoint` that is beginning; to be asked once per call."""
        for planned in self._of(endpoint):
            if planned.probability < 1 and planned.dice.random() >= planned.probability:
                continue
            if planned.left is not None:
                planned.left -= 1
                if planned.left == 0:
                    self._planned.remove(planned)
            return planned.fault
        return None

    def serve_over_a_port(self) -> None:
        """A port serves this plan now. Raises ValueError where that cannot be done, also in later `add`s."""
        self._over_a_port = True
        for planned in self._planned:
            self._check_port(planned.fault)

    def _of(self, endpoint: Operation) -> Iterator[_Planned]:
        return (planned for planned in list(self._planned) if planned.endpoint == endpoint)

    def _check_port(self, fault: Fault) -> None:
        if self._over_a_port and fault.in_process_only:
            raise ValueError(
                f"{fault.name} cannot be had over a port that listens: "
                "point the client at a closed port instead"
            )
