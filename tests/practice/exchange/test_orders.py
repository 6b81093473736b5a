"""The life of single orders: waiting, triggering, changing, ending."""

import datetime as dt

import pytest

from tests.practice.exchange.world import (
    ABC,
    FRIDAY,
    MONDAY,
    SPX,
    XYZ,
    FakeMarket,
    World,
    option_id,
)
from thetawarden.domain.instants import NS_PER_SECOND, new_york_ns
from thetawarden.practice import model

PUT = option_id(XYZ, FRIDAY, 90.0, "P")


def closed_world():
    return World(market=FakeMarket(new_york_ns(MONDAY, dt.time(7))))


def test_an_order_placed_before_the_opening_is_warned_and_waits():
    world = closed_world()

    world.place(XYZ, "BUY", 1, limit_price=100.05)
    world.run(3600)

    assert world.heard() == ["1 says 399", "1 PreSubmitted 0/1"]
    world.run_to(MONDAY, dt.time(9, 31))
    assert "1 Submitted 0/1" in world.heard()
    assert world.held(XYZ) == 1


def test_the_warning_names_the_side_the_venue_and_the_opening():
    world = closed_world()

    world.place(XYZ, "BUY", 1, limit_price=100.05)

    text = world.said[0].notice.text
    assert text == (
        "Order Message:\nBUY 1 XYZ NYSE\nWarning: your order will not be placed at the exchange "
        "until 2026-03-02 09:30:00 US/Eastern"
    )


def test_outside_regular_hours_an_order_works_only_when_it_says_so():
    world = closed_world()

    inside = world.place(XYZ, "BUY", 1, limit_price=100.05)
    outside = world.place(XYZ, "BUY", 1, limit_price=100.05, outside_rth=True)
    world.run(5)

    assert world.view(inside).status == "PreSubmitted"
    assert world.ended(outside).status == "Filled"


def test_a_cancellation_passes_through_pending_cancel():
    world = World()
    key = world.place(XYZ, "BUY", 1, limit_price=90.0)
    world.run()
    world.heard()

    world.exchange.cancel(key)
    world.run()

    assert world.heard() == ["1 PendingCancel 0/1", "1 Cancelled 0/1", "1 says 202"]
    assert world.ended(key).completed_status == "Cancelled by Trader"


def test_a_fill_may_win_the_race_against_a_cancellation():
    world = World()
    key = world.place(XYZ, "BUY", 1, limit_price=90.0)
    world.run()
    world.exchange.faults.cancel_delay_s = 1.0
    world.exchange.cancel(key)
    world.market.move(XYZ, 89.0)
    world.heard()

    world.run(2)

    said = world.heard()
    assert "1 Filled 1/1 with cost" in said
    assert said[-1] == "1 says 161"
    assert "1 says 202" not in said


def test_cancelling_what_is_unknown_or_over_is_answered_by_its_own_code():
    world = World()
    key = world.place(XYZ, "BUY", 1, "MKT")
    world.run()
    world.heard()

    world.exchange.cancel(key)
    world.exchange.cancel(model.OrderKey(client_id=1, order_id=5003))

    assert world.heard() == ["1 says 10148", "5003 says 10147"]


def test_an_order_off_the_tick_is_refused_and_not_kept():
    world = World()

    key = world.place(option_id(SPX, FRIDAY, 4800.0, "P"), "SELL", 1, limit_price=12.03)

    assert world.heard() == ["1 says 110"]
    assert not world.exchange.knows_order(key)


