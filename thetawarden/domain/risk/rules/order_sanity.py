"""R12: whether this is an order that anybody could have meant: form, price, tick, quotes, value.

The price collar looks one way only: paying too much is a mistake, asking for much just waits. An
order proved to reduce risk may be priced off an old quote or the model, within a wider collar: a
dead feed must not trap a position. How many orders there are is judged in `order_flow`.
"""

from __future__ import annotations

import math
from decimal import Decimal

from thetawarden.domain.market.ticks import is_on_tick
from thetawarden.domain.regime.readings import InputFault
from thetawarden.domain.risk.candidate import Candidate, Leg, OrderKind
from thetawarden.domain.risk.case import Case, age_fault
from thetawarden.domain.risk.finding import Check, RuleFinding, RuleId, Usage, given, usd
from thetawarden.domain.risk.rule import Rule
from thetawarden.domain.units import to_float

WIDE_COLLAR = "wide_price_collar"
"""The check that bounds the price of every order, exits too; its finding's limit is the bound."""
_KIND = Check(rule=RuleId.R12, name="order_kind", sanity=True)
_TICK = Check(rule=RuleId.R12, name="tick", sanity=True)
_COLLAR = Check(rule=RuleId.R12, name="price_collar")
_WIDE_COLLAR = Check(rule=RuleId.R12, name=WIDE_COLLAR, sanity=True)
_QUOTES = Check(rule=RuleId.R12, name="quotes")
_VALUE = Check(rule=RuleId.R12, name="order_value")


def judge(case: Case) -> tuple[RuleFinding, ...]:
    """Return what is wrong with the order as an order."""
    mid = mid_of(case.candidate)
    return (
        _kind(case.candidate),
        _tick(case.candidate),
        _collar(case, mid),
        _wide_collar(case, mid),
        _quotes(case),
        _value(case, mid),
    )


def mid_of(candidate: Candidate) -> float:
    """Return what one unit is worth per share at the legs' mids, NaN without two sides of each."""
    return (
        math.fsum(leg.ratio * leg.instrument.multiplier * _mid(leg) for leg in candidate.legs)
        / candidate.multiplier
    )


def _mid(leg: Leg) -> float:
    quote = leg.quote
    if quote is None or quote.bid_usd is None or quote.ask_usd is None:
        return math.nan
    bid, ask = to_float(quote.bid_usd), to_float(quote.ask_usd)
    return (bid + ask) / 2.0 if 0.0 <= bid <= ask < math.inf and ask > 0.0 else math.nan


def _kind(candidate: Candidate) -> RuleFinding:
    options = any(leg.instrument.is_option for leg in candidate.legs)
    if candidate.kind is OrderKind.MARKET and options:
        return _KIND.refuses("no market orders on options")
    return _KIND.passes(f"a {candidate.kind.value} order")


def _tick(candidate: Candidate) -> RuleFinding:
    price = candidate.limit_usd
    if candidate.kind is OrderKind.MARKET:
        return _TICK.passes("no limit price")
    if price is None or not price.is_finite():
        return _TICK.cannot_see("limit_price", InputFault.MISSING)
    if not is_on_tick(price, candidate.ticks):
        return _TICK.refuses(f"{price} is on no tick of this product")
    return _TICK.passes(f"{price} may be quoted")


def _collar(case: Case, mid: float) -> RuleFinding:
    """Entries keep close to a mid; whether it is fresh is for `quotes` to say."""
    return _within(_COLLAR, case, fair=mid, fraction=case.limits.orders.collar_fraction)


def _wide_collar(case: Case, mid: float) -> RuleFinding:
    """Every order keeps within a wider collar of the mid, however old, or of the model."""
    fair = mid if math.isfinite(mid) else case.added.worth_usd / case.candidate.multiplier
    orders = case.limits.orders
    fraction = max(orders.reducing_collar_fraction, orders.collar_fraction)
    return _within(_WIDE_COLLAR, case, fair=fair, fraction=fraction)


def _within(check: Check, case: Case, *, fair: float, fraction: float) -> RuleFinding:
    price = case.candidate.limit_usd
    if case.candidate.kind is OrderKind.MARKET:
        return check.passes("no limit price")
    if price is None or not price.is_finite():
        return check.cannot_see("limit_price", InputFault.MISSING)
    if not math.isfinite(fair):
        return check.cannot_see("mid", InputFault.MISSING)
    most = fair + max(fraction * abs(fair), case.limits.orders.collar_min_usd)
    pays = to_float(price)
    words = f"pays {pays:.2f} a share, fair is {fair:.2f}, at most {most:.2f} (a credit is below 0)"
    inputs = given(limit_usd=pays, fair_usd=fair)
    if pays > most + 1e-9:
        return check.refuses(words, inputs=inputs, limit=most, used=pays)
    return check.passes(words, inputs=inputs, limit=most, used=pays)


def _quotes(case: Case) -> RuleFinding:
    """The age of a combination is that of its oldest leg."""
    for leg in case.candidate.legs:
        fault = _quote_fault(case, leg)
        if fault:
            return _QUOTES.refuses(f"the quote of {leg.instrument.con_id} {fault}")
    view = case.market.underlying(case.candidate.underlying)
    if view is None:
        return _QUOTES.cannot_see(case.candidate.underlying, InputFault.MISSING)
    old = age_fault(
        view.spot_at_ns, now_ns=case.now_ns, age_ns_max=case.limits.orders.quote_age_ns_max
    )
    if old is not None:
        return _QUOTES.cannot_see(f"price of {view.symbol}", old)
    return _QUOTES.passes("every leg has a fresh, live, two-sided quote")


def _quote_fault(case: Case, leg: Leg) -> str:
    quote, orders = leg.quote, case.limits.orders
    if quote is None:
        return "is missing"
    if not quote.live:
        return "is not live"
    if quote.epoch != case.desk.link_epoch:
        return "is of an earlier connection"
    old = age_fault(quote.at_ns, now_ns=case.now_ns, age_ns_max=orders.quote_age_ns_max)
    if old is not None:
        return f"is {old.value.replace('_', ' ')}"
    mid = _mid(leg)
    if not math.isfinite(mid) or quote.bid_usd is None or quote.ask_usd is None:
        return "has not two sides, or is crossed"
    width = to_float(quote.ask_usd - quote.bid_usd)
    if width > max(orders.spread_max_fraction * mid, orders.spread_fine_usd) + 1e-9:
        return f"is {width:.2f} wide at a mid of {mid:.2f}"
    return ""


def _value(case: Case, mid: float) -> RuleFinding:
    """What changes hands: the price, or the mid where that is more, times shares."""
    candidate = case.candidate
    price = candidate.limit_usd if candidate.limit_usd is not None else Decimal("NaN")
    each = max(abs(to_float(price)), abs(mid)) if price.is_finite() else abs(mid)
    usage = Usage(
        what="the value of this order is",
        used=0.0,
        per_unit=each * candidate.multiplier,
        limit=case.limits.orders.order_value_max_usd,
        show=usd,
    )
    return _VALUE.caps(usage, wanted=candidate.units)


RULE = Rule(
    id=RuleId.R12,
    does=(
        "refuses market orders on options, prices off tick or collar, bad quotes; caps "
        "the order's value"
    ),
    reads=("order", "quotes of every leg", "the model's worth where there is no quote"),
    limits="orders",
    exits=("order_kind", "tick", WIDE_COLLAR),
    judge=judge,
)
