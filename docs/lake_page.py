"""Writes docs/lake.md: how the lake is used and kept, and every table with its columns."""

from __future__ import annotations

from thetawarden.infra.lake.columns import COMMON, Column, Kind, Table
from thetawarden.infra.lake.projection import FEEDS
from thetawarden.infra.lake.tables import TABLES

_HEAD = """# The lake

<!-- Made from thetawarden/infra/lake/tables by `make docs`; changes here are overwritten. -->

Everything worth keeping lies in Delta tables: `lake/` in the data folder of the mode and account,
or wherever `lake.url` says. Any tool that reads Delta or Parquet reads them, and so does

```sh
thetawarden lake info
thetawarden lake query "SELECT bar_day, close_usd FROM underlying_bars WHERE underlying = 'SPX'"
thetawarden lake maintain
thetawarden lake maintain --rebuild fills    # with the desk stopped
```

**Say the day.** Tables are cut by `day` (the trading day in New York) and sorted by `underlying`
and time, so a question that names a day and an underlying opens only their files and row groups:
`WHERE day = '2026-03-02' AND underlying = 'SPX'`.

**Nothing is lost, nothing twice.** Each commit holds, with its rows, the number of the last message
it is made from. Before a commit the message log is asked how many messages of each kind there are;
whatever is missing is read from there. A crash, storage that is away, a table that is damaged or
gone are the same case: the table reads the log from where it ends. `lake info` shows that position
(`watermark`) and how many messages since then it has still to look at (`lag`); of a table that
little comes for it is noted every few minutes. Trading never waits for the lake.

**Housekeeping** follows the turn of the trading day, in a process of its own: files of the days
before are folded into few sorted ones, files nobody can need any more are removed, the message log
of days that are over goes row by row to `message_archive`. A day file of the log is deleted only
when it is older than `lake.log_kept_days`, every row of it is proven to be in the archive, and
every table holds what it gave; the last two never are.

**Versions.** A later version of the program adds columns, null in older rows; it never renames or
retypes one. An older version refuses a newer table and leaves it alone.

## An object store

```yaml
lake:
  url: s3://my-bucket/thetawarden
  options: [aws_region=eu-west-1]
```

Below the URL each mode and account has its own place. Secrets come from the environment, such as
`THETAWARDEN_SECRET_LAKE_AWS_ACCESS_KEY_ID` and `..._AWS_SECRET_ACCESS_KEY`; an option that names a
secret is refused. The store must know conditional writes (S3 and its kin, GCS and Azure do). A
table there that is too damaged to be opened must be moved away by hand before it is rebuilt.

## Columns of every table

"""

_TYPES = {
    Kind.DAY: "date",
    Kind.INSTANT: "instant",
    Kind.WHOLE: "integer",
    Kind.NUMBER: "double",
    Kind.MONEY: "decimal(28,8)",
    Kind.TRUTH: "boolean",
    Kind.TEXT: "text",
    Kind.BYTES: "bytes",
}


def render() -> str:
    """The whole page."""
    return _HEAD + _columns(COMMON) + "".join(_section(table) for table in TABLES.values())


def _section(table: Table) -> str:
    fed = ", ".join(f"`{kind}`" for kind in sorted(FEEDS.get(table.name, ())))
    source = f"Made from {fed}. " if fed else ""
    order = ", ".join(f"`{name}`" for name in table.sort)
    return (
        f"\n## {table.name}\n\n{table.words}\n\n"
        f"{source}Version {table.version}, sorted by {order}.\n\n{_columns(table.columns)}"
    )


def _columns(columns: tuple[Column, ...]) -> str:
    lines = ["| column | type | what it is |", "| --- | --- | --- |"]
    for column in columns:
        since = f" Since version {column.since}." if column.since > 1 else ""
        lines.append(f"| `{column.name}` | {_TYPES[column.kind]} | {column.words}{since} |")
    return "\n".join(lines) + "\n"
