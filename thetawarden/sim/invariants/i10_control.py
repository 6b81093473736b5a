"""I10: a control message is handled soon after it was said."""

from __future__ import annotations

from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.messages.base import Lane
from thetawarden.messages.registry import ROUTES
from thetawarden.ports import Outcome
from thetawarden.sim.disk import Entry, Numbered
from thetawarden.sim.invariants.scene import Check, Scene, Words

WITHIN_NS = 60 * NS_PER_SECOND
"""Machine time; a restart with its backoff lies between at worst. A night's rest does not count."""


def make() -> Check:
    """The check."""
    return Check(
        id="I10", says="control messages are handled in time", hears=(Numbered,), entry=_entry
    )


def _entry(entry: Entry, scene: Scene) -> Words:
    if not isinstance(entry, Numbered) or entry.delivery.outcome is not Outcome.HANDLED:
        return
    delivery = entry.delivery
    kind = type(delivery.envelope.body)
    clock = scene.world.clock
    within_ns = round(WITHIN_NS * clock.speed)
    if ROUTES[kind].lane is not Lane.CONTROL or clock.was_set_within(within_ns):
        return
    late_ns = delivery.at_ns - max(delivery.envelope.at_ns, scene.world.woke_ns)
    if late_ns > within_ns:
        yield f"{delivery.actor} handled {kind.__name__} {late_ns / 6e10:.0f} market minutes late"
