"""The judge of the kills must find what it looks for: each harm, planted, is told by name."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soak import kill_checks
from soak.kill_record import Record
from soak.kill_truth import Fill, Truth, Working
from soak.kills import Terms, Verdict, lane_of
from thetawarden.domain.orders.intent import Intent, Lifetime, OrderRole, OrderStyle
from thetawarden.domain.orders.stages import Stage
from thetawarden.messages.orders import OrderStageChanged

PUT, OTHER = 7, 8
ENTRY, EXIT = "t1.open.x1.1", "t1.tp.x2.1"


def intent(ref, role):
    return Intent(
        order_ref=ref,
        trade="t1",
        strategy="index_puts",
        role=role,
        legs=(),
        units=2,
        style=OrderStyle.LIMIT,
        lifetime=Lifetime.DAY,
        limit_usd=Decimal("-1.50"),
    )


def staged(ref, stage, *, role=OrderRole.ENTRY, key="t1.entry"):
    return OrderStageChanged(
        order_ref=ref,
        trade="t1",
        strategy="index_puts",
        role=role,
        approval_key="A1",
        proposal_key=key,
        stage=stage,
        units=2,
        units_filled=2 if stage is Stage.FILLED else 0,
        perm_id=1,
        words="",
    )


def fill(ref, quantity, *, execution="0001.01.01", conid=PUT):
    return Fill(
        execution_id=execution,
        order_ref=ref,
        perm_id=1,
        conid=conid,
        is_combination=False,
        quantity=Decimal(quantity),
    )


def working(ref, quantity, *, group="", conid=PUT):
    return Working(order_ref=ref, perm_id=2, oca_group=group, legs={conid: Decimal(quantity)})


def truth(*, positions=None, orders=(), fills=(), perm_ids=None):
    positions = {conid: Decimal(count) for conid, count in (positions or {}).items()}
    return Truth(
        market_ns=0,
        positions=positions,
        shorts=frozenset(conid for conid, count in positions.items() if count < 0),
        cash_usd=Decimal(0),
        working=tuple(orders),
        fills=tuple(fills),
        perm_ids={ref: frozenset(numbers) for ref, numbers in (perm_ids or {}).items()},
    )


def record(*stages, booked=()):
    return Record(
        intents={ENTRY: intent(ENTRY, OrderRole.ENTRY), EXIT: intent(EXIT, OrderRole.TAKE_PROFIT)},
        stages={one.order_ref: one for one in stages},
        booked=dict.fromkeys(booked),
    )


FILLED = staged(ENTRY, Stage.FILLED)
PROTECTS = staged(EXIT, Stage.WORKING, role=OrderRole.TAKE_PROFIT)


def test_what_is_as_it_should_be_gives_no_finding():
    known = record(FILLED, PROTECTS, booked=["0001.01.01"])
    seen = truth(
        positions={PUT: -2},
        orders=[working(EXIT, 2)],
        fills=[fill(ENTRY, -2)],
        perm_ids={ENTRY: [1], EXIT: [2]},
    )

    assert list(kill_checks.repeated(known, seen)) == []
    assert list(kill_checks.lost_intents(known, seen)) == []
    assert list(kill_checks.lost(known, seen)) == []
    assert list(kill_checks.in_doubt(known)) == []
    assert list(kill_checks.unprotected(seen)) == []


@pytest.mark.parametrize(
    ("known", "seen", "words"),
    [
        (record(FILLED), truth(perm_ids={ENTRY: [1, 5]}), "2 times"),
        (
            record(FILLED, staged("t1.open.x9.2", Stage.WORKING)),
            truth(perm_ids={ENTRY: [1], "t1.open.x9.2": [3]}),
            "t1.entry reached the gateway as",
        ),
        (
            record(FILLED),
            truth(fills=[fill(ENTRY, -2), fill(EXIT, 4, execution="0002.01.01")]),
            "closed more than once",
        ),
    ],
)
def test_what_was_sent_twice_is_found(known, seen, words):
    assert any(words in one for one in kill_checks.repeated(known, seen))


def test_a_reference_that_was_intended_twice_is_found():
    known = record(FILLED)
    known.resubmitted.append(ENTRY)

    assert list(kill_checks.repeated(known, truth())) == [f"{ENTRY} was intended twice"]


def test_an_order_without_an_intent_is_found():
    seen = truth(perm_ids={"t2.open.x3.1": [4], "by hand": [5]})

    assert list(kill_checks.lost_intents(record(), seen)) == [
        "t2.open.x3.1 is at the gateway and was never intended"
    ]


@pytest.mark.parametrize(
    ("known", "seen", "words"),
    [
        (record(FILLED), truth(), "never followed"),
        (record(FILLED, PROTECTS), truth(), "does not work at the gateway"),
        (
            record(staged(ENTRY, Stage.CANCELLED), PROTECTS),
            truth(orders=[working(ENTRY, -2), working(EXIT, 2)]),
            "works at the gateway",
        ),
        (
            record(staged(ENTRY, Stage.ABSENT), PROTECTS),
            truth(orders=[working(EXIT, 2)], perm_ids={ENTRY: [1]}),
            "reached the gateway",
        ),
        (
            record(FILLED, PROTECTS),
            truth(orders=[working(EXIT, 2)], fills=[fill(ENTRY, -2)]),
            "is not booked",
        ),
    ],
)
def test_what_desk_and_gateway_do_not_agree_on_is_found(known, seen, words):
    assert any(words in one for one in kill_checks.lost(known, seen))


def test_an_order_in_doubt_is_found():
    assert len(list(kill_checks.in_doubt(record(staged(ENTRY, Stage.UNKNOWN))))) == 1


@pytest.mark.parametrize(
    ("orders", "bare"),
    [
        ([], True),
        ([working(EXIT, 1)], True),
        ([working(EXIT, 2, conid=OTHER)], True),
        ([working(EXIT, 1, group="g"), working("t1.stop.x3.1", 1, group="g")], True),
        ([working(EXIT, 2, group="g"), working("t1.stop.x3.1", 2, group="g")], False),
        ([working(EXIT, 1), working("t2.tp.x4.1", 1)], False),
    ],
)
def test_a_short_option_needs_orders_that_buy_all_of_it_back(orders, bare):
    seen = truth(positions={PUT: -2, OTHER: 1}, orders=orders)

    assert bool(list(kill_checks.unprotected(seen))) == bare


@given(st.integers(0, 400), st.integers(0, 60), st.integers(1, 16))
def test_the_lanes_of_a_campaign_share_its_kills_on_markets_of_their_own(desk, gateway, lanes):
    whole = Terms(folder=Path("x"), desk_kills=desk, gateway_kills=gateway, lanes=lanes)

    shares = [lane_of(whole, number) for number in range(lanes)]

    assert sum(one.desk_kills for one in shares) == desk
    assert sum(one.gateway_kills for one in shares) == gateway
    assert len({one.seed for one in shares}) == len({one.folder for one in shares}) == lanes


def test_what_the_lanes_found_is_added_up():
    whole = Verdict(seed=1)

    whole.take(Verdict(seed=5, kills={"desk": 2}, orders=3, wrong=["a"], settled_s=[9.0]))
    whole.take(Verdict(seed=6, kills={"desk": 1, "gateway": 4}, orders=4, halts=["b"]))

    assert (whole.kills, whole.orders) == ({"desk": 3, "gateway": 4}, 7)
    assert (whole.wrong, whole.halts, whole.seed) == (["a"], ["b"], 1)
    assert whole.figures["until all was settled, longest (s)"] == 9.0
