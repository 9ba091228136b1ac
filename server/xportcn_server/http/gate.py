"""Who may call over HTTP, and what holds for each."""

from dataclasses import dataclass

from mcp.server.auth.provider import TokenVerifier
from mcp.server.auth.settings import AuthSettings

from xportcn_server.http.callers import OTHERS, Callers
from xportcn_tools.desk.policy import Profile


@dataclass(frozen=True)
class Gate:
    """Who may call over HTTP, and what holds for each."""

    callers: Callers | None = None
    verifier: TokenVerifier | None = None
    auth: AuthSettings | None = None

    def profile_of(self, caller: str) -> Profile:
        """What holds for one caller; the local user, who is then the only caller, has no limits but caps."""
        if self.callers:
            return self.callers.profile_of(caller)
        return OTHERS if self.verifier else Profile()

    def marks_of(self, caller: str) -> tuple[str, ...]:
        """By which a session of the page is tied to the caller's entry (`Callers.marks_of`)."""
        return self.callers.marks_of(caller) if self.callers else ("",)