def test_above_the_band_edge_the_wider_step_counts():
    world = World()
    spx = option_id(SPX, FRIDAY, 4800.0, "P")

    world.place(spx, "SELL", 1, limit_price=12.05)
    world.place(spx, "SELL", 1, limit_price=2.95)

    assert world.heard() == ["1 says 110", "2 PreSubmitted 0/1"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"order_type": "REL"}, 387),
        ({"quantity": 0}, 434),
        ({"account": "DU9"}, 321),
        ({"con_id": 999}, 200),
        ({"tif": "SOON"}, 10052),
        ({"limit_price": None}, 107),
        ({"parent_id": 77}, 10006),
        ({"con_id": SPX}, 387),
    ],
)
def test_what_cannot_be_taken_is_refused_with_its_code(fields, code):
    world = World()
    wanted = {
        "con_id": XYZ,
        "action": "BUY",
        "quantity": 1,
        "order_type": "LMT",
        "limit_price": 90.0,
    }

    world.place(**(wanted | fields))

    assert world.codes() == [code]
    assert world.exchange.open_orders() == ()


def test_an_ambiguous_contract_is_refused():
    world = World()

    world.place(
        0,
        "BUY",
        1,
        limit_price=1.0,
        contract=model.ContractQuery(symbol="XYZ", sec_type="OPT"),
    )

    assert world.codes() == [200]
    assert "ambiguous" in world.said[0].notice.text


def test_a_modification_changes_the_order_in_place():
    world = World()
    key = world.place(XYZ, "BUY", 5, limit_price=90.0)
    world.run()
    first = world.view(key).perm_id

    world.place(XYZ, "BUY", 7, limit_price=91.0, order_id=1)
    world.run()

    view = world.view(key)
    assert (view.perm_id, view.request.quantity, view.request.limit_price) == (first, 7, 91.0)


def test_a_filled_order_cannot_be_modified_and_its_number_not_used_for_another_contract():
    world = World()
    world.place(XYZ, "BUY", 1, "MKT")
    world.run()
    world.heard()

    world.place(XYZ, "BUY", 2, limit_price=90.0, order_id=1)
    world.place(ABC, "BUY", 2, limit_price=40.0, order_id=1)

    assert world.heard() == ["1 says 104", "1 says 103"]


def test_a_modification_may_not_turn_the_order_into_another_one():
    world = World()
    world.place(XYZ, "BUY", 1, limit_price=90.0)
    world.run()
    world.heard()

    world.place(XYZ, "SELL", 1, limit_price=90.0, order_id=1)
    world.place(XYZ, "BUY", 1, "STP", aux_price=120.0, order_id=1)
    world.place(ABC, "BUY", 1, limit_price=40.0, order_id=1)

    assert world.heard() == ["1 says 105", "1 says 329", "1 says 105"]


def test_a_sell_stop_waits_with_its_reason_and_becomes_a_market_order():
    world = World()
    world.place(XYZ, "BUY", 1, "MKT")
    world.run()
    key = world.place(XYZ, "SELL", 1, "STP", aux_price=95.0)
    world.run(5)
    assert world.view(key).why_held == "trigger"
    world.heard()

    world.market.move(XYZ, 94.5)
    world.run(2)

    assert world.heard()[0] == "2 Submitted 0/1"
    assert world.ended(key).average_price == pytest.approx(94.48)


def test_an_option_buy_stop_looks_at_the_bid():
    world = World()
    world.market.fix(PUT, 1.00, 1.50)
    key = world.place(PUT, "BUY", 1, "STP", aux_price=1.20)
    world.run(2)
    assert world.view(key).why_held == "trigger"

    world.market.fix(PUT, 1.20, 1.50)
    world.run(2)

    assert world.ended(key).average_price == pytest.approx(1.5, abs=0.011)


def test_a_stop_limit_waits_in_the_book_once_triggered():
    world = World()
    key = world.place(XYZ, "BUY", 1, "STP LMT", aux_price=105.0, limit_price=105.1)
    world.market.move(XYZ, 106.0)
    world.run(2)
    assert world.view(key).status == "Submitted"

    world.market.move(XYZ, 105.0)
    world.run(2)

    assert world.ended(key).average_price == 105.1


