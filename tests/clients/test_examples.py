"""The programs in examples/ run as they stand, on the sandbox; a scripted model takes the language model's place."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from clients.real_clients import DRIVERS, ROOT, Driven, driven, environment_in, python
from clients.scripted_agent import read
from harness.house import order_arguments
from harness.over_http import made_callers
from harness.processes import process_environment, start, xportcn_mcp

EXAMPLES = ROOT / "examples"


def words(example: str, environment: str) -> list[str]:
    return [python(environment), str(DRIVERS / "run_example.py"), str(EXAMPLES / example)]


def ready_of(running: Driven) -> dict[str, str]:
    ready = read(running.call("preview_order", order_arguments())).create
    assert ready
    return ready


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_is_short_and_names_its_rule_of_approval(example: Path) -> None:
    _, said, code = example.read_text("utf-8").split('"""', 2)
    assert "Rule of approval: XPORTCN_APPROVAL=" in said
    assert len([line for line in code.splitlines() if line.strip()]) <= 35


def test_the_langchain_agent_orders_after_the_person_said_yes_to_the_arguments(tmp_path: Path) -> None:
    with driven(words("langchain_agent.py", "clients-mcp1"), tmp_path) as running:
        assert running.shown()["tools"]
        ready = ready_of(running)
        question = running.call("create_order", ready)["asked"]
        assert all(ready[name] in question for name in ("expected_total", "ship_to", "goods"))
        refused = read(running.answer(answer="n"))
        assert "is placed" not in refused.whole
        assert "asked" in running.call("create_order", ready)
        placed = read(running.answer(answer="y"))
        assert "is placed" in placed.whole
        assert "nothing was sent again" not in placed.whole  # so the no above was a no
        running.say()


def test_the_openai_agent_orders_once_a_person_has_approved_the_code(tmp_path: Path) -> None:
    with driven(words("openai_agent.py", "clients"), tmp_path) as running:
        assert "What shall I order" in running.shown()["asked"]
        assert running.answer(answer="two mugs, please")["tools"]
        shown = running.call("preview_order", order_arguments())
        ready = read(shown).create
        assert ready
        waiting = read(running.call("create_order", ready))
        assert waiting.code == "approval_required"
        assert "xportcn-mcp approve" in waiting.whole
        code = shown["text"].split("Approval code: ")[1].split()[0]
        running.say()  # the agent has answered the person, and the example asks again
        assert "asked" in running.shown()
        subprocess.run(
            xportcn_mcp("approve", code), env=environment_in(tmp_path), input="y\n", text=True, check=True
        )
        assert running.answer(answer="done")["tools"]
        placed = read(running.call("create_order", ready))
        assert "is placed" in placed.whole
        assert "operator" in placed.whole
        running.say()
        assert "asked" in running.shown()
        running.say()


def test_the_plain_program_orders_over_http_with_a_callers_token(tmp_path: Path) -> None:
    callers = tmp_path / "callers.toml"
    token = made_callers(callers, "robot")["robot"]
    environment = {
        "XPORTCN_LEDGER": str(tmp_path / "ledger.sqlite3"),
        "XPORTCN_CALLERS": str(callers),
        "XPORTCN_APPROVAL": "off",
    }
    server = start(environment, tmp_path)
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=10)) as http:
            http.get(f"{server.url}/healthz").raise_for_status()
        done = subprocess.run(
            [sys.executable, str(EXAMPLES / "plain_http.py"), f"{server.url}/mcp"],
            env=process_environment({"XPORTCN_TOKEN": token}),
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
    finally:
        server.kill()
    assert done.returncode == 0, done.stderr
    assert "is placed" in done.stdout
    assert "Approval: off" in done.stdout
