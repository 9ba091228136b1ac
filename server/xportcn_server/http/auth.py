"""Who may call over HTTP: the callers' file, and tokens of an OAuth issuer (this server is its resource)."""

import logging
from typing import Any

import jwt
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from pydantic import AnyHttpUrl

from xportcn_server.http.callers import OAUTH_PREFIX, Callers
from xportcn_server.http.issuer_keys import IssuerKeys
from xportcn_server.settings.settings import Settings
from xportcn_server.settings.values import plain_url

logger = logging.getLogger(__name__)

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
SUBJECT_MOST_CHARACTERS = 200
LEEWAY_SECONDS = 10
"""An issuer's clock may be so much ahead. A token's end is kept to the second all the same, by the SDK."""


class Verifier:
    """The SDK's token verifier over both sources; either may be absent."""

    def __init__(self, callers: Callers | None, oauth: "OAuthIssuer | None") -> None:
        self._callers = callers
        self._oauth = oauth

    async def verify_token(self, token: str) -> AccessToken | None:
        """The caller behind a bearer token, its name in `subject`; `None`: the call is refused."""
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
        self._keys = IssuerKeys(issuer)

    async def verified(self, token: str) -> AccessToken | None:
        """The caller; a token that cannot be this issuer's is refused before the issuer is asked anything."""
        key_id = self._key_named_by(token)
        key = await self._keys.named(key_id) if key_id else None
        return self._checked(token, key) if key else None

    def _key_named_by(self, token: str) -> str | None:
        """As the token itself says; whether the issuer wrote it, its signature proves later."""
        try:
            read = jwt.decode_complete(token, options={"verify_signature": False})
        except Exception as error:  # noqa: BLE001 - untrusted text: whatever it breaks, the call is refused
            logger.info("a bearer token was refused: %s", type(error).__name__)
            return None
        key_id = read["header"].get("kid")
        if read["header"].get("alg") not in ALGORITHMS or read["payload"].get("iss") != self.issuer:
            return None
        return key_id if isinstance(key_id, str) else None

    def _checked(self, token: str, key: jwt.PyJWK) -> AccessToken | None:
        """Signature, issuer, audience and times are checked by the library; a subject is required."""
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=list(ALGORITHMS),
                # As the owner spells it, and as clients do, which read it in this server's metadata.
                audience=[self.audience, plain_url(self.audience)],
                issuer=self.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
            if not _may_be_shown(claims["sub"]):
                raise jwt.InvalidTokenError("subject")  # noqa: TRY301 - refused below like any other
        except Exception as error:  # noqa: BLE001 - as above
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


def _may_be_shown(subject: object) -> bool:
    """It is shown in ledger, log and the terminal's question, where it must not start a line of its own."""
    if not isinstance(subject, str):
        return False
    return 0 < len(subject) <= SUBJECT_MOST_CHARACTERS and subject.isprintable()


def verifier_of(settings: Settings, callers: Callers | None) -> tuple[Verifier, AuthSettings] | None:
    """The verifier and the SDK's settings for it; `None` where no caller is configured."""
    issuer = settings.oauth_issuer
    oauth = OAuthIssuer(issuer, settings.oauth_audience or "") if issuer else None
    if callers is None and oauth is None:
        return None
    resource = AnyHttpUrl(oauth.audience) if oauth else None
    auth = AuthSettings(
        # Without OAuth no client is sent anywhere for a token; the SDK requires a URL all the same.
        # A string stays as it is; a URL would be published with a slash that the issuer does not have.
        issuer_url=issuer or "https://localhost",  # pyright: ignore[reportArgumentType]
        resource_server_url=resource,
        validate_token_resource=resource is not None,
    )
    return Verifier(callers, oauth), auth