def test_a_trailing_stop_follows_the_price_up_and_never_down():
    world = World()
    key = world.place(XYZ, "SELL", 1, "TRAIL", aux_price=2.0)
    world.run()
    for price in (103.0, 101.5, 104.0, 102.5):
        world.market.move(XYZ, price)
        world.run(5)
    assert world.view(key).status == "PreSubmitted"

    world.market.move(XYZ, 101.9)
    world.run(2)

    assert world.ended(key).average_price == pytest.approx(101.88)


def test_a_day_order_ends_with_its_session_and_a_gtc_order_goes_on():
    world = World()
    day = world.place(XYZ, "BUY", 1, limit_price=90.0)
    gtc = world.place(XYZ, "BUY", 1, limit_price=90.0, tif="GTC")

    world.run_to(MONDAY, dt.time(17))

    assert world.ended(day).status == "Cancelled"
    assert world.view(gtc).status == "Submitted"
    assert world.view(gtc).auto_cancel_date.startswith("20260630")


def test_a_good_till_date_order_ends_at_its_moment():
    world = World()
    key = world.place(
        XYZ, "BUY", 1, limit_price=90.0, tif="GTD", good_till_date="20260303 11:00:00 US/Eastern"
    )

    world.run_to(dt.date(2026, 3, 3), dt.time(10, 59))
    assert world.view(key)
    world.run_to(dt.date(2026, 3, 3), dt.time(11, 1))

    assert world.ended(key).status == "Cancelled"


def test_immediate_or_cancel_takes_what_there_is():
    world = World()
    world.market.size = 4
    key = world.place(XYZ, "BUY", 10, limit_price=100.02, tif="IOC")

    world.run()

    assert (world.ended(key).filled, world.ended(key).status) == (4, "Cancelled")


def test_fill_or_kill_takes_all_or_nothing():
    world = World()
    world.market.size = 4
    too_big = world.place(XYZ, "BUY", 10, limit_price=100.02, tif="FOK")
    fitting = world.place(ABC, "BUY", 4, limit_price=50.02, tif="FOK")

    world.run()

    assert world.ended(too_big).filled == 0
    assert world.ended(fitting).filled == 4


def test_a_market_on_close_order_trades_at_the_close():
    world = World()
    key = world.place(XYZ, "BUY", 3, "MOC")
    world.run_to(MONDAY, dt.time(15, 59, 59))
    assert world.view(key).filled == 0
    world.market.move(XYZ, 101.0)

    world.run_to(MONDAY, dt.time(16))

    assert world.ended(key).average_price == 101.0


def test_an_order_on_the_opening_is_gone_a_minute_later():
    world = closed_world()
    key = world.place(XYZ, "BUY", 1, limit_price=90.0, tif="OPG")

    world.run_to(MONDAY, dt.time(9, 32))

    assert world.ended(key).status == "Cancelled"


def test_an_adaptive_order_gives_way_from_the_middle_to_the_far_side():
    world = World()
    world.market.fix(PUT, 1.00, 1.40)
    key = world.place(
        PUT,
        "BUY",
        1,
        limit_price=1.40,
        algo_strategy="Adaptive",
        algo_params=(("adaptivePriority", "Urgent"),),
    )

    world.run(6)

    assert world.ended(key).filled == 1
    assert 1.20 <= world.ended(key).average_price <= 1.40


def test_an_order_with_a_time_condition_waits_for_it():
    world = World()
    condition = model.Condition(kind=3, fields=("a", "1", "20260302 11:00:00 US/Eastern"))
    key = world.place(XYZ, "BUY", 1, limit_price=101.0, conditions=(condition,))

    world.run(60)
    assert world.view(key).status == "PreSubmitted"
    world.run_to(MONDAY, dt.time(11, 1))

    assert world.ended(key).status == "Filled"


