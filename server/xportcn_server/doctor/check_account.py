"""The account: one signed search as it is set, and what the probe's answers mean for the settings."""

import anyio

from xportcn_server.doctor.check import Check, fault, ok, warning
from xportcn_server.doctor.probe import IN_WORDS, Finding
from xportcn_server.doctor.signed_call import Account, Attempt, Call, account_of, in_signs
from xportcn_server.settings.loaded import Loaded
from xportcn_server.settings.settings import Settings

_PROBE = "run `xportcn-mcp doctor --probe`, which says what is refused and what the account accepts"
NEEDED = frozenset(("mode", "base_url", "timeout_seconds", "search_path"))
"""What a probe cannot go without, beside the credentials."""
_WITHOUT: dict[Call, str] = {
    "product": "set XPORTCN_PRODUCTS=off and name goods by their ids, or ask the vendor for the path",
    "order list": "leave XPORTCN_ORDER_LOOKUP off, or ask the vendor for the path",
    "order details": "leave XPORTCN_ORDER_LOOKUP off, or ask the vendor for the path",
}


def check_account(loaded: Loaded, *, reached: bool) -> Check:
    """Whether the search is accepted. `reached`: the checks of the network found no fault."""
    if loaded.settings.mode == "sandbox" and "mode" not in loaded.broken:
        return ok("account", "not needed in sandbox mode")
    account = None if NEEDED & loaded.broken else account_of(loaded.settings)
    if account is None:
        return warning("account", "not looked at", "correct the account's settings, then call doctor again")
    if not reached:
        return warning("account", "not checked, since the upstream was not reached", "see the faults above")
    return _judged(anyio.run(_searched, account))


async def _searched(account: Account) -> Attempt:
    settings = account.settings
    return (await account.search(settings.signature, settings.timestamp_unit))[0]


def _judged(attempt: Attempt) -> Check:
    pair = f"{attempt.signature} with {attempt.timestamp_unit}"
    said = in_signs(attempt.code, attempt.text)
    if attempt.meaning == "accepted":
        return ok("account", f"a signed search is accepted ({pair})")
    if attempt.meaning in ("unclear", "unreachable") and (attempt.http_status or 500) >= 429:
        return warning("account", f"a signed search has no usable answer: {said}", f"wait; then {_PROBE}")
    return fault(
        "account", f"a signed search is refused ({pair}; {IN_WORDS[attempt.meaning]}): {said}", _PROBE
    )


def judged(finding: Finding, settings: Settings) -> list[Check]:
    """The probe as checks: where something else than what is set is accepted, a person has to act."""
    if finding.outcome != "accepted":
        return [fault("probe", finding.found, finding.next_step)]
    if not finding.differs(settings):
        first = ok("probe", f"{finding.found}, as it is set")
    else:
        lines = " and ".join(finding.env_lines)
        step = f"set {lines} next to the other XPORTCN_ settings (the environment wins over files)"
        first = warning("probe", f"{finding.found}; the settings differ", step)
    return [first, *(_path(call, finding, settings) for call in _WITHOUT)]


def _path(call: Call, finding: Finding, settings: Settings) -> Check:
    name = f"path of {call}"
    path = finding.confirmed(call)
    if path:
        return ok(name, f"{path} is confirmed")
    tried = [f"{each.path} {each.meaning}" for each in finding.paths if each.call == call]
    found = "; ".join(tried) or "no candidate was tried"
    in_use = settings.products == "on" if call == "product" else settings.order_lookup == "on"
    return warning(name, found, _WITHOUT[call]) if in_use else ok(name, f"{found} (not in use)")
