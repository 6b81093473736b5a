"""Remembers what was refused, so that nobody is asked the same again before something changed.

After a refusal a strategy rests in its underlying for a while; after that other contracts may be
proposed, the very same ones only if something material is different by then, or much later. What
was refused only because something was not known yet is asked again soon.
"""

from __future__ import annotations

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.regime.assess import Regime
from thetawarden.domain.strategy.candidate import Candidate
from thetawarden.domain.strategy.portfolio import Portfolio
from thetawarden.domain.strategy.settings import Timing

CREDIT_MOVED_FRACTION = 0.10


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What a refusal may have hung on, beside the candidate's own price."""

    entries: str
    derived: str
    size_fraction: float
    positions: int


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """One refusal: of which contracts, at which credit, in which state, and why.

    `unseen` when nothing but what was not known spoke against it.
    """

    at_ns: UnixNs
    conids: tuple[int, ...]
    credit_usd: float
    mark: Mark
    words: str
    unseen: bool = False


def mark_of(regime: Regime | None, portfolio: Portfolio) -> Mark:
    """Return the state a refusal may hang on."""
    return Mark(
        entries="unknown" if regime is None else str(regime.entries),
        derived="unknown" if regime is None else str(regime.derived),
        size_fraction=0.0 if regime is None else round(regime.size_fraction, 2),
        positions=portfolio.positions,
    )


def may_ask_again(
    refused: Refused | None, candidate: Candidate, mark: Mark, *, now_ns: int, timing: Timing
) -> bool:
    """Whether a candidate may be proposed after what was refused before."""
    if refused is None:
        return True
    rested_ns = now_ns - refused.at_ns
    if refused.unseen:
        return rested_ns >= timing.unseen_again_ns
    if rested_ns < timing.again_ns:
        return False
    if rested_ns >= timing.same_again_ns or candidate.conids != refused.conids:
        return True
    moved = abs(candidate.credit_usd - refused.credit_usd)
    return mark != refused.mark or moved >= CREDIT_MOVED_FRACTION * abs(refused.credit_usd)
