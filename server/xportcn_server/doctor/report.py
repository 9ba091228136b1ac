"""`xportcn-mcp doctor`: looks at everything that an order needs, and says what to do. Changes nothing."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import click

from xportcn_server.doctor import check_callers as callers
from xportcn_server.doctor import check_ledger as ledger
from xportcn_server.doctor import check_network as network
from xportcn_server.doctor import check_program as program
from xportcn_server.doctor.check import Check, fault, ok
from xportcn_server.doctor.check_account import NEEDED, check_account, judged
from xportcn_server.doctor.check_settings import check_settings, hidden_of, secrets_of
from xportcn_server.doctor.going_live import live_steps
from xportcn_server.doctor.probe import IN_WORDS, Finding, find_rule
from xportcn_server.doctor.recording import Recording
from xportcn_server.doctor.signed_call import in_signs
from xportcn_server.settings.loaded import Loaded, read_settings
from xportcn_tools.upstream.clean import escaped

HIDDEN = "***"


def run_doctor(
    *,
    probe: bool,
    as_json: bool,
    folder: Path | None = None,
    live: bool = False,
    whole: bool = False,
    env_file: str | None = None,
) -> int:
    """Print what was found, for a person or as one JSON object; the exit code (1: there is a fault).

    `folder`: a new one for the answers to the probe, scrubbed. `live`: with the list for the first live day.
    `whole`: each page and row of the ledger is looked at, however large it is.
    """
    loaded = read_settings(env_file=env_file)
    checks = [
        *_guarded("program", program.check_program),
        *_guarded("settings", lambda: check_settings(loaded)),
        *_guarded("ledger", lambda: ledger.check_ledger(loaded, whole=whole)),
        *_guarded("callers", lambda: callers.check_callers(loaded)),
        *_guarded("network", lambda: network.check_network(loaded)),
        *_guarded("stdout of serve", lambda: [program.check_stdout()]),
    ]
    recording = Recording(hidden_of(loaded)) if folder else None
    finding = _probed(loaded, recording) if probe or recording else None
    if finding:
        checks += judged(finding, loaded.settings)
        if recording and folder:
            checks.append(_kept(recording, folder))
    else:
        reached = all(check.status != "fault" for check in checks if check.name in network.NAMES)
        checks += _guarded("account", lambda: [check_account(loaded, reached=reached)])
    report = _without(
        secrets_of(loaded),
        {
            "ok": all(check.status != "fault" for check in checks),
            "checks": [asdict(check) for check in checks],
            "probe": _as_json(finding) if finding else None,
            "live": [asdict(step) for step in live_steps(loaded.settings)] if live else [],
        },
    )
    if as_json:
        click.echo(json.dumps(report, indent=2))
    else:
        _print(report)
    return 0 if report["ok"] else 1


def _guarded(name: str, look: Callable[[], Iterable[Check]]) -> list[Check]:
    """A check that fails itself must not hide what the others find."""
    try:
        return list(look())
    except Exception as error:  # noqa: BLE001 - its type is all that is sure to hold no secret
        step = "report this to the authors of xportcn-mcp, with what is special about this machine"
        return [fault(name, f"the check itself failed ({type(error).__name__})", step)]


def _kept(recording: Recording, folder: Path) -> Check:
    try:
        files = recording.keep_in(folder)
    except OSError as error:
        return fault("record", f"{folder}: {error.strerror}", "name a folder that can be made")
    step = f"look through them, and give {folder} to a bug report if you like" if files else ""
    return ok("record", f"{files} answers are in {folder}, scrubbed", step)


def _probed(loaded: Loaded, recording: Recording | None) -> Finding:
    unreadable = NEEDED & loaded.broken
    if unreadable:
        names = ", ".join(sorted(f"XPORTCN_{field.upper()}" for field in unreadable))
        return Finding("not run", f"{names} cannot be read", f"correct {names}, then call doctor again")
    return find_rule(loaded.settings, *([recording.add] if recording else []))


def _as_json(finding: Finding) -> dict[str, Any]:
    return asdict(finding) | {"env_lines": list(finding.env_lines)}


def _without(secrets: tuple[str, ...], part: Any) -> Any:
    """The report with every secret replaced, wherever it is repeated: in the upstream's words, say."""
    if isinstance(part, dict):
        fields = cast("dict[str, Any]", part)
        return {name: _without(secrets, value) for name, value in fields.items()}
    if isinstance(part, list | tuple):
        return [_without(secrets, value) for value in cast("list[Any]", part)]
    if isinstance(part, str):
        for secret in secrets:
            part = part.replace(secret, HIDDEN)
    return part


def _print(report: dict[str, Any]) -> None:
    width = max(len(check["name"]) for check in report["checks"])
    for check in report["checks"]:
        _say(f"{check['status']:<8} {check['name']:<{width}}  {check['found']}")
        if check["next_step"]:
            _say(f"{'':<8} -> {check['next_step']}")
    if report["probe"]:
        _print_probe(report["probe"])
    for number, step in enumerate(report["live"], 1):
        _say(f"\n{number}. {step['title']}")
        for line in step["what"].splitlines():
            _say(f"   {line}")
    statuses = [check["status"] for check in report["checks"]]
    _say(f"\n{statuses.count('fault')} fault(s), {statuses.count('warning')} warning(s)")


def _print_probe(finding: dict[str, Any]) -> None:
    paths = [each for each in finding["paths"] if (each["call"], each["meaning"]) != ("search", "confirmed")]
    answers = [*finding["attempts"], *paths]  # a search that was accepted says so already
    if answers:
        _say("\nThe upstream's answers, for the vendor:")
    for each in answers:
        meaning = IN_WORDS.get(each["meaning"], each["meaning"])
        sorted_by = ", inferred" if each["inferred"] else ""
        status = "no HTTP answer" if each["http_status"] is None else f"HTTP {each['http_status']}"
        _say(
            f"  {each['call']:<13} {each['signature']:<6} {each['timestamp_unit']:<2} {each['path']}"
            f"  {meaning}{sorted_by}: {status}, {in_signs(each['code'], each['text'])},"
            f" request id {each['request_id'] or '-'}"
        )
    if finding["env_lines"]:
        _say("\nFor .env:")
        for line in finding["env_lines"]:
            _say(line)


def _say(line: str) -> None:
    """A line in which nothing acts on the terminal; what its encoding lacks, `cli` has made escapes of."""
    click.echo(escaped(line))
