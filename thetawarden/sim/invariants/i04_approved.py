"""I04: no more orders leave than were approved, and no more of them than was approved."""

from __future__ import annotations

from thetawarden.messages.base import Envelope
from thetawarden.messages.orders import OrderApproved
from thetawarden.practice.model import OrderRequest
from thetawarden.sim.disk import Entry
from thetawarden.sim.invariants.scene import Check, Scene, Words


class _Approved:
    def __init__(self) -> None:
        self._units: dict[str, int] = {}
        self._used: dict[str, str] = {}

    def entry(self, entry: Entry, scene: Scene) -> Words:
        """Note what was approved."""
        del scene
        if isinstance(entry, Envelope) and isinstance(entry.body, OrderApproved):
            approval = entry.body.approval
            self._units[approval.key] = approval.units
        return ()

    def sent(self, ticket: OrderRequest, scene: Scene) -> Words:
        """Every order names an approval, one order or one group of exits an approval."""
        known = scene.submitted.get(ticket.order_ref)
        if known is None or known.intent.parent_ref:
            return
        key = known.asked.gate.approval_key
        if key not in self._units:
            yield f"{ticket.order_ref} left without an approval ({key or 'none named'})"
            return
        use = known.intent.oca_group or ticket.order_ref
        if self._used.setdefault(key, use) != use:
            yield f"approval {key} was used for {self._used[key]} and {use}"
        if known.intent.units > self._units[key]:
            yield f"{ticket.order_ref} is for {known.intent.units}, approved {self._units[key]}"


def make() -> Check:
    """The check, with a memory of its own."""
    approved = _Approved()
    return Check(
        id="I04",
        says="orders out are not more than approvals in",
        hears=(OrderApproved,),
        entry=approved.entry,
        sent=approved.sent,
    )