def test_a_halted_contract_does_not_trade():
    world = World()
    world.market.halted.add(XYZ)
    key = world.place(XYZ, "BUY", 1, "MKT")
    world.run(10)
    assert world.view(key).filled == 0

    world.market.halted.clear()
    world.run(1)

    assert world.ended(key).filled == 1


def test_perm_ids_rise_and_fit_a_signed_word():
    world = World()
    keys = [world.place(XYZ, "BUY", 1, limit_price=90.0) for _ in range(3)]

    perms = [world.view(key).perm_id for key in keys]

    assert perms == sorted(set(perms))
    assert perms[-1] < 2**31


def test_margin_refuses_with_the_brokers_words():
    world = World(deposit=10_000)

    key = world.place(XYZ, "BUY", 1000, limit_price=100.0)

    assert world.codes() == [201]
    assert world.ended(key).status == "Inactive"
    text = world.said[-1].notice.text
    assert "YOUR EQUITY WITH LOAN VALUE [9995.00 USD] MUST EXCEED THE INITIAL MARGIN" in text


def test_a_held_back_gateway_answers_late():
    world = World()
    world.exchange.hold(seconds=30.0)

    world.place(XYZ, "BUY", 1, "MKT")
    world.run(29)
    assert world.heard() == []
    world.run(2)

    assert "1 Filled 1/1 with cost" in world.heard()


def test_an_order_whose_day_ends_before_its_acknowledgement_ends_with_the_day():
    world = World()
    world.exchange.hold(seconds=8 * 3600.0)

    key = world.place(XYZ, "BUY", 1, limit_price=100.0)
    world.run(7.5 * 3600)

    assert world.ended(key).status == "Cancelled"
    assert world.exchange.open_orders() == ()


def test_the_same_seed_fills_alike_however_time_is_cut():
    def run(step_s):
        world = World()
        world.market.fix(PUT, 1.00, 1.20, size=3)
        for limit in (1.05, 1.10, 1.15):
            world.place(PUT, "BUY", 7, limit_price=limit)
        elapsed = 0.0
        while elapsed < 300:
            world.run(step_s)
            elapsed += step_s
        return [(one.at_ns // NS_PER_SECOND, one.quantity, one.price) for one in world.executions()]

    coarse = run(300.0)

    assert coarse
    assert run(0.75) == coarse
    assert run(7.5) == coarse


def test_a_trailing_limit_order_keeps_its_distance_to_the_stop():
    world = World()
    rest = model.Passthrough(limit_price_offset="0.5")
    key = world.place(XYZ, "SELL", 1, "TRAIL LIMIT", aux_price=2.0, passthrough=rest)
    world.run()
    world.market.move(XYZ, 97.0)
    world.run(2)
    assert world.view(key).status == "Submitted"

    world.market.move(XYZ, 98.0)
    world.run(2)

    # it trailed 2.00 below 100 and so sells at 97.50 or better
    assert world.ended(key).average_price >= 97.5


def test_asking_for_hours_that_a_contract_does_not_have_is_answered_by_a_warning():
    world = World()
    hours = world.market.sessions

    def regular_only(*, con_id, first, last, regular):
        return hours(con_id=con_id, first=first, last=last, regular=regular or con_id == PUT)

    world.market.sessions = regular_only
    world.place(PUT, "SELL", 1, limit_price=9.0, outside_rth=True)
    world.place(XYZ, "BUY", 1, limit_price=90.0, outside_rth=True)

    assert world.codes() == [2109]


def test_looking_at_the_exchange_changes_nothing():
    def run(*, curious):
        world = World()
        world.place(PUT, "SELL", 3, limit_price=0.4)
        world.place(XYZ, "BUY", 30, "MKT")
        for _ in range(20):
            world.run(5)
            if curious:
                world.rows()
                world.exchange.portfolio("DU1000001")
                world.exchange.pnl("DU1000001")
                world.exchange.open_orders()
        return world.exchange.save()

    assert run(curious=True) == run(curious=False)
