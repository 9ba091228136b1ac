"""Who may call over HTTP: the callers' file, and tokens of an OAuth issuer (this server is its resource)."""

import logging
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import httpx
import jwt
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from pydantic import AnyHttpUrl

from xportcn_server.callers import Callers
from xportcn_server.settings import Settings

logger = logging.getLogger(__name__)

OAUTH_PREFIX = "oauth:"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
METADATA_SECONDS = 10
COOLDOWN_SECONDS = 30.0
"""Keys that nobody has published are not asked for more often than this, whoever names them."""

MOST_THREADS = 8
"""An issuer that does not answer must not hold the threads that the ledger needs."""


class Verifier:
    """The SDK's token verifier over both sources; either may be absent."""

    def __init__(self, callers: Callers | None, oauth: "OAuthIssuer | None") -> None:
        self._callers = callers
        self._oauth = oauth

    async def verify_token(self, token: str) -> AccessToken | None:
        """The caller behind a bearer token, its name in `subject`; `None` lets nobody in."""
        name = self._callers.name_of(token) if self._callers else None
        if name:
            resource = self._oauth.audience if self._oauth else None
            return AccessToken(token=token, client_id=name, scopes=[], subject=name, resource=resource)
        return await self._oauth.verified(token) if self._oauth else None


class OAuthIssuer:
    """JSON Web Tokens of one issuer for one audience, checked against the keys that it publishes."""

    def __init__(self, issuer: str, audience: str) -> None:
        self.issuer = issuer
        self.audience = audience
        self._keys: jwt.PyJWKClient | None = None
        self._threads = anyio.CapacityLimiter(MOST_THREADS)

    async def verified(self, token: str) -> AccessToken | None:
        """`verify`, which may have to ask the issuer, off the event loop."""
        return await anyio.to_thread.run_sync(self.verify, token, limiter=self._threads)

    def verify(self, token: str) -> AccessToken | None:
        """Signature, issuer, audience and times are checked by the library; a subject is required."""
        try:
            key = self._published_keys().get_signing_key_from_jwt(token)
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=list(ALGORITHMS),
                audience=self.audience,
                issuer=self.issuer,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
            if not claims["sub"]:
                raise jwt.InvalidTokenError("no subject")  # noqa: TRY301 - refused below like any other
        except jwt.PyJWKClientConnectionError:
            logger.warning("the issuer's keys cannot be had; nobody is let in by its tokens")
            self._keys = None  # they may be somewhere else by now: the metadata are asked again
            return None
        except Exception as error:  # noqa: BLE001 - a stranger's text: whatever it breaks, it lets nobody in
            logger.info("a bearer token was refused: %s", type(error).__name__)
            return None
        subject = f"{OAUTH_PREFIX}{self.issuer}|{claims['sub']}"
        return AccessToken(
            token=token,
            client_id=str(claims.get("client_id") or claims.get("azp") or subject),
            scopes=str(claims.get("scope") or "").split(),
            expires_at=int(claims["exp"]),
            resource=self.audience,
            subject=subject,
            claims={"iss": self.issuer},
        )

    def _published_keys(self) -> jwt.PyJWKClient:
        keys = self._keys or jwt.PyJWKClient(
            self._keys_url(), timeout=METADATA_SECONDS, cooldown_duration=COOLDOWN_SECONDS
        )
        self._keys = keys
        return keys

    def _keys_url(self) -> str:
        """From the issuer's metadata (RFC 8414, or OpenID Connect where that is not served)."""
        parts = urlsplit(self.issuer)
        path = parts.path.rstrip("/")
        origin = f"{parts.scheme}://{parts.netloc}"
        for url in (
            f"{origin}/.well-known/oauth-authorization-server{path}",
            f"{self.issuer.rstrip('/')}/.well-known/openid-configuration",
        ):
            answer = httpx.get(url, timeout=METADATA_SECONDS, follow_redirects=False)
            if answer.status_code == 200:
                metadata = answer.json()
                if metadata["issuer"] != self.issuer:
                    raise ValueError("the metadata are another issuer's")
                return str(metadata["jwks_uri"])
        raise ValueError("the issuer publishes no metadata")


def verifier_of(settings: Settings, callers: Callers | None) -> tuple[Verifier, AuthSettings] | None:
    """The verifier and the SDK's settings for it; `None` where no caller is configured."""
    issuer = settings.oauth_issuer
    oauth = OAuthIssuer(issuer, settings.oauth_audience or "") if issuer else None
    if callers is None and oauth is None:
        return None
    resource = AnyHttpUrl(oauth.audience) if oauth else None
    auth = AuthSettings(
        # Without OAuth nobody is told where to get a token; the SDK wants a URL all the same.
        issuer_url=AnyHttpUrl(issuer or "https://localhost"),
        resource_server_url=resource,
        validate_token_resource=resource is not None,
    )
    return Verifier(callers, oauth), auth
