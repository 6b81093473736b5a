"""The book: the same whatever the order of reports, exact to the last decimal, nothing lost."""

from decimal import Decimal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.books.accounts import (
    ACCOUNT,
    CLIENT,
    SECOND,
    T0,
    bought,
    cost,
    index_option,
    option,
    position,
    stock,
)
from thetawarden.domain.books.book import (
    Book,
    carried_forward,
    cash_usd,
    cause_of,
    holding_of,
    holdings,
    opened_book,
    realised_usd,
    with_commission,
    with_execution,
    with_inferred,
    with_move,
)
from thetawarden.domain.books.fills import CommissionKind
from thetawarden.domain.books.holding import Cause, Move
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.orders import Commission, Execution

INSTRUMENTS = (stock(), option(2), index_option(3))


def book_of(*reports, start=None):
    book = start or Book(client_id=CLIENT, carried_usd={ACCOUNT: Decimal(100_000)})
    for report in reports:
        fold = with_execution if isinstance(report, Execution) else with_commission
        book = fold(book, report)
    return book


def held(book, instrument):
    return holding_of(book, ACCOUNT, instrument)


def facts(book):
    """All that a book says, without the order in which its parts were told."""
    told = {key: msgspec.structs.asdict(one) for key, one in holdings(book).items()}
    return told, cash_usd(book, ACCOUNT), realised_usd(book), dict(sorted(book.fills.items()))


@st.composite
def reports(draw):
    """A day's true story as reports: fills, corrections, busts, and most of the costs."""
    told = []
    for number in range(1, draw(st.integers(1, 8)) + 1):
        instrument = draw(st.sampled_from(INSTRUMENTS))
        quantity = draw(st.integers(-5, 5).filter(bool))
        price = Decimal(draw(st.integers(1, 60_000))) / 100
        first = bought(instrument, quantity, price, number=number, at_s=draw(st.integers(0, 5)))
        told.append(first)
        last = draw(st.sampled_from((1, 1, 1, 2, 3)))
        for revision in range(2, last + 1):
            busted = draw(st.booleans()) and revision == last
            told.append(
                msgspec.structs.replace(
                    first,
                    execution_id=f"0001.{number:04d}.01.{revision:02d}",
                    price_usd=Decimal(0) if busted else price + revision,
                )
            )
        if draw(st.integers(0, 3)):
            cents = Decimal(draw(st.integers(-200, 900_00))) / 10_000
            told.append(cost(number, cents, revision=draw(st.integers(1, last))))
    return told


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_order_and_any_repetition_of_reports_gives_the_same_book(data):
    told = data.draw(reports())
    repeated = told + data.draw(st.lists(st.sampled_from(told), max_size=6))
    shuffled = data.draw(st.permutations(repeated))

    assert facts(book_of(*shuffled)) == facts(book_of(*told))


@settings(max_examples=150, deadline=None)
@given(reports())
def test_cash_and_cost_are_conserved_to_the_last_decimal(told):
    book = book_of(*told)
    all_held = holdings(book).values()

    moved = cash_usd(book, ACCOUNT) - 100_000

    assert moved == sum(one.flow_usd for one in all_held)
    assert moved == sum(one.realised_usd - one.cost_usd for one in all_held)
    assert sum(one.fees_usd for one in all_held) == sum(one.fees_usd for one in book.fills.values())


@settings(max_examples=100, deadline=None)
@given(reports())
def test_a_position_is_the_sum_of_the_latest_revisions_of_its_fills(told):
    latest = {}
    for one in told:
        if isinstance(one, Execution):
            base = one.execution_id[:-3]
            latest[base] = max(latest.get(base, one), one, key=lambda each: each.execution_id)
    kept = [one for one in latest.values() if one.price_usd]

    book = book_of(*told)

    for instrument in INSTRUMENTS:
        mine = [one.quantity for one in kept if one.instrument == instrument]
        assert held(book, instrument).quantity == sum(mine)


@settings(max_examples=100, deadline=None)
@given(reports(), st.integers(0, 6))
def test_carrying_a_balance_forward_changes_nothing_that_the_book_says(told, day_s):
    book = book_of(*told)

    later = carried_forward(book, T0 + day_s * SECOND)

    assert cash_usd(later, ACCOUNT) == cash_usd(book, ACCOUNT)
    assert realised_usd(later) == realised_usd(book)
    open_before = {key: one for key, one in holdings(book).items() if one.quantity}
    open_after = {key: one for key, one in holdings(later).items() if one.quantity}
    assert {key: (one.quantity, one.cost_usd) for key, one in open_after.items()} == {
        key: (one.quantity, one.cost_usd) for key, one in open_before.items()
    }


