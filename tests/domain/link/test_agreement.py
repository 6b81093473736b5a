"""When a fetched book may be believed."""

import datetime as dt
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.broker.account import BrokerPosition
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.orders import (
    BrokerOrder,
    BrokerOrderState,
    Execution,
    latest_revisions,
)
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.link.agreement import (
    Rounds,
    asked,
    doubted,
    failed,
    fetched,
    fingerprint,
    judged,
)

APART = 10
PUT = Instrument(
    conid=1, kind=InstrumentKind.OPTION, symbol="SPX", expiry=dt.date(2026, 3, 20), multiplier=100
)


def fill(execution_id, quantity="1"):
    return Execution(
        execution_id=execution_id,
        instrument=PUT,
        quantity=Decimal(quantity),
        price_usd=Decimal("1.05"),
        at_ns=UnixNs(5),
        perm_id=7,
        order_id=1,
        client_id=17,
        order_ref="a.1",
        account="DU1",
    )


def order(perm_id, filled="0"):
    return BrokerOrder(
        perm_id=perm_id,
        order_id=1,
        client_id=17,
        order_ref="a.1",
        instrument=PUT,
        state=BrokerOrderState.WORKING,
        quantity=Decimal(2),
        filled=Decimal(filled),
        order_type="LMT",
    )


def held(conid, quantity):
    instrument = Instrument(conid=conid, kind=InstrumentKind.STOCK, symbol="SPY")
    return BrokerPosition(
        account="DU1",
        instrument=instrument,
        quantity=Decimal(quantity),
        average_cost_usd=Decimal(5),
    )


BOOK = {
    "orders": (order(1), order(2)),
    "executions": (fill("e.01"), fill("f.01")),
    "positions": (held(1, "3"), held(2, "-1")),
}


def test_the_order_in_which_a_book_is_told_does_not_matter():
    turned = {name: tuple(reversed(part)) for name, part in BOOK.items()}

    assert fingerprint(**turned) == fingerprint(**BOOK)


def test_anything_that_matters_makes_another_book():
    others = (
        BOOK | {"orders": (order(1), order(2, filled="1"))},
        BOOK | {"executions": (fill("e.02"), fill("f.01"))},
        BOOK | {"positions": (held(1, "3"), held(2, "1"))},
        BOOK | {"positions": (held(1, "3"),)},
    )

    assert len({fingerprint(**book) for book in (BOOK, *others)}) == 5


def test_one_fetch_proves_nothing_and_neither_do_two_too_close_together():
    once = fetched(asked(Rounds()), book="a", now=100, apart_ns=APART)
    soon = fetched(asked(once), book="a", now=109, apart_ns=APART)
    later = fetched(asked(soon), book="a", now=110, apart_ns=APART)

    assert (once.confirmed, soon.confirmed, later.confirmed) == (0, 0, 3)


def test_the_keeper_has_to_agree_with_the_confirmed_round_or_a_later_one():
    rounds = fetched(asked(Rounds()), book="a", now=0, apart_ns=APART)
    rounds = fetched(asked(judged(rounds, number=1)), book="a", now=10, apart_ns=APART)

    assert not rounds.agreed
    assert judged(rounds, number=2).agreed


steps = st.lists(
    st.one_of(
        st.tuples(st.just("fetch"), st.sampled_from("ab"), st.integers(0, 15)),
        st.just(("fail",)),
        st.just(("doubt",)),
        st.just(("judge",)),
    ),
    max_size=40,
)


@given(steps)
def test_agreed_means_the_same_whole_book_twice_apart_and_the_keeper_behind_it(sequence):
    rounds, now, run = Rounds(), 0, []
    for one in sequence:
        match one:
            case ("fetch", book, passed):
                now += passed
                rounds = fetched(asked(rounds), book=book, now=now, apart_ns=APART)
                run = [*(run if run and run[-1][0] == book else []), (book, now)]
            case ("fail",):
                rounds, run = failed(asked(rounds)), []
            case ("doubt",):
                rounds, run = doubted(rounds), []
            case _:
                rounds = judged(rounds, number=rounds.asked)
        if rounds.agreed:
            assert run[-1][1] - run[0][1] >= APART


def test_the_keepers_word_on_the_latest_book_covers_also_a_fetch_under_way():
    rounds = judged(fetched(asked(Rounds()), book="a", now=UnixNs(0), apart_ns=APART), number=1)
    under_way = asked(rounds)
    unjudged = fetched(under_way, book="b", now=UnixNs(1), apart_ns=APART)

    assert not Rounds().latest_is_ours
    assert rounds.latest_is_ours
    assert under_way.latest_is_ours
    assert not unjudged.latest_is_ours
    assert judged(unjudged, number=2).latest_is_ours


def test_a_correction_replaces_the_fill_whatever_came_first():
    told = [fill("e.02", "2"), fill("f.01", "5"), fill("e.01", "1"), fill("e.10", "3")]

    latest = latest_revisions(told)

    assert [(one.execution_id, one.quantity) for one in latest] == [
        ("e.10", Decimal(3)),
        ("f.01", Decimal(5)),
    ]
