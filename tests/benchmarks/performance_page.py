"""docs/performance.md and docs/pictures/performance.svg, as `make bench` writes them. No figure has another source."""

import os
import platform
import re
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from pathlib import Path

from benchmarks.measured import ROWS, Figure, Measured, Row, Sizes

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "performance.md"
PICTURE = DOCS / "pictures" / "performance.svg"

HEAD = ["", "floor", "measured", "middle half", "goal", "met"]

_PAGE = """\
# Performance

<!-- Written by `make bench`. A change by hand is lost at the next run. -->
What the program takes beyond what it cannot do without, measured in one run of `make bench` on {day}.
{machine}
Other programs kept {before:.2f} cores busy before the run and {after:.2f} after it; the run took {minutes:.0f} minutes.
{caution}
![Each figure against its goal](pictures/performance.svg)

{table}

## Where the time of a call goes

Medians within one server, whose phases are watched, which slows them a little.

{phases}

- **A floor is made of parts that were measured alone.** The exchange is httpx on an event loop, which answers to
  cancellation and deadlines; a client that blocks is faster over the same POST. Each trip to the ledger is a
  thread's, there and back, so that a slow disk holds nobody else up. A bare server that does both within the call is
  itself about as far above its parts as the goals of preview and create allow: compare the floors of the two rows.
- **A preview of 50 lines** does all for each line: it is checked as an argument, matched with its price, proven by
  arithmetic, named from its product, stored, and written out twice, as text and as fields.
- **A create** reads how things stand and judges again, under the lock, before it claims; it flushes the claim before
  the POST and the outcome after it, each with a row of the trail and a seal; and it opens a connection of its own.
  Asking once instead of twice would save a trip, and would hold the lock while refusals are made out.
- **A repeat** is one trip to the ledger.

## Where the memory goes

{loaded}

Most of what is above the bare SDK is code, ours and httpx's, and the models that Pydantic makes of it.

## How it is measured

- **In turn.** What is compared takes turns in the same round, every second round in reverse. A figure is taken
  within a round. *Measured* is the median over the rounds; the middle half of them lies within the span beside it.
- **The floor of a call** is a server of the bare SDK on stdio that gives our answer back, word for word; one bare
  signed POST to the sandbox in a process of its own, answered 200; and one row committed to a SQLite file with
  `synchronous=FULL`. A create's POST has a connection of its own. The floor checks nothing and keeps nothing.
  Each part is measured alone, again and again, the POST by a client that blocks. A server has to do them within
  one call, one after another, by a client that blocks nobody else, and the commits in a thread: the rows *above a
  bare SDK server* are held against one that does. They have no goal.
- **The goods** of a preview of 1 line and of a create are the same throughout, to other places: each is compared
  with the destinations of all orders that this run has made of them, up to {orders}. Fifty lines were never ordered.
- **The floor over HTTP** is a server of the bare SDK whose tool makes one such POST and one such commit a call, under
  the same uvicorn. It knows no tokens.
- **Ours** is `xportcn-mcp serve` as it is installed, with the sandbox as if it were the real upstream, approval off,
  and limits too high to matter. Its ledger flushes to disk at every commit.
- **Large ledgers** are filled by copies of one order, spread over a year. `get_orders` finds the same newest orders in
  both ledgers.
- **fastmcp and the TypeScript SDK** have one tool that gives our answer back. They stand here for comparison and have
  no goal.
- Client, server, upstream and database share the cores of the machine. Milliseconds and rates describe this machine;
  ratios carry over.

What replicas can do is in [load.md](load.md).
"""


BUSY_CORES = 0.25
_CAUTION = "**That is a busy machine: these figures say little.**\n"


def machine() -> str:
    """Cores, processor, system and versions, in one line."""
    parts = ", ".join(f"{name} {version(name)}" for name in ("xportcn-mcp", "mcp", "httpx"))
    return (
        f"{os.cpu_count()} cores, {_processor()}, {platform.system()} {platform.release().partition('-')[0]}, "
        f"Python {platform.python_version()}, {parts}."
    )


