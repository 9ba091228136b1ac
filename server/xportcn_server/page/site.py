"""The routes of the page and what each does. All goes through `desk/operator.py`; no rule lives here."""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Scope

from xportcn_server.page.forms import ACTIONS, ids_in
from xportcn_server.page.guard import Guarded
from xportcn_server.page.picture_fetch import DrawnPictures, PictureError, Pictures
from xportcn_server.page.sessions import COOKIE, FormError, MarksOf, Person, Sessions, unmarked
from xportcn_server.page.showing import Card, card_of, rendered
from xportcn_server.settings.settings import Settings
from xportcn_server.settings.values import is_loopback
from xportcn_tools.clock import start_of_day, utc_now
from xportcn_tools.desk.csv_table import csv_table
from xportcn_tools.desk.operator import Operator, RefusedError
from xportcn_tools.desk.policy import LOCAL_CALLER, Policy, Profile
from xportcn_tools.ledger.ledger import Ledger, LedgerError, OrderQuery
from xportcn_tools.messages import said
from xportcn_tools.wording import UiLanguage, reworded

logger = logging.getLogger(__name__)

LANGUAGE_COOKIE = "xportcn_language"
ORDERS_SHOWN = CARDS_SHOWN = 30
"""The newest: what is drawn every three seconds must not grow with what an assistant asks for."""

