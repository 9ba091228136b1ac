"""README.md and its translation, taken apart; and the names of the tests that a page names."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def readme(name: str = "README.md") -> str:
    return (ROOT / name).read_text("utf-8")


def blocks(text: str, language: str) -> list[list[str]]:
    """The lines of each fenced block in this language."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [block.splitlines() for block in found]


@cache
def names_of_tests(file: Path) -> frozenset[str]:
    """The names of the test functions at the top of a module."""
    body = ast.parse(file.read_text(encoding="utf-8")).body
    functions = (node for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(function.name for function in functions if function.name.startswith("test_"))
