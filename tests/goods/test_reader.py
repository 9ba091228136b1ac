"""The reader of goods: one call an offer, a memory of minutes, paths that are tried once, and no error of its own."""

import json
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest

from goods.things import example
from harness.clock import Clock
from xportcn_tools.goods.product import NotRead, Product, SearchPage
from xportcn_tools.goods.reader import GoodsPaths, ProductReader
from xportcn_tools.upstream.client import Endpoint, UpstreamClient
from xportcn_tools.upstream.requests import OTHER_PRODUCT_PATH, PRODUCT_PATH, SEARCH_PATH, SearchQuery
from xportcn_tools.upstream.signing import Credentials, Signer

pytestmark = pytest.mark.anyio

SHIRT = "700000000303"
BASE = "https://upstream.example/api"
MISSING = httpx.Response(404, text="<html>Not Found</html>")


class Shelf(httpx.AsyncBaseTransport):
    """An upstream that has every offer, and what a test makes of it. It keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any], str]] = []
        self.answer: Callable[[str, dict[str, Any]], httpx.Response] = lambda path, body: found(body)
        self.gate: anyio.Event | None = None
        self.under_way = self.most_under_way = 0
        self.arrived = anyio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path, body = str(request.url).removeprefix(BASE), json.loads(request.content)
        self.asked.append((path, body, request.headers["user-id"]))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        self.arrived.set()
        try:
            if self.gate:
                await self.gate.wait()
            return self.answer(path, body)
        finally:
            self.under_way -= 1

    @property
    def paths(self) -> list[str]:
        return [path for path, _, _ in self.asked]


def found(body: dict[str, Any], **changes: Any) -> httpx.Response:
    answer = example("product-two-dimensions-tiers")
    return httpx.Response(
        200, json=answer | {"data": answer["data"] | {"offerId": body["offerId"]} | changes}
    )


class Room:
    """A reader over a shelf."""

    def __init__(self, timeout: float = 10, **paths: str) -> None:
        self.shelf, self.clock = Shelf(), Clock()
        upstream = UpstreamClient(
            Endpoint(BASE, timeout),
            Signer(Credentials("AK", "SK", "owner")),
            new_transport=lambda: self.shelf,
            preview_attempts=1,
        )
        self.reader = ProductReader(upstream, GoodsPaths(**paths), self.clock)


def reason(answer: object) -> str:
    assert isinstance(answer, NotRead), answer
    return answer.reason


async def test_a_product_is_asked_for_by_number_and_language_and_then_remembered() -> None:
    room = Room(language="ru")
    first = await room.reader.product(SHIRT)
    assert isinstance(first, Product)
    assert room.shelf.asked == [(PRODUCT_PATH, {"offerId": int(SHIRT), "country": "ru"}, "owner")]
    room.clock.advance(299)
    assert await room.reader.product(SHIRT) is first
    assert room.reader.remembered(SHIRT) is first
    assert len(room.shelf.asked) == 1
    room.clock.advance(2)
    assert room.reader.remembered(SHIRT) is None
    await room.reader.product(SHIRT)
    assert len(room.shelf.asked) == 2


async def test_a_fresh_question_goes_past_the_memory_and_its_answer_is_remembered() -> None:
    room = Room()
    await room.reader.product(SHIRT)
    room.shelf.answer = lambda path, body: found(body, subject="另一个")
    fresh = await room.reader.product(SHIRT, fresh=True)
    assert isinstance(fresh, Product)
    assert fresh.title == "另一个"
    assert await room.reader.product(SHIRT) is fresh


async def test_the_memory_is_kept_by_sub_account() -> None:
    room = Room()
    await room.reader.product(SHIRT, user_id="sub-1")
    await room.reader.product(SHIRT, user_id="sub-2")
    await room.reader.product(SHIRT, user_id="sub-1")
    assert [user for _, _, user in room.shelf.asked] == ["sub-1", "sub-2"]


async def test_the_memory_is_bounded() -> None:
    room = Room()
    for number in range(1, 502):
        await room.reader.product(str(number))
    assert room.reader.remembered("1") is None
    assert room.reader.remembered("2") is not None
    many = [
        {"specId": f"{number:032x}", "skuAttributes": [{"attributeName": "n", "value": str(number)}]}
        for number in range(1000)
    ]
    room.shelf.answer = lambda path, body: found(body, productSkuInfos=many)
    for number in range(1001, 1022):
        await room.reader.product(str(number))
    remembered = [each for each in range(1022) if room.reader.remembered(str(each))]
    assert remembered == list(range(1002, 1022))


async def test_failures_are_not_remembered() -> None:
    room = Room()
    room.shelf.answer = lambda path, body: httpx.Response(200, json={"code": 500, "msg": "商品不存在"})
    assert reason(await room.reader.product(SHIRT)) == "not_found"
    room.shelf.answer = lambda path, body: found(body)
    assert isinstance(await room.reader.product(SHIRT), Product)


async def test_the_second_path_is_tried_once_and_kept_while_it_answers() -> None:
    room = Room()
    room.shelf.answer = lambda path, body: MISSING if path == PRODUCT_PATH else found(body)
    assert isinstance(await room.reader.product("1"), Product)
    assert isinstance(await room.reader.product("2"), Product)
    assert room.shelf.paths == [PRODUCT_PATH, OTHER_PRODUCT_PATH, OTHER_PRODUCT_PATH]
    room.shelf.answer = lambda path, body: MISSING if path == OTHER_PRODUCT_PATH else found(body)
    assert isinstance(await room.reader.product("3"), Product)
    assert room.shelf.paths[3:] == [OTHER_PRODUCT_PATH, PRODUCT_PATH]


@pytest.mark.parametrize(
    "missing",
    [
        MISSING,
        httpx.Response(200, json={"code": 500, "msg": "接口不存在"}),
        httpx.Response(404, json={"code": 404}),
    ],
)
async def test_a_path_that_nothing_answers_is_remembered_for_an_hour(missing: httpx.Response) -> None:
    room = Room()
    room.shelf.answer = lambda path, body: missing
    assert reason(await room.reader.product(SHIRT)) == "not_confirmed"
    assert room.shelf.paths == [PRODUCT_PATH, OTHER_PRODUCT_PATH]
    room.clock.advance(3599)
    assert reason(await room.reader.product("5", fresh=True)) == "not_confirmed"
    assert len(room.shelf.asked) == 2
    assert reason(await room.reader.product("5", user_id="sub-1")) == "not_confirmed"
    assert len(room.shelf.asked) == 4, "what one account is refused says nothing of another"
    room.clock.advance(2)
    room.shelf.answer = lambda path, body: found(body)
    assert isinstance(await room.reader.product("5"), Product)


async def test_a_path_of_the_owners_own_has_no_second() -> None:
    room = Room(product="/my/detail")
    room.shelf.answer = lambda path, body: MISSING
    assert reason(await room.reader.product(SHIRT)) == "not_confirmed"
    assert room.shelf.paths == ["/my/detail"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (httpx.Response(502, text="<html>"), "no_answer"),
        (httpx.Response(200, text="<html>"), "unreadable"),
        (httpx.Response(200, json={"code": 200, "data": None}), "unreadable"),
        (httpx.Response(200, json={"code": 200, "data": {"offerId": 1, "subject": "other"}}), "unreadable"),
        (httpx.Response(403, json={"code": 403, "msg": "无权限"}), "not_permitted"),
        (httpx.Response(200, content=b"x" * 2_100_000), "unreadable"),
    ],
)
async def test_what_the_upstream_does_is_an_outcome_and_no_second_call(
    answer: httpx.Response, why: str
) -> None:
    room = Room()
    room.shelf.answer = lambda path, body: answer
    assert reason(await room.reader.product(SHIRT)) == why
    assert room.shelf.paths == [PRODUCT_PATH]


@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ReadError("reset")])
async def test_a_broken_connection_is_no_answer(error: httpx.HTTPError) -> None:
    def fail(path: str, body: dict[str, Any]) -> httpx.Response:
        raise error

    room = Room()
    room.shelf.answer = fail
    assert reason(await room.reader.product(SHIRT)) == "no_answer"
    assert reason(await room.reader.search(SearchQuery("mug"))) == "no_answer"


async def test_an_upstream_that_hangs_is_no_answer_within_the_clients_deadline() -> None:
    room = Room(timeout=0.2)
    room.shelf.gate = anyio.Event()
    with anyio.fail_after(5):
        assert reason(await room.reader.product(SHIRT)) == "no_answer"


async def test_questions_for_the_same_offer_at_the_same_time_are_one_call() -> None:
    room = Room()
    room.shelf.gate = anyio.Event()
    answers: list[Product | NotRead] = []

    async def ask() -> None:
        answers.append(await room.reader.product(SHIRT, fresh=True))

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(ask)
            await room.shelf.arrived.wait()
            await anyio.wait_all_tasks_blocked()
            room.shelf.gate.set()
    assert len(room.shelf.asked) == 1
    assert len({id(answer) for answer in answers}) == 1
    assert isinstance(answers[0], Product)


async def test_who_waits_for_a_call_that_is_given_up_asks_for_itself() -> None:
    room = Room()
    room.shelf.gate = anyio.Event()
    answers: list[Product | NotRead] = []
    first = anyio.CancelScope()

    async def give_up() -> None:
        with first:
            await room.reader.product(SHIRT)

    async def wait() -> None:
        answers.append(await room.reader.product(SHIRT))

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(give_up)
            await room.shelf.arrived.wait()
            tasks.start_soon(wait)
            tasks.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            first.cancel()
            await anyio.wait_all_tasks_blocked()
            room.shelf.gate.set()
    assert [type(answer) for answer in answers] == [Product, Product]
    assert len(room.shelf.asked) == 2


async def test_several_offers_are_read_at_the_same_time_each_once_and_not_too_many() -> None:
    room = Room()
    room.shelf.gate = anyio.Event()
    numbers = [str(number) for number in range(1, 21)]
    read: dict[str, Product | NotRead] = {}

    async def ask() -> None:
        read.update(await room.reader.products([*numbers, *numbers]))

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            assert room.shelf.under_way == 8
            room.shelf.gate.set()
    assert room.shelf.most_under_way == 8
    assert [*read] == numbers
    assert all(isinstance(each, Product) and each.offer_id == number for number, each in read.items())
    assert len(room.shelf.asked) == 20


async def test_what_is_not_read_when_the_scope_ends_is_no_answer_and_the_rest_is_kept() -> None:
    room = Room()
    await room.reader.product("1")
    room.shelf.gate = anyio.Event()
    room.shelf.arrived = anyio.Event()
    scope = anyio.CancelScope()
    read: dict[str, Product | NotRead] = {}

    async def ask() -> None:
        read.update(await room.reader.products(["1", "2"], scope=scope))

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await room.shelf.arrived.wait()
            scope.cancel()
    assert isinstance(read["1"], Product)
    assert read["2"] == NotRead("2", "no_answer", text="no answer in time")
    room.shelf.gate = None
    assert isinstance(await room.reader.product("2"), Product), "nobody waits for the call that was given up"


async def test_a_scope_whose_deadline_is_set_while_it_waits_ends_the_reading() -> None:
    room = Room()
    room.shelf.gate = anyio.Event()
    scope = anyio.CancelScope()
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:

            async def ask() -> None:
                assert reason((await room.reader.products(["2"], scope=scope))["2"]) == "no_answer"

            tasks.start_soon(ask)
            await room.shelf.arrived.wait()
            scope.deadline = anyio.current_time() + 0.05


async def test_nothing_to_read_is_no_call() -> None:
    room = Room()
    assert await room.reader.products([]) == {}
    assert room.shelf.asked == []


async def test_a_search_is_asked_in_the_vendors_words() -> None:
    room = Room()
    page = example("search-and-empty-search")[0]
    room.shelf.answer = lambda path, body: httpx.Response(200, json=page)
    answer = await room.reader.search(
        SearchQuery("手机支架", page=2, limit=20, price_min=100, price_max=123456, sort="price_low"),
        user_id="sub-1",
    )
    assert isinstance(answer, SearchPage)
    assert answer.total == 2000
    ((path, body, user_id),) = room.shelf.asked
    assert (path, user_id) == (SEARCH_PATH, "sub-1")
    assert body == {
        "keyword": "手机支架",
        "beginPage": 2,
        "pageSize": 20,
        "country": "en",
        "sort": '{"price":"asc"}',
        "priceStart": "1.00",
        "priceEnd": "1234.56",
    }
    await room.reader.search(SearchQuery("mug"))
    assert room.shelf.asked[1][1] == {"keyword": "mug", "beginPage": 1, "pageSize": 5, "country": "en"}


async def test_a_search_path_that_nothing_answers_is_remembered_apart_from_the_products() -> None:
    room = Room(search="/my/search")
    room.shelf.answer = lambda path, body: MISSING
    for _ in range(2):
        assert reason(await room.reader.search(SearchQuery("mug"))) == "not_confirmed"
    assert room.shelf.paths == ["/my/search"]
    room.shelf.answer = lambda path, body: found(body)
    assert isinstance(await room.reader.product(SHIRT), Product)
