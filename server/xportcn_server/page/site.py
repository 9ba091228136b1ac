"""The routes of the page and what each does. All goes through `desk/operator.py`; no rule lives here."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from xportcn_server.page.guard import Guarded
from xportcn_server.page.sessions import COOKIE, FormError, Person, Sessions
from xportcn_server.page.showing import Card, card_of, rendered
from xportcn_server.settings.values import is_loopback
from xportcn_tools.desk.operator import Operator, RefusedError
from xportcn_tools.desk.policy import Policy
from xportcn_tools.ledger.ledger import Ledger, LedgerError
from xportcn_tools.messages import Language, said

logger = logging.getLogger(__name__)

LANGUAGE_COOKIE = "xportcn_language"
STATIC = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}


@dataclass(frozen=True)
class Site:
    """The page over one ledger. `language`: the owner's, until a person switches."""

    ledger: Ledger
    policy: Policy
    clock: Callable[[], datetime]
    language: Language = "en"

    @cached_property
    def sessions(self) -> Sessions:
        return Sessions(self.ledger, self.clock)

    def application(self, host_is_ours: Callable[[str], bool]) -> ASGIApp:
        """Behind its guard, which answers to these hosts alone."""
        routes = [
            Route("/", self._guarded(self.page)),
            Route("/waiting", self._guarded(self.waiting)),
            Route("/enter/{code}", self._guarded(self.enter)),
            Route("/enter", self._guarded(self.enter), methods=["POST"]),
            Route("/yes", self._guarded(self.yes), methods=["POST"]),
            Route("/no", self._guarded(self.no), methods=["POST"]),
            Route("/language/{language}", switch_language),
            Route("/static/{name}", static),
        ]
        return Guarded(Starlette(routes=routes), host_is_ours, self.clock)

    # What the page shows

    async def page(self, request: Request) -> Response:
        person = await self._person(request)
        return await self._whole(request, person) if person else self._sign_in(request)

    async def waiting(self, request: Request) -> Response:
        """The part that the script keeps fresh."""
        person = await self._person(request)
        if person is None:
            return self._sign_in(request)
        return self._html(request, "waiting.html", 200, **await self._cards(person))

    async def _whole(self, request: Request, person: Person, status: int = 200, notice: str = "") -> Response:
        return self._html(request, "page.html", status, notice=notice, **await self._cards(person))

    async def _cards(self, person: Person) -> dict[str, Any]:
        def form_token(action: str, subject: str) -> str:
            return self.sessions.form_token(person, action, subject)

        cards: list[Card] = []
        if self.policy.environment != "preview" and self.policy.approval != "off":
            waiting = await self._operator(person).waiting()
            cards = [card_of(preview, form_token) for preview in waiting]
            cards.sort(key=lambda card: card.preview.declined_at is not None)
        return {"cards": cards, "policy": self.policy, "visitor": person.visitor}

    # What a person does

    async def enter(self, request: Request) -> Response:
        code = request.path_params.get("code") or (await _form(request)).get("code", "").strip()
        cookie = await self.sessions.signed_in(code)
        if cookie is None:
            if await self._person(request):  # the address of the first visit, again
                return RedirectResponse("/", 303)
            logger.warning("page: a sign-in code was refused")
            return self._sign_in(request, 403, self._said(request, "bad_code"))
        response = self._html(request, "entered.html", 200)
        # No redirect: a browser that comes from a file would not send the cookie with it (SameSite=Strict).
        name, secure = _cookie_of(request)
        response.set_cookie(name, cookie, path="/", httponly=True, samesite="strict", secure=secure)
        return response

    async def yes(self, request: Request) -> Response:
        async def say(operator: Operator, form: dict[str, str]) -> None:
            await operator.approve(form["code"], form["shown"])

        return await self._done(request, "yes", ("code", "shown"), say, "said_yes")

    async def no(self, request: Request) -> Response:
        async def say(operator: Operator, form: dict[str, str]) -> None:
            await operator.decline(await operator.to_approve(form["code"], form["shown"]))

        return await self._done(request, "no", ("code", "shown"), say, "said_no")

    async def _done(
        self,
        request: Request,
        action: str,
        fields: tuple[str, ...],
        act: Callable[[Operator, dict[str, str]], Awaitable[None]],
        done: str,
    ) -> Response:
        """One form: whose it is, whether it is ours, what it does. `fields`: what its token was given for."""
        person = await self._person(request)
        if person is None:
            logger.warning("page: the form %s was refused: nobody is signed in", action)
            return self._sign_in(request, 403, self._said(request, "not_signed_in"))
        form = await _form(request)
        subject = [form.get(name, "") for name in fields]
        try:
            self.sessions.take(form.get("token", ""), person, action, " ".join(subject))
            await act(self._operator(person), form)
        except FormError as error:
            logger.warning("page: the form %s was refused: %s", action, error)
            return await self._whole(request, person, 403, self._said(request, "form_refused"))
        except RefusedError as error:
            logger.warning("page: the form %s changed nothing: %s", action, error)
            reason = self._said(request, "refused", reason=str(error))
            return await self._whole(request, person, 409, reason)
        return RedirectResponse(f"/?done={done}", 303)

    # What all of them need

    def _operator(self, person: Person) -> Operator:
        return Operator(self.ledger, person.visitor.caller, "page")

    async def _person(self, request: Request) -> Person | None:
        name, _ = _cookie_of(request)
        return await self.sessions.person(request.cookies.get(name))

    def _guarded(
        self, view: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                return await view(request)
            except LedgerError as error:
                logger.warning("page: the ledger is unavailable: %s", error)
                return self._html(request, "message.html", 503, notice=self._said(request, "ledger_down"))

        return answer

    def _sign_in(self, request: Request, status: int = 401, notice: str = "") -> Response:
        return self._html(request, "sign_in.html", status, notice=notice)

    def _html(self, request: Request, template: str, status: int, **values: Any) -> Response:
        done = request.query_params.get("done")
        if template == "page.html" and not values["notice"] and done in ("said_yes", "said_no"):
            values["notice"] = self._said(request, done)
        environment = self.policy.environment
        text = rendered(template, self._language(request), self.clock(), environment=environment, **values)
        return HTMLResponse(text, status)

    def _language(self, request: Request) -> Language:
        chosen = request.cookies.get(LANGUAGE_COOKIE)
        return "zh" if chosen == "zh" else "en" if chosen == "en" else self.language

    def _said(self, request: Request, key: str, **places: object) -> str:
        return said(self._language(request), key, **places)


async def switch_language(request: Request) -> Response:
    response = RedirectResponse("/", 303)
    language = "zh" if request.path_params["language"] == "zh" else "en"
    response.set_cookie(LANGUAGE_COOKIE, language, path="/", samesite="strict", max_age=31_536_000)
    return response


async def static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in STATIC:
        return Response(status_code=404)
    content = files("xportcn_server.page").joinpath("static", name).read_bytes()
    return Response(content, media_type=STATIC[name], headers={"cache-control": "no-cache"})


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))


def _cookie_of(request: Request) -> tuple[str, bool]:
    """The cookie's name, and whether it goes over TLS alone. Browsers keep one for all ports of a host."""
    host = request.url.hostname or ""
    if is_loopback(host):
        return f"{COOKIE}_{request.url.port or 80}", False
    return f"__Host-{COOKIE}", True
