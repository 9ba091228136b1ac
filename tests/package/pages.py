"""The tables that appear in more than one file, or follow from the program, each from one source.

Of a setting, default and allowed values come from the model and its meaning from here; problem codes come from
`results.py`. `make docs` writes the files, `test_pages.py` compares them.
"""

import json
import re
import textwrap
from pathlib import Path
from typing import Any, cast, get_args

from clients.model_requests import as_markdown as requests
from orders.fault_outcomes import as_markdown as faults
from sandbox.sandbox_tables import faults_as_markdown as query_faults
from sandbox.sandbox_tables import offers_as_markdown as offers
from upstream.create_answers import as_markdown as answers
from xportcn_prompts import load_skill
from xportcn_server.settings.settings import FIELDS, Settings
from xportcn_tools.money import yuan
from xportcn_tools.results import ProblemCode

ROOT = Path(__file__).resolve().parents[2]
WIDTH = 110

MEANINGS: dict[str, dict[str, str]] = {
    "What is real": {
        "MODE": "`sandbox`: built in, nothing is real. `preview`: real prices, no orders. `live`: real orders",
        "BASE_URL": "the upstream's address, used in `preview` and `live`",
        "ACCESS_KEY": "the account's access key, required in `preview` and `live`",
        "ACCESS_SECRET": "the account's secret, required in `preview` and `live`, never shown",
        "USER_ID": "the account's user id, required in `preview` and `live`",
        "SIGNATURE": "the signing rule that the account accepts; `doctor --probe` finds it",
        "TIMESTAMP_UNIT": "the unit of the signed timestamp, seconds or milliseconds; `doctor --probe` finds it",
    },
    "Products": {
        "PRODUCTS": "`off`: products are never read, `search_products` and `get_product` are not offered, and goods "
        "are named by their ids",
        "PRODUCT_PATH": "the path of a product (inferred, not documented); left at its default, the path of the "
        "vendor's sister platform is tried where this one is not found",
        "SEARCH_PATH": "the path of the search by words",
        "PRODUCT_LANGUAGE": "the language of translated titles and options",
    },
    "Orders": {
        "LEDGER": "the record of all orders; without it, one file for the sandbox and one for the other modes",
        "PREVIEW_TTL_SECONDS": "how many seconds a preview can be ordered",
        "RECHECK_AFTER_SECONDS": "a preview older than this many seconds is priced again before the create; "
        "`0`: always",
        "TIMEOUT_SECONDS": "seconds for one upstream call, connecting and reading together",
        "APPROVAL": "`ask`: the person is asked where the client can ask; elsewhere the client's own dialog is "
        "the approval. `require`: no order without a recorded yes, which is the default over HTTP outside the "
        "sandbox. `off`: never ask",
        "ASK_ABOVE_CNY": "an order of at most this total, in yuan, needs no question; above it `XPORTCN_APPROVAL` "
        "holds",
        "PAGE": "`auto`: on stdio the page for people opens where a yes is needed that the client cannot show. `on`: "
        "it opens with the server. `off`: never",
        "PICTURES": "`off`: no pictures of goods on the page; they come through this program, from `*.alicdn.com` over "
        "https alone",
        "LANGUAGE": "the language of the form, the page, the terminal and receipts. What tools answer stays English; so do "
        "logs, `doctor`, `--help` and faults of settings, which are looked up and sent to support, and the recorded "
        "reasons of refusals. CSV and JSON keep their names",
        "TIMEZONE": "whose day the caps go by: the upstream's, unless you name another",
        "MAX_ORDER_CNY": "cap for one order, in yuan",
        "MAX_DAY_CNY": "cap for all orders of a day, in yuan; orders being sent or of unknown outcome count",
        "MAX_DAY_ORDERS": "cap on the number of orders in a day",
        "TOTAL_DAY_CNY": "cap for all orders of all callers of a day together, in yuan",
        "TRADE_TYPES": "trade types that may be used, in order of preference; credit only if you list it",
        "FLOW": "the `flow` of a preview that names none",
        "ORDER_LOOKUP": "experimental, `on`: read orders upstream: state, total, parcels, and what became of an unknown one",
        "ORDER_DETAIL_PATH": "the path of an order's details (inferred, not documented)",
        "ORDER_LIST_PATH": "the path of the order list (inferred, not documented)",
    },
    "Request fields, sent when set": {
        "ALI_ID": "`aliId`",
        "ORDER_USER_ID": "`userId`",
        "STAFF_NAME": "`staffName`",
        "DEVELOPER_ID": "`developerId`",
        "PLATFORM_ORDER": "`platformOrder`",
    },
    "Over HTTP": {
        "CALLERS": "the file of callers and the digests of their tokens",
        "OAUTH_ISSUER": "the OAuth issuer whose tokens are accepted",
        "OAUTH_AUDIENCE": "the URL of this server's `/mcp`: the audience of those tokens, and the host that answers",
        "STATE_KEYS": "keys that all replicas share; with them, no sessions are kept",
        "MESSAGES_SECRET": "the last part of `/messages/<secret>`, where the vendor's messages may come; without it, there is no such path",
    },
    "Records and logs": {
        "RETENTION_DAYS": "days after which the personal data of an order is erased",
        "LOG_LEVEL": "how much is logged, to stderr",
        "LOG_FORMAT": "`text` for people, `json` for machines",
    },
}
"""What each setting means, by section and by its name without the prefix; in Markdown, no full stop."""

