"""I16: a fill counts once, as last corrected; its cost once."""

from __future__ import annotations

from thetawarden.domain.broker.orders import execution_stem
from thetawarden.messages.base import Envelope
from thetawarden.messages.books import FillBooked
from thetawarden.sim.disk import Entry
from thetawarden.sim.invariants.scene import Check, Scene, Words


def _entry(entry: Entry, scene: Scene) -> Words:
    """A booked fill never has more than the fill itself."""
    del scene
    if not isinstance(entry, Envelope) or not isinstance(entry.body, FillBooked):
        return
    booked = entry.body
    if booked.fill != execution_stem(booked.execution.execution_id):
        yield f"fill {booked.execution.execution_id} was booked as {booked.fill}"
    if abs(booked.quantity) > abs(booked.execution.quantity):
        yield f"fill {booked.fill} was booked as {booked.quantity}"


def make() -> Check:
    """The check."""
    return Check(id="I16", says="a fill is booked once", hears=(FillBooked,), entry=_entry)