def test_what_was_explained_is_carried_forward_with_the_rest():
    book = book_of(bought(option(), -1, "1.50"), cost(1, "1"))
    assigned = Move(
        key="assignment:1",
        at_ns=T0 + SECOND,
        instrument=option(),
        quantity=Decimal(1),
        gross_usd=Decimal(0),
        cause=Cause.ASSIGNMENT,
    )
    book = with_move(with_move(book, ACCOUNT, assigned), ACCOUNT, assigned)

    steps = [carried_forward(book, T0 + number * SECOND) for number in (0, 1, 2)]
    later = carried_forward(steps[1], T0 + 9 * SECOND)

    for one in (*steps, later):
        assert (cash_usd(one, ACCOUNT), realised_usd(one)) == (100_149, {"DU1/SPY": 149})
        assert [each for each in holdings(one).values() if each.quantity] == []
    assert later.moves == {}


@settings(max_examples=60, deadline=None)
@given(reports())
def test_a_book_survives_the_message_log(told):
    book = book_of(*told)

    again = msgspec.msgpack.decode(msgspec.msgpack.encode(book), type=Book)

    assert again == book


def test_average_cost_includes_the_multiplier_and_the_commission():
    book = book_of(
        bought(option(), -2, "1.50", number=1),
        cost(1, "2.10"),
        bought(stock(), 100, "50", number=2),
    )

    assert held(book, option()).average_cost_usd == Decimal("148.95")
    assert held(book, option()).cost_usd == Decimal("-297.90")
    assert held(book, stock()).average_cost_usd == Decimal("50.01")


def test_closing_realises_at_average_cost_net_of_both_commissions():
    book = book_of(
        bought(option(), -1, "1.00", number=1, at_s=0),
        bought(option(), -1, "2.00", number=2, at_s=1),
        bought(option(), 1, "0.50", number=3, at_s=2),
        *(cost(number, "1.00") for number in (1, 2, 3)),
    )

    holding = held(book, option())

    assert holding.quantity == -1
    assert holding.realised_usd == Decimal("149.00") - Decimal("51.00")
    assert holding.unrealised_usd(Decimal("1.20")) == Decimal("149.00") - Decimal("120.00")


def test_selling_through_zero_closes_one_position_and_opens_another():
    book = book_of(
        bought(stock(), 100, "10", number=1, at_s=0),
        bought(stock(), -300, "12", number=2, at_s=1),
        cost(1, "0"),
        cost(2, "3"),
    )

    holding = held(book, stock())

    assert (holding.quantity, holding.cost_usd) == (-200, Decimal(-2398))
    assert holding.realised_usd == Decimal(199)


def test_O04_a_repeated_execution_has_no_effect():
    fill = bought(option(), -1, "1.50")

    assert book_of(fill, fill, fill) == book_of(fill)


def test_O07_a_cost_that_is_never_told_is_estimated_and_one_that_comes_late_replaces_it():
    fill = bought(option(), -3, "1.50")
    estimated = book_of(fill)
    assert held(estimated, option()).fees_usd == Decimal("3.15")
    (only,) = estimated.fills.values()
    assert only.commission_kind is CommissionKind.ESTIMATED

    inferred = with_inferred(estimated, only.base, Decimal("2.00"))
    told = with_commission(inferred, cost(1, "2.37"))

    assert held(inferred, option()).fees_usd == Decimal("2.00")
    assert held(told, option()).fees_usd == Decimal("2.37")
    assert facts(book_of(cost(1, "2.37"), fill))[:3] == facts(told)[:3]


def test_O08_a_correction_replaces_a_fill_and_a_bust_removes_it():
    fill = bought(option(), -1, "1.50")
    corrected = bought(option(), -1, "1.55", revision=2)
    busted = bought(option(), -1, "0", revision=3)

    assert held(book_of(fill, corrected), option()).flow_usd == Decimal("153.95")
    assert held(book_of(busted, fill, corrected), option()).quantity == 0
    assert cash_usd(book_of(fill, corrected, busted), ACCOUNT) == 100_000


