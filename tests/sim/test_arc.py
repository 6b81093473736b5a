"""A practice desk as anybody first starts it: within its first two hours a trade is over."""

import datetime as dt

import msgspec
import pytest

from tests.sim.worlds import world_of
from thetawarden.config.loader import load_config
from thetawarden.config.practising import practised
from thetawarden.domain.instants import NS_PER_SECOND, new_york_ns
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.stages import Stage
from thetawarden.infra.journal.causes import story_of
from thetawarden.infra.journal.reader import open_log
from thetawarden.messages.orders import OrderStageChanged, ProtectionChanged, SubmitOrder
from thetawarden.messages.steward import TradeChanged
from thetawarden.messages.trading import TradingHalted
from thetawarden.sim.broker.adapter import BrokerHabits
from thetawarden.sim.settings import WorldSettings

DAY = dt.date(2026, 11, 30)
TWO_MINUTES_LATER = dt.time(15, 45)
SLICE_NS = 300 * NS_PER_SECOND
UNDERLYING = "XSP"
NARROWED = {
    "chains.underlyings": UNDERLYING,
    "chains.cadence.view_s": "1",
    "chains.cadence.scan_s": "5",
    "strategy.index_puts.underlyings": UNDERLYING,
    "strategy.put_spreads.underlyings": UNDERLYING,
    "strategy.condors.enabled": "false",
    "watch.price_age_s": "3600",
}
CHAIN = (
    *("QuotesObserved", "ChainViewed", "PositionDecided", "ProposeOrder"),
    *("OrderApproved", "SubmitOrder"),
)
"""What `why` tells of an order, from the quotes on; an exit that left with its entry needs no
decision of its own."""
EXITS = (OrderRole.TAKE_PROFIT, OrderRole.EXIT)


def first_start(seed, folder):
    """The default configuration of mode practice, on one underlying and a narrow chain."""
    replace = msgspec.structs.replace
    loaded = load_config(
        named_file=None, default_file=folder / "none.yaml", environment={}, flags=NARROWED
    )
    config = practised(loaded).config
    chains = config.chains
    near = replace(chains.index, near_days_max=2, near_max=1)
    strikes = replace(chains.strikes, count_min=10, count_max=24, puts_max=8)
    config = replace(config, chains=replace(chains, index=near, strikes=strikes))
    begins_ns = new_york_ns(DAY, config.practice.begin)
    return WorldSettings(
        config=config,
        seed=seed,
        market_seed=seed,
        market_start_ns=begins_ns,
        start_ns=begins_ns,
        speed=config.practice.speed,
        habits=BrokerHabits(quotes_every_ns=30 * NS_PER_SECOND),
    )


def story(folder, order_ref):
    """The kinds of messages that led to an order, and of those that came of it."""
    with open_log(folder) as days:
        told = story_of(days, order_ref)
    return tuple(
        [type(one.envelope.body).__name__ for one in links] for links in (told.causes, told.effects)
    )


@pytest.mark.parametrize("seed", [2, 3])
def test_on_any_market_a_put_is_sold_protected_watched_and_left_by_a_rule(seed, tmp_path):
    world, record = world_of(first_start(seed, tmp_path), tmp_path)

    def filled(*roles):
        stages = record.said(OrderStageChanged)
        return [one for one in stages if one.stage is Stage.FILLED and one.role in roles]

    def closed():
        return [one for one in record.said(TradeChanged) if one.event == "closed"]

    until_ns = new_york_ns(DAY, TWO_MINUTES_LATER)
    while not closed() and world.clock.true_ns() < until_ns:
        world.run_until(world.clock.true_ns() + SLICE_NS)
    world.stop()

    way_out = next(one for one in filled(*EXITS) if one.trade == closed()[0].trade.name)
    entry = next(one for one in filled(OrderRole.ENTRY) if one.trade == way_out.trade)
    (sent,) = [one for one in record.said(SubmitOrder) if one.intent.order_ref == entry.order_ref]
    assert [one.role for one in sent.exits] == [OrderRole.TAKE_PROFIT]
    assert all(one.complete for one in record.said(ProtectionChanged))
    assert record.said(TradingHalted) == []
    decided = ["PositionDecided"] if way_out.role is OrderRole.EXIT else []
    causes, effects = story(world.disk.folder, way_out.order_ref)
    assert [one for one in causes if one in CHAIN] == [*CHAIN[:2], *decided, *CHAIN[3:]]
    assert {"OrderSent", "ExecutionReported", "FillBooked"} <= set(effects)
