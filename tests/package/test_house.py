"""The house's own rules, read off the source: pure modules, and names that mean one thing."""

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for package in ("server/xportcn_server", "tools/xportcn_tools", "prompts/xportcn_prompts")
    for path in sorted((ROOT / package).rglob("*.py"))
]
TREES = {path: ast.parse(path.read_text("utf-8")) for path in SOURCES}

# Of the standard library, all that a rule may use; a rule does no I/O, and knows no clock but the one given.
FOR_RULES = {
    "collections",
    "contextlib",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "functools",
    "hashlib",
    "hmac",
    "html",
    "itertools",
    "json",
    "math",
    "operator",
    "re",
    "secrets",  # where no nonce is given
    "statistics",
    "string",
    "typing",
    "unicodedata",
    "urllib.parse",
    "zoneinfo",
}
OF_OTHERS = {"annotated_types", "pydantic", "pydantic_core"}
OURS = {"xportcn_server", "xportcn_tools", "xportcn_prompts"}


def is_pure(tree: ast.Module) -> bool:
    """The mark: a docstring that says `Pure`."""
    return bool(re.search(r"\bPure\b", ast.get_docstring(tree) or ""))


def imported(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_modules_that_say_they_are_pure_import_nothing_that_does_input_or_output() -> None:
    pure = [path for path, tree in TREES.items() if is_pure(tree)]
    assert {path.stem for path in pure} >= {"sums", "pins", "terms", "quote", "signing", "money", "outcome"}
    for path in pure:
        for module in imported(TREES[path]):
            known = module in FOR_RULES or module.partition(".")[0] in FOR_RULES | OF_OTHERS | OURS
            assert known, f"{path.name} says that it is pure and imports {module}"


def test_every_module_has_a_name_of_its_own() -> None:
    named: dict[str, list[str]] = defaultdict(list)
    for path in SOURCES:
        if not path.stem.startswith("__"):
            named[path.stem].append(str(path.relative_to(ROOT)))
    assert [paths for paths in named.values() if len(paths) > 1] == []


def types_of(tree: ast.Module) -> list[str]:
    """Classes, and names in CamelCase that a module gives to types."""
    found = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found += [target.id for target in targets if isinstance(target, ast.Name)]
    return [name for name in found if re.fullmatch(r"_?[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*", name)]


def test_every_type_has_a_name_of_its_own() -> None:
    named: dict[str, list[str]] = defaultdict(list)
    for path, tree in TREES.items():
        for name in types_of(tree):
            named[name.removeprefix("_")].append(str(path.relative_to(ROOT)))
    assert {name: paths for name, paths in named.items() if len(paths) > 1} == {}


def takers(name: str) -> list[str]:
    """Functions, and classes with fields, that take a parameter of this name."""
    found: list[str] = []
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                names = [argument.arg for argument in given]
            elif isinstance(node, ast.ClassDef):
                fields = [part.target for part in node.body if isinstance(part, ast.AnnAssign)]
                names = [field.id for field in fields if isinstance(field, ast.Name)]
            else:
                continue
            if name in names:
                found.append(f"{path.name}:{node.lineno}")
    return found


def test_every_module_has_at_most_300_lines() -> None:
    longer = {path.name: path.read_text("utf-8").count("\n") for path in SOURCES}
    assert {name: lines for name, lines in longer.items() if lines > 300} == {}


def test_the_realm_and_the_environment_are_bound_where_they_are_known_and_not_passed_on() -> None:
    for name in ("realm", "environment"):
        assert 0 < len(takers(name)) <= 5, takers(name)
