"""Says what the desk may do: run, be cautious, or stand halted (R13).

The latch halts and only a person lifts it. Cautions come and go with their reasons: while there is
one, only what is proved to reduce risk is approved.
"""

from __future__ import annotations

import msgspec

from thetawarden.domain.halt import Latch, TradingState
from thetawarden.domain.instants import UnixNs


class Caution(msgspec.Struct, frozen=True, kw_only=True):
    """One reason to open nothing: who says so, why, since when."""

    reason: str
    by: str
    at_ns: UnixNs


class Posture(msgspec.Struct, frozen=True, kw_only=True):
    """The latch and the cautions; `frozen` when a person wants not even exits while halted."""

    latch: Latch = Latch()
    cautions: tuple[Caution, ...] = ()
    frozen: bool = False

    @property
    def state(self) -> TradingState:
        """The strictest that applies."""
        if self.latch.halt is not None:
            return TradingState.HALTED
        return TradingState.CAUTIOUS if self.cautions else TradingState.RUNNING

    @property
    def why(self) -> str:
        """Who stopped it and why, or nothing."""
        if self.latch.halt is not None:
            return f"halted by {self.latch.halt.by}: {self.latch.halt.reason}"
        return "; ".join(f"{one.by}: {one.reason}" for one in self.cautions)


def add_caution(posture: Posture, caution: Caution) -> Posture:
    """Be cautious for this reason; the same reason twice is one, the first."""
    if any((one.by, one.reason) == (caution.by, caution.reason) for one in posture.cautions):
        return posture
    return msgspec.structs.replace(posture, cautions=(*posture.cautions, caution))


def lift_caution(posture: Posture, *, by: str) -> Posture:
    """Take back every caution of its author; nobody lifts another's."""
    kept = tuple(one for one in posture.cautions if one.by != by)
    return msgspec.structs.replace(posture, cautions=kept)
