"""`python -m torture`: all kinds of runs, a progress bar, and a table that must end in zeros."""

import multiprocessing
import os
import secrets
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

import click

from torture.batches import batch_of
from torture.course import Run

BATCH = 25
FAULTS = {"double": "doubles", "untrue": "untrue", "sending": "sending", "trail": "trail", "error": "errors"}
COLUMNS = ("runs", "creates", "placed", "rejected", "unknown", *FAULTS.values())


@click.command()
@click.option("--crashes", type=click.IntRange(0), default=2000, show_default=True)
@click.option("--faults", type=click.IntRange(0), default=2000, show_default=True)
@click.option("--races", type=click.IntRange(0), default=50, show_default=True, help="Of 100 calls each.")
@click.option("--restored", type=click.IntRange(0), default=400, show_default=True, help="Ledgers put back.")
@click.option("--twins", type=click.IntRange(0), default=400, show_default=True)
@click.option(
    "--kill", "kills", type=click.IntRange(0), default=400, show_default=True, help="Real processes."
)
@click.option("--seed", type=click.IntRange(0), help="Of all runs; without it, a new one.")
@click.option("--only", multiple=True, metavar="RUN", help="Repeat this run alone, like crash:17:4.")
@click.option("--workers", type=click.IntRange(1), default=os.cpu_count() or 1, show_default=True)
def main(
    crashes: int,
    faults: int,
    races: int,
    restored: int,
    twins: int,
    kills: int,
    seed: int | None,
    only: tuple[str, ...],
    workers: int,
) -> None:
    """Order through crashes, faults and races; exit 1 if anything that was found is not as it must be."""
    seed = secrets.randbelow(10**6) if seed is None else seed
    state = tempfile.TemporaryDirectory()  # of the ledgers' witnesses, for every process of the run
    os.environ["XDG_STATE_HOME"] = state.name
    counts = {"crash": crashes, "fault": faults, "race": races, "restored": restored, "twin": twins}
    counts["kill"] = kills
    names = list(only) or [f"{kind}:{seed}:{n}" for kind, count in counts.items() for n in range(count)]
    click.echo(f"seed {seed}, {len(names)} runs")
    began = time.monotonic()
    runs = _all(names, workers)
    for run in runs:
        for fault in run.faults:
            click.echo(
                f"{run.name}: {run.how} at {run.where}, upstream {run.upstream}: {fault.kind}: {fault.text}"
            )
    click.echo(_table(runs))
    failed = sorted({run.name for run in runs if run.faults})
    click.echo(f"{time.monotonic() - began:.0f} s, seed {seed}")
    if failed:
        click.echo("repeat with: " + " ".join(f"--only {name}" for name in failed[:10]), err=True)
        sys.exit(1)


def _all(names: list[str], workers: int) -> list[Run]:
    batches = [names[first : first + BATCH] for first in range(0, len(names), BATCH)]
    runs: list[Run] = []
    with (
        ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool,
        click.progressbar(length=len(names), label="torture", show_pos=True) as bar,
    ):
        for done in as_completed([pool.submit(batch_of, batch) for batch in batches]):
            runs += done.result()
            bar.update(len(done.result()))
    return runs


def _table(runs: list[Run]) -> str:
    kinds = sorted({_kind(run) for run in runs})
    rows = [["kind", *COLUMNS]]
    rows += [[kind, *_figures([run for run in runs if _kind(run) == kind])] for kind in kinds]
    rows.append(["all", *_figures(runs)])
    first, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
    return "\n".join(
        "  ".join(
            [kind.ljust(first), *(cell.rjust(width) for cell, width in zip(cells, others, strict=True))]
        )
        for kind, *cells in rows
    )


def _kind(run: Run) -> str:
    return f"{run.name.partition(':')[0]}, {run.how}"


def _figures(runs: list[Run]) -> list[str]:
    states = [run.state for run in runs]
    ended = [states.count(state) for state in ("placed", "rejected", "unknown")]
    faulty = [sum(any(fault.kind == kind for fault in run.faults) for run in runs) for kind in FAULTS]
    return [str(figure) for figure in (len(runs), sum(run.creates for run in runs), *ended, *faulty)]


if __name__ == "__main__":
    main()
