"""The keys that an OAuth issuer publishes: fetched when one is needed that is not known, and rarely.

Whoever can write a token can name a key that nobody has, so a question to the issuer is asked by one call
at a time, given up after a while, and not repeated soon. A key that is known waits for none of this.
"""

import logging
import time
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import httpx
import jwt

logger = logging.getLogger(__name__)

ASK_SECONDS = 10.0
"""For metadata and keys together, however slowly they come."""

GOOD_SECONDS = 300.0
"""A key that the issuer has withdrawn is taken for no longer."""

COOLDOWN_SECONDS = 30.0
"""Keys that nobody has published are not asked for more often than this, whoever names them."""

RETRY_SECONDS = 5.0
"""After a question that had no answer."""


class IssuerKeys:
    def __init__(self, issuer: str, ask_seconds: float = ASK_SECONDS) -> None:
        self._issuer = issuer
        self._ask_seconds = ask_seconds
        self._url: str | None = None  # of the keys, once the metadata have told it
        self._keys: dict[str, jwt.PyJWK] = {}
        self._good_until = self._ask_again_at = 0.0
        self._asking = anyio.Lock()

    async def named(self, key_id: str) -> jwt.PyJWK | None:
        """The key of this name; `None` where the issuer publishes none, or does not answer."""
        found = self._known(key_id)
        if found is None:
            async with self._asking:
                found = self._known(key_id)  # another may have asked meanwhile
                if found is None and time.monotonic() >= self._ask_again_at:
                    await self._ask()
                    found = self._known(key_id)
        return found

    def _known(self, key_id: str) -> jwt.PyJWK | None:
        return self._keys.get(key_id) if time.monotonic() < self._good_until else None

    async def _ask(self) -> None:
        answer: tuple[str, dict[str, jwt.PyJWK]] | None = None
        # Others wait for this answer: it does not end with the call that happens to ask.
        with anyio.move_on_after(self._ask_seconds, shield=True):
            try:
                answer = await anyio.to_thread.run_sync(
                    fetched, self._issuer, self._url, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1)
                )
            except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it lets nobody in
                logger.info("the issuer's keys: %s", type(error).__name__)
        if answer:
            self._url, self._keys = answer
            self._good_until = time.monotonic() + GOOD_SECONDS
            self._ask_again_at = time.monotonic() + COOLDOWN_SECONDS
        else:
            logger.warning("the issuer's keys cannot be had; nobody is let in by tokens that need them")
            self._url = None  # they may be somewhere else by now: the metadata are asked again
            self._ask_again_at = time.monotonic() + RETRY_SECONDS


def fetched(issuer: str, url: str | None) -> tuple[str, dict[str, jwt.PyJWK]]:
    """Where the keys are, asked of the issuer's metadata unless `url` says it, and the keys by name."""
    url = url or _keys_url(issuer)
    answer = _get(url)
    keys = jwt.PyJWKSet.from_dict(answer.raise_for_status().json()).keys
    return url, {key.key_id: key for key in keys if key.key_id and key.public_key_use in ("sig", None)}


def _keys_url(issuer: str) -> str:
    """From the issuer's metadata (RFC 8414, or OpenID Connect where that is not served)."""
    parts = urlsplit(issuer)
    for url in (
        f"{parts.scheme}://{parts.netloc}/.well-known/oauth-authorization-server{parts.path.rstrip('/')}",
        f"{issuer.rstrip('/')}/.well-known/openid-configuration",
    ):
        answer = _get(url)
        if answer.status_code == 200:
            metadata = answer.json()
            if metadata["issuer"] != issuer:
                raise ValueError("the metadata are another issuer's")
            keys_url = str(metadata["jwks_uri"])
            # What comes over an open line is nobody's word; an issuer on this very machine may do without.
            if urlsplit(keys_url).scheme not in {"https", parts.scheme}:
                raise ValueError("the keys are not at an https URL")
            return keys_url
    raise ValueError("the issuer publishes no metadata")


def _get(url: str) -> httpx.Response:
    return httpx.get(url, timeout=ASK_SECONDS, follow_redirects=False)
