"""The parts of docs/conformance.md that follow from the pins, from `expected.py` and from the runs."""

from conformance.checkers import PYTHON_PACKAGES, pinned
from conformance.expected import (
    APPLICABLE,
    EXCUSED,
    INAPPLICABLE,
    KEEPINGS,
    NOTHING_TO_SEE,
    REVISIONS,
    TOOLGAUGE_NOTES,
    TOOLPROOF_WARNINGS,
    TRIAGE_LOW,
    Keeping,
    Revision,
)
from conformance.suite import Runs

Page = dict[str, str]


def blocks() -> Page:
    """What can be said without running anything."""
    return {
        "versions": _versions(),
        "inapplicable": _inapplicable(),
        "excused": _excused(),
        "notes": _notes(),
    }


def results(runs: Runs) -> Page:
    """How many checks of each scenario that applies succeeded."""
    columns: list[tuple[Revision, Keeping]] = [(each, keeping) for each in REVISIONS for keeping in KEEPINGS]
    names = dict.fromkeys(name for revision in REVISIONS for name in APPLICABLE[revision])
    lines = [
        "| scenario | " + " | ".join(f"{each}, {keeping}" for each, keeping in columns) + " |",
        "|---|" + "---|" * len(columns),
    ]
    for name in names:
        cells = [
            _cell(runs, revision, keeping, name) if name in APPLICABLE[revision] else "–"
            for revision, keeping in columns
        ]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return {"results": "\n".join(lines)}


def _cell(runs: Runs, revision: Revision, keeping: Keeping, name: str) -> str:
    scenario = runs.of(keeping, revision)[name]
    if not scenario.successes:
        return "nothing to look at"
    succeeded = sum(check["status"] == "SUCCESS" for check in scenario.checks)
    excused = len(scenario.unsuccessful())
    return f"{succeeded} passed" + (f", {excused} excused" if excused else "")


def _versions() -> str:
    python = pinned("checkers.txt")
    pins = pinned("node.txt") | {package: python[package] for package in PYTHON_PACKAGES}
    lines = ["| what | version |", "|---|---|"]
    return "\n".join(lines + [f"| `{name}` | {version} |" for name, version in pins.items()])


def _inapplicable() -> str:
    return "\n".join(
        f"- {group.reason}: " + ", ".join(f"`{name}`" for name in group.scenarios) + "."
        for group in INAPPLICABLE
    )


def _excused() -> str:
    lines = ["| revision | scenario | check | why |", "|---|---|---|---|"]
    lines += [f"| {each.revision} | `{each.scenario}` | `{each.check}` | {each.reason} |" for each in EXCUSED]
    lines += [
        f"| {each.revision} | `{each.scenario}` | all: nothing to look at | {each.reason} |"
        for each in NOTHING_TO_SEE
    ]
    return "\n".join(lines)


def _notes() -> str:
    lines = ["| tool | what it notes | of | why it stays |", "|---|---|---|---|"]
    for tool, notes in (
        ("mcp-toolproof", TOOLPROOF_WARNINGS),
        ("mcp-toolgauge", TOOLGAUGE_NOTES),
        ("mcp-triage", TRIAGE_LOW),
    ):
        lines += [f"| {tool} | `{rule}` | `{of}` | {why} |" for (rule, of), why in notes.items()]
    return "\n".join(lines)
