"""Makes orders of legs as they are quoted: from the middle, never further than a bounded price.

Prices are per share of buying the unit, a credit negative. The worst price lies so far beyond the
natural one, further each time an order has ended unfilled, and never beyond what the unit can be
worth at its end: buying back for more would lose more than holding could. A leg without a usable
quote gives no order at all.
"""

from __future__ import annotations

import math
from decimal import Decimal

import msgspec

from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.chains.view import ChainRows, ChainView
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.managing.limits import Ladder
from thetawarden.domain.managing.sight import LegSight, TradeSight
from thetawarden.domain.market.contracts import Right
from thetawarden.domain.market.ticks import Rounding, TickRule, round_price, step_at
from thetawarden.domain.orders.building import ticks_for
from thetawarden.domain.orders.proposal import Exits, OrderLeg, Pricing, Proposal
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.domain.risk.finding import Verdict
from thetawarden.domain.risk.instrument import ConId, QuoteSeen
from thetawarden.domain.risk.review import Review
from thetawarden.domain.risk.rules.order_sanity import WIDE_COLLAR
from thetawarden.domain.strategy.scene import option_of
from thetawarden.domain.units import to_decimal, to_float

_PLACES = 6
_HAIR = 1e-9
_SHARES_FRACTION = 0.005
_ZERO = Decimal(0)
_ENTERING = frozenset({Purpose.OPEN, Purpose.ROLL})
_INSIDE = 0.8
"""The part of the entries' collar that is used: the governor's middle is of another instant."""


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One leg of an order: contracts per unit, > 0 bought, and its usable quote."""

    instrument: Instrument
    ratio: int
    bid_usd: float
    ask_usd: float
    quoted_ns: UnixNs

    @property
    def middle(self) -> float:
        """What it adds to the price of a unit at the middle."""
        return self.ratio * (self.bid_usd + self.ask_usd) / 2.0

    @property
    def natural(self) -> float:
        """What it adds to the price of a unit when traded at once."""
        return self.ratio * (self.ask_usd if self.ratio > 0 else self.bid_usd)


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of an order, beside its legs; `gives_up` protection of other trades."""

    key: str
    trade: str
    strategy: str
    purpose: Purpose
    units: int
    reasons: tuple[str, ...]
    now_ns: UnixNs
    view_number: int
    attempts: int = 0
    urgent: bool = False
    gives_up: bool = False
    exits: Exits | None = None
    replaces: str = ""
    scores: tuple[tuple[str, float], ...] = ()
    worst_usd: Decimal | None = None


def leg_of(one: LegSight, ratio: int) -> Leg:
    """Return a leg that is held as a leg of an order."""
    return Leg(
        instrument=one.instrument,
        ratio=ratio,
        bid_usd=one.bid_usd,
        ask_usd=one.ask_usd,
        quoted_ns=one.quoted_ns,
    )


def option_row(view: ChainView, rows: ChainRows, row: int, ratio: int) -> Leg:
    """Return a row of a chain as a leg of an order."""
    return Leg(
        instrument=option_of(view, rows, row),
        ratio=ratio,
        bid_usd=float(rows.bid_usd[row]),
        ask_usd=float(rows.ask_usd[row]),
        quoted_ns=UnixNs(int(rows.at_ns[row])),
    )


def order_of(legs: tuple[Leg, ...], wanted: Request, *, ladder: Ladder) -> Proposal | str:
    """Return the order, or in words why there is none."""
    prices = (*(one.middle for one in legs), *(one.natural for one in legs))
    if not legs:
        return "nobody bids for any of it"
    if not all(map(math.isfinite, prices)):
        return "a leg has no usable quote"
    if wanted.units <= 0:
        return "there is nothing to trade"
    ticks = ticks_for(tuple(one.instrument for one in legs))
    middle = math.fsum(one.middle for one in legs)
    natural = math.fsum(one.natural for one in legs)
    start = natural if wanted.urgent and wanted.attempts else middle
    limit = _priced(start, ticks, Rounding.DOWN)
    if limit is not None and len(legs) == 1 and legs[0].ratio > 0:
        limit = max(limit, step_at(_ZERO, ticks))  # an option is never bought back for nothing
    if wanted.worst_usd is None:
        worst = _worst(legs, wanted.attempts, ladder=ladder, ticks=ticks)
    else:
        worst = round_price(price=wanted.worst_usd, rule=ticks, rounding=Rounding.DOWN)
    if worst is not None and (wanted.purpose in _ENTERING or wanted.gives_up):
        worst = _inside_entry_collar(worst, middle, ladder=ladder, ticks=ticks)
    if limit is None or worst is None:
        return "it has no price"
    if wanted.worst_usd is not None and limit > worst:
        return f"at the middle it costs {limit}, no more than {worst} would be taken"
    return Proposal(
        key=wanted.key,
        trade=wanted.trade,
        strategy=wanted.strategy,
        purpose=wanted.purpose,
        underlying=legs[0].instrument.symbol,
        legs=tuple(OrderLeg(instrument=one.instrument, ratio=one.ratio) for one in legs),
        units=wanted.units,
        limit_usd=min(limit, worst),
        worst_usd=worst,
        pricing=Pricing.WALK,
        expires_ns=UnixNs(wanted.now_ns + ladder.good_for_ns),
        exits=wanted.exits,
        quotes=tuple(
            QuoteSeen(
                con_id=ConId(one.instrument.conid), seq=wanted.view_number, at_ns=one.quoted_ns
            )
            for one in legs
        ),
        reasons=wanted.reasons,
        scores=wanted.scores,
        replaces=wanted.replaces,
    )


