"""Over random lives of orders, the story that the trail tells is what stands in the upstream's books."""

import json
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from harness.lives import LIVES, Lives
from harness.settings import environ_of
from xportcn_server.commands.cli import main

COUNT = 500
MOST_CPU_SECONDS = 60
EXISTS, DOES_NOT = {"placed"}, {"rejected", "absent"}


@dataclass
class Story:
    """What the trail alone says of one order number."""

    state: str = ""
    order_ids: tuple[str, ...] = ()
    payable_fen: int = 0
    claims: int = 0


def told_by_the_trail(export: str) -> dict[str, Story]:
    stories: dict[str, Story] = {}
    for line in export.splitlines()[:-1]:
        row = json.loads(line)
        body = json.loads(row["body"])
        if row["event"] == "claimed":
            story = stories.setdefault(row["subject"], Story())
            story.claims += 1
            story.payable_fen = body["payable_fen"]
        if "state" in body:
            story = stories[row["subject"]]
            story.state, story.order_ids = body["state"], tuple(body.get("order_ids", ()))
    return stories


def command(path: Path, *words: str) -> str:
    done = CliRunner().invoke(main, list(words), env=environ_of(LEDGER=str(path)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_story_of_the_trail_equals_the_upstreams_books(tmp_path: Path) -> None:
    began = time.process_time()
    lives = Lives(tmp_path / "ledger.sqlite3", seed=15)
    assert lives.run(COUNT).keys() == set(LIVES)
    books, stories = lives.sandbox.books, told_by_the_trail(command(lives.path, "audit", "export"))
    for name, life in lives.of.items():
        made = books.orders_of(name)
        assert books.creates_of[name] <= 1, life
        assert len(made) <= 1, life
        if name not in stories:
            assert life in ("declined", "only previewed")
            assert (made, books.creates_of[name]) == ([], 0)
            continue
        story = stories[name]
        assert story.claims == 1, life
        if life.startswith("left open"):
            assert (story.state, bool(made)) == ("unknown", life == "left open, exists")
            continue
        assert story.state in EXISTS | DOES_NOT, life
        assert bool(made) == (story.state in EXISTS), life
        if made:
            assert (story.order_ids, story.payable_fen) == (made[0].order_ids, made[0].payable_fen), life
    assert {order.out_order_id for order in books.orders} <= stories.keys()
    placed = [story.payable_fen for story in stories.values() if story.state == "placed"]
    left_open = [name for name, life in lives.of.items() if life == "left open, exists"]
    assert sum(placed) == sum(
        order.payable_fen for order in books.orders if order.out_order_id not in left_open
    )
    with closing(sqlite3.connect(lives.path)) as sql:
        table = dict(sql.execute("SELECT out_order_id, state FROM orders"))
    assert table == {name: story.state for name, story in stories.items()}
    assert f"{len(stories)} orders as the trail has them" in command(lives.path, "audit", "verify")
    assert time.process_time() - began < MOST_CPU_SECONDS