REGISTERED = (
    *["MODE", "ACCESS_KEY", "ACCESS_SECRET", "USER_ID", "SIGNATURE", "TIMESTAMP_UNIT", "LEDGER", "APPROVAL"],
    *["TIMEZONE", "MAX_ORDER_CNY", "MAX_DAY_CNY", "MAX_DAY_ORDERS"],
)
"""The settings that server.json offers to a registry's clients."""

DEFAULTS = {"LEDGER": "a file in the user's data folder"}
"""In words, where the model has no default because it depends on something else."""

HIDDEN = ("ACCESS_KEY", "ACCESS_SECRET", "STATE_KEYS", "MESSAGES_SECRET")

PROBLEMS: dict[str, tuple[str, str]] = {
    "invalid_arguments": ("no", "the assistant corrects the fields that are named"),
    "unknown_token": ("no", "preview again"),
    "token_expired": (
        "no, not by this call",
        "preview again; where the ledger was restored, look upstream first",
    ),
    "echo_mismatch": (
        "no",
        "the assistant garbled the total, the address or the goods: let it copy them again",
    ),
    "terms_changed": ("no", "look at what changed, and approve the new preview or not"),
    "choose_option": ("no", "choose one of the options that are listed for each open line"),
    "product_not_found": ("no", "the upstream knows no such product: check the link"),
    "product_unavailable": (
        "no",
        "the product could not be read; the message says why. An order with `spec_id` does not need it",
    ),
    "several_sellers": ("no", "preview once for each seller, with the arguments that the problem holds"),
    "not_orderable": ("no", "the supplier or the platform refuses: read the reasons, which name the line"),
    "units_unclear": (
        "no",
        "the upstream's sums prove no total in yuan or fen: give the vendor the `request_id` and the figures",
    ),
    "over_limit": (
        "no",
        "a cap would be exceeded, or the rate limit is reached: the message has the figures",
    ),
    "approval_declined": ("no", "the person said no; the token stays good"),
    "approval_required": ("no", "say yes with `xportcn-mcp approve CODE`; the token stays good"),
    "orders_disabled": ("no", "the mode is `preview`, which creates nothing"),
    "paused": ("no", "the owner has paused: `xportcn-mcp resume` ends it"),
    "duplicate_reference": (
        "no, not by this call",
        "this `out_order_id` was used before: look it up, or take another",
    ),
    "earlier_order_unknown": (
        "perhaps the earlier one; this one no",
        "settle the earlier order of the same goods first, as below",
    ),
    "order_in_progress": (
        "another call is sending it, or the same goods to the same place or mobile",
        "wait half a minute and ask `get_orders`, or call again with the same token",
    ),
    "upstream_rejected": ("no: the upstream refused it", "read the reason, change the order, preview again"),
    "upstream_unauthorized": (
        "no: key, signature or clock were refused",
        "`xportcn-mcp doctor --probe` says which of them is wrong",
    ),
    "upstream_busy": ("no: no create was sent", "wait as long as `next_step` says, then preview again"),
    "upstream_unavailable": ("no: no create was sent", "try again in a minute, with a new preview"),
    "outcome_unknown": ("**perhaps**", "do not order again; settle it as below"),
    "ledger_unavailable": (
        "no: nothing is sent that cannot be recorded",
        "repair the ledger (disk space, permissions, the file itself), then try again",
    ),
    "not_found": ("not by this reference", "check the reference"),
}
"""Whether an order exists, and what to do, by problem code; in Markdown."""


