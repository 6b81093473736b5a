"""I05: once all is quiet, the keeper's positions are the broker's, exactly."""

from __future__ import annotations

from decimal import Decimal

from thetawarden.actors.keeping import rows_of
from thetawarden.sim.invariants.scene import Check, Scene, Words


def make() -> Check:
    """The check."""
    return Check(id="I05", says="at rest the keeper holds what the broker holds", end=_end)


def _end(scene: Scene) -> Words:
    world = scene.world
    keeper = world.desk.state_of("keeper")
    if keeper is None:
        return
    ours = {row.instrument.conid: row.quantity for row in rows_of(keeper) if row.quantity}
    theirs = {
        one.contract.con_id: Decimal(one.quantity)
        for one in world.gateway.exchange.positions()
        if one.quantity
    }
    if ours != theirs:
        different = sorted(set(ours.items()) ^ set(theirs.items()))
        yield f"keeper and broker differ in {different[:6]}"
