"""Where settings come from: names that start with `XPORTCN_`, in the environment and in `.env` files.

A line that is ours and cannot be parsed is a fault, though python-dotenv would skip it with a warning: it
may have been a cap. What else stands in a `.env` is somebody else's business, and no fault of ours.
"""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv.parser import Binding, parse_stream

PREFIX = "XPORTCN_"
TESTS_OWN = "XPORTCN_TEST_"  # switches of the test suite: no settings, and no misspelt ones either
_OUR_LINE = re.compile(rf"^[^\S\n]*(?:export\s+)?({PREFIX}\w*)", re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """The settings of one place. `label` is `environment` or the path of a file."""

    label: str
    values: Mapping[str, str]


def from_environment(environ: Mapping[str, str]) -> Source:
    """Take what is ours; an empty value is a setting that is not set."""
    return Source("environment", _ours(environ.items()))


def from_file(path: Path, faults: list[str]) -> Source:
    """Read a `.env` in UTF-8, with or without a byte order mark; a file that is not there sets nothing.

    Text is taken literally, with no `${…}` filled in: a secret may hold any character. Whatever is
    unreadable is added to `faults`, each a phrase without any value, as values may be secrets.
    """
    try:
        if path.is_dir():  # some name their virtual environment so
            return Source(str(path), {})
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return Source(str(path), {})
    except UnicodeDecodeError:
        faults.append(f"{path} cannot be read: it is not text in UTF-8")
        return Source(str(path), {})
    except OSError as error:
        faults.append(f"{path} cannot be read: {error.strerror}")
        return Source(str(path), {})

    bindings = list(parse_stream(io.StringIO(text)))
    for binding in bindings:
        faults += _faults(path, binding)
    return Source(str(path), _ours((item.key or "", item.value or "") for item in bindings))


def _faults(path: Path, binding: Binding) -> Iterator[str]:
    """A line of ours without `=`, or one in a statement that a quote left open has spoilt."""
    if not binding.error and binding.value is not None:
        return
    text, first = binding.original.string, binding.original.line
    for match in _OUR_LINE.finditer(text):
        line = first + text.count("\n", 0, match.start(1))
        yield f"{match[1]} in {path}, line {line} cannot be read: write NAME=value, every quote closed"


def _ours(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The last value of each name, without blanks around it."""
    return {
        name: value.strip()
        for name, value in pairs
        if name.startswith(PREFIX) and not name.startswith(TESTS_OWN) and value.strip()
    }
