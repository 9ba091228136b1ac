"""`make screenshots`: what `xportcn-mcp demo` prints, as a picture of a terminal: `docs/pictures/demo.svg`.

Its text is the demo's own, word for word. Some steps are left out, and `[…]` stands in their place.
"""

import re
import sys
from html import escape, unescape
from pathlib import Path
from unicodedata import east_asian_width

from harness.processes import process_environment, ran

PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "demo.svg"
LEFT_OUT = ("1", "7")
"""The numbers of the steps that the picture does without."""

Line = list[tuple[str, str]]  # a class of the picture's style, and a text
CUT: Line = [("t", "[…]")]

COLUMNS = 100
_CELL, _LINE, _EDGE, _BAR = 8.4, 19, 18, 34  # pixels: a column, a line, the margin, the title bar
_CLASSES = {"1": "b", "32": "g", "36": "c"}  # of the terminal's codes for bold, green and cyan
_STYLE = (
    "text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#d6dbe3;"
    "white-space:pre}.b{font-weight:bold;fill:#fff}.g{fill:#6fd68a}.c{fill:#79c7e8}.t{fill:#98a2b3}"
)


def recorded() -> str:
    """What the demo prints in a terminal, with its colours."""
    program = "from xportcn_server.commands.cli import main; main(['demo'], color=True)"
    done = ran([sys.executable, "-c", program], Path.cwd(), process_environment({}), seconds=100)
    assert done.returncode == 0, done.stderr
    return done.stdout


def cut(lines: list[Line]) -> list[Line]:
    """The lines of the steps that are shown."""
    kept: list[Line] = []
    step = ""
    for line in lines:
        text = "".join(piece for _, piece in line)
        if not text.startswith(" ") and text:
            step = text.partition(". ")[0]
            if step in LEFT_OUT and kept[-2:-1] != [CUT]:
                kept += [CUT, []]
        if step not in LEFT_OUT:
            kept.append(line)
    return kept


def as_svg(printed: str) -> str:
    """The picture; a line that is too long goes on in the next, as in a terminal."""
    rows = [row for line in cut(_lines(printed)) for row in _wrapped(line)]
    width, height = round(COLUMNS * _CELL) + 2 * _EDGE, len(rows) * _LINE + _BAR + 2 * _EDGE
    svg = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        "<title>xportcn-mcp demo</title>",
        f"<style>{_STYLE}</style>",
        f'<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="8" fill="#171b22" stroke="#4a5364"/>',
        *(f'<circle cx="{22 + 20 * each}" cy="20" r="6" fill="#4a5364"/>' for each in range(3)),
        f'<text class="t" x="{width / 2:g}" y="25" text-anchor="middle">xportcn-mcp demo</text>',
    ]
    for number, row in enumerate(rows):
        text = "".join(f'<tspan class="{name}">{escape(piece, quote=False)}</tspan>' for name, piece in row)
        letters = "".join(piece for _, piece in row)
        # Every font's columns get the same width; one of Chinese letters has a width of its own.
        fixed = f' textLength="{len(letters) * _CELL:.1f}"' if _cells(letters) == len(letters) else ""
        if row:
            at = _BAR + _EDGE + _LINE * (number + 0.7)
            svg.append(f'<text x="{_EDGE}" y="{at:.1f}"{fixed}>{text}</text>')
    return "\n".join([*svg, "</svg>\n"])


def words(svg: str) -> list[str]:
    """The lines of text in a picture, with a sign for what differs in each run."""
    rows = re.findall(r"<text x=.*?>(.*)</text>", svg)
    volatile = r"pv_[\w-]+|\d{4}-\d\d-\d\dT[\d:]+Z|xp\d{8}-\w+|\b\d{19}\b"
    return [re.sub(volatile, "…", unescape(re.sub(r"<[^>]*>", "", row))) for row in rows]


def _lines(printed: str) -> list[Line]:
    """The lines, each of texts with the class that the terminal's codes before them stand for."""
    lines: list[Line] = [[]]
    style: list[str] = []
    for code, end, text in re.findall(r"\x1b\[([0-9]*)m|(\n)|([^\x1b\n]+)", printed.rstrip("\n")):
        if text:
            lines[-1].append((" ".join(style), text))
        elif end:
            lines.append([])
        else:
            style = [] if code == "0" else [*style, _CLASSES[code]]
    return lines


def _wrapped(line: Line) -> list[Line]:
    rows: list[Line] = [[]]
    used = 0
    for name, text in line:
        for letter in text:
            if used + _cells(letter) > COLUMNS:
                rows.append([])
                used = 0
            used += _cells(letter)
            if rows[-1] and rows[-1][-1][0] == name:
                rows[-1][-1] = (name, rows[-1][-1][1] + letter)
            else:
                rows[-1].append((name, letter))
    return rows


def _cells(text: str) -> int:
    """Columns in a terminal: two for each wide letter."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


if __name__ == "__main__":
    PICTURE.write_text(as_svg(recorded()), "utf-8", newline="\n")
