"""Somebody sets the clock while trades are held and an entry walks: of that, nothing happens."""

from collections import Counter

import numpy as np
import pytest

from tests.sim.worlds import Record
from thetawarden.domain.instants import NS_PER_MINUTE, NS_PER_SECOND
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.stages import Stage
from thetawarden.messages.base import Envelope
from thetawarden.messages.orders import (
    CancelOrder,
    ModifyOrder,
    OrderStageChanged,
    OrderWithheld,
    ProposeOrder,
    SubmitOrder,
)
from thetawarden.messages.trading import CancelAll, Flatten, Halt
from thetawarden.sim.campaign import SLICE_MIN, settings_of
from thetawarden.sim.trader import SimTrader
from thetawarden.sim.world import World

SEED = 4
"""A market in which two entries fill within the hour, and a third works for some minutes."""
PROPOSALS, ACTED_MIN, WORKS_S = 3, 60, 90
LEAPS_S = (-86_400, -3600, -61, 61, 3600, 36_000)
PLACES_OR_ENDS = (CancelOrder, SubmitOrder, OrderWithheld, ProposeOrder, CancelAll, Flatten, Halt)


class Traded:
    """A world with two protected trades and an entry at work, and what is said from then on."""

    def __init__(self, folder):
        self.record = Record()
        self.world = World(settings_of(SEED), folder, watch=self._hear)
        say = lambda message: self.world.say(message, sender="strategist")  # noqa: E731
        rng = np.random.default_rng([SEED, 13])
        self.trader = SimTrader(rng=rng, say=say, speed=self.world.settings.speed)
        self.start_ns = self.world.settings.start_ns
        for minute in range(ACTED_MIN - (PROPOSALS - 1) * SLICE_MIN, ACTED_MIN + 1, SLICE_MIN):
            self.world.run_until(self.start_ns + minute * NS_PER_MINUTE)
            self.trader.act(self.world.clock.now_ns())
        self.world.run_until(self.start_ns + ACTED_MIN * NS_PER_MINUTE + WORKS_S * NS_PER_SECOND)
        self.before = len(self.record.entries)

    def _hear(self, entry):
        self.record(entry)
        self.trader.hear(entry)

    def at_work(self):
        """The orders that the exchange has, how many in which role."""
        refs = [one.request.order_ref for one in self.world.gateway.exchange.open_orders()]
        return Counter(ref.split(".")[1] for ref in refs)

    def go_on(self, minutes):
        self.world.run_until(self.world.clock.true_ns() + minutes * NS_PER_MINUTE)

    def since(self, *kinds):
        """What was said since, of these kinds."""
        bodies = [one.body for one in self.record.entries[self.before :] if type(one) is Envelope]
        return [one for one in bodies if type(one) in kinds]


@pytest.fixture(scope="module")
def still(tmp_path_factory):
    """The same world when nobody touches the clock."""
    traded = Traded(tmp_path_factory.mktemp("still"))
    traded.go_on(20)
    return traded


@pytest.mark.parametrize("leap_s", LEAPS_S)
def test_p09_i25_a_set_clock_places_cancels_and_expires_no_order(tmp_path, still, leap_s):
    traded = Traded(tmp_path)
    at_work = traded.at_work()
    traded.world.clock.set_back_or_forth(leap_s * NS_PER_SECOND)
    traded.go_on(2)
    soon = traded.at_work()
    traded.go_on(18)

    assert at_work == soon == {"open": 1, "tp": 3, "stop": 3}
    assert traded.since(*PLACES_OR_ENDS) == still.since(*PLACES_OR_ENDS) == []
    told = [(one.role, one.stage) for one in traded.since(OrderStageChanged)]
    assert told == [(OrderRole.ENTRY, Stage.FILLED)]
    assert traded.at_work() == still.at_work() == {"tp": 3, "stop": 3}


@pytest.mark.parametrize("leap_s", LEAPS_S)
def test_p09_i25_a_price_walks_on_as_if_nobody_had_set_the_clock(tmp_path, still, leap_s):
    traded = Traded(tmp_path)

    traded.world.clock.set_back_or_forth(leap_s * NS_PER_SECOND)
    traded.go_on(6)

    entry = [one for one in traded.since(ModifyOrder) if ".open." in one.intent.order_ref]
    walked = [one for one in still.since(ModifyOrder) if ".open." in one.intent.order_ref]
    assert len(walked) == 2
    assert [one.intent.limit_usd for one in entry] == [one.intent.limit_usd for one in walked]
