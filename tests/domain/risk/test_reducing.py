"""What reduces risk is proved by losses and margin; what it is called does not matter."""

import math

import msgspec
import pytest

from thetawarden.domain.regime.event_factor import EarningsRisk
from thetawarden.domain.risk.candidate import Purpose


@pytest.fixture(scope="session")
def legs(world):
    """Things to hold and to trade, all of one name but for the index puts."""
    return {
        "put": world.option("AAA", 90),
        "lower": world.option("AAA", 80),
        "lowest": world.option("AAA", 50),
        "later": world.option("AAA", 80, days=60),
        "near": world.option("AAA", 98, days=5),
        "bound": world.option("AAA", 70, days=60),
        "longer": world.option("AAA", 90, days=60),
        "call": world.option("AAA", 115, is_call=True),
        "above": world.option("AAA", 102, is_call=True),
        "higher": world.option("AAA", 125, is_call=True),
        "deep": world.option("AAA", 200),
        "stock": world.shares("AAA"),
    }


def judged(world, legs, held, order, *, units=1, unknown=False, **changes):
    """The proof for an order (no margin answer) on a book, both as {name: contracts}."""
    book = world.held_book(*(world.hold(legs[name], n) for name, n in held.items()))
    cand = world.candidate(
        *(world.leg(legs[name], ratio) for name, ratio in order.items()), units=units
    )
    cand = msgspec.structs.replace(cand, whatif=None, **changes)
    view = world.market() if unknown else None
    return world.review(cand, held=book, view=view).reduction


@pytest.mark.parametrize(
    ("held", "order"),
    [
        ({"put": -3}, {"put": 1}),  # buy back, whole or in part
        ({"put": -3}, {"put": 3}),
        ({"put": -1, "lower": 1}, {"put": 1, "lower": -1}),  # a spread as a whole
        ({"put": -1, "lower": 1}, {"put": 1}),  # its short leg alone
        ({"call": -1, "higher": 1}, {"call": 1, "higher": -1}),
        ({"put": -3, "call": -3}, {"call": 1}),  # the call side of a strangle
        ({"put": -3, "call": -3}, {"put": 1}),
        ({"stock": 300}, {"stock": -100}),
        ({"stock": -300}, {"stock": 100}),
        ({"stock": 100, "call": -1}, {"stock": -100, "call": 1}),  # a covered call as a whole
        ({"put": -3}, {"lower": 1}),  # a hedge
        ({"stock": 300}, {"put": 3}),
        ({"put": -1}, {"put": 1, "lowest": -1}),  # a roll far down
        ({"near": -1}, {"near": 1, "longer": -1}),  # and out: a rise would have brought more
        ({"near": -2, "call": -2}, {"near": 2, "longer": -2}),
        ({"put": -1, "lower": 1}, {"put": 1, "lower": -1, "later": -1, "bound": 1}),
        ({"stock": 100}, {"above": -1}),  # a covered call: only a rise is forgone
        ({"stock": 200, "call": -1}, {"above": -1}),
    ],
)
def test_what_makes_losses_smaller_is_proved(world, legs, held, order):
    for purpose in Purpose:
        found = judged(world, legs, held, order, purpose=purpose)
        assert found.proved, found.words


