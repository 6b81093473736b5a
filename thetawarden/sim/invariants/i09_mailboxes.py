"""I09: no order and no control message is dropped or left unclaimed."""

from __future__ import annotations

from thetawarden.messages.base import Envelope
from thetawarden.messages.lifecycle import MailboxOverflowed, MessageUnclaimed
from thetawarden.sim.disk import Entry
from thetawarden.sim.invariants.scene import Check, Scene, Words

LOSSLESS = ("control", "orders")


def make() -> Check:
    """The check."""
    return Check(
        id="I09",
        says="orders and control messages are never dropped",
        hears=(MailboxOverflowed, MessageUnclaimed),
        entry=_entry,
    )


def _entry(entry: Entry, scene: Scene) -> Words:
    del scene
    if isinstance(entry, Envelope) and isinstance(entry.body, MailboxOverflowed | MessageUnclaimed):
        body = entry.body
        if body.lane in LOSSLESS:
            yield f"{body.kind} for {body.actor} went astray in lane {body.lane}"
