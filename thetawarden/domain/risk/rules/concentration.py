"""R10: how much hangs on one name and one sector, how many positions there are, and repetition.

A single name is measured by what its options and shares could lose by expiry. Broad indices and
their funds are no single names: R2's notional holds them.
"""

from __future__ import annotations

import math

from thetawarden.domain.regime.readings import InputFault
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.domain.risk.case import Case, Desk
from thetawarden.domain.risk.exposure import loss_at_expiry_usd, lots_of
from thetawarden.domain.risk.finding import (
    Check,
    RuleFinding,
    RuleId,
    Usage,
    count,
    given,
    percent,
)
from thetawarden.domain.risk.flow import entered_lately
from thetawarden.domain.risk.limits import RiskLimits
from thetawarden.domain.risk.recovery import phase_fraction
from thetawarden.domain.risk.rule import Rule

_NAME = Check(rule=RuleId.R10, name="single_name")
_SECTOR = Check(rule=RuleId.R10, name="sector")
_POSITIONS = Check(rule=RuleId.R10, name="positions")
_ORDER = Check(rule=RuleId.R10, name="order_contracts")
_AGAIN = Check(rule=RuleId.R10, name="same_entry")


def judge(case: Case) -> tuple[RuleFinding, ...]:
    """Return how many units one name, one sector, the book and one order have room for."""
    return (_name(case), _sector(case), _positions(case), _order(case), _again(case))


def positions_max(case: Case) -> int | None:
    """Return how many positions the regime and the recovery allow; None without a regime."""
    return positions_allowed(case.desk, case.limits)


def positions_allowed(desk: Desk, limits: RiskLimits) -> int | None:
    """Return how many positions a desk may hold as it stands; None without a regime."""
    terms = None if desk.regime is None else desk.regime.regime.vix.terms
    if terms is None:
        return None
    normal = limits.concentration.positions_max
    phase = phase_fraction(desk.recovery.phase, limits.recovery)
    allowed = math.floor(normal * terms.positions_fraction * phase + 1e-9)
    return allowed if terms.positions_max is None else min(allowed, terms.positions_max)


def _name(case: Case) -> RuleFinding:
    symbol = case.candidate.underlying
    view = case.market.underlying(symbol)
    if view is None:
        return _NAME.cannot_see(f"market of {symbol}", InputFault.MISSING)
    if view.broad_index:
        return _NAME.passes(f"{symbol} is a broad index, no single name")
    used_usd = case.book.standing.losses_usd.get(symbol, 0.0)
    nlv, limits = case.nlv_usd, case.limits.concentration
    usage = Usage(
        what=f"the most that {symbol} could lose is",
        used=used_usd / nlv,
        per_unit=loss_at_expiry_usd(lots_of(case.candidate), spot_usd=view.spot_usd) / nlv,
        limit=limits.name_max_fraction,
        warn=limits.name_warn_fraction,
        show=percent,
    )
    inputs = given(spot_usd=view.spot_usd, loss_usd=used_usd)
    return _NAME.caps(usage, wanted=case.candidate.units, inputs=inputs)


def _sector(case: Case) -> RuleFinding:
    symbol = case.candidate.underlying
    view = case.market.underlying(symbol)
    if view is None:
        return _SECTOR.cannot_see(f"sector of {symbol}", InputFault.MISSING)
    if view.broad_index:
        return _SECTOR.passes(f"{symbol} is a broad index, of no sector")
    sectors = {one.symbol: one.sector for one in case.market.underlyings if not one.broad_index}
    held = case.book.standing.underlyings
    waiting = {leg.instrument.underlying for o in case.book.pending for leg in o.legs}
    there = {one for one in held | waiting | {symbol} if sectors.get(one) == view.sector}
    limit = case.limits.concentration.sector_underlyings_max
    words = f"{len(there)} underlyings would be of sector {view.sector}, at most {limit}"
    inputs = given(sector=view.sector, underlyings=", ".join(sorted(there)))
    if len(there) > limit and symbol not in held:
        return _SECTOR.refuses(words, inputs=inputs, limit=float(limit), used=float(len(there)))
    return _SECTOR.passes(words, inputs=inputs, limit=float(limit), used=float(len(there)))


def _positions(case: Case) -> RuleFinding:
    allowed = positions_max(case)
    if allowed is None:
        return _POSITIONS.cannot_see("vix", InputFault.MISSING)
    held = case.book.standing.positions
    waiting = sum(1 for order in case.book.pending if not order.reducing)
    words = f"{held} positions and {waiting} entries on their way, at most {allowed} with this one"
    inputs = given(held=float(held), waiting=float(waiting))
    added = 0 if case.candidate.purpose is Purpose.ROLL else 1
    if held + waiting + added > allowed:
        return _POSITIONS.refuses(
            words, inputs=inputs, limit=float(allowed), used=float(held + waiting)
        )
    return _POSITIONS.passes(words, inputs=inputs, limit=float(allowed), used=float(held + waiting))


def _order(case: Case) -> RuleFinding:
    options = (abs(leg.ratio) for leg in case.candidate.legs if leg.instrument.is_option)
    busiest = max(options, default=0)
    usage = Usage(
        what="contracts of this order are",
        used=0.0,
        per_unit=float(busiest),
        limit=float(case.limits.concentration.order_contracts_max),
        show=count,
    )
    return _ORDER.caps(usage, wanted=case.candidate.units)


def _again(case: Case) -> RuleFinding:
    window = case.limits.concentration.same_entry_ns
    waiting = {
        tuple(sorted((leg.instrument.con_id, leg.ratio) for leg in order.legs))
        for order in case.book.pending
        if not order.reducing
    }
    if case.candidate.fingerprint in waiting:
        return _AGAIN.refuses("the same entry is on its way already")
    if entered_lately(case.desk.flow, case.candidate, now_ns=case.now_ns, window_ns=window):
        return _AGAIN.refuses(f"the same was entered within {window / 1e9:.0f} s")
    return _AGAIN.passes("it has not been entered lately")


RULE = Rule(
    id=RuleId.R10,
    does=(
        "caps what one name could lose by expiry and the contracts of an order; refuses "
        "one sector, position or repetition too many"
    ),
    reads=("payoffs at expiry", "positions, pending entries, regime, recovery", "entries of late"),
    limits="concentration",
    judge=judge,
)
