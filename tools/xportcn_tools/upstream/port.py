"""The upstream as the desk sees it. `client.py` calls the real one; telemetry and tests wrap it.

UpstreamError
├── NotSentError                no connection (DNS, refused, TLS, connect time-out): the upstream saw nothing
│   └── SettingUnusableError    a proxy or TLS setting of this machine: none can be made until it is corrected
└── AnswerLostError             the request left, or may have; no whole answer came back
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from xportcn_tools.upstream.outcome import Reply

MayLeave = Callable[[], bool]
HELD_UP = "the program was held up between its claim and sending, so it did not send"


class UpstreamError(Exception):
    """No answer. The text is ours and holds no secret."""


class NotSentError(UpstreamError):
    """No connection was made: the request never left."""


class SettingUnusableError(NotSentError):
    """No connection can be made with the `setting` of this machine: `proxy` or `TLS`."""

    next_step = "Tell the person to run `xportcn-mcp doctor`: it names the setting and its right form."

    def __init__(self, setting: str) -> None:
        super().__init__(f"the {setting} setting of this machine cannot be used; run `xportcn-mcp doctor`")


class AnswerLostError(UpstreamError):
    """The request left, or may have; we do not know what became of it.

    `sent`: the HTTP library had begun to hand it to the network.
    """

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent


class Upstream(Protocol):
    """One account's calls. An answer is a `Reply`, readable or not.

    Each call has one deadline, and raises NotSentError or AnswerLostError where no answer came within it.
    """

    async def preview(self, body: Mapping[str, Any], user_id: str | None = None) -> Reply:
        """Ask what an order would cost. Creates nothing, so passing failures are tried again.

        `user_id`: another sub-account than the owner's; it takes no part in the signature.
        """
        ...

    def prepare(self) -> None:
        """Load what a create needs. Raises: NotSentError."""
        ...

    async def create(
        self, body: Mapping[str, Any], user_id: str | None = None, *, may_leave: MayLeave = lambda: True
    ) -> Reply:
        """Send one create, once. Nothing here, above or below tries it again.

        `may_leave` is asked as the request's first byte is about to leave, on a connection that stands; where
        it says no, nothing leaves (NotSentError).
        """
        ...

    async def read(self, path: str, body: Mapping[str, Any], user_id: str | None = None) -> Reply:
        """Any other call that changes nothing upstream; tried again as a preview is."""
        ...

    async def aclose(self) -> None: ...
