"""Connections that break, stall, lie or refuse (N01 to N15)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.faults.registry import fault

if TYPE_CHECKING:
    from thetawarden.practice.faults.registry import Undo
    from thetawarden.practice.faults.stage import Stage


@fault("N01", "reset", "every connection is reset by TCP at once")
def reset(stage: Stage) -> None:
    """Reset all links."""
    for link in list(stage.links()):
        link.reset()


@fault("N02", "mute", "sockets stay open, nothing is read or answered any more")
def mute(stage: Stage) -> Undo:
    """Leave the peers hanging."""
    stage.seams.mute = True

    def undo() -> None:
        stage.seams.mute = False

    return undo
