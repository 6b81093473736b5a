"""Whatever clients and faults do, in any order: nothing raises and the books stay whole."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.practice.exchange.test_books import explained
from tests.practice.exchange.world import ABC, ACCOUNT, ES, FRIDAY, SPX, XYZ, World, option_id
from thetawarden.practice import model

PUT = option_id(XYZ, FRIDAY, 95.0, "P")
LOWER = option_id(XYZ, FRIDAY, 90.0, "P")
CONTRACTS = (XYZ, ABC, ES, PUT, LOWER, SPX, 5)
SPREAD = model.ContractQuery(
    symbol="XYZ",
    sec_type="BAG",
    legs=(
        model.Leg(con_id=PUT, ratio=1, action="SELL", exchange="SMART"),
        model.Leg(con_id=LOWER, ratio=1, action="BUY", exchange="SMART"),
    ),
)
PRICES = st.one_of(st.none(), st.floats(-5, 200).map(lambda one: round(one, 2)))

PLACE = st.fixed_dictionaries(
    {
        "order_id": st.integers(1, 8),
        "client_id": st.integers(0, 2),
        "con_id": st.sampled_from(CONTRACTS),
        "action": st.sampled_from(["BUY", "SELL"]),
        "quantity": st.integers(-1, 30),
        "order_type": st.sampled_from(
            ["LMT", "MKT", "STP", "STP LMT", "TRAIL", "TRAIL LIMIT", "MOC", "LOC", "PEG", ""]
        ),
        "limit_price": PRICES,
        "aux_price": PRICES,
        "tif": st.sampled_from(["", "DAY", "GTC", "GTD", "IOC", "FOK", "OPG", "x"]),
        "good_till_date": st.sampled_from(["", "20260302 10:05:00 US/Eastern", "soon"]),
        "transmit": st.booleans(),
        "parent_id": st.sampled_from([0, 0, 0, 1, 2, 9]),
        "oca_group": st.sampled_from(["", "", "g"]),
        "oca_type": st.integers(0, 3),
        "outside_rth": st.booleans(),
        "trailing_percent": st.sampled_from([None, None, 1.0]),
        "algo_strategy": st.sampled_from(["", "", "Adaptive", "Vwap"]),
        "contract": st.sampled_from([None, None, SPREAD]),
    }
)
SENSIBLE = st.fixed_dictionaries(
    {
        "order_id": st.integers(1, 8),
        "con_id": st.sampled_from([XYZ, XYZ, PUT, LOWER, ABC]),
        "action": st.sampled_from(["BUY", "SELL"]),
        "quantity": st.integers(1, 30),
        "order_type": st.sampled_from(["LMT", "LMT", "MKT", "STP", "STP LMT", "TRAIL"]),
        "limit_price": st.integers(9_000, 11_000).map(lambda cents: cents / 100),
        "aux_price": st.integers(1, 10).map(float),
        "tif": st.sampled_from(["DAY", "GTC", "IOC", "FOK"]),
        "transmit": st.sampled_from([True, True, False]),
        "parent_id": st.sampled_from([0, 0, 0, 1, 2]),
        "oca_group": st.sampled_from(["", "", "g"]),
        "oca_type": st.integers(1, 3),
    }
)
STEPS = st.one_of(
    SENSIBLE.map(lambda fields: ("place", fields)),
    SENSIBLE.map(lambda fields: ("place", fields)),
    SENSIBLE.map(lambda fields: ("place", fields | {"contract": SPREAD, "limit_price": -1.0})),
    PLACE.map(lambda fields: ("place", fields)),
    st.tuples(st.just("cancel"), st.tuples(st.integers(0, 2), st.integers(1, 8))),
    st.tuples(st.just("run"), st.sampled_from([0.1, 1.0, 20.0])),
    st.tuples(st.just("run"), st.sampled_from([1.0, 5.0, 7200.0])),
    st.tuples(st.just("move"), st.floats(0.9, 1.1)),
    st.tuples(st.just("lever"), st.integers(0, 7)),
    st.tuples(st.just("cancel_all"), st.none()),
    st.tuples(st.just("restart"), st.none()),
)


def lever(world, number):
    exchange = world.exchange
    perm = next((one.perm_id for one in exchange.open_orders()), 0)
    last = world.executions()[-1:] or [None]
    match number:
        case 0:
            exchange.reject(perm_id=perm, text="No.")
        case 1:
            exchange.break_order(perm_id=perm, text="No.")
        case 2:
            exchange.fill(perm_id=perm, quantity=1, price=50.0)
        case 3 if last[0]:
            exchange.correct(exec_id=last[0].exec_id, price=last[0].price * 1.01)
        case 4 if last[0]:
            exchange.correct(exec_id=last[0].exec_id, price=0.0)
        case 5:
            exchange.assign(account=ACCOUNT, con_id=PUT, contracts=1)
        case 6:
            exchange.liquidate(account=ACCOUNT, con_id=XYZ, quantity=2)
        case 7:
            exchange.hold(seconds=0.5)


def do(world, step):
    kind, what = step
    match kind:
        case "place":
            fields = dict(what)
            request = world.request(**fields)
            world.exchange.what_if(request)
            world.exchange.place(request)
        case "cancel":
            world.exchange.cancel(model.OrderKey(client_id=what[0], order_id=what[1]))
        case "run":
            world.run(what)
        case "move":
            world.market.move(XYZ, round(world.market.spot(XYZ) * what, 2))
        case "lever":
            lever(world, what)
        case "cancel_all":
            world.exchange.cancel_all()
        case "restart":
            world.exchange.restore(world.exchange.save())


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(STEPS, max_size=25))
def test_nothing_anybody_does_breaks_the_exchange(steps):
    world = World(deposit=200_000)

    for step in steps:
        do(world, step)

    rebuilt, worth = explained(world)
    assert rebuilt == worth
    for view in (*world.exchange.open_orders(), *world.exchange.completed_orders()):
        assert view.filled <= view.request.quantity
        assert view.remaining == view.request.quantity - view.filled
    perms = [one.perm_id for one in world.exchange.open_orders()]
    assert len(set(perms)) == len(perms)
    codes = {one.notice.code for one in world.said if isinstance(one, model.OrderNoticed)}
    assert 0 not in codes
