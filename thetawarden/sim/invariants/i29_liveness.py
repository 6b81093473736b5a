"""I29: with all faults healed the desk is linked, reconciled, ready, and has nothing left to do."""

from __future__ import annotations

from thetawarden.actors.post import Status
from thetawarden.domain.link.states import LinkState
from thetawarden.sim.invariants.scene import Check, Scene, Words


def make() -> Check:
    """The check."""
    return Check(id="I29", says="healed, the desk converges", end=_end)


def _end(scene: Scene) -> Words:
    desk = scene.world.desk
    connection = desk.state_of("connection")
    if connection is None or connection.state is not LinkState.READY:
        found = "nobody runs it" if connection is None else f"{connection.state}: {connection.why}"
        yield f"the link is not ready: {found}"
    elif scene.world.broker.wire is None:
        yield "the link is thought to be ready, and there is none"
    elif not connection.reconciled:
        yield f"the book is not reconciled: {connection.rounds}"
    for name, post in desk.posts.items():
        if post.status is not Status.RUNNING:
            yield f"{name} is {post.status}"
        elif sum(post.mailbox.depths()):
            yield f"{name} has {post.mailbox.depths()} messages left"
