"""`thetawarden chaos`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from thetawarden.cli.place import as_json, print_json, watched
from thetawarden.errors import EXIT_DONE, EXIT_UNEXPECTED

if TYPE_CHECKING:
    from thetawarden.sim.chaos import Report

SEEDS_MAX, DAYS_MAX, JOBS_MAX = 1_000_000, 20, 256


@click.command()
@click.option("--seeds", type=click.IntRange(1, SEEDS_MAX), required=True, help="How many worlds.")
@click.option("--first", type=click.IntRange(0), default=1, show_default=True, help="First seed.")
@click.option(
    "--days", type=click.IntRange(1, DAYS_MAX), default=2, show_default=True, help="Trading days."
)
@click.option(
    "--faults",
    default="all",
    show_default=True,
    help="all, none, families (network,data,orders,process,storage,clock,human) or planned faults.",
)
@click.option(
    "--jobs", type=click.IntRange(1, JOBS_MAX), help="Processes; default: one a processor."
)
@as_json
def chaos(
    *, seeds: int, first: int, days: int, faults: str, jobs: int | None, as_json: bool
) -> int:
    """Simulate whole trading days under faults, and check every invariant at every step.

    Exits 1 when one does not hold, with the seed, the fewest faults that still break it, and the
    command that replays it.
    """
    from thetawarden.sim import chaos as sim  # noqa: PLC0415  # heavy

    try:
        families, schedule = sim.read_faults(faults)
        asked = sim.Asked(
            seeds=seeds,
            first=first,
            days=days,
            families=families,
            schedule=schedule,
            jobs=jobs or os.cpu_count() or 1,
        )
        sim.refuse_unplayed(asked)
    except ValueError as error:
        raise click.UsageError(f"--faults {error}") from error
    report = sim.run_chaos(asked, progress=lambda so_far: _show(so_far, seeds))
    if watched():
        click.echo(err=True)
    if as_json:
        print_json(report)
    else:
        _print(report)
    return EXIT_DONE if report.is_fine else EXIT_UNEXPECTED


def _show(report: Report, seeds: int) -> None:
    if watched():
        line = f"\r{report.seeds:,} of {seeds:,} seeds, {len(report.failed)} failed"
        click.echo(f"{line}, {report.messages:,} messages", nl=False, err=True)


def _print(report: Report) -> None:
    from thetawarden.cli.tables import plain_table, print_table  # noqa: PLC0415  # rich is slow

    click.echo(
        f"{_many(report.seeds, 'seed')}, {_many(report.days, 'trading day')},"
        f" {_many(report.messages, 'message')} in {report.elapsed_s:,.1f} s:"
        f" {len(report.failed)} failed"
    )
    rows = [(name, f"{count:,}") for name, count in sorted(report.invariants.items())]
    print_table(plain_table("Looked at", ("invariant", "times"), rows))
    states = [(name, f"{count:,}") for name, count in report.sometimes.items()]
    print_table(plain_table("Reached", ("state", "times"), states))
    for state in report.unreached:
        click.echo(f"never reached: {state}")
    for failure in report.failed:
        click.echo(
            f"seed {failure.seed}: {failure.invariant} at minute {failure.at_min},"
            f" message {failure.seq}: {failure.words}"
        )
        click.echo(f"  replay it: {failure.command}")


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
