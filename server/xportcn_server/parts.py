"""The parts of the program, made from its settings: ledger, upstream, policy, saved addresses.

Neither the MCP SDK nor the sandbox is imported here: people's commands start without them. What only a call
needs is imported in the function that makes it: a handshake is answered without.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from xportcn_server.settings.loaded import default_ledger
from xportcn_server.settings.settings import Settings
from xportcn_tools.canonical import fingerprint
from xportcn_tools.clock import utc_now
from xportcn_tools.ledger.ledger import Ledger, Realm
from xportcn_tools.ledger.sqlite import SqliteLedger

if TYPE_CHECKING:
    from xportcn_server.sandbox.service import Sandbox
    from xportcn_server.telemetry.telemetry import Telemetry
    from xportcn_tools.desk.caps import Caps
    from xportcn_tools.desk.hints import Hints
    from xportcn_tools.desk.policy import Policy
    from xportcn_tools.goods.reader import ProductReader
    from xportcn_tools.ledger.address_book import AddressBook
    from xportcn_tools.upstream.client import UpstreamClient
    from xportcn_tools.upstream.http_clients import TransportFactory
    from xportcn_tools.upstream.port import Upstream

NAME = "xportcn-mcp"


@dataclass(frozen=True)
class Seams:
    """What the server meets outside. The defaults are the real ones, without telemetry.

    A test puts its own in place; the start adds telemetry, and over HTTP the ledger that `/readyz` asks, what
    opens the page, which is then at `/`, and what takes the vendor's messages. `browse` opens an address in a
    browser, where there is one.
    """

    clock: Callable[[], datetime] | None = None
    sandbox: "Sandbox | None" = None
    ledger: Ledger | None = None
    upstream: "Upstream | None" = None
    new_transport: "TransportFactory | None" = None
    telemetry: "Telemetry | None" = None
    browse: Callable[[str], bool] | None = None
    open_page: Callable[[], Awaitable[bool]] | None = None
    hints: "Hints | None" = None


def caps_of(settings: Settings) -> "Caps":
    """The owner's caps, in fen."""
    from xportcn_tools.desk.caps import Caps  # noqa: PLC0415

    return Caps(settings.max_order_fen, settings.max_day_fen, settings.max_day_orders, settings.total_day_fen)


def policy_of(settings: Settings) -> "Policy":
    """The owner's settings as the desk's rules."""
    from xportcn_tools.desk.policy import LookupPaths, Policy  # noqa: PLC0415
    from xportcn_tools.desk.quote import PinRules  # noqa: PLC0415
    from xportcn_tools.order import AccountFields  # noqa: PLC0415

    return Policy(
        environment=settings.mode,
        caps=caps_of(settings),
        pin=PinRules(settings.trade_types, settings.trade_types_set),
        flow=settings.flow,
        approval=settings.approval,
        ask_above=settings.ask_above_fen,
        preview_ttl=settings.preview_ttl_seconds,
        recheck_after=settings.recheck_after_seconds,
        call_timeout=settings.timeout_seconds,
        account=AccountFields(
            ali_id=settings.ali_id,
            user_id=settings.order_user_id,
            staff_name=settings.staff_name,
            developer_id=settings.developer_id,
            platform_order=settings.platform_order,
        ),
        orders_as=_orders_as(settings),
        zone=ZoneInfo(settings.timezone),
        lookup=LookupPaths(settings.order_detail_path, settings.order_list_path)
        if settings.order_lookup == "on"
        else None,
        language=settings.language,
    )


def _orders_as(settings: Settings) -> str:
    """A digest that stands for the upstream's account, and reveals nothing of it."""
    if settings.mode == "sandbox":
        return "sandbox"
    return fingerprint([settings.access_key, settings.user_id])


def ledger_of(settings: Settings, clock: Callable[[], datetime] | None = None) -> Ledger:
    """The ledger that the settings name; not yet opened. `clock`: for tests."""
    realm: Realm = "sandbox" if settings.mode == "sandbox" else "real"  # never mixed, even in one ledger
    zone = ZoneInfo(settings.timezone)
    if settings.ledger_url:
        from xportcn_tools.ledger.postgres import PostgresLedger  # noqa: PLC0415 - the extra `postgres`

        # Its warnings quote the driver, which quotes what it was given. The ledger reports what fails.
        logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
        return PostgresLedger(settings.ledger_url, realm, zone=zone, clock=clock)
    return SqliteLedger(Path(settings.ledger), realm, zone=zone, clock=clock or utc_now)


def data_folder(settings: Settings) -> Path:
    """The folder of the ledger's file, or the user's data folder."""
    return settings.ledger_path.parent if settings.ledger_path else default_ledger().parent


def address_book_of(settings: Settings) -> "AddressBook":
    """The saved addresses."""
    from xportcn_tools.ledger.address_book import AddressBook  # noqa: PLC0415

    return AddressBook(data_folder(settings) / "addresses.json")


def upstream_of(settings: Settings, seams: Seams, preview_attempts: int | None = None) -> "UpstreamClient":
    """The client for the upstream that the mode asks for. The sandbox is reached in this process."""
    from xportcn_tools.upstream.client import PREVIEW_ATTEMPTS, Endpoint, UpstreamClient  # noqa: PLC0415
    from xportcn_tools.upstream.signing import Credentials, Signer  # noqa: PLC0415

    attempts = preview_attempts or PREVIEW_ATTEMPTS
    if settings.mode == "sandbox":
        # Loaded in this mode alone, and httpx with it at the first call only.
        from xportcn_server.sandbox.access import SANDBOX_BASE_URL, SANDBOX_CREDENTIALS  # noqa: PLC0415

        return UpstreamClient(
            Endpoint(SANDBOX_BASE_URL, settings.timeout_seconds),
            Signer(SANDBOX_CREDENTIALS),
            new_transport=seams.new_transport or _into_sandbox(seams),
            clock=seams.clock or utc_now,
            preview_attempts=attempts,
        )
    credentials = Credentials(
        settings.access_key or "",
        settings.access_secret.get_secret_value() if settings.access_secret else "",
        settings.user_id or "",
    )
    return UpstreamClient(
        Endpoint(settings.base_url, settings.timeout_seconds),
        Signer(credentials, settings.signature, settings.timestamp_unit),
        new_transport=seams.new_transport,
        clock=seams.clock or utc_now,
        preview_attempts=attempts,
    )


def products_of(settings: Settings, upstream: "Upstream", seams: Seams) -> "ProductReader | None":
    """The reader of products, where the owner wants them read."""
    if settings.products == "off":
        return None
    from xportcn_tools.goods.reader import GoodsPaths, ProductReader  # noqa: PLC0415 - the server alone reads

    paths = GoodsPaths(settings.product_path, settings.search_path, settings.product_language)
    return ProductReader(upstream, paths, seams.clock or utc_now)


def _into_sandbox(seams: Seams) -> "TransportFactory":
    """One sandbox for the life of the process, built at the first call."""
    built = seams.sandbox

    def new_transport() -> Any:
        from xportcn_server.sandbox.service import build_sandbox  # noqa: PLC0415
        from xportcn_server.sandbox.transport import SandboxTransport  # noqa: PLC0415

        nonlocal built
        built = built or build_sandbox(clock=seams.clock or utc_now)
        return SandboxTransport(built)

    return new_transport
