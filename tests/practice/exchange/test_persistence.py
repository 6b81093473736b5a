"""A restart goes on exactly where the saved state was."""

import datetime as dt

import msgspec
import pytest

from tests.practice.exchange.world import ABC, XYZ, FakeMarket, World
from thetawarden.practice import model
from thetawarden.practice.exchange.exchange import PracticeExchange

TUESDAY = dt.date(2026, 3, 3)


def restarted(world):
    """Another process over the same market at the same instant."""
    market = FakeMarket(world.market.now_ns)
    market.moves = world.market.moves
    other = World(market=market, terms=world.terms)
    other.exchange.restore(world.exchange.save())
    return other


def busy_world():
    world = World()
    world.place(ABC, "BUY", 10, "MKT")
    world.place(XYZ, "BUY", 5, limit_price=99.99, tif="GTC")
    world.place(XYZ, "BUY", 5, limit_price=90.0)
    parent = world.place(XYZ, "BUY", 2, limit_price=95.0, transmit=False)
    world.place(XYZ, "SELL", 2, limit_price=105.0, parent_id=parent.order_id, transmit=False)
    world.run(7)
    return world


def test_everything_is_there_again():
    world = busy_world()

    again = restarted(world)

    one, other = world.exchange, again.exchange
    assert other.open_orders() == one.open_orders()
    assert other.completed_orders() == one.completed_orders()
    assert other.positions() == one.positions()
    everything = model.ExecutionFilter()
    assert other.executions(everything) == one.executions(everything)
    assert other.account_rows("DU1000001") == one.account_rows("DU1000001")


def test_the_future_is_the_same_with_and_without_a_restart():
    def lived(world):
        world.market.move(XYZ, 98.0)
        world.place(XYZ, "SELL", 2, limit_price=105.0, parent_id=4, order_id=5)
        world.run_to(TUESDAY, dt.time(10))
        return world.exchange.save()

    world = busy_world()
    again = restarted(world)

    assert lived(again) == lived(world)


def test_a_day_order_is_gone_after_a_restart_on_the_next_day():
    world = busy_world()
    state = world.exchange.save()
    market = FakeMarket(world.market.now_ns)
    later = World(market=market, terms=world.terms)
    market.advance(market.now_ns + 24 * 3600 * 10**9)

    later.exchange.restore(state)
    later.run(1)

    assert {one.request.tif for one in later.exchange.open_orders()} == {"GTC"}
    assert later.held(ABC) == 10


def test_perm_and_execution_ids_never_come_twice():
    world = busy_world()
    used = {one.perm_id for one in world.exchange.open_orders()}

    again = restarted(world)
    key = again.place(ABC, "BUY", 1, "MKT", order_id=50)
    again.run()

    assert again.ended(key).perm_id > max(used)
    ids = [one.exec_id for one in again.executions()]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    "state", [b"", b"nonsense", msgspec.msgpack.encode({"version": 99}), b"\x80"]
)
def test_what_is_no_state_of_ours_is_refused(state):
    exchange = PracticeExchange(FakeMarket())

    with pytest.raises(ValueError, match=r"state"):
        exchange.restore(state)
