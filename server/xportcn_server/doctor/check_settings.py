"""Settings: which place each one comes from, which value wins, what cannot be read, what is misspelt."""

import difflib
import stat
import sys
from pathlib import Path

from xportcn_server.doctor.check import Check, fault, ok, warning
from xportcn_server.doctor.going_live import approval, caps
from xportcn_server.settings.loaded import Loaded
from xportcn_server.settings.settings import FIELDS, NEEDED_UPSTREAM, SECRET
from xportcn_server.settings.sources import ENV_FILE, ENVIRONMENT, PREFIX, SettingFault, Source

_SECRET = {PREFIX + field.upper() for field in SECRET}
_MASKED = {PREFIX + field.upper() for field in NEEDED_UPSTREAM} | _SECRET
_KEY_CHARACTERS_SHOWN = 4
_SCRUBBED_MIN_CHARACTERS = 6  # a user id of two digits is also half of every time of day


def check_settings(loaded: Loaded) -> list[Check]:
    """Judge each setting that is set, and each place that may set one."""
    checks = [
        _places(loaded),
        *_not_read(loaded),
        *_misnamed(loaded),
        *_private(loaded),
        *map(_faulty, loaded.faults),
    ]
    shown = loaded.settings.shown()
    for name in loaded.names():
        holding = loaded.holding(name)
        if name not in FIELDS:
            checks.append(_unknown(name, holding[0].label))
        elif FIELDS[name] not in loaded.broken:
            value = _hidden(name, holding[0].values[name]) if name in _MASKED else shown[name]
            checks.append(_set(name, value, holding))
    unset = len(FIELDS) - len(FIELDS.keys() & loaded.names())
    checks.append(ok("defaults", f"{unset} settings are not set and have their defaults"))
    if loaded.faults:  # nothing is in force: no server starts
        return checks
    rule = " ".join(approval(loaded.settings)).removeprefix("Approval: ")
    checks.append(ok("caps", " ".join(caps(loaded.settings))))
    return [*checks, ok("approval", f"{loaded.settings.approval}: {rule}")]


def secrets_of(loaded: Loaded) -> tuple[str, ...]:
    """Every secret value, also of places that lose; the longest first."""
    found: set[str] = set()
    for source in loaded.sources:
        for name in _MASKED & source.values.keys():
            parts = [source.values[name], *map(str.strip, source.values[name].split(","))]
            found |= {part for part in parts if len(part) >= _SCRUBBED_MIN_CHARACTERS}
    return tuple(sorted(found, key=len, reverse=True))


def hidden_of(loaded: Loaded) -> tuple[str, ...]:
    """What a recording must not hold: every secret, and a user id however short."""
    return *secrets_of(loaded), loaded.settings.user_id or ""


def _places(loaded: Loaded) -> Check:
    """Where settings may stand, and where some do."""
    places = [
        source.label
        if source.label == ENVIRONMENT or _mode_of(source.label) is not None
        else f"{source.label} (not there)"
        for source in loaded.sources
    ]
    return ok("settings", f"read from, the first that names a setting wins: {'; '.join(places)}")


def _not_read(loaded: Loaded) -> list[Check]:
    if loaded.not_read is None:
        return []
    return [
        warning(
            "settings",
            f"{loaded.not_read} holds settings and is not read: a client may start the server in any folder",
            f"to read it, use --env-file {loaded.not_read} before the command, or set {ENV_FILE} to it",
        )
    ]


def _misnamed(loaded: Loaded) -> list[Check]:
    """A file of settings that an editor of Windows has given an ending, and hides it."""
    return [
        warning("settings", f"{source.label}.txt is not read", f"rename it to {source.label}")
        for source in loaded.sources
        if source.label != ENVIRONMENT and Path(f"{source.label}.txt").is_file()
    ]


def _private(loaded: Loaded) -> list[Check]:
    """A file that holds a secret is for its owner's eyes. Windows keeps this elsewhere."""
    if sys.platform == "win32":
        return []
    return [
        warning(
            "settings file mode",
            f"{source.label} holds a secret, and other users of this machine may read it",
            f"chmod 600 {source.label}",
        )
        for source in loaded.sources
        if _SECRET & source.values.keys() and (_mode_of(source.label) or 0) & 0o077
    ]


def _mode_of(file: str) -> int | None:
    """The permission bits of a file; None where it cannot be looked at."""
    try:
        return stat.S_IMODE(Path(file).stat().st_mode)
    except OSError:  # the environment, too
        return None


def _faulty(found: SettingFault) -> Check:
    if not found.name.startswith(PREFIX):
        return fault("settings", str(found), found.next_step)
    hidden = found.allowed and found.name in _MASKED
    return fault(
        found.name, "cannot be read (its value is not shown)" if hidden else found.found, found.next_step
    )


def _set(name: str, value: str, holding: list[Source]) -> Check:
    """One setting; another value in a place that loses will surprise somebody."""
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
    return warning(name, f"not a setting of this program, no effect (from {place})", step)


def _hidden(name: str, value: str) -> str:
    if name == PREFIX + "ACCESS_KEY" and len(value) > 2 * _KEY_CHARACTERS_SHOWN:
        return f"{value[:_KEY_CHARACTERS_SHOWN]}... ({len(value)} characters)"
    return f"set ({len(value)} characters)"