@pytest.mark.parametrize(
    ("held", "order"),
    [
        ({}, {"put": -1}),
        ({"put": -3}, {"put": -1}),
        ({"put": -1, "lower": 1}, {"lower": -1}),  # takes the protection away
        ({"call": -1, "higher": 1}, {"higher": -1}),
        ({"stock": 100, "call": -1}, {"stock": -100}),  # leaves the call naked
        ({"put": -1}, {"put": 1, "lower": -3}),  # a roll that sells more
        ({"put": -1}, {"put": 1, "later": -2}),
        ({"put": -1}, {"put": 1, "longer": -1}),  # a roll to the same strike, for longer
        ({"near": -1}, {"near": 1, "longer": -2}),
        ({"near": -1}, {"near": 1, "higher": -1}),  # the other side in its place
        ({"near": -1, "call": -1}, {"near": 1, "longer": -1, "call": -1}),
        ({"near": -1, "later": 1}, {"near": 1, "longer": -1, "later": -1}),  # and its bound with it
        ({}, {"put": 1}),  # a long put on nothing
        ({"put": -3}, {"deep": 1}),  # a hedge that costs more than it saves
        ({"stock": 300, "put": 3}, {"put": -3}),  # frees margin and takes the floor away
        ({"put": -3}, {"call": -1, "higher": 1}),  # the other side earns in a fall, and is no hedge
        ({"put": -1, "lowest": 1}, {"call": -1, "higher": 1}),  # a condor, margin for one side
        ({"stock": 300}, {"put": -1}),
        ({"stock": 50}, {"above": -1}),  # more than the shares cover
        ({"stock": 100}, {"above": -2}),
        ({"stock": 100, "call": -1}, {"above": -1}),  # the shares are taken
        ({"stock": 100}, {"above": -1, "put": -1}),
        ({"stock": 100}, {"higher": -1}),  # brings less than it may cost in a panic
    ],
)
def test_what_does_not_is_not_whatever_it_is_called(world, legs, held, order):
    for purpose in Purpose:
        found = judged(world, legs, held, order, purpose=purpose)
        assert not found.proved, found.words


def test_a_roll_across_a_report_is_an_entry(world, legs):
    def rolls(earnings):
        order = {"near": 1, "longer": -1}
        return judged(world, legs, {"near": -1}, order, earnings=earnings).proved

    assert [rolls(risk) for risk in (None, *EarningsRisk)] == [
        True,
        *(risk is EarningsRisk.CLEAR for risk in EarningsRisk),
    ]


def test_shares_cover_no_second_call_while_the_first_may_yet_fill(world, legs):
    held = world.held_book(world.hold(legs["stock"], 100))
    first = world.candidate(world.leg(legs["call"], -1), margin=0.0)
    second = world.candidate(world.leg(legs["above"], -1), whatif=None)

    assert world.review(second, held=held).reduction.proved
    assert not world.review(second, held=held, orders=[world.pending(first)]).reduction.proved


@pytest.mark.parametrize("tonight", [True, None])
def test_a_covered_call_before_a_dividend_is_an_entry(world, legs, tonight):
    found = judged(world, legs, {"stock": 100}, {"above": -1}, ex_dividend_tonight=tonight)

    assert not found.proved


def test_a_roll_may_deepen_no_loss_by_more_than_the_worst_shrinks(world, legs):
    """A rise of volatility alone costs what lives longer more; a year of it, too much more."""
    found = {}
    for name, days in (("months", 60), ("years", 900)):
        both = {"near": legs["near"], "far": world.option("AAA", 93, days=days)}
        found[name] = judged(world, both, {"near": -1}, {"near": 1, "far": -1})

    assert found["months"].proved
    assert not found["years"].proved
    assert found["years"].worst_after_usd < found["years"].worst_before_usd


def test_the_proof_shows_its_numbers(world, legs):
    found = judged(world, legs, {"put": -3}, {"put": 1})

    assert found.worst_after_usd == pytest.approx(found.worst_before_usd * 2 / 3)
    assert found.margin_after_usd == pytest.approx(found.margin_before_usd * 2 / 3)
    assert found.paid_usd > 0.0
    assert "it only buys back short options" in found.words


def test_the_broker_s_margin_outranks_the_model_s(world, legs):
    held = world.held_book(world.hold(legs["put"], -3))

    def hedges(margin):
        hedge = world.candidate(world.leg(legs["lower"], 1), margin=margin)
        return world.review(hedge, held=held).reduction.proved

    assert [hedges(-900.0), hedges(0.0), hedges(5_000.0)] == [True, True, False]
    hedge = world.candidate(world.leg(legs["lower"], 1), margin=-900.0)
    dearer = msgspec.structs.replace(hedge.whatif, maintenance_change_usd=5_000.0)
    worse = msgspec.structs.replace(hedge, whatif=dearer)
    assert not world.review(worse, held=held).reduction.proved


