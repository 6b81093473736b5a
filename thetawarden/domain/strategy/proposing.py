"""Turns a candidate into the order that is asked for: prices on ticks, exits, quotes, reasons.

It starts at the tick next to the middle, and never goes further down than a part of the half
spread, a part of the middle, and the broker's tick allow.
"""

from __future__ import annotations

import math
from decimal import Decimal

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.market.ticks import Rounding, TickRule, round_price
from thetawarden.domain.orders.proposal import OrderLeg, Pricing, Proposal
from thetawarden.domain.regime.assess import Regime
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.domain.risk.finding import Verdict
from thetawarden.domain.risk.instrument import ConId, QuoteSeen
from thetawarden.domain.strategy.candidate import Candidate, Reason
from thetawarden.domain.strategy.scene import class_terms
from thetawarden.domain.strategy.settings import Concession, StrategySettings, Terms
from thetawarden.domain.strategy.targets import exits_of, profit_target
from thetawarden.domain.units import to_decimal

_PLACES = 6
_TOLD = (Verdict.REFUSE, Verdict.WARN, Verdict.PASS)


class Naming(msgspec.Struct, frozen=True, kw_only=True):
    """What the new order and its trade are called, and until when it may be judged."""

    key: str
    trade: str
    expires_ns: UnixNs
    view_number: int


def ticks_of(candidate: Candidate) -> TickRule:
    """Return which prices the unit may be quoted at."""
    terms = class_terms(candidate.legs[0].instrument.trading_class, candidate.underlying)
    return terms.ticks if len(candidate.legs) == 1 else terms.combo_ticks


def limit_of(candidate: Candidate) -> Decimal:
    """Return the price an order for it starts at; a middle that is no number sells for nothing."""
    found = to_decimal(-candidate.credit_usd, places=_PLACES)
    return round_price(
        price=Decimal(0) if found is None else found,
        rule=ticks_of(candidate),
        rounding=Rounding.NEAREST,
    )


def propose(
    candidate: Candidate,
    *,
    naming: Naming,
    terms: Terms,
    settings: StrategySettings,
    regime: Regime | None,
    units: int | None = None,
) -> Proposal | str:
    """Return the proposal, or in words why the candidate has no price."""
    ticks = ticks_of(candidate)
    least = _least_credit(candidate, settings.concession)
    worst = to_decimal(-least, places=_PLACES)
    if worst is None:
        return f"the middle of {candidate.underlying} is no number"
    limit = limit_of(candidate)
    worst = max(round_price(price=worst, rule=ticks, rounding=Rounding.UP), limit)
    if worst >= 0:
        return f"a credit of {candidate.credit_usd:.2f} leaves nothing after the spread"
    derived = None if regime is None else regime.derived
    target = profit_target(terms.profit_target_fraction, derived, settings.targets)
    exits = exits_of(
        candidate.credit_usd,
        target_fraction=target,
        stop_multiple=terms.stop_multiple,
        ticks=ticks,
    )
    return Proposal(
        key=naming.key,
        trade=naming.trade,
        strategy=candidate.strategy,
        purpose=Purpose.OPEN,
        underlying=candidate.underlying,
        legs=tuple(OrderLeg(instrument=leg.instrument, ratio=leg.ratio) for leg in candidate.legs),
        units=terms.units if units is None else units,
        limit_usd=limit,
        worst_usd=worst,
        pricing=Pricing.WALK,
        expires_ns=naming.expires_ns,
        exits=exits,
        quotes=tuple(
            QuoteSeen(
                con_id=ConId(leg.instrument.conid), seq=naming.view_number, at_ns=leg.quoted_ns
            )
            for leg in candidate.legs
        ),
        auto_selected=True,
        reasons=(*in_words(candidate), f"S9 profit target {target:.0%} of the credit"),
        scores=(("score", candidate.score), *candidate.scores),
    )


def in_words(candidate: Candidate) -> tuple[str, ...]:
    """What speaks against it first, then what speaks for it."""
    ordered = sorted(candidate.reasons, key=lambda one: _TOLD.index(one.verdict))
    return tuple(_words(one) for one in ordered)


def _words(reason: Reason) -> str:
    mark = "" if reason.verdict is Verdict.PASS else f"{reason.verdict.value}: "
    return f"{reason.rule} {mark}{reason.words}"


def _least_credit(candidate: Candidate, concession: Concession) -> float:
    """The smallest credit that is taken."""
    half = math.fsum(abs(leg.ratio) * (leg.ask_usd - leg.bid_usd) / 2.0 for leg in candidate.legs)
    credit = candidate.credit_usd
    allowed = max(concession.concede_fraction_max * abs(credit), concession.concede_usd_fine)
    return credit - min(concession.concede_half_spreads * half, allowed)