def page(measured: Measured, minutes: float, busy: tuple[float, float]) -> str:
    return _PAGE.format(
        day=datetime.now(UTC).date(),
        machine=machine(),
        before=busy[0],
        after=busy[1],
        minutes=minutes,
        caution=_CAUTION if max(busy) > BUSY_CORES else "",
        table=table(measured),
        phases=measured.get("phases", "Not measured."),
        loaded=measured.get("loaded", "Not measured."),
        orders=Sizes().batch * (Sizes().rounds + 1) + 1,
    )


def table(measured: Measured) -> str:
    """Markdown: all rows, in their order."""
    lines = [HEAD, ["---", *["---:"] * (len(HEAD) - 1)]]
    lines += [_cells(row, measured.get(row.key, "not measured")) for row in ROWS]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def rows_in(text: str) -> list[list[str]]:
    """The cells of the rows of a page's first table."""
    _, start, table = text.partition("|  |")
    lines = (start + table).strip().partition("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def picture(text: str) -> str:
    """The picture for a page: a bar for each row that has a goal and a figure; the line is the goal."""
    bars = [
        (what, number_in(measured), number_in(goal), f"{measured} ({goal})", goal.startswith("≥"), met)
        for what, _, measured, _, goal, met in rows_in(text)
        if met in ("yes", "no")
    ]
    name, scale, step, top = 440, 150, 24, 34
    width, height = name + scale * 2 + 210, top + step * len(bars) + 10
    svg = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        "<title>Each figure against its goal</title>",
        "<style>text{font:13px sans-serif;fill:#1f2937}.yes{fill:#2f855a}.no{fill:#c05621}</style>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{name + scale}" y="20" text-anchor="middle">goal</text>',
        f'<text x="{name + scale * 2}" y="20" text-anchor="middle">twice the goal or worse</text>',
    ]
    for number, (what, value, goal, shown, at_least, met) in enumerate(bars):
        # Longer is worse, so that every bar should end before the line.
        part = goal / max(value, goal / 100) if at_least else max(value, 0) / goal
        y = top + step * number
        long = round(min(part, 2) * scale, 1)
        svg += [
            f'<text x="{name - 8}" y="{y + 14}" text-anchor="end">{escape(what.replace("`", ""))}</text>',
            f'<rect class="{met}" x="{name}" y="{y + 3}" width="{long}" height="{step - 8}"/>',
            f'<text x="{name + scale * 2 + 8}" y="{y + 14}">{shown}</text>',
        ]
    line = name + scale
    svg.append(f'<path d="M{line} {top - 6}V{height - 6}" stroke="#1f2937" stroke-dasharray="4 3"/>')
    return "\n".join([*svg, "</svg>\n"])


def number_in(cell: str) -> float:
    """The number that a cell shows."""
    found = re.search(r"-?[\d,]+(\.\d+)?", cell)
    assert found, cell
    return float(found[0].replace(",", ""))


def _cells(row: Row, figure: Figure | str) -> list[str]:
    goal = "–" if row.goal is None else f"{'≥' if row.at_least else '≤'} {_shown(row.goal, row)}"
    if isinstance(figure, str):
        return [row.what.replace("{} ", "many "), "–", figure, "–", goal, "–"]
    low, high = (_shown(each, row) for each in figure.middle_half)
    spread = "–" if low == high else f"{low} to {high}"
    measured = _shown(figure.median, row)
    # By the figure as it is shown, so that the table is consistent in itself.
    met = "–" if row.goal is None else "yes" if row.is_met(number_in(measured)) else "no"
    return [row.what.format(f"{figure.size:,}"), figure.floor, measured, spread, goal, met]


def _shown(value: float, row: Row) -> str:
    if row.unit == "bytes":
        return f"{value:,.0f} bytes"
    return f"{value:.2f}" if row.unit == "×" else f"{value:.2f} {row.unit}"


def _processor() -> str:
    """Its name (Linux)."""
    file = Path("/proc/cpuinfo")
    text = file.read_text("utf-8") if file.exists() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()
