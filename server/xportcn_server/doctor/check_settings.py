"""Settings: which place each one comes from, which value wins, what cannot be read, what is misspelt.

Where the settings cannot be used as they stand, the others are still read, so that ledger and network can
be looked at all the same.
"""

import difflib
import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from xportcn_server.doctor.check import Check, fault, ok, warning
from xportcn_server.settings.dotenv_files import PREFIX, Source
from xportcn_server.settings.settings import (
    FIELDS,
    NEEDED_UPSTREAM,
    SECRET,
    Settings,
    SettingsError,
    default_ledger,
    load_settings,
    setting_sources,
)

_MASKED = {PREFIX + field.upper() for field in (*NEEDED_UPSTREAM, *SECRET)}
_KEY_CHARACTERS_SHOWN = 4
_SCRUBBED_MIN_CHARACTERS = 6  # a user id of two digits is also half of every time of day


@dataclass(frozen=True)
class Configuration:
    """The settings as far as they can be read. `broken`: fields that cannot, and hold their default."""

    settings: Settings
    checks: list[Check]
    broken: frozenset[str] = frozenset()
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def offline(self) -> bool:
        """Mode sandbox, set or by default: there is no network to look at."""
        return self.settings.mode == "sandbox" and "mode" not in self.broken


def read_configuration(environ: Mapping[str, str] | None = None) -> Configuration:
    """Read all settings of this process and judge each that is set."""
    environ = os.environ if environ is None else environ
    faults: tuple[str, ...] = ()
    try:
        folder = Path.cwd().absolute()
    except OSError:  # somebody has removed it: `load_settings` tells
        folder = default_ledger().parent
    sources = setting_sources(environ, folder, [])
    try:
        settings, broken = load_settings(environ), frozenset[str]()
    except SettingsError as error:
        faults = error.faults
        settings, broken = _readable(sources, folder)
    checks = [_places(sources), *_private(sources), *map(_faulty, faults)]
    checks += _each(settings, sources, broken)
    return Configuration(settings, checks, broken, _secrets(sources))


def _readable(sources: list[Source], folder: Path) -> tuple[Settings, frozenset[str]]:
    """The settings without those that cannot be read, and the fields of the latter."""
    values: dict[str, Any] = {}
    for source in reversed(sources):
        values |= {FIELDS[name]: value for name, value in source.values.items() if name in FIELDS}
    labels = tuple((name, source.label) for source in reversed(sources) for name in source.values)
    values.setdefault("ledger", str(default_ledger(values.get("mode", "sandbox"))))
    broken: set[str] = set()
    while True:
        try:
            return Settings.model_validate(
                values | {"sources": labels}, context={"folder": folder}
            ), frozenset(broken)
        except ValidationError as error:
            refused = {str(detail["loc"][0]) for detail in error.errors(include_url=False)}
            for name in refused:
                del values[name]
            broken |= refused
            values.setdefault("ledger", os.devnull)  # never opened: `broken` tells


def _places(sources: list[Source]) -> Check:
    """Where settings may stand, and where some do."""
    places = [
        source.label
        if source.label == "environment" or _mode_of(source.label) is not None
        else f"{source.label} (not there)"
        for source in sources
    ]
    return ok("settings", f"read from, the first that names a setting wins: {'; '.join(places)}")


def _private(sources: list[Source]) -> list[Check]:
    """A `.env` that holds a secret is for its owner's eyes. Windows keeps this elsewhere."""
    if sys.platform == "win32":
        return []
    found: list[Check] = []
    for source in sources:
        if not {PREFIX + name.upper() for name in SECRET} & source.values.keys():
            continue
        if (_mode_of(source.label) or 0) & 0o077:
            found.append(
                warning(
                    "settings file mode",
                    f"{source.label} holds a secret, and other users of this machine may read it",
                    f"chmod 600 {source.label}",
                )
            )
    return found


def _mode_of(file: str) -> int | None:
    """The permission bits of a file; None where there is none that can be looked at."""
    try:
        return stat.S_IMODE(Path(file).stat().st_mode)
    except OSError:  # the environment, too
        return None


def _faulty(text: str) -> Check:
    """One fault of `load_settings`: a phrase that begins with the setting's name, or with a file's."""
    name, _, rest = text.partition(" ")
    if not name.startswith(PREFIX):
        return fault("settings", text, "put this right; until then the server does not start")
    if " is missing: " in text:
        step = f"set {name} in the environment or in a .env file, or set XPORTCN_MODE=sandbox"
        return fault(name, rest, step)
    what, found, allowed = rest.rpartition(", allowed: ")
    if not found:
        return fault(name, rest, "correct this line of the file")
    if name in _MASKED:
        what = "cannot be read (its value is not shown)"
    return fault(name, what, f"set {name} to: {allowed}")


def _each(settings: Settings, sources: list[Source], broken: frozenset[str]) -> list[Check]:
    """A check for every setting that is set and readable, and for every name that is none."""
    shown = {name: value for name, value, _ in settings.describe()}
    names = dict.fromkeys(name for source in sources for name in source.values)
    order = {name: position for position, name in enumerate(FIELDS)}
    checks: list[Check] = []
    for name in sorted(names, key=lambda name: (order.get(name, len(order)), name)):
        holding = [source for source in sources if name in source.values]
        if name not in FIELDS:
            checks.append(_unknown(name, holding[0].label))
        elif FIELDS[name] not in broken:
            value = _hidden(name, holding[0].values[name]) if name in _MASKED else shown[name]
            checks.append(_set(name, value, holding))
    unset = len(FIELDS) - len(names.keys() & FIELDS.keys())
    checks.append(ok("defaults", f"{unset} settings are not set and have their defaults"))
    return checks


def _set(name: str, value: str, holding: list[Source]) -> Check:
    """One setting; a place that says otherwise and loses is somebody's surprise to come."""
    winner, *others = holding
    losers = [other.label for other in others if other.values[name] != winner.values[name]]
    found = f"{value} (from {winner.label})"
    if not losers:
        return ok(name, found)
    return warning(
        name,
        f"{found}; another value in {', '.join(losers)} has no effect",
        f"remove {name} from the place that is not meant: {winner.label} wins",
    )


def _unknown(name: str, place: str) -> Check:
    alike = difflib.get_close_matches(name, FIELDS, 1, 0.75)
    step = f"did you mean {alike[0]}?" if alike else "remove it, or look its name up in the README"
    return warning(name, f"no setting of this program, without effect (from {place})", step)


def _hidden(name: str, value: str) -> str:
    if name == PREFIX + "ACCESS_KEY" and len(value) > 2 * _KEY_CHARACTERS_SHOWN:
        return f"{value[:_KEY_CHARACTERS_SHOWN]}... ({len(value)} characters)"
    return f"set ({len(value)} characters)"


def _secrets(sources: list[Source]) -> tuple[str, ...]:
    """Every value that nobody may see, also of places that lose; the longest first."""
    found: set[str] = set()
    for source in sources:
        for name in _MASKED & source.values.keys():
            parts = [source.values[name], *map(str.strip, source.values[name].split(","))]
            found |= {part for part in parts if len(part) >= _SCRUBBED_MIN_CHARACTERS}
    return tuple(sorted(found, key=len, reverse=True))