@pytest.mark.parametrize("nonsense", [math.nan, math.inf, 1.7976931348623157e308])
def test_a_nonsense_margin_answer_does_not_trap_a_position(world, legs, nonsense):
    cand = world.candidate(world.leg(legs["put"], 1), purpose=Purpose.CLOSE, margin=nonsense)
    held = world.held_book(world.hold(legs["put"], -3))

    assert world.review(cand, held=held).approved


@pytest.mark.parametrize(
    ("held", "order", "proved"),
    [
        ({"put": -3}, {"put": 1}, True),
        ({"put": -1, "lower": 1}, {"put": 1, "lower": -1}, True),
        ({"stock": 300}, {"stock": -100}, True),
        ({"put": -1, "lower": 1}, {"lower": -1}, False),
        ({"call": -1, "higher": 1}, {"higher": -1}, False),
        ({"stock": 100, "call": -1}, {"stock": -100}, False),
        ({"put": -3}, {"lower": 1}, False),
        ({"put": -1}, {"put": 1, "lowest": -1}, False),
    ],
)
def test_without_a_valuation_taking_away_is_proved_by_payoffs(world, legs, held, order, proved):
    blind = judged(world, legs, {**held, "later": -1}, order, unknown=True)

    assert blind.proved is proved
    assert "cannot be valued" in blind.words


def test_a_dead_feed_does_not_trap_a_position(world, legs):
    """No quote, no marks in the market, an old book, no account, no regime, halted: still out."""
    put = legs["put"]
    held = world.held_book(world.hold(put, -3), at_ns=0, reconciled=False)
    buy = world.candidate(
        world.leg(put, 1, quote=None), limit=0.1, purpose=Purpose.CLOSE, whatif=None
    )
    blind = world.desk(account=None, regime=None, equity=world.equity(nlv_usd=None))

    reviewed = world.review(buy, held=held, own_desk=blind, view=world.market())

    assert reviewed.units == 1
    assert "cannot be valued" in reviewed.reduction.words


def test_the_wide_collar_still_holds_a_reducing_order(world, legs):
    put = legs["put"]
    held = world.held_book(world.hold(put, -3))

    def buys(limit):
        cand = world.candidate(world.leg(put, 1), limit=limit, purpose=Purpose.CLOSE, margin=-500.0)
        return world.review(cand, held=held).approved

    assert [buys(1.2), buys(1.5), buys(1.51), buys(90.0)] == [True, True, False, False]


@pytest.mark.parametrize(
    ("held", "order"), [({"stock": 100}, {"stock": -100}), ({"put": -3}, {"put": 3})]
)
def test_what_is_being_closed_cannot_be_closed_again_by_another_name(world, legs, held, order):
    """The second sale of the same shares would open a short position."""
    book = world.held_book(*(world.hold(legs[name], n) for name, n in held.items()))
    cand = world.candidate(*(world.leg(legs[name], n) for name, n in order.items()), whatif=None)
    first = world.review(cand, held=book)
    waiting = world.pending(world.candidate(*cand.legs, margin=0.0), reducing=True)

    again = world.review(cand, held=book, orders=[waiting])

    assert first.reduction.proved
    assert not again.reduction.words.startswith(("it takes away", "it only buys back"))
    assert again.reduction.proved is ("put" in held)  # long puts lose what they cost and no more


def test_shares_are_not_sold_twice_before_the_first_sale_has_filled(world, legs):
    held = world.held_book(world.hold(legs["stock"], 100))
    sale = world.candidate(world.leg(legs["stock"], -100), whatif=None)
    waiting = world.pending(world.candidate(*sale.legs, margin=0.0), reducing=True)

    assert world.review(sale, held=held).reduction.proved
    again = world.review(sale, held=held, orders=[waiting])
    assert not again.approved
    assert "once all that is pending fills" in again.reduction.words
