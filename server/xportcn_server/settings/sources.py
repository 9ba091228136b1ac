"""Where settings come from: names that start with `XPORTCN_`, in the environment and in files like `.env`.

A line of ours that cannot be parsed is a fault, though python-dotenv would skip it with a warning: it may
have been a cap. Lines and names of other programs are ignored.
"""

import io
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv.parser import Binding, parse_stream

PREFIX = "XPORTCN_"
ENV_FILE = "XPORTCN_ENV_FILE"  # names a file of settings; like `--env-file`, it is no setting itself
ENVIRONMENT = "environment"
MOST_BYTES = 64 * 1024
_TESTS_OWN = "XPORTCN_TEST_"  # switches of the test suite: no settings, and no misspelt ones either
_OUR_LINE = re.compile(rf"^[^\S\n]*(?:export\s+)?({PREFIX}\w*)", re.MULTILINE)


@dataclass(frozen=True)
class SettingFault:
    """One reason why the program does not start. No part of it holds a secret.

    `name`: of the setting, or the path of a file. `what` continues the sentence, with the value as it may
    be shown. `allowed` is empty where the fault is not in a value. `source`: `environment`, or a file's path.
    """

    name: str
    what: str
    next_step: str
    allowed: str = ""
    source: str = ENVIRONMENT

    @property
    def found(self) -> str:
        """What is wrong, without the name."""
        return self.what if self.source == ENVIRONMENT else f"{self.what} (from {self.source})"

    def __str__(self) -> str:
        return f"{self.name} {self.found}" + (f", allowed: {self.allowed}" if self.allowed else "")


@dataclass(frozen=True)
class Source:
    """The settings of one place. `label` is `environment`, or the path of a file."""

    label: str
    values: Mapping[str, str]


def from_environment(environ: Mapping[str, str]) -> Source:
    """Take what is ours; an empty value is a setting that is not set."""
    values = _ours(environ.items())
    values.pop(ENV_FILE, None)
    return Source(ENVIRONMENT, values)


def from_file(path: Path, faults: list[SettingFault], *, named: bool) -> Source:
    """Read a file of settings; faults are added to `faults`, none of them with a value.

    Text is taken literally, with no `${…}` filled in: a secret may hold any character. `named`: somebody
    has named this file, so it must be there; else one that is missing, or a folder, sets nothing.
    """
    try:
        if not named and path.is_dir():  # some name their virtual environment `.env`
            return Source(str(path), {})
        text = small_text(path)
    except (FileNotFoundError, NotADirectoryError):
        if named:
            step = "correct the path after --env-file, or in XPORTCN_ENV_FILE"
            faults.append(SettingFault(str(path), "cannot be read: there is no such file", step))
        return Source(str(path), {})
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        step = "correct the file, or remove it; until then the server does not start"
        faults.append(SettingFault(str(path), f"cannot be read: {reason}", step))
        return Source(str(path), {})

    bindings = list(parse_stream(io.StringIO(text)))
    for binding in bindings:
        faults += _faults(path, binding)
    return Source(str(path), _ours((item.key or "", item.value or "") for item in bindings))


def small_text(path: Path) -> str:
    """The text of a regular file, or of a link to one, of at most 64 KB of UTF-8, with plain newlines.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is something else; the message says what.
    """
    if not stat.S_ISREG(path.stat().st_mode):  # a pipe would keep us waiting, a device has no end
        raise ValueError("it is not a regular file")
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError("it is larger than 64 KB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is not text in UTF-8") from None
    if "\0" in text:
        raise ValueError("it contains a NUL character")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _faults(path: Path, binding: Binding) -> Iterator[SettingFault]:
    """A line of ours without `=`, or one in a statement that a quote left open has spoilt."""
    if not binding.error and binding.value is not None:
        return
    text, first = binding.original.string, binding.original.line
    for match in _OUR_LINE.finditer(text):
        line = first + text.count("\n", 0, match.start(1))
        what = f"in {path}, line {line} cannot be read: write NAME=value, every quote closed"
        yield SettingFault(match[1], what, "correct this line of the file")


def _ours(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The last value of each name, without blanks around it."""
    return {
        name: value.strip()
        for name, value in pairs
        if name.startswith(PREFIX) and not name.startswith(_TESTS_OWN) and value.strip()
    }
