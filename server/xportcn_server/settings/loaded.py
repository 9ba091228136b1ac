"""Reading the settings, once, with the place that each one comes from.

The first place that names a setting wins: the environment; the file that `--env-file` or `XPORTCN_ENV_FILE`
names; `.env` beside the ledger's file. Which ledger that is, the first two alone decide. A `.env` of the
working directory is not read: clients start the server in the folder of any project, whose files may be a
stranger's.

A value that cannot be read stops the start, and all faults are reported at once: a cap that was meant and
not understood is worse than a server that does not start.
"""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import ValidationError

from xportcn_server.settings.settings import FIELDS, NEEDED_UPSTREAM, PATHS, SECRET, URLS, Settings
from xportcn_server.settings.sources import (
    ENV_FILE,
    ENVIRONMENT,
    PREFIX,
    SettingFault,
    Source,
    from_environment,
    from_file,
)
from xportcn_server.settings.values import is_placeholder, masked, masked_url, shown

_LEDGER = PREFIX + "LEDGER"


class SettingsError(Exception):
    """The settings cannot be used. The message is one line, names every fault and holds no secret."""

    def __init__(self, faults: tuple[SettingFault, ...]) -> None:
        super().__init__("; ".join(map(str, faults)))


@dataclass(frozen=True)
class Loaded:
    """The settings of this process, and where they come from.

    sources: the places that were read, the one that wins first.
    broken: fields that cannot be read, and have their default in `settings`.
    env_file: the file that `--env-file` or `XPORTCN_ENV_FILE` names.
    not_read: a `.env` of the working directory that sets something of ours, without effect.
    """

    settings: Settings
    sources: tuple[Source, ...]
    faults: tuple[SettingFault, ...] = ()
    broken: frozenset[str] = frozenset()
    env_file: Path | None = None
    not_read: Path | None = None

    def holding(self, name: str) -> list[Source]:
        """The places that set this name, the one that wins first."""
        return [source for source in self.sources if name in source.values]

    def names(self) -> list[str]:
        """Every name that is set: settings in the order of the documentation, then unknown names."""
        found = {name for source in self.sources for name in source.values}
        return [name for name in FIELDS if name in found] + sorted(found - FIELDS.keys())

    def notes(self) -> list[str]:
        """What the owner should know at the start, in one line each: settings that have no effect."""
        notes = [
            f"{name} is not a setting of this program and has no effect: is it misspelt?"
            for name in self.names()
            if name not in FIELDS
        ]
        if self.not_read:
            notes.append(
                f"{self.not_read} is not read, since a client may start the server in any folder; "
                f"to read it, use --env-file {self.not_read} or set {ENV_FILE}"
            )
        return notes


def usable(loaded: Loaded) -> Loaded:
    """The same, if nothing is wrong with it.

    Raises:
        SettingsError: something is missing or cannot be read; the message names every fault.
    """
    if loaded.faults:
        raise SettingsError(loaded.faults)
    return loaded


def read_settings(
    environ: Mapping[str, str] | None = None,
    working_directory: Path | None = None,
    env_file: str | None = None,
) -> Loaded:
    """Read all settings, whatever is wrong with some.

    Args:
        environ: instead of the process's environment.
        working_directory: instead of the process's; where relative paths start.
        env_file: the path after `--env-file`; wins over `XPORTCN_ENV_FILE`.

    """
    environ = os.environ if environ is None else environ
    folder = working_directory or _here()
    faults: list[SettingFault] = []
    file = _named_file(env_file or environ.get(ENV_FILE, "").strip(), folder, faults)
    sources = _sources(environ, file, faults)
    found: dict[str, tuple[str, str]] = {}
    for source in reversed(sources):
        found |= {name: (value, source.label) for name, value in source.values.items() if name in FIELDS}
    faults += _displaced(file, found)
    faults += _missing(found)
    settings, refused = _validated(found, folder)
    faults += [_refused(name, found.get(name)) for name, field in FIELDS.items() if field in refused]
    return Loaded(settings, tuple(sources), tuple(faults), refused, file, _not_read(folder, sources))


def default_ledger(mode: str = "sandbox") -> Path:
    """The file that is the ledger where nothing else is set."""
    name = "sandbox.sqlite3" if mode == "sandbox" else "orders.sqlite3"
    try:
        return platformdirs.user_data_path("xportcn-mcp", appauthor=False) / name
    except RuntimeError:  # no home directory: the rule for ledgers refuses this one, and asks for a path
        return Path("~") / name


def _here() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # somebody has removed it
        return None


def _named_file(text: str, folder: Path | None, faults: list[SettingFault]) -> Path | None:
    """The file of settings that somebody has named, absolute."""
    if not text:
        return None
    with suppress(RuntimeError):  # a home that does not exist
        if not is_placeholder(text, a_path=True):
            return (folder or Path()) / Path(text).expanduser()
    step = "name an existing file after --env-file, or in XPORTCN_ENV_FILE"
    faults.append(SettingFault(ENV_FILE, f"is {shown(text)}", step, "the path of a file"))
    return None