DONE = {action.done for action in ACTIONS.values()} - {""}
STATIC = {"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}


class Site:
    """The page over one ledger, by the owner's settings, and a caller's own where it has some. `marks_of`: a
    caller's entry, as `Sessions` has it.
    """

    def __init__(
        self,
        ledger: Ledger,
        policy: Policy,
        settings: Settings,
        clock: Callable[[], datetime] = utc_now,
        profile_of: Callable[[str], Profile] = lambda _: Profile(),
        marks_of: MarksOf = unmarked,
    ) -> None:
        self.ledger = ledger
        self.policy = policy
        self.clock = clock
        self.sessions = Sessions(ledger, clock, marks_of)
        self._profile_of = profile_of
        self._language: UiLanguage = settings.language  # until a person switches
        self._zone = ZoneInfo(settings.timezone)
        self._pictures = None
        if settings.pictures == "on":
            self._pictures = DrawnPictures() if policy.environment == "sandbox" else Pictures()

    def application(self, host_is_ours: Callable[[str], bool]) -> ASGIApp:
        """Behind its guard, which answers to these hosts alone."""
        routes = [
            Route("/", self.page),
            Route("/fresh", self.fresh),
            Route("/export", self.export),
            Route("/picture", self.picture),
            Route("/enter/{code}", self.enter),
            Route("/enter", self.enter, methods=["POST"]),
            *(Route(f"/{action}", self.act, methods=["POST"]) for action in ACTIONS),
            Route("/language/{language}", switch_language),
            Route("/static/{name}", static),
        ]
        app = Starlette(routes=routes, exception_handlers={LedgerError: self._ledger_down})
        return Guarded(app, host_is_ours, self.clock, self._known_session)

    # What the page shows

    async def page(self, request: Request) -> Response:
        person = await self._person(request)
        return await self._whole(request, person) if person else self._sign_in(request)

    async def fresh(self, request: Request) -> Response:
        """The part that the script keeps fresh."""
        person = await self._person(request)
        if person is None:
            return self._sign_in(request)
        return self._html(request, "fresh.html", 200, **await self._shown(person))

    async def _whole(self, request: Request, person: Person, status: int = 200, notice: str = "") -> Response:
        return self._html(request, "page.html", status, notice=notice, **await self._shown(person))

    async def _shown(self, person: Person) -> dict[str, Any]:
        """All that the ledger has for this person, and the tokens of the forms beside it."""
        operator, visitor = self._operator(person), person.visitor

        def form_token(action: str, *subject: str) -> str:
            return self.sessions.form_token(person, action, " ".join(subject))

        cards: list[Card] = []
        older = 0
        if self.policy.environment != "preview":
            waiting = [
                each for each in await operator.waiting() if self.policy.needs_approval(each.payable_fen)
            ]
            older, waiting = len(waiting[CARDS_SHOWN:]), waiting[:CARDS_SHOWN]
            bought = await operator.bought(waiting)
            cards = [card_of(preview, form_token, bought[preview.caller], waiting) for preview in waiting]
            # The oldest first: a new card stands below, and moves none under a pointer.
            cards.sort(key=lambda card: (card.preview.declined_at is not None, card.preview.created_at))
        return {
            "cards": cards,
            "older": older,
            "receipts": await operator.orders(ORDERS_SHOWN),
            "used": await operator.used(),
            "caps": self._profile_of(visitor.caller or LOCAL_CALLER).caps or self.policy.caps,
            "pause": await operator.paused(),
            "policy": self.policy,
            "visitor": visitor,
            "form_token": form_token,
            "pictures": self._pictures is not None,
        }

    async def picture(self, request: Request) -> Response:
        """A picture of goods, fetched here: the browser asks only this page."""
        if self._pictures is None or await self._person(request) is None:
            return Response(status_code=404)
        try:
            found = await self._pictures.get(request.query_params.get("of", ""))
        except PictureError as error:
            logger.info("page: a picture is not shown: %s", error)
            return Response(status_code=404)
        headers = {"cache-control": "private, max-age=3600"}
        return Response(found.content, media_type=found.media_type, headers=headers)

    async def export(self, request: Request) -> Response:
        """The month's orders as a table."""
        person = await self._person(request)
        if person is None:
            return self._sign_in(request)
        today = self.clock().astimezone(self._zone).date()
        month = OrderQuery(person.visitor.caller, since=start_of_day(today.replace(day=1), self._zone))
        table = csv_table(self.ledger, month, self._zone)
        headers = {"content-disposition": f'attachment; filename="orders-{today:%Y-%m}.csv"'}
        return StreamingResponse(table, media_type="text/csv; charset=utf-8", headers=headers)

    # What a person does

    async def enter(self, request: Request) -> Response:
        by_link = request.path_params.get("code")
        code = by_link or (await _form(request)).get("code", "").strip()
        cookie = await self.sessions.signed_in(code, by_link=bool(by_link))
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

    async def act(self, request: Request) -> Response:
        """One form: whose it is, whether it is ours, what it does."""
        name = request.url.path.strip("/")
        action, person = ACTIONS[name], await self._person(request)
        if person is None:
            logger.warning("page: the form %s was refused: its sender is not signed in", name)
            return self._sign_in(request, 403, self._said(request, "not_signed_in"))
        form = await _form(request)
        if action.owners and person.visitor.caller is not None:  # pragma: no cover - it was given no token
            return await self._whole(request, person, 403, self._said(request, "form_refused"))
        try:
            subject = " ".join(form.get(at, "") for at in action.about)
            self.sessions.take(form.get("token", ""), person, name, subject)
            await action.act(self._operator(person), form)
        except FormError as error:
            logger.warning("page: the form %s was refused: %s", name, error)
            return await self._whole(request, person, 403, self._said(request, "form_refused"))
        except RefusedError as error:
            logger.warning("page: the form %s changed nothing: %s", name, error)
            return await self._whole(
                request,
                person,
                409,
                self._said(request, "refused", reason=reworded(self._language_of(request), str(error))),
            )
        if name == "look":
            return self._asked_again(request, person, form)
        return RedirectResponse(f"/?done={action.done}", 303)

    def _asked_again(self, request: Request, person: Person, form: dict[str, str]) -> Response:
        """The second question before what became of an unknown order is recorded."""
        ids = " ".join(ids_in(form))
        ending = "placed" if ids else "absent"
        token = self.sessions.form_token(person, "resolve", f"{form['reference']} {ending} {ids}")
        again = {"reference": form["reference"], "ending": ending, "ids": ids, "token": token}
        return self._html(request, "confirm.html", 200, form=again)

    # What all of them need

    def _operator(self, person: Person) -> Operator:
        return Operator(self.ledger, person.visitor.caller, "page")

    async def _person(self, request: Request) -> Person | None:
        name, _ = _cookie_of(request)
        return await self.sessions.person(request.cookies.get(name))

    def _known_session(self, scope: Scope) -> str | None:
        request = Request(scope)
        name, _ = _cookie_of(request)
        cookie = request.cookies.get(name, "")
        return cookie if self.sessions.is_known(cookie) else None

    async def _ledger_down(self, request: Request, error: Exception) -> Response:
        logger.warning("page: the ledger is unavailable: %s", error)
        return self._html(request, "message.html", 503, notice=self._said(request, "ledger_down"))

    def _sign_in(self, request: Request, status: int = 401, notice: str = "") -> Response:
        if status == 401:
            logger.warning("page: %s was not shown: its visitor is not signed in", request.url.path)
        return self._html(request, "sign_in.html", status, notice=notice)

    def _html(self, request: Request, template: str, status: int, **values: Any) -> Response:
        done = request.query_params.get("done", "")
        if template == "page.html" and not values["notice"] and done in DONE:
            values["notice"] = self._said(request, done)
        environment = self.policy.environment
        text = rendered(
            template, self._language_of(request), self.clock(), self._zone, environment=environment, **values
        )
        return HTMLResponse(text, status)

    def _language_of(self, request: Request) -> UiLanguage:
        chosen = request.cookies.get(LANGUAGE_COOKIE)
        return "zh" if chosen == "zh" else "en" if chosen == "en" else self._language

    def _said(self, request: Request, key: str, **places: object) -> str:
        return said(self._language_of(request), key, **places)


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
    with suppress(ClientDisconnect):
        return dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
    return {}


def _cookie_of(request: Request) -> tuple[str, bool]:
    """The cookie's name, and whether it goes over TLS alone. Browsers keep one for all ports of a host."""
    host = request.url.hostname or ""
    if is_loopback(host):
        return f"{COOKIE}_{request.url.port or 80}", False
    return f"__Host-{COOKIE}", True
