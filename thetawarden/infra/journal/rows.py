"""How messages, deliveries and snapshots become rows, and how a row proves that it is undamaged.

A body is the message's msgpack, a large one compressed: with zstandard since format 2, with zlib
before. The checksum of a row covers every column, so that a flipped bit anywhere is found: SQLite
itself does not look. The table `meta` has a checksum of its own. Every later format keeps that
table and how its checksum is made, so that a newer log can be told from a damaged one.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from functools import lru_cache
from itertools import chain
from typing import Any

from thetawarden.infra.journal.packing import packed, unpacked
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.registry import ROUTES, decode, encode
from thetawarden.ports import Delivery

FORMAT = 2

DDL = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE messages(
  seq INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, sender TEXT NOT NULL,
  incarnation INTEGER NOT NULL, cause_seq INTEGER, kind TEXT NOT NULL,
  body BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE deliveries(
  n INTEGER PRIMARY KEY, seq INTEGER NOT NULL, actor TEXT NOT NULL, incarnation INTEGER NOT NULL,
  at_ns INTEGER NOT NULL, outcome INTEGER NOT NULL, merged INTEGER NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE snapshots(
  n INTEGER NOT NULL, actor TEXT NOT NULL, incarnation INTEGER NOT NULL, at_ns INTEGER NOT NULL,
  body BLOB NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY(actor, n)) WITHOUT ROWID;
"""

MessageRow = tuple[int, int, str, int, int | None, str, bytes, int]
DeliveryRow = tuple[int, int, str, int, int, int, int, int]
SnapshotRow = tuple[int, str, int, int, bytes, int]

pack_four = struct.Struct("<qqqq").pack
pack_six = struct.Struct("<qqqqqq").pack
NO_CAUSE = -1
WRONG_TYPE = (struct.error, TypeError)
"""What a checksum raises for columns of other types than were written."""


def message_row(said: Envelope[Message]) -> MessageRow:
    """The row of a message."""
    seq, at_ns, sender = said.seq, said.at_ns, said.sender
    incarnation, cause_seq = said.incarnation, said.cause_seq
    kind = type(said.body).__name__
    body = packed(encode(said.body))
    crc = message_crc(seq, at_ns, sender, incarnation, cause_seq, kind, body)
    return (seq, at_ns, sender, incarnation, cause_seq, kind, body, crc)


def message_crc(  # noqa: PLR0917  # columns in order, unpacked from a row
    seq: int,
    at_ns: int,
    sender: str,
    incarnation: int,
    cause_seq: int | None,
    kind: str,
    body: bytes,
) -> int:
    """The checksum over everything in a message row."""
    cause = NO_CAUSE if cause_seq is None else cause_seq
    return zlib.crc32(
        body, zlib.crc32(pack_four(seq, at_ns, incarnation, cause), names_crc(sender, kind))
    )


def decode_body(body: bytes) -> Message:
    """The message in a body column."""
    return decode(unpacked(body))


def delivery_row(n: int, delivery: Delivery) -> DeliveryRow:
    """The row of a delivery, the `n`-th of its log."""
    seq, actor, incarnation = delivery.envelope.seq, delivery.actor, delivery.incarnation
    at_ns, outcome, merged = delivery.at_ns, delivery.outcome, delivery.merged
    crc = delivery_crc(n, seq, actor, incarnation, at_ns, outcome, merged)
    return (n, seq, actor, incarnation, at_ns, outcome, merged, crc)


def delivery_crc(  # noqa: PLR0917  # columns in order, unpacked from a row
    n: int, seq: int, actor: str, incarnation: int, at_ns: int, outcome: int, merged: int
) -> int:
    """The checksum over everything in a delivery row."""
    return zlib.crc32(pack_six(n, seq, incarnation, at_ns, outcome, merged), names_crc(actor, ""))


def snapshot_row(*, n: int, actor: str, incarnation: int, at_ns: int, body: bytes) -> SnapshotRow:
    """The row of a snapshot."""
    return (n, actor, incarnation, at_ns, body, snapshot_crc(n, actor, incarnation, at_ns, body))


def snapshot_crc(n: int, actor: str, incarnation: int, at_ns: int, body: bytes) -> int:
    """The checksum over everything in a snapshot row."""
    return zlib.crc32(body, zlib.crc32(pack_four(n, incarnation, at_ns, 0), names_crc(actor, "")))


def meta_crc(meta: dict[str, str]) -> int:
    """The checksum over all of `meta` but itself."""
    pairs = sorted((key, value) for key, value in meta.items() if key != "crc")
    return zlib.crc32("\0".join(chain.from_iterable(pairs)).encode())


@lru_cache(maxsize=4096)
def names_crc(first: str, second: str) -> int:
    """The checksum over two names, where that of a row begins."""
    return zlib.crc32(f"{first}\0{second}".encode())


def vocabulary() -> dict[str, int]:
    """Every kind of message this version knows, with its number of fields."""
    return {kind.__name__: len(kind.__struct_fields__) for kind in ROUTES}


def newer_than_us(written: dict[str, Any]) -> tuple[str, ...]:
    """The kinds a log may hold that this version cannot read whole."""
    ours = vocabulary()
    return tuple(sorted(kind for kind, fields in written.items() if fields > ours.get(kind, -1)))


def intact(crc_of: Callable[..., int], columns: tuple[Any, ...], crc: Any) -> bool:
    """Whether a row is what was written; damage can make a column be of any type."""
    try:
        return bool(crc_of(*columns) == crc)
    except WRONG_TYPE:
        return False
