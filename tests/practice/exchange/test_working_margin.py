"""Working orders are margined with what is held: together, never twice, and closing is free."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.practice.exchange.world import FRIDAY, XYZ, World, option_id
from thetawarden.practice.account.book import Trade, pay, settle
from thetawarden.practice.account.ledger import Entry, EntryKind
from thetawarden.practice.account.money import price_usd
from thetawarden.practice.exchange import guard

SHORT = option_id(XYZ, FRIDAY, 95.0, "P")
LONG = option_id(XYZ, FRIDAY, 90.0, "P")
CALL = option_id(XYZ, FRIDAY, 105.0, "C")
TRADED = (XYZ, SHORT, LONG, CALL)
LOTS = {XYZ: 100, SHORT: 1, LONG: 1, CALL: 1}
FAR_BID, FAR_ASK = 0.01, 40.0


def reserved_usd(world):
    return guard.reserved(world.exchange.floor, world.book).initial_usd


def held_usd(world):
    return float(guard.standing(world.exchange.floor, world.book).initial_usd)


def own(world, con_id, quantity):
    """Put so many units, bought at their mark, into the book."""
    settle(
        world.book,
        Trade(
            contract=world.market.details(con_id).contract,
            quantity=quantity,
            price_usd=price_usd(world.market.quote(con_id).mark),
            at_ns=world.market.now_ns,
            kind=EntryKind.TRADE,
            reference="given",
        ),
    )


def leave(world, cash_usd):
    """Withdraw all cash but so much."""
    amount = Decimal(cash_usd) - world.book.cash_usd
    pay(world.book, Entry(at_ns=world.market.now_ns, kind=EntryKind.DEPOSIT, amount_usd=amount))


def rest(world, con_id, quantity):
    """Work an order far from its market; None when it was refused."""
    bought = quantity > 0
    limit = FAR_BID if bought else FAR_ASK * (10.0 if con_id == XYZ else 1.0)
    key = world.place(con_id, "BUY" if bought else "SELL", abs(quantity), limit_price=limit)
    return key if world.view(key) else None


def test_a_short_put_alone_is_too_much_for_a_small_account():
    world = World(deposit=1000)

    assert rest(world, SHORT, -1) is None
    assert 201 in world.codes()


def test_a_short_leg_is_covered_by_a_long_leg_that_works():
    world = World(deposit=1000)
    assert rest(world, LONG, 1)

    assert rest(world, SHORT, -1)
    assert reserved_usd(world) <= 5.0 * 100.0


def test_a_short_leg_is_covered_by_a_long_leg_that_is_held():
    world = World(deposit=1000)
    own(world, LONG, 1)

    assert rest(world, SHORT, -1)


def test_what_works_already_is_in_the_margin_of_what_comes_next():
    world = World(deposit=3000)
    assert rest(world, SHORT, -1)

    assert rest(world, SHORT, -1) is None

    world = World(deposit=3000)
    assert rest(world, SHORT, -1)
    preview = world.exchange.what_if(world.request(SHORT, "SELL", 1, limit_price=FAR_ASK))
    assert preview.refusal.code == 201
    assert preview.initial_before_usd > 0
    assert preview.initial_after_usd > Decimal("1.9") * preview.initial_before_usd


def test_orders_that_point_both_ways_do_not_hide_each_other():
    world = World(deposit=7000)
    assert rest(world, XYZ, 100)

    assert rest(world, XYZ, -100)
    one_side = reserved_usd(world)

    assert one_side >= 0.5 * 100.0 * 100.0
    assert rest(world, XYZ, 100) is None


def test_children_are_not_margined_on_top_of_their_parent():
    world = World(deposit=6000)
    parent = world.place(XYZ, "BUY", 100, limit_price=FAR_BID, transmit=False)
    for kind, prices in (("LMT", {"limit_price": 400.0}), ("STP", {"aux_price": 0.01})):
        world.place(
            XYZ,
            "SELL",
            100,
            kind,
            parent_id=parent.order_id,
            transmit=kind == "STP",
            **prices,
        )

    assert len(world.exchange.open_orders()) == 3
    assert world.codes() == []
    assert reserved_usd(world) <= 5000.0 + 1.0


def test_of_an_oca_group_one_order_counts_and_that_the_largest():
    world = World(deposit=3000)
    for quantity in (1, 2, 1):
        world.place(LONG, "BUY", quantity, limit_price=FAR_BID, oca_group="g", oca_type=1)

    two = World(deposit=3000)
    two.place(LONG, "BUY", 2, limit_price=FAR_BID)

    assert reserved_usd(world) == reserved_usd(two) > 0.0


def test_buying_back_a_short_is_never_refused_however_poor_the_account():
    world = World(deposit=3000)
    own(world, SHORT, -1)
    world.market.move(XYZ, 60.0)
    assert held_usd(world) > float(world.book.cash_usd) - 3500.0

    assert rest(world, SHORT, 1)
    # a second one would no longer close anything
    assert rest(world, SHORT, 1) is None


def test_selling_the_cover_of_a_short_is_no_closing():
    world = World(deposit=1000)
    own(world, LONG, 1)
    own(world, SHORT, -1)

    assert rest(world, LONG, -1) is None


BOOKS = st.lists(
    st.tuples(st.sampled_from(TRADED), st.integers(min_value=-3, max_value=3).filter(bool)),
    max_size=4,
)


def world_with(book, orders):
    world = World(deposit=10_000_000)
    for con_id, lots in book:
        own(world, con_id, lots * LOTS[con_id])
    for con_id, lots in orders:
        rest(world, con_id, lots * LOTS[con_id])
    return world


@settings(max_examples=30, deadline=None)
@given(book=BOOKS, orders=BOOKS)
def test_what_is_reserved_is_never_less_than_the_margin_of_what_is_held(book, orders):
    world = world_with(book, orders)

    assert reserved_usd(world) >= held_usd(world) - 0.01


@settings(max_examples=30, deadline=None)
@given(book=BOOKS, move=st.floats(min_value=0.5, max_value=1.6))
def test_buying_back_what_is_short_is_never_refused(book, move):
    world = world_with(book, [])
    world.market.move(XYZ, 100.0 * move)
    leave(world, 0)
    for position in world.exchange.positions():
        if position.quantity >= 0:
            continue
        key = rest(world, position.contract.con_id, -position.quantity)
        assert key is not None
        world.exchange.cancel(key)
        world.run()


@settings(max_examples=30, deadline=None)
@given(book=BOOKS, move=st.floats(min_value=0.5, max_value=1.6))
def test_closing_half_of_everything_needs_no_more(book, move):
    world = world_with(book + book, [])
    world.market.move(XYZ, 100.0 * move)
    before = held_usd(world)

    for con_id, lots in book:
        own(world, con_id, -lots * LOTS[con_id])

    assert held_usd(world) <= before + 0.01
