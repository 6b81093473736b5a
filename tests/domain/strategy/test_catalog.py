"""What strategies answer: never inside the bounds a person set, and every reason."""

import datetime as dt

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from bench.watched import NOW
from tests.domain.strategy.scenes import (
    book,
    changed,
    figures,
    regime,
    scene_of,
    settings,
    terms_of,
    view_of,
    with_series,
)
from thetawarden.domain.chains.view import read_rows
from thetawarden.domain.instants import new_york_ns
from thetawarden.domain.market.events import Earnings, EarningsCalendar
from thetawarden.domain.regime.factors import EntryPolicy
from thetawarden.domain.risk.finding import Verdict
from thetawarden.domain.strategy.candidate import Candidate, Nothing
from thetawarden.domain.strategy.catalog import STRATEGIES, look
from thetawarden.domain.strategy.portfolio import Sold
from thetawarden.domain.strategy.strategy import Strategy

NAMES = tuple(one.name for one in STRATEGIES)
SIZE = len(read_rows(view_of()).conid)
ROWS = st.integers(0, SIZE - 1)
doubts = st.dictionaries(ROWS, st.integers(1, 5), max_size=SIZE // 2)
interests = st.dictionaries(ROWS, st.sampled_from([0.0, 50.0, 300.0, 5000.0]), max_size=80)


def everything(**changes):
    """Every strategy on SPX, wings narrow enough for a chain of few strikes."""
    narrow = {"width_points_min": 10.0, "width_points_max": 60.0}
    terms = {
        name: terms_of(name, underlyings=("SPX", "ACME"), **(narrow | changes)) for name in NAMES
    }
    return settings(terms=terms)


def found(view=None, chosen=None, **how):
    scene = scene_of(view, **how)
    return scene, look(scene, chosen or everything())


def passing(looked):
    return [one for one in looked.candidates if one.passes]


def test_every_strategy_answers_with_a_candidate_or_why_not_for_every_expiry():
    _, looked = found(figures=figures(ema20=6300.0, ema50=6200.0))

    for name in NAMES:
        answers = [one for one in (*looked.candidates, *looked.nothing) if one.strategy == name]
        assert len(answers) == 4, name
    assert {"index_puts", "put_spreads"} <= {one.strategy for one in passing(looked)}


@hypothesis(max_examples=60)
@given(doubted=doubts, held=interests, floor=st.floats(0.0, 0.05))
def test_what_passes_rests_on_usable_liquid_quotes_inside_every_bound(doubted, held, floor):
    view = changed(view_of(), doubt=doubted, open_interest=held)
    scene, looked = found(view, everything(otm_fraction_min=floor))

    usable = dict(zip(scene.rows.conid.tolist(), scene.rows.usable.tolist(), strict=True))
    for one in looked.candidates:
        assert all(usable[conid] for conid in one.conids)
        assert len({leg.instrument.expiry for leg in one.legs}) == 1
        if not one.passes:
            assert any(reason.verdict is Verdict.REFUSE for reason in one.reasons)
            continue
        assert one.otm_fraction >= floor - 1e-6
        for leg in one.shorts:
            put_bound = 0.30 if one.strategy == "stock_puts" else 0.10
            bound = 0.03 if leg.instrument.right == "C" else put_bound
            assert abs(leg.delta_per_share) <= bound + 1e-6
            assert leg.open_interest >= 100.0
            assert leg.ask_usd - leg.bid_usd <= 0.25 * leg.mid_usd + 1e-9


@hypothesis(max_examples=40)
@given(doubted=doubts)
def test_what_is_bought_lies_beyond_what_is_sold_and_bounds_the_loss(doubted):
    _, looked = found(changed(view_of(), doubt=doubted))

    for one in looked.candidates:
        longs = [leg for leg in one.legs if leg.ratio > 0]
        assert one.naked == (not longs)
        if one.naked:
            continue
        for long in longs:
            (short,) = (s for s in one.shorts if s.instrument.right == long.instrument.right)
            beyond = long.instrument.strike - short.instrument.strike
            beyond *= 1 if long.instrument.right == "C" else -1
            assert 10 <= beyond <= 60
            assert long.instrument.expiry == short.instrument.expiry
        assert one.loss_usd_max == pytest.approx(max(one.width_usd - one.credit_usd, 0.0))


@hypothesis(max_examples=40)
@given(row=ROWS, fewer=st.floats(0.0, 1.0))
def test_worse_liquidity_never_makes_a_better_score(row, fewer):
    before = read_rows(view_of()).open_interest[row]
    _, sound = found()
    _, worse = found(changed(view_of(), open_interest={row: before * fewer}))

    scores = {(*one.conids, one.strategy): one for one in sound.candidates}
    for one in worse.candidates:
        same = scores.get((*one.conids, one.strategy))
        if same is not None:
            assert one.score <= same.score + 1e-9
            assert one.selector <= same.selector + 1e-9


def holding(conids, contracts):
    expiry = dt.date(2026, 3, 3)
    return tuple(
        Sold(underlying="SPX", expiry=expiry, conid=conid, contracts=contracts) for conid in conids
    )


@hypothesis(max_examples=40)
@given(long=st.sets(ROWS, max_size=60), short=st.sets(ROWS, max_size=60))
def test_no_entry_undoes_what_another_trade_holds(long, short):
    conids = read_rows(view_of()).conid
    bought, sold_of = ([int(conids[row]) for row in rows] for rows in (long, short - long))
    held = (*holding(bought, 2.0), *holding(sold_of, -2.0))

    _, looked = found(portfolio=book(options=held))

    for one in passing(looked):
        for leg in one.legs:
            assert leg.instrument.conid not in (bought if leg.ratio < 0 else sold_of)


def test_beside_what_another_trade_holds_the_next_strike_is_taken():
    _, free = found()
    spread = next(one for one in passing(free) if one.strategy == "put_spreads")
    short, long = (leg.instrument.conid for leg in spread.legs)

    _, looked = found(portfolio=book(options=(*holding([short], 2.0), *holding([long], -2.0))))

    same = [
        one
        for one in passing(looked)
        if (one.strategy, one.legs[0].instrument.expiry)
        == ("put_spreads", spread.legs[0].instrument.expiry)
    ]
    assert same
    assert not {short, long} & set(same[0].conids)


def test_the_same_scene_gives_the_same_answer():
    assert found()[1] == found()[1]


def test_scores_lie_between_nothing_and_one_and_the_best_comes_first():
    _, looked = found(portfolio=book(options=(sold(NOW), sold(NOW, "XSP"))))

    for one in looked.candidates:
        assert 0.0 <= one.score <= 1.0
        assert all(0.0 <= value <= 1.0 for _, value in one.scores)
    best = looked.best()
    assert [one.strategy for one in best] == list(dict.fromkeys(one.strategy for one in best))
    ranked = [(not one.passes, -one.selector) for one in best]
    assert ranked == sorted(ranked)


def sold(now, underlying="SPX"):
    return Sold(underlying=underlying, expiry=dt.date(2026, 3, 3), conid=1, contracts=-1.0)


def reasons(looked, name, check):
    return {
        reason.verdict
        for one in looked.candidates
        if one.strategy == name
        for reason in one.reasons
        if reason.check == check
    }


@pytest.mark.parametrize("name", ["strangles", "condors"])
def test_calls_are_not_sold_late_in_the_day(name):
    late = new_york_ns(dt.date(2026, 3, 2), dt.time(15, 1))
    _, looked = found(now=late, regime=regime(now=late))

    assert reasons(looked, name, "time") == {Verdict.REFUSE}
    assert reasons(looked, "index_puts", "time") == {Verdict.PASS}


def test_an_unknown_market_lets_nothing_pass():
    _, looked = found(regime=None)

    assert looked.candidates
    assert not passing(looked)


def test_where_only_defined_risk_is_allowed_spreads_pass_and_nothing_naked_does():
    only = msgspec.structs.replace(regime(), entries=EntryPolicy.DEFINED_RISK_ONLY)
    _, looked = found(regime=only)

    assert passing(looked)
    assert all(not one.naked for one in passing(looked))


def company_view():
    """The same chain, of a company."""
    renamed = msgspec.structs.replace(view_of(), underlying="ACME")
    return with_series(renamed, trading_class="ACME")


@pytest.mark.parametrize(
    ("ema20", "ema50", "rises"),
    [(6300.0, 6200.0, True), (6500.0, 6200.0, False), (6300.0, 6350.0, False), (None, 6e3, False)],
)
def test_a_stock_is_sold_only_while_it_rises(ema20, ema50, rises):
    _, looked = found(company_view(), figures=figures(ema20=ema20, ema50=ema50))

    expected = Verdict.PASS if rises else Verdict.REFUSE
    assert reasons(looked, "stock_puts", "trend") == {expected}


@pytest.mark.parametrize(
    ("reports", "until", "clear"),
    [
        ((dt.date(2026, 4, 20),), dt.date(2026, 5, 1), True),
        ((dt.date(2026, 3, 2),), dt.date(2026, 5, 1), False),
        ((), dt.date(2026, 3, 2), False),
        (None, None, False),
    ],
)
def test_a_stock_is_sold_only_when_it_is_known_to_report_later(reports, until, clear):
    calendar = None
    if reports is not None:
        calendar = EarningsCalendar(
            known_from=dt.date(2026, 1, 1),
            known_until=until,
            reports=tuple(Earnings(day=day) for day in reports),
        )
    _, looked = found(company_view(), earnings=calendar)

    expected = Verdict.PASS if clear else Verdict.REFUSE
    assert reasons(looked, "stock_puts", "earnings") == {expected}


def test_a_spot_in_doubt_or_a_chain_without_a_model_is_no_scene():
    doubted = msgspec.structs.replace(view_of(), spot_doubt="stale")
    bare = msgspec.structs.replace(view_of(), fitted_ns=0)

    assert scene_of(doubted) == "the price of SPX is stale"
    assert "no model" in scene_of(bare)


def test_a_chain_without_quotes_says_so_expiry_by_expiry():
    _, looked = found(changed(view_of(), doubt=np.ones(SIZE)))

    assert not looked.candidates
    assert {one.expiry for one in looked.nothing} == {one.expiry for one in view_of().series[:4]}
    assert all("no usable quote" in one.why for one in looked.nothing)


def test_a_strategy_is_added_by_a_module_of_its_own():
    def find(scene, terms, chosen):
        del terms, chosen
        why = f"only looks at {scene.underlying}"
        return (Nothing(underlying=scene.underlying, strategy="mine", expiry=None, why=why),)

    mine = Strategy(name="mine", does="looks", find=find)
    chosen = settings(terms={"mine": terms_of("index_puts")})

    looked = look(scene_of(), chosen, strategies=(*STRATEGIES, mine))

    assert [one.strategy for one in looked.nothing] == ["mine"]
    assert not any(isinstance(one, Candidate) for one in looked.candidates)
