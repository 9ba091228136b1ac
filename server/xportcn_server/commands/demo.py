"""`xportcn-mcp demo`: the whole conversation, by a real MCP client over stdio against the sandbox.

Each step is printed for a person and checked; the exit code is 0 only if all came out as it should.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import anyio
import click
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.client.stdio import StdioServerParameters
from mcp_types import ElicitRequestParams, ElicitResult

DEADLINE_SECONDS = 90

LINK = "https://detail.1688.com/offer/610947572360.html"
WORDS, CHOICE = "green", "white"
ADDRESS = {
    "full_name": "王小明",
    "mobile": "13800138000",
    "province": "浙江省",
    "city": "杭州市",
    "area": "滨江区",
    "address": "网商路699号",
}


class DemoError(Exception):
    """A step did not come out as it should."""


@click.command()
@click.option(
    "--mode",
    type=click.Choice(["auto", "legacy"]),
    default="auto",
    help="MCP protocol era of the demo client.",
)
def demo(mode: str) -> None:
    """Show a whole conversation on the sandbox. From a link and words to an order and its look-up."""
    failed = ""
    try:
        anyio.run(_conversation, mode)
    except* DemoError as failures:
        failed = "; ".join(str(failure) for failure in failures.exceptions)
    except* TimeoutError:
        failed = f"it took longer than {DEADLINE_SECONDS} s"
    if failed:
        click.echo(f"\nThe demo FAILED: {failed}", err=True)
        sys.exit(1)


async def _conversation(mode: str) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        ledger = Path(folder) / "demo.sqlite3"
        with anyio.fail_after(DEADLINE_SECONDS):
            click.secho("xportcn-mcp demo - the sandbox: nothing here is real\n", bold=True)
            arguments = await _order(_server(ledger), mode)
            _say("7. The server is restarted, and the assistant asks with the same token once more")
            async with _client(_server(ledger), mode) as client:
                again = await _call(client, "create_order", arguments)
                _expect(again["ok"] and again["order"]["replayed"], "the repeat returns the recorded order")
                _tell(f"replayed: true - still order {', '.join(again['order']['order_ids'])}, nothing sent")
                _say("8. get_orders: what became of it?")
                found = (await _call(client, "get_orders", {}))["orders"]
                _expect(len(found) == 1, "there is one order, and only one")
                order = found[0]
                _tell(
                    f"one order: {order['out_order_id']} {order['state']}, {order['goods']}, "
                    f"{order['payable']['amount']} CNY, approval by {order['approval']['method']}"
                )
    click.secho("\nAll came out as it should: one preview, one yes, one order.", fg="green", bold=True)


async def _order(server: StdioServerParameters, mode: str) -> dict[str, str]:
    """Link, option, preview, a wrong echo, the create with its form; the create's arguments."""
    async with _client(server, mode) as client:
        _tell(f'The person: "Two of this mug in {WORDS}, please. {LINK}"')
        _say("1. get_product: what is behind the link?")
        product = (await _call(client, "get_product", {"offer": LINK, "quantity": 2}))["product"]
        _expect(product, "the product is found by its link")
        _tell(f"{product['title_translated']} ({product['title']})")
        _print_options(product["options"])

        _say(f'2. preview_order with "{WORDS}": nothing is guessed')
        answer = await _call(client, "preview_order", _wish(WORDS))
        _expect(not answer["ok"], f"no option is {WORDS}")
        _expect(answer["problem"]["code"] == "choose_option", "the person has to choose")
        _tell(f"choose_option: {answer['problem']['message']} The likeliest first:")
        _print_options(answer["problem"]["details"]["options"])
        _tell(f'The person: "No, {CHOICE} then."')

        _say(f'3. preview_order with "{CHOICE}": what would two cost?')
        preview = (await _call(client, "preview_order", _wish(CHOICE)))["preview"]
        _expect(preview, "the goods can be ordered")
        (line,) = (line for group in preview["groups"] for line in group["lines"])
        _expect(line["option_translated"].casefold() == CHOICE, "the option is the one that was said")
        _print_quote(preview)
        _tell(f"token {preview['preview_token'][:12]}..., good until {preview['expires_at']}")
        arguments: dict[str, str] = preview["create_order_arguments"]

        _say("4. A model that garbles the total is stopped")
        wrong = await _call(client, "create_order", {**arguments, "expected_total": "1.00"})
        _expect(not wrong["ok"], "a wrong total is refused")
        _expect(wrong["problem"]["code"] == "echo_mismatch", "it is refused as echo_mismatch")
        _tell(f"{wrong['problem']['code']}: {wrong['problem']['message']} (create sent: no)")

        _say("5. create_order: the person is asked, and says yes")
        created = await _call(client, "create_order", arguments)
        _expect(created["ok"] and created["order"]["state"] == "placed", "the order is placed")
        order = created["order"]
        _expect(order["payable"] == preview["payable"], "the order costs what was shown")
        _expect(order["goods"] == preview["goods"], "the order holds the goods that were shown")
        _tell(f"placed: order {', '.join(order['order_ids'])} for {order['payable']['amount']} CNY")

        _say("6. The assistant repeats the call, as assistants do")
        repeated = await _call(client, "create_order", arguments)
        _expect(repeated["order"]["replayed"], "the repeat is a replay")
        _expect(repeated["order"]["order_ids"] == order["order_ids"], "the repeat names the same order")
        _tell("replayed: true - the same order, nothing was sent")
        return arguments


def _wish(option: str) -> dict[str, Any]:
    return {"items": [{"offer_id": LINK, "option": option, "quantity": 2}], "address": ADDRESS}


def _server(ledger: Path) -> StdioServerParameters:
    """This installation as a client would start it; the person's own settings stay out."""  # noqa: D404
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XPORTCN_")}
    environment |= {"XPORTCN_MODE": "sandbox", "XPORTCN_LEDGER": str(ledger), "PYTHONUTF8": "1"}
    return StdioServerParameters(
        command=sys.executable,
        args=["-c", "from xportcn_server.commands.cli import main; main()", "serve"],
        env=environment,
        cwd=ledger.parent,
    )


def _client(server: StdioServerParameters, mode: str) -> Client:
    return Client(server, mode=mode, elicitation_callback=_answer_form)


async def _answer_form(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    del context
    click.secho("   The form that the person sees:", fg="cyan")
    for line in params.message.splitlines():
        click.secho(f"   | {line}", fg="cyan")
    click.secho("   > yes", fg="cyan", bold=True)
    return ElicitResult(action="accept", content={"approve": True})


async def _call(client: Client, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    if result.structured_content is None:
        raise DemoError(f"{tool} answered without an envelope")
    return result.structured_content


def _print_options(options: list[dict[str, Any]]) -> None:
    for option in options:
        price = option["price"]["amount"] if option["price"] else "-"
        _tell(f"- {option['option']} = {option['option_translated']}, {price} CNY, stock {option['stock']}")


def _print_quote(preview: dict[str, Any]) -> None:
    click.echo(f"   {preview['goods']}")
    for name in ("goods_total", "freight", "fees", "discount", "payable"):
        click.echo(f"   {name.replace('_', ' '):<33} {preview[name]['amount']:>9} CNY")
    click.echo(f"   to {preview['ship_to']}")
    click.echo(f"   trade type {preview['trade_type']}, flow {preview['flow']}")


def _say(text: str) -> None:
    click.secho(f"\n{text}", bold=True)


def _tell(text: str) -> None:
    click.echo(f"   {text}")


def _expect(condition: object, what: str) -> None:
    if not condition:
        raise DemoError(f"it should be that {what}")
