"""Resting orders are not quoted for while nothing can reach them, and nobody can tell."""

import datetime as dt
from decimal import Decimal

import pytest

from tests.practice.exchange.world import ACCOUNT, World
from thetawarden.domain.instants import NS_PER_SECOND, new_york_ns
from thetawarden.practice import model
from thetawarden.practice.account.book import AccountTerms
from thetawarden.practice.exchange.outlook import Outlook
from thetawarden.practice.exchange.terms import ExchangeTerms
from thetawarden.practice.market import PracticeMarket, Terms

DAY = dt.date(2026, 3, 2)
MORNING_NS = new_york_ns(DAY, dt.time(10, 30))
TERMS = ExchangeTerms(accounts=(AccountTerms(account=ACCOUNT, deposit_usd=Decimal(5_000_000)),))


def begin(seed=3, start_ns=MORNING_NS, scenario="normal"):
    market = PracticeMarket(Terms(seed=seed, start_ns=start_ns, scenario=scenario))
    return World(market=market, terms=TERMS)


def puts(world, symbol, expiry, count=3):
    (under,) = (one for one in world.market.underlyings() if one.symbol == symbol)
    spot = world.market.quote(under.con_id).last
    trading_class = {"SPX": "SPXW"}.get(symbol, "")
    found = world.market.find(
        model.ContractQuery(
            symbol=symbol, sec_type="OPT", expiry=expiry, right="P", trading_class=trading_class
        )
    )
    near = sorted(found, key=lambda one: abs(one.contract.strike - 0.995 * spot))
    return [one.contract.con_id for one in near[:count]]


def rest_around_the_market(world, con_id):
    """Limits and stops on both sides, from far away to touching."""
    quote = world.market.quote(con_id)
    mid = (quote.bid + quote.ask) / 2
    for factor in (0.3, 0.7, 0.9, 0.97, 1.0):
        world.place(con_id, "BUY", 3, limit_price=_price(mid * factor))
    for factor in (1.05, 1.2, 2.0):
        world.place(con_id, "SELL", 3, limit_price=_price(mid * factor))
        world.place(con_id, "BUY", 2, "STP", aux_price=_price(mid * factor))
    world.place(con_id, "SELL", 1, "STP LMT", aux_price=_price(mid * 0.9), limit_price=0.05)


def rest_a_spread(world, sold, bought):
    legs = (
        model.Leg(con_id=sold, ratio=1, action="SELL", exchange="SMART"),
        model.Leg(con_id=bought, ratio=1, action="BUY", exchange="SMART"),
    )
    contract = model.ContractQuery(sec_type="BAG", symbol="SPX", exchange="SMART", legs=legs)
    short, long = world.market.quote(sold), world.market.quote(bought)
    mid = (long.bid + long.ask - short.bid - short.ask) / 2
    for off in (-0.05, -0.5, -2.0):
        world.place(0, "BUY", 2, contract=contract, limit_price=round((mid + off) * 20) / 20)


def _price(value):
    return max(round(value * 10), 1) / 10


def minute_of(world):
    """Rest orders of many kinds, let time pass in uneven pieces, and say all that was said."""
    for symbol, expiry in (("SPX", "20260303"), ("SPY", "20260306"), ("NVDA", "20260306")):
        for con_id in puts(world, symbol, expiry, 1):
            rest_around_the_market(world, con_id)
    rest_a_spread(world, *puts(world, "SPX", "20260303", 2))
    (spx,) = (one for one in world.market.underlyings() if one.symbol == "SPX")
    world.run(26.0)
    world.market.jump(con_id=spx.con_id, log_return=-0.01)
    for seconds in (0.1, 11.0, 13.4):
        world.run(seconds)
    return world.said


@pytest.mark.parametrize("start", [dt.time(10, 30), dt.time(15, 59, 15)])
def test_nobody_can_tell_which_looks_were_made_without_a_quote(start, monkeypatch):
    start_ns = new_york_ns(DAY, start)
    with_outlook = begin(start_ns=start_ns)
    said = minute_of(with_outlook)
    monkeypatch.setattr(Outlook, "nothing_happens", lambda *_: False)
    without = begin(start_ns=start_ns)

    assert said == minute_of(without)
    assert with_outlook.exchange.save() == without.exchange.save()
    assert sum(isinstance(one, model.Executed) for one in said) > 3


def test_an_order_far_from_the_market_is_not_quoted_for():
    world = begin()
    (con_id,) = puts(world, "SPX", "20260303", 1)
    world.place(con_id, "BUY", 1, limit_price=0.05)
    world.run(120.0)
    asked = []
    quotes = world.market.quotes
    world.market.quotes = lambda ids: asked.append(ids) or quotes(ids)

    world.run(30.0)

    assert asked == []


def test_a_jump_reaches_an_order_that_was_known_to_rest_in_peace():
    world = begin()
    (con_id,) = puts(world, "SPX", "20260303", 1)
    (spx,) = (one for one in world.market.underlyings() if one.symbol == "SPX")
    key = world.place(con_id, "SELL", 1, limit_price=_price(world.market.quote(con_id).ask * 3))
    world.run(120.0)
    assert not any(isinstance(one, model.Executed) for one in world.said)

    world.market.jump(con_id=spx.con_id, log_return=-0.05)
    world.run(5.0)

    (fill,) = (one.execution for one in world.said if isinstance(one, model.Executed))
    assert fill.key == key
    assert fill.at_ns - MORNING_NS < 122 * NS_PER_SECOND


@pytest.mark.parametrize("symbol", ["SPX", "XSP", "SPY", "VIX", "NVDA"])
def test_what_is_seen_ahead_is_what_is_quoted_then(symbol):
    world = begin(start_ns=new_york_ns(DAY, dt.time(15, 59)))
    con_ids = puts(world, symbol, "20260318" if symbol == "VIX" else "20260306", 6)
    first_ns = world.market.now_ns
    instants = range(first_ns, first_ns + 120 * NS_PER_SECOND, 7 * NS_PER_SECOND // 2)

    bid, ask = world.market.sides_ahead(con_ids, instants)

    for at_ns, *row in zip(instants, bid.tolist(), ask.tolist(), strict=True):
        world.market.advance(at_ns)
        for quote, *sides in zip(world.market.quotes(con_ids), *row, strict=True):
            seen = [None if side != side else side for side in sides]  # noqa: PLR0124  # NaN
            assert seen == [quote.bid, quote.ask]
