"""`thetawarden lake`: what is in the tables, their upkeep, and questions to them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from thetawarden.cli.place import Place, as_json, on_place, print_json
from thetawarden.errors import EXIT_DONE, EXIT_UNEXPECTED

if TYPE_CHECKING:
    from thetawarden.infra.lake.household import Household
    from thetawarden.infra.lake.reading import TableInfo

ROWS_SHOWN = 50
UNNAMED = "unnamed"  # no desk has named its log yet: nothing of it is in the lake


@click.group()
def lake() -> None:
    """Look at the tables everything is kept in, ask them, and keep them tidy."""


@lake.command()
@as_json
@on_place
def info(*, place: Place, as_json: bool) -> int:
    """Show every table: rows, files, bytes, and how far it is behind the message log."""
    from thetawarden.infra.lake.reading import info as look  # noqa: PLC0415  # polars is slow

    household = _household(place)
    tables = look(household)
    if as_json:
        print_json({"lake": household.place.root, "tables": tables})
    else:
        from thetawarden.cli.tables import plain_table, print_table  # noqa: PLC0415

        columns = ("table", "rows", "files", "size", "from", "to", "watermark", "lag")
        print_table(plain_table(household.place.root, columns, [_line(each) for each in tables]))
        for each in tables:
            if each.error is not None:
                click.echo(each.error)
    return EXIT_UNEXPECTED if any(each.error for each in tables) else EXIT_DONE


@lake.command()
@click.option("--rebuild", metavar="TABLE", help="Write this table anew from the message log.")
@as_json
@on_place
def maintain(*, place: Place, rebuild: str | None, as_json: bool) -> int:
    """Fold, sweep and archive what is over now; the desk does it after each trading day.

    With --rebuild, and no desk running, one table is written anew. Exits 1 when something was left.
    """
    household = _household(place)
    if rebuild is not None:
        return _rebuild(place, household, rebuild, as_json=as_json)
    from thetawarden.domain.instants import trading_day  # noqa: PLC0415
    from thetawarden.infra.clock import WallClock  # noqa: PLC0415
    from thetawarden.infra.journal.store import day_files  # noqa: PLC0415
    from thetawarden.infra.lake.housekeeping import maintain as keep  # noqa: PLC0415

    clock = WallClock()
    turns_at = place.load().config.schedule.rotate_at
    files = day_files(household.log_folder)
    newest = dt.date.fromisoformat(files[-1].stem) if files else dt.date.max
    done = keep(household, day=min(newest, trading_day(clock.now_ns(), turns_at)), clock=clock)
    if as_json:
        print_json({name: getattr(done, name) for name in done.__struct_fields__})
    else:
        click.echo(
            f"days before {done.day}: {done.files:,} files in use, {done.files_removed:,} removed,"
            f" {len(done.archived)} log days archived, {len(done.logs_removed)} deleted"
        )
        for fault in done.faults:
            click.echo(f"left: {fault}")
    return EXIT_UNEXPECTED if done.faults else EXIT_DONE


@lake.command()
@click.argument("sql")
@as_json
@on_place
def query(*, place: Place, sql: str, as_json: bool) -> None:
    """Answer one SELECT over the tables by their names; see docs/lake.md for the columns."""
    from thetawarden.infra.lake.reading import plain  # noqa: PLC0415  # polars is slow
    from thetawarden.infra.lake.reading import query as ask  # noqa: PLC0415

    answer = ask(_household(place).place, sql)
    if as_json:
        rows = [[plain(cell) for cell in row] for row in answer.iter_rows()]
        print_json([dict(zip(answer.columns, row, strict=True)) for row in rows])
        return
    from thetawarden.cli.tables import plain_table, print_table  # noqa: PLC0415

    shown = [
        ["" if cell is None else plain(cell) for cell in row]
        for row in answer.head(ROWS_SHOWN).iter_rows()
    ]
    print_table(plain_table("", answer.columns, shown))
    if answer.height > ROWS_SHOWN:
        click.echo(f"{ROWS_SHOWN} of {answer.height:,} rows; --json gives all, LIMIT fewer")


def _household(place: Place) -> Household:
    """The lake of the mode and account in effect; makes nothing."""
    from thetawarden.infra.lake.household import household_of  # noqa: PLC0415
    from thetawarden.infra.lake.origin import log_name  # noqa: PLC0415
    from thetawarden.infra.lake.place import lake_place  # noqa: PLC0415

    config, store = place.load().config, place.store()
    if not store.is_dir():
        raise click.UsageError(
            f"no data folder {store}; run a desk there first, or name another with --data-dir"
        )
    return household_of(
        config,
        place=lake_place(
            url=config.lake.url, options=config.lake.options, store=store, secrets=place.secrets()
        ),
        log_folder=store / "log",
        log=log_name(store) or UNNAMED,
    )


def _rebuild(place: Place, household: Household, table: str, *, as_json: bool) -> int:
    from thetawarden.infra.clock import WallClock  # noqa: PLC0415
    from thetawarden.infra.lake.keeping import rebuild_table  # noqa: PLC0415
    from thetawarden.infra.store_lock import StoreLock  # noqa: PLC0415

    lock = StoreLock(place.store())
    lock.acquire()
    try:
        rows = rebuild_table(household, table, clock=WallClock())
    finally:
        lock.release()
    if as_json:
        print_json({"table": table, "rows": rows})
    else:
        click.echo(f"lake table {table} was written anew: {rows:,} rows")
    return EXIT_DONE


def _line(of: TableInfo) -> tuple[object, ...]:
    def shown(value: int | None) -> str:
        return "" if value is None else f"{value:,}"

    size = "" if of.bytes is None else f"{of.bytes / 2**20:,.1f} MB"
    days = (of.first_day or "", of.last_day or "")
    return (
        of.table,
        shown(of.rows),
        shown(of.files),
        size,
        *days,
        shown(of.watermark),
        shown(of.lag),
    )