def test_a_trade_at_no_price_that_was_never_corrected_is_a_trade():
    assert held(book_of(bought(option(), 1, "0")), option()).quantity == 1


def test_a_combination_moves_nothing_but_its_legs_do():
    combo = Instrument(conid=9, kind=InstrumentKind.COMBO, symbol="SPY")
    whole = bought(combo, 1, "-0.40", number=1)
    legs = [
        bought(option(2, "500"), -1, "1.00", number=2, execution_id="0001.0001.02.01.01"),
        bought(option(4, "490"), 1, "0.60", number=3, execution_id="0001.0001.03.01.01"),
    ]

    book = book_of(whole, *legs)

    assert {key: one.quantity for key, one in holdings(book).items()} == {"DU1/2": -1, "DU1/4": 1}
    assert cash_usd(book, ACCOUNT) == 100_000 + 40 - Decimal("2.10")


def test_the_fuller_description_of_a_contract_is_kept():
    bare = msgspec.structs.replace(option(), trading_class="")

    for order in ((bare, option()), (option(), bare)):
        fills = [bought(one, -1, "1", number=number) for number, one in enumerate(order, start=1)]
        assert held(book_of(*fills), bare).instrument == option()


def test_a_future_moves_no_cash_but_its_commission():
    future = Instrument(conid=5, kind=InstrumentKind.FUTURE, symbol="ES", multiplier=50)

    book = book_of(bought(future, 1, "5000"), cost(1, "2.25"))

    assert cash_usd(book, ACCOUNT) == Decimal(100_000) - Decimal("2.25")
    assert held(book, future).average_cost_usd == Decimal("250002.25")


def test_an_adopted_book_holds_what_the_broker_holds_and_counts_no_fill_twice():
    fill = bought(option(), -1, "1.50")
    start = opened_book(
        client_id=CLIENT,
        positions=(position(option(), -1, "148.95"), position(stock(), 0)),
        cash_usd={ACCOUNT: Decimal("5000.00")},
        executions=(fill,),
        at_ns=T0,
    )

    book = book_of(fill, cost(1, "1.05"), start=start)

    assert (held(book, option()).quantity, held(book, option()).cost_usd) == (
        -1,
        Decimal("-148.95"),
    )
    assert cash_usd(book, ACCOUNT) == Decimal("5000.00")
    closed = book_of(bought(option(), 1, "1.00", number=2, at_s=9), cost(2, "1"), start=book)
    assert held(closed, option()).realised_usd == Decimal("47.95")


def test_a_correction_of_a_fill_that_was_adopted_counts_as_what_it_changed():
    fill = bought(option(), -2, "1.50")
    start = opened_book(
        client_id=CLIENT,
        positions=(position(option(), -2, "149"),),
        cash_usd={ACCOUNT: Decimal(0)},
        executions=(fill,),
        at_ns=T0,
    )

    cheaper = book_of(bought(option(), -2, "1.40", revision=2), start=start)
    busted = book_of(bought(option(), -2, "0", revision=2), start=start)

    assert (held(cheaper, option()).quantity, cash_usd(cheaper, ACCOUNT)) == (-2, Decimal(-20))
    assert (held(busted, option()).quantity, cash_usd(busted, ACCOUNT)) == (0, Decimal(-300))


def test_who_made_a_fill_happen_is_read_off_its_order():
    book = Book(client_id=CLIENT)
    told = {
        Cause.TRADE: {},
        Cause.MANUAL_TRADE: {"order_ref": "", "client_id": 0},
        Cause.LIQUIDATION: {"liquidation": True, "order_ref": ""},
        Cause.ASSIGNMENT: {"perm_id": 0, "order_id": 0, "client_id": 0, "order_ref": ""},
    }

    for cause, fields in told.items():
        assert cause_of(book, bought(stock(), 1, "1", **fields)) is cause
    other_client = bought(stock(), 1, "1", client_id=CLIENT + 1)
    assert cause_of(book, other_client) is Cause.MANUAL_TRADE


def test_costs_of_fills_that_never_come_are_bounded():
    book = Book()
    for number in range(1_200):
        book = with_commission(
            book, Commission(execution_id=f"a.{number}.01", commission_usd=Decimal(1))
        )

    assert len(book.waiting) == 1_000
