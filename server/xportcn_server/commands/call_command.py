"""`xportcn-mcp call PATH [JSON]`: a signed call that reads, for a person who explores an account."""

import json
from pathlib import Path
from typing import Any, cast

import anyio
import click

from xportcn_server.commands.shared import loaded_settings, record_option, say, stop
from xportcn_server.doctor.check_settings import hidden_of
from xportcn_server.doctor.recording import Recording
from xportcn_server.doctor.scrubbing import as_json
from xportcn_server.doctor.signed_call import Exchange
from xportcn_server.parts import Seams, upstream_of
from xportcn_server.settings.settings import Settings
from xportcn_tools.upstream.envelope import UnreadableAnswerError, parsed
from xportcn_tools.upstream.outcome import Reply
from xportcn_tools.upstream.port import UpstreamError
from xportcn_tools.upstream.reading_paths import reads_only

_ALLOWED = (
    "only paths that read may be called: in no part a word such as create, pay, cancel or change, and in the"
    " last one get, query, list, page, detail, search or info, as in /alibaba/ka/order/detail"
)


@click.command()
@click.argument("path")
@click.argument("body", metavar="[JSON]", default="{}")
@record_option
def call(path: str, body: str, folder: Path | None) -> None:
    """Make one signed call to PATH; print the raw answer. Refuses what may create, pay, cancel or change."""
    if not reads_only(path):
        stop(f"{path!r} is not called, nothing was sent: {_ALLOWED}")
    request = _request(body)
    loaded = loaded_settings()
    try:
        reply = anyio.run(_called, loaded.settings, path, request)
    except UpstreamError as error:
        stop(f"no answer: {error}", 1)
    if folder:
        recording = Recording(hidden_of(loaded))
        recording.add(Exchange("call", path, request, reply))
        try:
            recording.keep_in(folder)
        except OSError as error:
            stop(f"{folder}: {error.strerror}", 1)
        say(f"HTTP {reply.status}, code {reply.code}; the answer is in {folder}, scrubbed")
    else:
        say(_shown(reply, hidden_of(loaded)))
    if reply.envelope is None or not reply.envelope.succeeded:
        stop(f"HTTP {reply.status}, code {reply.code}: no success", 1)


def _request(body: str) -> dict[str, Any]:
    try:
        content: object = json.loads(body)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        stop("""JSON must be an object, such as '{"orderId": "123"}'""")
    return cast("dict[str, Any]", content)


async def _called(settings: Settings, path: str, request: dict[str, Any]) -> Reply:
    upstream = upstream_of(settings, Seams(), preview_attempts=1)
    try:
        return await upstream.read(path, request)
    finally:
        await upstream.aclose()


def _shown(reply: Reply, hidden: tuple[str, ...]) -> str:
    """The answer as it came, for its owner's eyes, without the keys."""
    try:
        text = as_json(parsed(reply.body))
    except UnreadableAnswerError:
        text = reply.body.decode(errors="replace")
    for each in filter(None, hidden):
        text = text.replace(each, "***")
    return text
