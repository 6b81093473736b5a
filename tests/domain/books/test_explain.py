"""Why the broker's book differs from ours: each cause by its evidence, and nothing without."""

import datetime as dt
from decimal import Decimal

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.domain.books.accounts import (
    ACCOUNT,
    CLIENT,
    FRIDAY,
    T0,
    bought,
    cost,
    index_option,
    option,
    position,
    stock,
)
from thetawarden.domain.books.amounts import CENT, to_cents
from thetawarden.domain.books.book import Book, cash_usd, holdings, with_commission, with_execution
from thetawarden.domain.books.cash import INTEREST_SLACK_FRACTION, CashEvidence
from thetawarden.domain.books.change import with_change
from thetawarden.domain.books.explain import Case, explain
from thetawarden.domain.books.gaps import find_gaps
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.market.contracts import Right

CALL, PUT = Right.CALL, Right.PUT
SATURDAY = FRIDAY + dt.timedelta(days=1)
START = Decimal(1_000_000)
OPTIONS = st.lists(  # strike, right, how many are held
    st.tuples(st.integers(480, 520), st.sampled_from((CALL, PUT)), st.integers(-4, 4).filter(bool)),
    min_size=1,
    max_size=5,
    unique_by=lambda one: one[:2],
)


def book_with(*lots):
    """A book that bought each of (instrument, quantity, price), all costs known."""
    book = Book(client_id=CLIENT, carried_usd={ACCOUNT: START})
    for number, (instrument, quantity, price) in enumerate(lots, start=1):
        book = with_execution(book, bought(instrument, quantity, price, number=number, at_s=number))
        book = with_commission(book, cost(number, "1"))
    return book


def told(book, *positions, paid="0", today=SATURDAY, agreed_on=FRIDAY, spots=None, **evidence):
    """Explain what the broker shows, its cash being ours and so much more."""
    theirs = cash_usd(book, ACCOUNT) + Decimal(paid)
    held = holdings(book)
    case = Case(
        account=ACCOUNT,
        book=book,
        holdings=held,
        spots_usd={name: Decimal(price) for name, price in (spots or {}).items()},
        evidence=CashEvidence(
            account=ACCOUNT, today=today, agreed_on=agreed_on, cash_usd=theirs, **evidence
        ),
    )
    gaps = find_gaps(held, positions, account=ACCOUNT)
    explanation = explain(gaps, rest_usd=theirs - cash_usd(book, ACCOUNT), case=case)
    after = book
    for number, change in enumerate(explanation.changes):
        after = with_change(after, change, account=ACCOUNT, at_ns=T0 + 10**12 + number)
    if not explanation.unexplained:
        assert find_gaps(holdings(after), positions, account=ACCOUNT) == ()
        assert abs(cash_usd(after, ACCOUNT) - theirs) < Decimal("0.01")
    return explanation, after


def causes(explanation):
    assert explanation.unexplained == ()
    return [one.cause for one in explanation.changes]


def test_nothing_differs_and_nothing_is_said():
    book = book_with((option(), -2, "1.50"))

    explanation, after = told(book, position(option(), -2, "149.50"))

    assert (causes(explanation), after) == ([], book)


@pytest.mark.parametrize(
    ("right", "held", "shares", "cause"),
    [
        (PUT, -2, 200, Cause.ASSIGNMENT),
        (CALL, -2, -200, Cause.ASSIGNMENT),
        (PUT, 2, -200, Cause.EXERCISE),
        (CALL, 2, 200, Cause.EXERCISE),
    ],
)
@pytest.mark.parametrize("day", [FRIDAY - dt.timedelta(days=9), SATURDAY])
def test_O19_an_option_gone_for_shares_at_the_strike_was_delivered(right, held, shares, cause, day):
    one = option(right=right)
    book = book_with((one, held, "1.50"))

    explanation, after = told(
        book, position(stock(), shares, "500"), paid=str(-500 * shares), today=day
    )

    assert causes(explanation) == [cause, cause]
    delivered = holdings(after)[f"{ACCOUNT}/1"]
    assert (delivered.quantity, delivered.average_cost_usd) == (shares, 500)
    assert holdings(after)[f"{ACCOUNT}/2"].realised_usd == -(held * 150 + 1)


def test_O19_a_covered_call_assigned_realises_the_shares_result():
    call = option(right=CALL)
    book = book_with((stock(), 100, "480"), (call, -1, "2.00"))

    explanation, after = told(book, paid="50000")

    assert causes(explanation) == [Cause.ASSIGNMENT, Cause.ASSIGNMENT]
    assert holdings(after)[f"{ACCOUNT}/1"].realised_usd == 50_000 - 48_001


