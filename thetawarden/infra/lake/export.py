"""Writes messages as a Parquet file that any data tool reads."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import msgspec
import polars as pl

from thetawarden.messages.base import Envelope, Message

_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "seq": pl.Int64,
    "at": pl.Datetime("ns", "UTC"),
    "sender": pl.String,
    "incarnation": pl.Int64,
    "cause_seq": pl.Int64,
    "type": pl.String,
    "body": pl.String,
}
_BATCH = 50_000


def write_messages(envelopes: Iterable[Envelope[Message]], file: Path) -> int:
    """Write all of them, one row each, and return how many there were."""
    frames, remaining = [], iter(envelopes)
    while rows := [_row(envelope) for envelope in islice(remaining, _BATCH)]:
        frames.append(pl.DataFrame(rows, schema=_SCHEMA, orient="row"))
    table = pl.concat(frames) if frames else pl.DataFrame(schema=_SCHEMA)
    draft = file.with_name(f".{file.name}.partial")
    try:
        table.write_parquet(draft)
        os.link(draft, file)  # never over a file that came meanwhile
    finally:
        draft.unlink(missing_ok=True)
    return table.height


def _row(envelope: Envelope[Message]) -> tuple[object, ...]:
    return (
        envelope.seq,
        envelope.at_ns,
        envelope.sender,
        envelope.incarnation,
        envelope.cause_seq,
        type(envelope.body).__name__,
        msgspec.json.encode(envelope.body.shown()).decode(),
    )
