"""Brackets and OCA groups: what one order's fill or end means for its relatives."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.practice.exchange.world import ABC, XYZ, World
from thetawarden.practice import model


def bracket(world, quantity=10, *, entry=100.10, target=110.0, stop=90.0):
    parent = world.place(XYZ, "BUY", quantity, limit_price=entry, transmit=False)
    profit = world.place(
        XYZ,
        "SELL",
        quantity,
        limit_price=target,
        parent_id=parent.order_id,
        transmit=False,
        tif="GTC",
    )
    loss = world.place(
        XYZ, "SELL", quantity, "STP", aux_price=stop, parent_id=parent.order_id, tif="GTC"
    )
    return parent, profit, loss


def test_nothing_is_said_about_a_bracket_until_its_last_order_transmits():
    world = World()

    parent = world.place(XYZ, "BUY", 1, limit_price=100.0, transmit=False)
    world.run()
    assert world.heard() == []
    assert world.exchange.open_orders() == ()
    world.place(XYZ, "SELL", 1, limit_price=110.0, parent_id=parent.order_id)

    assert world.heard() == ["1 PreSubmitted 0/1", "2 PreSubmitted 0/1 (child)"]


def test_children_are_grouped_under_the_parents_perm_id_and_wait_with_reasons():
    world = World()

    parent, profit, loss = bracket(world, entry=80.0)

    views = [world.view(key) for key in (parent, profit, loss)]
    perms = [view.perm_id for view in views]
    assert perms == list(range(perms[0], perms[0] + 3))
    assert [view.why_held for view in views] == ["", "child", "child,trigger"]
    assert {view.request.oca_group for view in views[1:]} == {str(perms[0])}
    assert {view.request.oca_type for view in views[1:]} == {3}


def test_the_parents_fill_wakes_the_children_and_one_childs_fill_ends_the_other():
    world = World()
    parent, profit, loss = bracket(world)
    world.run()
    assert world.ended(parent).status == "Filled"
    assert world.view(profit).status == "Submitted"
    assert world.view(loss).why_held == "trigger"

    world.market.move(XYZ, 111.0)
    world.run(5)

    assert world.ended(profit).filled == 10
    assert (world.ended(loss).status, world.ended(loss).filled) == ("Cancelled", 0)
    assert world.held(XYZ) == 0


def test_cancelling_the_parent_cancels_first_it_and_then_its_children():
    world = World()
    parent, _, _ = bracket(world, entry=80.0)
    world.run()
    world.heard()

    world.exchange.cancel(parent)
    world.run()

    assert world.heard() == [
        "1 PendingCancel 0/10",
        "1 Cancelled 0/10",
        "1 says 202",
        "2 Cancelled 0/10",
        "2 says 202",
        "3 Cancelled 0/10",
        "3 says 202",
    ]


def test_a_parent_cancelled_half_filled_leaves_children_for_what_it_bought():
    world = World()
    parent, profit, loss = bracket(world, entry=99.0)
    world.run()
    perm = world.view(parent).perm_id
    world.exchange.fill(perm_id=perm, quantity=4, price=99.0)

    world.exchange.cancel(parent)
    world.run()

    assert world.view(profit).request.quantity == 4
    assert world.view(loss).request.quantity == 4
    assert world.held(XYZ) == 4


def test_a_refused_child_leaves_the_rest_of_the_bracket_alone():
    world = World()
    world.exchange.faults.reject_next_child = "Child refused."

    parent, profit, loss = bracket(world, entry=80.0)

    assert world.ended(profit).status == "Inactive"
    assert world.view(parent)
    assert world.view(loss)


def test_a_refused_parent_takes_its_children_with_it():
    world = World(deposit=1_000)

    keys = bracket(world, 1000)

    assert [world.ended(key).status for key in keys] == ["Inactive"] * 3
    assert world.codes() == [201] * 3


def oca(world, oca_type, quantities=(10, 10)):
    world.place(XYZ, "BUY", 1, "MKT")
    world.run()
    return [
        world.place(
            con_id,
            "BUY",
            quantity,
            limit_price=price,
            oca_group="either",
            oca_type=oca_type,
        )
        for con_id, quantity, price in zip((XYZ, ABC), quantities, (90.0, 45.0), strict=True)
    ]


def test_in_a_cancelling_group_any_fill_ends_the_others():
    world = World()
    first, second = oca(world, 1)
    world.run()

    world.exchange.fill(perm_id=world.view(first).perm_id, quantity=1, price=90.0)

    assert world.ended(second).status == "Cancelled"
    assert world.view(first).remaining == 9


def test_in_a_reducing_group_a_fill_takes_as_much_from_the_others():
    world = World()
    first, second = oca(world, 2)
    world.run()

    world.exchange.fill(perm_id=world.view(first).perm_id, quantity=3, price=90.0)

    assert world.view(second).remaining == 7


def test_cancelling_one_member_cancels_its_siblings_first():
    world = World()
    first, second = oca(world, 1)
    world.run()
    world.heard()

    world.exchange.cancel(first)
    world.run()

    assert world.heard() == [
        f"{first.order_id} PendingCancel 0/10",
        f"{second.order_id} Cancelled 0/10",
        f"{second.order_id} says 202",
        f"{first.order_id} Cancelled 0/10",
        f"{first.order_id} says 202",
    ]


@settings(max_examples=40, deadline=None)
@given(
    fills=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 6)), max_size=12),
    quantity=st.integers(1, 9),
)
def test_children_never_trade_more_than_their_parent_did(fills, quantity):
    world = World(deposit=1_000_000)
    keys = bracket(world, quantity, entry=80.0)

    for member, units in fills:
        view = world.view(keys[member])
        if view is None:
            continue
        order = world.exchange.floor.state.orders[view.perm_id]
        world.exchange.fill(perm_id=view.perm_id, quantity=min(units, order.available), price=100.0)
        sizes = [filled(world, key) for key in keys]
        assert sizes[1] + sizes[2] <= sizes[0]
        assert world.held(XYZ) == sizes[0] - sizes[1] - sizes[2]


@settings(max_examples=40, deadline=None)
@given(
    oca_type=st.sampled_from([1, 2, 3]),
    fills=st.lists(st.tuples(st.integers(0, 1), st.integers(1, 6)), max_size=8),
)
def test_a_group_never_fills_more_than_one_of_its_orders_asked_for(oca_type, fills):
    world = World(deposit=1_000_000)
    keys = oca(world, oca_type)

    for member, units in fills:
        view = world.view(keys[member])
        if view is not None:
            world.exchange.fill(
                perm_id=view.perm_id, quantity=min(units, view.remaining), price=45.0
            )

    assert sum(filled(world, key) for key in keys) <= 10


@settings(max_examples=40, deadline=None)
@given(
    orders=st.lists(
        st.tuples(
            st.sampled_from(["BUY", "SELL"]),
            st.integers(1, 60),
            st.floats(99.0, 101.0),
            st.sampled_from(["DAY", "IOC", "FOK", "GTC"]),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_no_order_is_filled_beyond_its_size_and_no_limit_is_crossed(orders):
    world = World(deposit=10_000_000)
    for action, quantity, limit, tif in orders:
        world.place(XYZ, action, quantity, limit_price=round(limit, 2), tif=tif)

    world.run(30)

    for view in (*world.exchange.open_orders(), *world.exchange.completed_orders()):
        assert 0 <= view.filled <= view.request.quantity
    for one in world.executions():
        limit = round(orders[one.key.order_id - 1][2], 2)
        better = one.price <= limit if one.side is model.Action.BUY else one.price >= limit
        assert better


def filled(world, key):
    view = world.view(key) or world.ended(key)
    return view.filled