def test_O19_only_part_of_a_short_may_be_assigned_at_the_pin():
    book = book_with((option(), -5, "1.50"))

    explanation, _ = told(book, position(stock(), 300, "500"), paid="-150000")

    assert causes(explanation) == [Cause.ASSIGNMENT, Cause.EXPIRY, Cause.ASSIGNMENT]
    assert [one.after - one.before for one in explanation.changes] == [3, 2, 300]


def test_several_options_that_end_together_are_told_apart_by_cash():
    lower, upper = option(2, "490"), option(4, "510")
    book = book_with((lower, -1, "1.00"), (upper, -1, "3.00"))
    shares = position(stock(), 100, "510")

    by_cash, _ = told(book, shares, paid="-51000")
    by_price, _ = told(book, shares, paid="-51000", spots={"SPY": "500"})

    for explanation in (by_cash, by_price):
        assert Cause.EXPIRY in causes(explanation)
        assigned = [one for one in explanation.changes if one.because_of == 4]
        assert {one.cause for one in assigned} == {Cause.ASSIGNMENT}


def test_an_option_that_expired_without_anything_moving_was_worthless():
    book = book_with((option(), -2, "1.50"))

    explanation, after = told(book)

    assert causes(explanation) == [Cause.EXPIRY]
    assert holdings(after)[f"{ACCOUNT}/2"].realised_usd == 299


def test_an_option_that_vanished_before_its_day_did_not_expire():
    book = book_with((option(), -2, "1.50"))

    explanation, _ = told(book, today=FRIDAY - dt.timedelta(days=3), paid="-100")

    assert explanation.changes == ()
    assert len(explanation.unexplained) == 2


@pytest.mark.parametrize(
    ("right", "held", "settled"),
    [(PUT, -1, "4987.65"), (PUT, 2, "4987.65"), (CALL, -3, "5012.3"), (CALL, 1, "5012.3")],
)
def test_a_cash_settled_option_is_worth_what_it_paid_at_one_settlement_price(right, held, settled):
    one = index_option(right=right)
    inside = abs(Decimal(settled) - 5000)
    book = book_with((one, held, "20"))

    explanation, after = told(book, paid=str(inside * 100 * held), spots={"SPX": "5003"})

    assert causes(explanation) == [Cause.SETTLEMENT]
    assert settled in explanation.changes[0].words
    assert holdings(after)[f"{ACCOUNT}/3"].realised_usd == (inside - 20) * 100 * held - 1


def test_a_settled_spread_shares_one_price():
    short, long = index_option(3, "5000"), index_option(6, "4950")
    book = book_with((short, -2, "20"), (long, 2, "8"))

    explanation, _ = told(book, paid="-4690", spots={"SPX": "4990"})

    assert causes(explanation) == [Cause.SETTLEMENT, Cause.EXPIRY]
    assert explanation.changes[0].cash_usd == -4690


def test_cash_that_no_likely_settlement_price_pays_is_not_explained():
    book = book_with((index_option(), -1, "20"))

    explanation, _ = told(book, paid="-300000", spots={"SPX": "5003"})

    assert explanation.changes == ()
    assert any("broker holds 0" in words for words in explanation.unexplained)


def test_an_am_settlement_and_a_pm_settlement_of_one_day_have_each_their_own_price():
    morning = index_option(3, "5000", trading_class="SPX")
    evening = index_option(6, "4900", CALL)
    book = book_with((morning, -1, "20"), (evening, 1, "100"))

    explanation, _ = told(book, paid="9000", spots={"SPX": "4990"})

    assert causes(explanation) == [Cause.SETTLEMENT, Cause.SETTLEMENT]
    assert [one.cash_usd for one in explanation.changes] == [-1000, 9000 + 1000]


@pytest.mark.parametrize(("new", "old"), [(2, 1), (3, 2), (1, 10), (20, 1)])
def test_shares_that_multiplied_at_the_same_cost_were_split(new, old):
    book = book_with((stock(), 300, "50"))
    shares = 300 * new // old

    explanation, after = told(book, position(stock(), shares, str(Decimal(15001) / shares)))

    assert causes(explanation) == [Cause.SPLIT]
    assert f"split {new} for {old}" in explanation.changes[0].words
    split = holdings(after)[f"{ACCOUNT}/1"]
    assert (split.quantity, split.cost_usd, split.realised_usd) == (shares, 15001, 0)


def test_what_is_left_of_a_share_after_a_split_is_paid_in_cash():
    book = book_with((stock(), 15, "10"))

    explanation, after = told(book, position(stock(), 7, "19.5"), paid="14.50")

    assert causes(explanation) == [Cause.SPLIT]
    assert holdings(after)[f"{ACCOUNT}/1"].cost_usd == Decimal("136.50")