def written() -> dict[str, str]:
    """The text that each file should have, by its path from the root."""
    return {
        "docs/settings.md": _filled("docs/settings.md", settings=_tables()),
        "docs/reliability.md": _filled(
            "docs/reliability.md", problems=_problems(), answers=answers(), faults=faults()
        ),
        "docs/sandbox.md": _filled("docs/sandbox.md", offers=offers(), query_faults=query_faults()),
        "docs/requests.md": _filled("docs/requests.md", requests=requests()),
        ".env.example": _example(),
        "server.json": _registry(),
        "skills/order-on-1688/SKILL.md": load_skill()[1],
    }


def filled(text: str, blocks: dict[str, str]) -> str:
    """A Markdown page with each block between its two marks."""
    for name, block in blocks.items():
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        text, count = re.subn(
            f"{begin}.*?{end}",
            lambda _, block=block, begin=begin, end=end: f"{begin}\n{block}\n{end}",
            text,
            flags=re.DOTALL,
        )
        assert count == 1, name
    return text


def _filled(page: str, **blocks: str) -> str:
    return filled((ROOT / page).read_text("utf-8"), blocks)


def _settings() -> dict[str, str]:
    """The section of each setting that the program has, in the program's order."""
    sections = {name: section for section, names in MEANINGS.items() for name in names}
    names = [name.removeprefix("XPORTCN_") for name in FIELDS]
    assert set(names) <= set(sections), f"no meaning in {__file__}: {set(names) - set(sections)}"
    return {name: sections[name] for name in names}


def _field(name: str) -> Any:
    return Settings.model_fields[FIELDS[f"XPORTCN_{name}"]]


def _meaning(name: str) -> str:
    return MEANINGS[_settings()[name]][name]


def default(name: str) -> str:
    """A setting's default as it would be written in a `.env`; empty where there is none."""
    value: object = _field(name).get_default()
    if value is None or _field(name).is_required():
        return ""
    if isinstance(value, tuple):
        return ",".join(cast("tuple[str, ...]", value))
    if isinstance(value, int) and FIELDS[f"XPORTCN_{name}"].endswith("_fen"):
        return yuan(value).removesuffix(".00")
    return str(value).removesuffix(".0")


def _row(name: str) -> str:
    shown = f"`{default(name)}`" if default(name) else DEFAULTS.get(name, "–")
    return f"| `XPORTCN_{name}` | {shown} | {_field(name).description} | {_meaning(name)} |"


def _tables() -> str:
    tables: list[str] = []
    for section in MEANINGS:
        lines = [f"### {section}", "", "| name | default | allowed | meaning |", "|---|---|---|---|"]
        names = [name for name, its_section in _settings().items() if its_section == section]
        tables.append("\n".join(lines + [_row(name) for name in names]))
    return "\n\n".join(tables)


def _problems() -> str:
    lines = ["| problem | is there an order? | what to do |", "|---|---|---|"]
    for code in get_args(ProblemCode):
        exists, remedy = PROBLEMS[code]
        lines.append(f"| `{code}` | {exists} | {remedy} |")
    return "\n".join(lines)


def _example() -> str:
    lines = [
        "# Settings of xportcn-mcp. Copy this file to `.env` beside the ledger and remove the `#` from what you set.",
        "# Each line shows the default; a setting without one is empty. docs/settings.md says which file is read.",
    ]
    section = None
    for name, its_section in _settings().items():
        if its_section != section:
            section = its_section
            lines += ["", f"# -- {section} ".ljust(100, "-")]
        for text in (_meaning(name).replace("`", ""), f"allowed: {_field(name).description}"):
            lines += [f"# {line}" for line in textwrap.wrap(text, WIDTH - 2, break_on_hyphens=False)]
        lines.append(f"# XPORTCN_{name}={default(name)}")
    return "\n".join(lines) + "\n"


def _registry() -> str:
    server = json.loads((ROOT / "server.json").read_text("utf-8"))
    server["packages"][0]["environmentVariables"] = [_variable(name) for name in REGISTERED]
    return json.dumps(server, ensure_ascii=False, indent=2) + "\n"


def _variable(name: str) -> dict[str, Any]:
    meaning = _meaning(name)
    if not meaning.startswith("`"):
        meaning = meaning[0].upper() + meaning[1:]
    variable: dict[str, Any] = {"name": f"XPORTCN_{name}", "description": meaning.replace("`", "") + "."}
    if choices := [each for each in get_args(_field(name).annotation) if isinstance(each, str)]:
        variable["choices"] = choices
    elif name.startswith("MAX_"):
        variable["format"] = "number"
    elif name == "LEDGER":
        variable["format"] = "filepath"
    if default(name):
        variable["default"] = default(name)
    if name in HIDDEN:
        variable["isSecret"] = True
    return variable


if __name__ == "__main__":
    for name, text in written().items():
        (ROOT / name).write_text(text, "utf-8")
