"""R2: the whole book's Greeks with the candidate added, in the money that small moves cost.

Delta, gamma, vega and theta are those of the prices after a small move, not of a formula: beta
weighs the underlyings, tenors weigh the volatility point.
"""

from __future__ import annotations

import math

from thetawarden.domain.regime.readings import InputFault
from thetawarden.domain.risk.case import Case
from thetawarden.domain.risk.finding import (
    Check,
    RuleFinding,
    RuleId,
    Usage,
    given,
    multiple,
    percent,
)
from thetawarden.domain.risk.headroom import rooms_of
from thetawarden.domain.risk.measure import Figure
from thetawarden.domain.risk.rule import Rule


def judge(case: Case) -> tuple[RuleFinding, ...]:
    """Return how much of each Greek's limit is left for the candidate."""
    greeks = case.limits.greeks
    drop = {"limit": greeks.index_drop_max_fraction, "warn": greeks.index_drop_warn_fraction}
    return (
        _caps(case, Figure.INDEX_DROP, "an index fall of 1 % would cost", **drop),
        _caps(case, Figure.INDEX_RISE, "an index rise of 1 % would cost", **drop),
        _caps(
            case,
            Figure.GAMMA,
            "an index move of 1 % would cost by gamma alone",
            limit=greeks.gamma_max_fraction,
        ),
        _caps(
            case,
            Figure.VIX_RISE,
            "a rise of the VIX by one point would cost",
            limit=greeks.vega_max_fraction,
        ),
        _caps(case, Figure.INCOME, "theta of a day is", limit=greeks.theta_max_fraction),
        _notional(case),
        _headroom(case),
        _income(case),
        _efficiency(case),
    )


def _caps(
    case: Case, figure: Figure, what: str, *, limit: float, warn: float | None = None
) -> RuleFinding:
    place = case.book.scenarios.size + figure
    nlv = case.nlv_usd
    usage = Usage(
        what=what,
        used=case.worst(place) / nlv,
        per_unit=case.cost(place) / nlv,
        limit=limit,
        warn=warn,
        show=percent,
    )
    check = Check(rule=RuleId.R2, name=figure.name.lower())
    inputs = given(nlv_usd=nlv, book_usd=case.worst(place), unit_usd=case.cost(place))
    return check.caps(usage, wanted=case.candidate.units, inputs=inputs)


def _notional(case: Case) -> RuleFinding:
    place = case.book.scenarios.size + Figure.NOTIONAL
    usage = Usage(
        what="controlled notional is",
        used=case.worst(place) / case.nlv_usd,
        per_unit=case.cost(place) / case.nlv_usd,
        limit=case.limits.greeks.notional_max_nlv,
        warn=case.limits.greeks.notional_warn_nlv,
        show=multiple,
    )
    check = Check(rule=RuleId.R2, name="notional")
    inputs = given(nlv_usd=case.nlv_usd, book_usd=case.worst(place))
    return check.caps(usage, wanted=case.candidate.units, inputs=inputs)


def _headroom(case: Case) -> RuleFinding:
    """The limit in which entries have the least room: what is beyond is kept for the market."""
    check = Check(rule=RuleId.R2, name="headroom")
    wanted = case.candidate.units
    tightest: tuple[int, str, Usage] | None = None
    for room in rooms_of(case.limits):
        place, name = case.book.scenarios.size + room.figure, room.figure.name.lower()
        usage = Usage(
            what=f"of NLV, by {name.replace('_', ' ')} entries have filled",
            used=case.worst(place) / case.nlv_usd,
            per_unit=case.cost(place) / case.nlv_usd,
            limit=room.entries,
            show=percent,
        )
        if not usage.is_known:
            return check.cannot_see(name, InputFault.NOT_FINITE)
        fit = usage.units
        if fit is not None and (tightest is None or fit < tightest[0]):
            tightest = (fit, name, usage)
    if tightest is None:
        return check.passes("it fills no limit any further")
    _, name, usage = tightest
    return check.caps(usage, wanted=wanted, inputs=given(limit_of=name))


def _income(case: Case) -> RuleFinding:
    """The least that a day should bring is an aim, not a limit."""
    place = case.book.scenarios.size + Figure.INCOME
    check = Check(rule=RuleId.R2, name="theta_target")
    earned = -float(case.book.filled[place]) / case.nlv_usd
    least = case.limits.greeks.theta_min_fraction
    words = f"theta of a day is {percent(earned)} of NLV, aimed at {percent(least)} or more"
    return check.passes(words, limit=least, used=earned)


def _efficiency(case: Case) -> RuleFinding:
    """What a day earns for each index share of exposure, with the candidate in it."""
    check = Check(rule=RuleId.R2, name="theta_per_index_delta")
    size, units = case.book.scenarios.size, case.candidate.units
    after = case.book.filled + units * case.added.profits
    theta = -float(after[size + Figure.INCOME])
    fall, rise = float(after[size + Figure.INDEX_DROP]), float(after[size + Figure.INDEX_RISE])
    shares = (rise - fall) / (2.0 * case.market.index_usd * 0.01)
    least = case.limits.greeks.theta_per_index_delta_min_usd
    if not (math.isfinite(theta) and math.isfinite(shares)):
        return check.passes("theta per index delta is not known")
    ratio = theta / abs(shares) if shares else math.inf
    words = f"theta per index share would be {ratio:,.2f} USD a day, at least {least:,.2f}"
    if least > 0.0 and ratio < least:
        return check.refuses(words, limit=least, used=ratio)
    return check.passes(words, limit=least, used=ratio)


RULE = Rule(
    id=RuleId.R2,
    does=(
        "caps units so that the whole book keeps within what a 1 % index move, gamma, a "
        "volatility point, a day of theta and notional may be, with room left for the market"
    ),
    reads=("Greeks of book, pending orders and candidate", "NLV"),
    limits="greeks",
    judge=judge,
)