def test_options_follow_a_split_to_the_series_with_the_divided_strike():
    old, new = option(2, "500"), option(7, "250")
    book = book_with((stock(), 100, "490"), (old, -1, "1.50"))

    explanation, after = told(book, position(stock(), 200, "245.005"), position(new, -2, "74.5"))

    assert causes(explanation) == [Cause.SPLIT] * 3
    assert holdings(after)[f"{ACCOUNT}/7"].cost_usd == -149


def test_an_option_that_keeps_its_number_gets_another_strike_and_multiplier():
    adjusted = msgspec.structs.replace(option(), strike=Decimal("333.3333"), multiplier=150)
    book = book_with((option(), -1, "1.50"))

    explanation, after = told(book, position(adjusted, -1, "149"))

    assert causes(explanation) == [Cause.SPLIT]
    assert holdings(after)[f"{ACCOUNT}/2"].instrument == adjusted


def test_units_that_moved_without_execution_and_without_cash_were_transferred():
    book = book_with((stock(), 100, "50"))

    came, after = told(book, position(stock(), 100, "50.01"), position(option(), 3, "120"))
    gone, _ = told(book)

    assert causes(came) == [Cause.TRANSFER]
    assert holdings(after)[f"{ACCOUNT}/2"].cost_usd == 360
    assert causes(gone) == [Cause.TRANSFER]


def test_a_trade_nobody_told_is_not_explained():
    book = book_with((stock(), 100, "50"))

    explanation, after = told(book, position(stock(), 150, "51"), paid="-2650")

    assert explanation.changes == ()
    assert explanation.unexplained == (
        "SPY: the broker holds 150, our book 100",
        f"cash of {ACCOUNT}: -2650.00 USD more than our book says",
    )
    assert after == book


def test_a_cost_that_was_never_told_is_read_off_the_cash():
    book = with_execution(
        book_with((stock(), 100, "50")), bought(option(), -2, "1.50", number=9, at_s=9)
    )

    explanation, after = told(
        book, position(stock(), 100, "50.01"), position(option(), -2, "149"), paid="0.73"
    )

    assert causes(explanation) == [Cause.COMMISSION]
    assert after.fills["0001.0009.01"].fees_usd == Decimal("1.37")


def test_a_dividend_comes_overnight_and_is_a_small_part_of_what_the_shares_are_worth():
    book = book_with((stock(), 100, "500"))
    shares = position(stock(), 100, "500.01")

    assert causes(told(book, shares, paid="178.12")[0]) == [Cause.DIVIDEND]
    assert told(book, shares, paid="178.12", today=FRIDAY)[0].unexplained
    assert told(book, shares, paid="9000")[0].unexplained
    assert told(book, shares, paid="-178.12")[0].unexplained
    assert causes(
        told(book_with((stock(), -100, "500")), position(stock(), -100, "499.99"), paid="-178.12")[
            0
        ]
    ) == [Cause.DIVIDEND]


def test_interest_is_paid_out_of_what_had_accrued():
    book = book_with()

    paid, _ = told(book, paid="31.07", accrued_interest_usd=(Decimal("31.0688"), Decimal("1.1")))
    more, _ = told(book, paid="99.00", accrued_interest_usd=(Decimal("31.0688"), Decimal("1.1")))
    turned, _ = told(book, paid="31.07", agreed_on=dt.date(2026, 2, 27))

    assert causes(paid) == causes(turned) == [Cause.INTEREST]
    assert more.unexplained


def test_what_had_accrued_in_dividends_and_has_not_any_more_was_paid():
    accrued = (Decimal("80.00"), Decimal("0.00"))

    explanation, _ = told(book_with(), paid="80.00", accrued_dividends_usd=accrued, today=FRIDAY)

    assert causes(explanation) == [Cause.DIVIDEND]


def test_a_future_pays_variation():
    future = Instrument(conid=5, kind=InstrumentKind.FUTURE, symbol="ES", multiplier=50)
    book = book_with((future, 1, "5000"))

    explanation, _ = told(book, position(future, 1, "250001"), paid="-1250")

    assert causes(explanation) == [Cause.VARIATION]


def test_cash_that_nothing_moves_is_reported_to_the_cent():
    explanation, _ = told(book_with(), paid="-0.01", today=FRIDAY)

    assert explanation.unexplained == (f"cash of {ACCOUNT}: -0.01 USD more than our book says",)


def test_what_is_sure_is_explained_though_something_else_is_not():
    book = book_with((stock(), 100, "500"), (option(), -1, "1.50"))

    explanation, after = told(book, position(stock(), 200, "500"), paid="-50017.77", today=FRIDAY)

    assert [one.cause for one in explanation.changes] == [Cause.ASSIGNMENT] * 2
    assert explanation.unexplained == (f"cash of {ACCOUNT}: -17.77 USD more than our book says",)
    assert holdings(after)[f"{ACCOUNT}/1"].quantity == 200


