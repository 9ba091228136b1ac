"""What the templates get: the ledger's own records, and the words of the person's language around them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cache, partial
from hashlib import sha256
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from xportcn_server.page.picture_fetch import is_shown
from xportcn_tools.desk.comparison import Difference, compared
from xportcn_tools.desk.last_time import since_last_time
from xportcn_tools.desk.operator import digest_of
from xportcn_tools.desk.question import asked_for
from xportcn_tools.ledger.approvals import Bought
from xportcn_tools.ledger.ledger import Receipt, StoredPreview
from xportcn_tools.messages import said
from xportcn_tools.money import yuan
from xportcn_tools.order import ERASED, Line
from xportcn_tools.result_shapes import timestamp
from xportcn_tools.wording import UiLanguage, reworded


@cache
def templates() -> Environment:
    """Everything is escaped, and a name that is missing is an error."""
    environment = Environment(
        loader=PackageLoader("xportcn_server.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["yuan"] = yuan
    environment.filters["timestamp"] = timestamp
    return environment


def version_of(*shown: object) -> str:
    """Changes with what is shown."""
    return sha256(repr(shown).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Card:
    """A preview that waits. `yes` and `no` are the tokens of its forms, `digest` that of what it shows.
    `bought`: the caller's earlier orders of these goods. `newer`: the newest preview with its number, if that
    is another one; a number becomes one order.
    """

    preview: StoredPreview
    digest: str
    yes: str
    no: str
    bought: Sequence[Bought] = ()
    newer: StoredPreview | None = None

    def sent_along(self, language: UiLanguage) -> list[str]:
        return asked_for(self.preview.request, language)


def card_of(
    preview: StoredPreview,
    form_token: Callable[..., str],
    bought: Sequence[Bought] = (),
    waiting: Sequence[StoredPreview] = (),
) -> Card:
    """`form_token` takes an action and the words that it is about. `waiting`: all that wait, newest first."""
    digest = digest_of(preview)
    subject = (preview.approval_code, digest)
    newest = next((each for each in waiting if each.has_number_of(preview)), preview)
    newer = None if newest is preview else newest
    return Card(preview, digest, form_token("yes", *subject), form_token("no", *subject), bought, newer)


def rendered(template: str, language: UiLanguage, now: datetime, zone: tzinfo, **values: Any) -> str:
    """A template in a language; in it, `t` says a message, `when` a time and `left` how long until it."""

    def when(moment: datetime) -> str:
        return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"

    def left(until: datetime) -> str:
        seconds = max(0, int((until - now).total_seconds()))
        return f"{seconds // 60}:{seconds % 60:02}"

    def named(line: Line) -> list[str]:
        """The title in the person's language, then the other, where there is one."""
        titles = (
            [line.title, line.title_translated] if language == "zh" else [line.title_translated, line.title]
        )
        return list(dict.fromkeys(filter(None, titles)))

    def changed_upstream(receipt: Receipt) -> tuple[Difference, ...]:
        """What the upstream has otherwise than it was approved."""
        if not (receipt.reading and receipt.preview):
            return ()
        return compared(receipt.reading.orders, receipt.preview.shown).differences

    def since(line: Line, bought: Sequence[Bought]) -> list[str]:
        return since_last_time(line, bought, language, zone)

    own = {
        "erased": ERASED,
        "named": named,
        "when": when,
        "left": left,
        "version": version_of,
        "may_be_shown": is_shown,
    }
    own |= {"since_last_time": since, "changed_upstream": changed_upstream}
    page = templates().get_template(template)
    own |= {"t": partial(said, language), "reworded": partial(reworded, language)}
    return page.render(values, language=language, **own)
