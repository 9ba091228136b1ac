"""`make bench`: measures every row of docs/performance.md, prints the table, and writes page and picture.

`--quick` takes smaller sizes and prints only. `--trail` adds a trail of three million rows, or of as many as it
says. `--only NAME` measures one part, by its function's name, and prints only.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.closed_loop import busy_seconds
from benchmarks.large_ledgers import postgres, sqlite, trail
from benchmarks.many_callers import many_callers
from benchmarks.measured import QUICK, TRAIL_ROWS, Measured, Sizes
from benchmarks.performance_page import PAGE, PICTURE, machine, page, picture, table
from benchmarks.phases import loaded, phases
from benchmarks.start_and_calls import calls, memory, starts
from benchmarks.surroundings import Place, place

PARTS: tuple[Callable[[Place, Sizes], Measured], ...] = (
    starts,
    calls,
    phases,
    memory,
    loaded,
    many_callers,
    sqlite,
    postgres,
    trail,
)
QUIET_SECONDS = 3.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--trail", type=int, nargs="?", const=TRAIL_ROWS, default=0)
    parser.add_argument("--only", choices=[part.__name__ for part in PARTS])
    asked = parser.parse_args()
    if sys.platform != "linux":
        sys.exit("make bench needs Linux: it reads memory and processor times from /proc")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the servers are ended, too
    sizes = QUICK if asked.quick else Sizes()
    sizes = replace(sizes, trail_rows=asked.trail)
    began, before = time.monotonic(), busy_cores()
    print(f"{machine()} Other programs keep {before:.2f} cores busy.", flush=True)
    measured = all_measured(sizes, asked.only)
    after, minutes = busy_cores(), (time.monotonic() - began) / 60
    print(
        f"\n{table(measured)}\n\n{measured.get('phases', '')}\n\n{measured.get('loaded', '')}\n\nOther programs keep {after:.2f} cores busy; the run took {minutes:.1f} minutes."
    )
    if not (asked.quick or asked.only):
        written(measured, minutes, (before, after), PAGE, PICTURE)
        print(f"Written: {PAGE} and {PICTURE}")


def all_measured(sizes: Sizes, only: str | None = None) -> Measured:
    """Every part, each in a folder of its own, with an upstream of its own."""
    measured: Measured = {}
    for name in [name for name in os.environ if name.startswith("XPORTCN_")]:
        del os.environ[name]
    for part in PARTS:
        if only in (None, part.__name__):
            print(f"{part.__name__} …", end=" ", flush=True)
            began = time.monotonic()
            with tempfile.TemporaryDirectory(prefix="xportcn-bench-") as folder, place(Path(folder)) as here:
                measured |= part(here, sizes)
            print(f"{time.monotonic() - began:.0f} s", flush=True)
    return measured


def written(
    measured: Measured, minutes: float, busy: tuple[float, float], page_file: Path, picture_file: Path
) -> None:
    text = page(measured, minutes, busy)
    page_file.write_text(text, "utf-8", newline="\n")
    picture_file.write_text(picture(text), "utf-8", newline="\n")


def busy_cores() -> float:
    """How many cores are busy while nothing of ours runs."""
    before = busy_seconds()
    time.sleep(QUIET_SECONDS)
    return (busy_seconds() - before) / QUIET_SECONDS


if __name__ == "__main__":
    main()