def _sources(environ: Mapping[str, str], file: Path | None, faults: list[SettingFault]) -> list[Source]:
    """The places that may set something, the one that wins first."""
    sources = [from_environment(environ)]
    if file:
        sources.append(from_file(file, faults, named=True))
    beside = _beside_ledger(sources)
    if beside and not (file and _same(beside, file)):
        sources.append(from_file(beside, faults, named=False))
    return sources


def _beside_ledger(sources: list[Source]) -> Path | None:
    """The `.env` beside the ledger that these sources name; None where the ledger is no file."""
    ledger = next((source.values[_LEDGER] for source in sources if _LEDGER in source.values), None)
    if ledger is None:
        return default_ledger().parent / ".env"
    try:
        path = Path(ledger).expanduser()
    except RuntimeError:  # a home that does not exist: reported with the other faults
        return None
    return path.parent / ".env" if path.is_absolute() and "://" not in ledger else None


def _displaced(file: Path | None, found: dict[str, tuple[str, str]]) -> list[SettingFault]:
    """A `.env` beside the default ledger cannot name another one; its value is taken out of `found`."""
    value, source = found.get(_LEDGER, ("", ENVIRONMENT))
    if source in (ENVIRONMENT, str(file)):
        return []
    del found[_LEDGER]
    if os.path.expanduser(value) == str(default_ledger(_mode(found))):  # noqa: PTH111 - raises nothing
        return []
    what = "is set where it has no effect: a file beside the ledger cannot name another ledger"
    allowed = "in the environment, or in the file that --env-file names"
    return [SettingFault(_LEDGER, what, f"set {_LEDGER} {allowed}", allowed, source)]


def _mode(found: Mapping[str, tuple[str, str]]) -> str:
    return found.get(PREFIX + "MODE", ("sandbox", ""))[0].lower()


def _missing(found: Mapping[str, tuple[str, str]]) -> list[SettingFault]:
    mode = _mode(found)
    if mode not in ("preview", "live"):
        return []
    return [
        SettingFault(
            name,
            f"is missing: mode {mode} needs it",
            f"set {name} in the environment or in a file of settings, or set XPORTCN_MODE=sandbox",
        )
        for name, field in FIELDS.items()
        if field in NEEDED_UPSTREAM and name not in found
    ]


def _validated(found: Mapping[str, tuple[str, str]], folder: Path | None) -> tuple[Settings, frozenset[str]]:
    """The settings without those that cannot be read, and the fields of the latter."""
    values: dict[str, Any] = {FIELDS[name]: value for name, (value, _) in found.items()}
    refused = {field for field, value in values.items() if _unfilled(field, value)}
    values = {field: value for field, value in values.items() if field not in refused}
    if "ledger" not in refused | values.keys():
        values["ledger"] = str(default_ledger(_mode(found)))
    nowhere = str(Path(os.sep).absolute() / "no-ledger")  # never opened: `broken` names the field
    while True:
        try:
            settings = Settings.model_validate({"ledger": nowhere} | values, context={"folder": folder})
        except ValidationError as error:
            broken = {
                str(detail["loc"][0]) for detail in error.errors(include_url=False, include_input=False)
            }
            values = {field: value for field, value in values.items() if field not in broken}
            refused |= broken
        else:
            return settings, frozenset(refused)


def _unfilled(field: str, value: str) -> bool:
    return is_placeholder(value, a_path=field in PATHS and "://" not in value, secret=field in SECRET)


def _refused(name: str, found: tuple[str, str] | None) -> SettingFault:
    """A value that is not allowed; found nowhere, it is the default ledger's."""
    field = FIELDS[name]
    value, source = found or (str(default_ledger().parent), "default")
    allowed = str(Settings.model_fields[field].description)
    # Where the password begins and ends in a URL that cannot be read, cannot be known; nor whether `=` or `@`
    # belongs to a path, or to a connection string that was meant for a database.
    if field in SECRET or (field == "ledger" and re.search("://|[=@]", value)):
        what = "cannot be read (its value is not shown)"
    else:
        what = f"is {shown(masked_url(value) if field in URLS else masked(value))}"
    if _unfilled(field, value):
        what += ", a placeholder that nothing has filled in"
    return SettingFault(name, what, f"set {name} to: {allowed}", allowed, source)


def _not_read(folder: Path | None, sources: list[Source]) -> Path | None:
    """The `.env` of the working directory, if it sets something of ours and is none of the sources."""
    if folder is None:
        return None
    path = folder / ".env"
    if any(source.label != ENVIRONMENT and _same(Path(source.label), path) for source in sources):
        return None
    return path if from_file(path, [], named=False).values else None


def _same(one: Path, other: Path) -> bool:
    try:
        return one == other or one.samefile(other)
    except OSError:  # one of them is missing
        return False
