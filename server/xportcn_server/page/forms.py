"""What each form of the page does, by its action: a call of `desk/operator.py` each."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from xportcn_tools.desk.operator import Operator, RefusedError

Form = Mapping[str, str]


@dataclass(frozen=True)
class Action:
    """`about`: the fields that its token is for. `done`: the message after it. `owners`: not for callers."""

    about: tuple[str, ...]
    act: Callable[[Operator, Form], Awaitable[None]]
    done: str
    owners: bool = False


async def _yes(operator: Operator, form: Form) -> None:
    await operator.approve(form["code"], form["shown"])


async def _no(operator: Operator, form: Form) -> None:
    await operator.decline(await operator.to_decline(form["code"], form["shown"]))


async def _look(operator: Operator, form: Form) -> None:
    """What became of an unknown order is asked twice: first whether it can be recorded at all."""
    await operator.to_resolve(form["reference"], ids_in(form))


async def _resolve(operator: Operator, form: Form) -> None:
    ids = ids_in(form)
    await operator.resolve(await operator.to_resolve(form["reference"], ids), ids)


async def _pause(operator: Operator, form: Form) -> None:
    await operator.pause(form.get("reason", ""))


async def _resume(operator: Operator, form: Form) -> None:
    del form
    await operator.resume()


def ids_in(form: Form) -> tuple[str, ...]:
    """The order ids that a person has typed; none where the order does not exist.

    Raises:
        RefusedError: it is said to exist, and no id is named.
    """
    if form.get("ending") != "placed":
        return ()
    ids = tuple(dict.fromkeys(re.findall(r"[^\s,;，；、]+", form.get("ids", ""))))
    if not ids:
        raise RefusedError("no order id was named")
    return ids


ACTIONS = {
    "yes": Action(("code", "shown"), _yes, "said_yes"),
    "no": Action(("code", "shown"), _no, "said_no"),
    "look": Action(("reference",), _look, ""),
    "resolve": Action(("reference", "ending", "ids"), _resolve, "resolved"),
    "pause": Action((), _pause, "now_paused", owners=True),
    "resume": Action((), _resume, "now_resumed", owners=True),
}
