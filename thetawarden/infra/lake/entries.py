"""How what is known at an entry becomes rows: by field name where a message has a column's name."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from thetawarden.infra.lake.frames import Row, instant_of
from thetawarden.infra.lake.tables.decisions import ENTRY_SNAPSHOTS
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.strategy import EntrySnapshotTaken, PredictionMade


def entry_rows(body: EntrySnapshotTaken, _: Envelope[Message]) -> list[Row]:
    """One row; a figure that is not finite is unknown."""
    of = body.snapshot
    return [tuple(_known(getattr(of, column.name)) for column in ENTRY_SNAPSHOTS.columns)]


def prediction_rows(body: PredictionMade, _: Envelope[Message]) -> list[Row]:
    """One row."""
    of = body.prediction
    return [
        (
            of.underlying,
            of.name,
            of.strategy,
            of.model,
            of.quantity,
            instant_of(of.due_ns),
            _known(of.value),
            _known(of.low),
            _known(of.high),
            _known(of.probability_fraction),
            msgspec.json.encode(dict(of.inputs)).decode(),
        )
    ]


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