def closing_legs(sight: TradeSight) -> tuple[Leg, ...]:
    """Return one unit the other way round: options first, shares only once no option is left.

    What nobody bids for is left out.
    """
    legs = sight.options or sight.legs
    return tuple(leg_of(one, -one.ratio) for one in legs if not _is_unsaleable(one))


def _is_unsaleable(one: LegSight) -> bool:
    """Whether nobody bids for what is held: it is left to its end."""
    return one.ratio > 0 and one.bid_usd == 0.0


def worth_most_usd(legs: tuple[Leg, ...]) -> float:
    """Return the most that options of a unit can be worth at their end; infinite for a call."""
    if any(one.instrument.strike is None for one in legs):
        return math.inf
    calls = sum(one.ratio for one in legs if one.instrument.right is Right.CALL)
    if calls > 0 or len({one.instrument.expiry for one in legs}) > 1:
        return math.inf
    strikes = [to_float(one.instrument.strike or _ZERO) for one in legs]
    corners = (0.0, *strikes, 2.0 * max(strikes))
    return max(math.fsum(one.ratio * _payoff(one, at) for one in legs) for at in corners)


def within_collar(
    refused: Proposal, review: Review | None, *, key: str, expires_ns: UnixNs
) -> Proposal | None:
    """Return an order at the best price that is allowed, where its price alone was refused."""
    if review is None or not review.reduction.proved:
        return None
    against = [
        one for one in review.findings if one.verdict is Verdict.REFUSE and review.applies(one)
    ]
    bounds = [one.limit for one in against if one.check == WIDE_COLLAR and one.limit is not None]
    if not bounds or len(bounds) < len(against):
        return None
    legs = refused.legs
    ticks = ticks_for(tuple(one.instrument for one in legs))
    worst = _priced(min(bounds) + _HAIR, ticks, Rounding.DOWN)
    if worst is None or worst >= refused.worst_usd:
        return None
    alone = legs[0].ratio if len(legs) == 1 else 0
    if (alone > 0 and worst <= 0) or (alone < 0 and worst >= 0):
        return None  # nothing is bought back for nothing, nor sold for it
    limit = min(refused.limit_usd, worst)
    return msgspec.structs.replace(
        refused, key=key, limit_usd=limit, worst_usd=worst, expires_ns=expires_ns
    )


def _payoff(leg: Leg, price: float) -> float:
    away = price - to_float(leg.instrument.strike or _ZERO)
    return max(away if leg.instrument.right is Right.CALL else -away, 0.0)


def _worst(
    legs: tuple[Leg, ...], attempts: int, *, ladder: Ladder, ticks: TickRule
) -> Decimal | None:
    middle = math.fsum(one.middle for one in legs)
    natural = math.fsum(one.natural for one in legs)
    shares = any(one.instrument.kind is not InstrumentKind.OPTION for one in legs)
    bolder = min(attempts, ladder.attempts_bolder_max) * ladder.more_each_time_fraction
    fraction = _SHARES_FRACTION if shares else ladder.concede_fraction + bolder
    most = natural + max(ladder.concede_usd_min, fraction * abs(natural))
    worth = worth_most_usd(legs)
    worst = _priced(min(most, worth) if worth > 0.0 else most, ticks, Rounding.UP)
    allowed = middle + max(ladder.collar_fraction * abs(middle), ladder.collar_usd_min)
    collar = _priced(allowed + _HAIR, ticks, Rounding.DOWN)
    if worst is not None and collar is not None:
        worst = min(worst, collar)
    if worst is not None and natural < 0.0:
        return min(worst, -step_at(_ZERO, ticks))
    return worst


def _inside_entry_collar(
    worst: Decimal, middle: float, *, ladder: Ladder, ticks: TickRule
) -> Decimal | None:
    """No further from the middle than what may add risk is let through at."""
    most = max(ladder.entry_collar_fraction * abs(middle), ladder.collar_usd_min)
    collar = _priced(middle + _INSIDE * most + _HAIR, ticks, Rounding.DOWN)
    return None if collar is None else min(worst, collar)


def _priced(value: float, ticks: TickRule, rounding: Rounding) -> Decimal | None:
    exact = to_decimal(value, places=_PLACES)
    return None if exact is None else round_price(price=exact, rule=ticks, rounding=rounding)
