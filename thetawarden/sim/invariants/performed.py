"""Says which message an order that leaves is of: the one that asked for it, or its latest change.

Of one order one change at a time is on its way, and the last gate keeps back what is late: what
leaves again under its number is of the change that was asked for last, whatever came before.
"""

from __future__ import annotations

from thetawarden.practice.model import OrderKey, OrderRequest
from thetawarden.sim.invariants.scene import Scene, Submitted


class Performed:
    """Knows by number and name whether an order leaves for the first time.

    A number whose order never arrived is given to another one later.
    """

    def __init__(self) -> None:
        self._left: set[tuple[OrderKey, str]] = set()

    def of(self, ticket: OrderRequest, scene: Scene) -> Submitted | None:
        """The intent that is performed, None where nobody asked; to be asked once a ticket."""
        ref = ticket.order_ref
        again = (ticket.key, ref) in self._left
        self._left.add((ticket.key, ref))
        if not again:
            return scene.submitted.get(ref)
        changes = scene.changes.get(ref)
        return changes[-1] if changes else None
