"""Changes rows of a log so that every checksum still fits: what only a replay can find."""

import contextlib
import sqlite3

import msgspec

from thetawarden.infra.journal import rows
from thetawarden.infra.journal.packing import packed, unpacked

MESSAGE = ("seq", "at_ns", "sender", "incarnation", "cause_seq", "kind", "body")
DELIVERY = ("n", "seq", "actor", "incarnation", "at_ns", "outcome", "merged")
SNAPSHOT = ("n", "actor", "incarnation", "at_ns", "body")
_TABLES = {
    "messages": (MESSAGE, rows.message_crc),
    "deliveries": (DELIVERY, rows.delivery_crc),
    "snapshots": (SNAPSHOT, rows.snapshot_crc),
}


class Tampered:
    """One day's file, open to be changed."""

    def __init__(self, connection):
        self._connection = connection

    def rows(self, table, where="1"):
        columns, _ = _TABLES[table]
        query = f"SELECT {', '.join(columns)} FROM {table} WHERE {where} ORDER BY 1"  # noqa: S608
        return [dict(zip(columns, row, strict=True)) for row in self._connection.execute(query)]

    def put(self, table, row):
        columns, crc_of = _TABLES[table]
        values = [row[name] for name in columns]
        marks = ", ".join("?" * (len(values) + 1))
        sql = f"INSERT OR REPLACE INTO {table} VALUES ({marks})"  # noqa: S608
        self._connection.execute(sql, (*values, crc_of(*values)))

    def drop(self, table, row):
        key = _TABLES[table][0][0]
        self._connection.execute(f"DELETE FROM {table} WHERE {key} = ?", [row[key]])  # noqa: S608

    def change(self, table, row, **values):
        if table != "messages":
            self.drop(table, row)
        self.put(table, {**row, **values})


@contextlib.contextmanager
def tampering(folder, which=0):
    path = sorted(folder.glob("*.db"))[which]
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield Tampered(connection)


def plain(body):
    return msgspec.msgpack.decode(unpacked(body))


def body_of(value):
    return packed(msgspec.msgpack.encode(value))
