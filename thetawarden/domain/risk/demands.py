"""Says what the state of market, book and losses demands of the desk, whatever anybody proposes.

Pure: brakes and stress results in, demands out, the most urgent first. What is done about them is
for others: the governor halts, the strategist closes.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence

import msgspec

from thetawarden.domain.regime.assess import Regime
from thetawarden.domain.regime.factors import EntryPolicy
from thetawarden.domain.risk.brakes import Brake, BrakeDemand
from thetawarden.domain.risk.exposure import Lot, is_defined_risk
from thetawarden.domain.risk.finding import percent
from thetawarden.domain.risk.headroom import Overfull
from thetawarden.domain.risk.holdings import HeldBook, PendingOrder
from thetawarden.domain.risk.stress import StressResult, StressVerdict
from thetawarden.domain.risk.usage import LimitUse


class DemandKind(enum.StrEnum):
    """What is demanded, the most urgent first."""

    HALT_FOR_REVIEW = "halt_for_review"
    HALT = "halt"
    BE_CAUTIOUS = "be_cautious"
    CLOSE_NAKED = "close_naked"
    CANCEL_ENTRIES = "cancel_entries"
    REDUCE = "reduce"
    CLOSE_WEAKEST = "close_weakest"
    TELL = "tell"


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """One demand, why, and which positions it is about, if any.

    `parts` says of each of these which part of it would have to go if it went alone, 1 for all;
    `together` of the first of them which part is enough if they go at once. Both in twentieths,
    rounded up.
    """

    kind: DemandKind
    why: str
    positions: tuple[str, ...] = ()
    parts: tuple[float, ...] = ()
    together: tuple[float, ...] = ()


_PART_STEPS = 20
_NOTHING_USD = 1e-6
_OF_BRAKES = {
    BrakeDemand.TELL: DemandKind.TELL,
    BrakeDemand.BE_CAUTIOUS: DemandKind.BE_CAUTIOUS,
    BrakeDemand.HALT: DemandKind.HALT,
    BrakeDemand.HALT_FOR_REVIEW: DemandKind.HALT_FOR_REVIEW,
}
_URGENCY = {kind: rank for rank, kind in enumerate(DemandKind)}


def demands_of(
    *,
    brakes: tuple[Brake, ...],
    stress: StressResult,
    regime: Regime | None,
    held: HeldBook,
    use: tuple[LimitUse, ...] = (),
    pending: tuple[PendingOrder, ...] = (),
    overfull: Overfull | None = None,
) -> tuple[Demand, ...]:
    """Return everything that is demanded now.

    Entries on their way are cancelled when a limit, moved by the market since they were approved,
    has no room for them any more, and when the regime would not let them in any more. Reduction is
    demanded for one reason at a time, for a scenario's loss first: the next look sees what is left.
    """
    found = [_of_brake(one) for one in brakes if one.demand is not BrakeDemand.NOTHING]
    found += _of_stress(stress)
    if overfull is not None and all(one.kind is not DemandKind.REDUCE for one in found):
        found.append(_of_overfull(overfull))
    over = [f"{one.rule.value} {one.name}" for one in use if one.is_over_by_pending]
    if over:
        why = f"with what is pending more is used than allowed: {', '.join(over)}"
        found.append(Demand(kind=DemandKind.CANCEL_ENTRIES, why=why))
    found += _of_regime(regime, pending)
    if regime is not None and regime.close_naked:
        naked = naked_positions(held)
        why = f"the volatility curve is {regime.term_structure.factor.label.replace('_', ' ')}"
        found += [Demand(kind=DemandKind.CLOSE_NAKED, why=why, positions=naked)] if naked else []
    terms = None if regime is None else regime.vix.terms
    if terms is not None and terms.close_weakest and held.holdings:
        why = f"the VIX band is {terms.band.value.replace('_', ' ')}"
        found.append(Demand(kind=DemandKind.CLOSE_WEAKEST, why=why))
    return tuple(sorted(found, key=lambda one: _URGENCY[one.kind]))


def _part(over_usd: float, loss_usd: float) -> float:
    """The part of a position that loses so much; all of it where that is not enough or unknown."""
    if not 0.0 < over_usd < loss_usd:
        return 1.0
    return max(math.ceil(_PART_STEPS * over_usd / loss_usd - 1e-9), 1) / _PART_STEPS


def _together(over_usd: float, losses_usd: Sequence[float]) -> tuple[float, ...]:
    """The part of each of the first that is enough with those before it, the largest loss first."""
    found: list[float] = []
    for loss in losses_usd:
        if not over_usd > _NOTHING_USD:
            break
        found.append(_part(over_usd, loss))
        over_usd -= loss
    return tuple(found)


def naked_positions(held: HeldBook) -> tuple[str, ...]:
    """Return the positions that sell something which nothing in them bounds."""
    lots: dict[str, list[Lot]] = {}
    for one in held.holdings:
        lots.setdefault(one.position, []).append((one.instrument, one.contracts))
    return tuple(name for name, own in lots.items() if not is_defined_risk(own))


def _of_regime(regime: Regime | None, pending: tuple[PendingOrder, ...]) -> list[Demand]:
    """What waits was approved in another regime; without one nothing is let in."""
    entries = [order for order in pending if not order.reducing]
    policy = EntryPolicy.NONE if regime is None else regime.entries
    if not entries or policy is EntryPolicy.ALL:
        return []
    if policy is EntryPolicy.DEFINED_RISK_ONLY and all(map(_is_bounded, entries)):
        return []
    told = "it is not known" if regime is None else f"it allows {policy.value.replace('_', ' ')}"
    return [Demand(kind=DemandKind.CANCEL_ENTRIES, why=f"of the regime: {told}")]


def _is_bounded(order: PendingOrder) -> bool:
    return is_defined_risk([(leg.instrument, float(leg.ratio)) for leg in order.legs])


def _of_brake(brake: Brake) -> Demand:
    name = brake.name.value.replace("_", " ")
    why = (
        f"{name} is {percent(brake.value_fraction)}, {brake.used_fraction * 100.0:.0f} % of its"
        f" limit {percent(brake.limit_fraction)}"
    )
    return Demand(kind=_OF_BRAKES[brake.demand], why=why)


def _of_overfull(overfull: Overfull) -> Demand:
    """What adds the most goes first; less is demanded where a part of it is enough."""
    name = overfull.figure.name.lower().replace("_", " ")
    return Demand(
        kind=DemandKind.REDUCE,
        why=f"R2 {name} is at {overfull.used * 100.0:.0f} % of its limit",
        positions=tuple(name for name, _ in overfull.adds_usd),
        parts=tuple(_part(overfull.over_usd, usd) for _, usd in overfull.adds_usd),
        together=_together(overfull.over_usd, [usd for _, usd in overfull.adds_usd]),
    )


def _of_stress(stress: StressResult) -> list[Demand]:
    if stress.verdict is StressVerdict.UNKNOWN:
        told = ", ".join(stress.unknown)
        return [Demand(kind=DemandKind.TELL, why=f"not all can be valued: {told}")]
    worst = stress.worst
    if worst is None or stress.verdict is StressVerdict.FINE:
        return []
    why = f"{worst.name} would cost {percent(worst.fraction)} of NLV"
    if stress.verdict is StressVerdict.REDUCE:
        dearest = stress.scenarios.index(worst)
        by_loss = sorted(stress.positions, key=lambda one: -one.losses_usd[dearest])
        losing = [one for one in by_loss if one.losses_usd[dearest] > 0.0]
        losses = [one.losses_usd[dearest] for one in losing]
        return [
            Demand(
                kind=DemandKind.REDUCE,
                why=why,
                positions=tuple(one.name for one in losing),
                parts=tuple(_part(stress.over_usd, usd) for usd in losses),
                together=_together(stress.over_usd, losses),
            )
        ]
    return [Demand(kind=DemandKind.TELL, why=why)]