@settings(max_examples=120, deadline=None)
@given(
    OPTIONS,
    st.integers(47_000, 53_000).filter(lambda cents: cents % 100),
    st.integers(-3, 3),
)
def test_whatever_ends_at_an_expiry_the_book_agrees_with_the_broker_afterwards(
    options, spot_cents, lots
):
    spot, shares, paid = Decimal(spot_cents) / 100, Decimal(100 * lots), Decimal(0)
    bought_lots = [(stock(), 100 * lots, "500")] if lots else []
    for number, (strike, right, quantity) in enumerate(options):
        bought_lots.append((option(10 + number, str(strike), right), quantity, "2"))
        inside = spot > strike if right is CALL else spot < strike
        moved = (1 if right is CALL else -1) * quantity * 100 if inside else 0
        shares, paid = shares + moved, paid - moved * strike
    book = book_with(*bought_lots)

    positions = (position(stock(), shares, "500"),)
    explanation, after = told(book, *positions, paid=str(paid), spots={"SPY": str(spot)})

    assert explanation.unexplained == ()
    assert to_cents(cash_usd(after, ACCOUNT)) == to_cents(cash_usd(book, ACCOUNT) + paid)


ACCRUED = (Decimal("1541.2345"), Decimal("90.7"))


@pytest.mark.parametrize(
    ("settled", "paid", "accruals", "expected"),
    [
        ("0", "1541.23", {"accrued_interest_usd": ACCRUED}, [Cause.INTEREST]),
        ("0", "1539.80", {"accrued_interest_usd": ACCRUED}, [Cause.INTEREST]),
        ("-1235.00", "306.23", {"accrued_interest_usd": ACCRUED}, [Cause.INTEREST]),
        ("0", "80.00", {"accrued_dividends_usd": (Decimal(80), Decimal(0))}, [Cause.DIVIDEND]),
        ("0", "60.10", {}, [Cause.DIVIDEND]),
        (
            "0",
            "1621.23",
            {
                "accrued_interest_usd": ACCRUED,
                "accrued_dividends_usd": (Decimal(80), Decimal(0)),
            },
            [Cause.INTEREST, Cause.DIVIDEND],
        ),
        ("0", "1601.33", {"accrued_interest_usd": ACCRUED}, [Cause.INTEREST, Cause.DIVIDEND]),
    ],
)
def test_a_spread_that_settles_in_a_night_that_pays_something_else_is_no_riddle(
    settled, paid, accruals, expected
):
    short, long = index_option(3, "5000"), index_option(6, "4950")
    book = book_with((short, -1, "20"), (long, 1, "8"), (stock(), 100, "500"))
    spot = "5100" if settled == "0" else "4990"

    explanation, _ = told(
        book, position(stock(), 100, "500.01"), paid=paid, spots={"SPX": spot}, **accruals
    )

    ended = [Cause.EXPIRY if settled == "0" else Cause.SETTLEMENT, Cause.EXPIRY]
    assert causes(explanation) == [*ended, *expected]
    assert explanation.changes[0].cash_usd == Decimal(settled)


def test_cash_beside_an_option_that_may_have_been_worth_something_is_not_taken_for_a_dividend():
    """The index was last seen five points away: what it settled at is anybody's guess."""
    book = book_with((index_option(3, "5000"), -1, "20"), (stock(), 100, "500"))

    explanation, _ = told(
        book, position(stock(), 100, "500.01"), paid="60.10", spots={"SPX": "5005"}
    )

    assert explanation.changes == ()
    assert explanation.unexplained


@settings(max_examples=120, deadline=None)
@given(
    options=OPTIONS,
    price=st.integers(48_500, 51_500),
    interest=st.integers(100, 900_000),
)
@example(options=[(487, PUT, 1)], price=48_696, interest=19_950)
def test_whatever_settles_in_the_night_that_pays_interest_the_book_agrees_with_the_broker(
    options, price, interest
):
    settled, due = Decimal(price) / 100, Decimal(interest) / 100
    lots, paid = [], due
    for number, (strike, right, quantity) in enumerate(options):
        lots.append((index_option(10 + number, str(strike), right), quantity, "2"))
        inside = settled - strike if right is CALL else strike - settled
        paid += max(inside, Decimal(0)) * 100 * quantity
    book = book_with(*lots)

    explanation, _ = told(
        book,
        paid=str(paid),
        spots={"SPX": "500"},
        accrued_interest_usd=(due + Decimal("0.0012"), Decimal("0.31")),
    )

    assert Cause.INTEREST in causes(explanation)
    assert sum(one.cash_usd for one in explanation.changes) == paid
    as_interest = explanation.changes[-1].cash_usd
    if abs(paid - due) > due * INTEREST_SLACK_FRACTION + CENT:
        assert as_interest == due
    else:  # what settled is no more than what may have accrued meanwhile: either explains it
        assert as_interest in {due, paid}
