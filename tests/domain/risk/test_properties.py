"""What holds for any book, any candidate, any market: limits, monotony, and the way out."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.campaigns import TIMES
from thetawarden.domain.halt import HaltRecord, Latch, TradingState
from thetawarden.domain.risk.approving import Approved, approve
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.domain.risk.finding import Verdict
from thetawarden.domain.risk.ledger import (
    Ledger,
    OrderState,
    move,
    pending_orders,
    use,
)
from thetawarden.domain.risk.measure import Figure, measure_book
from thetawarden.domain.risk.posture import Caution, Posture
from thetawarden.domain.risk.review import review

MANY = settings(max_examples=100 * TIMES, deadline=None, suppress_health_check=list(HealthCheck))
FEW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
SPOTS = {"SPX": 6000.0, "XSP": 600.0, "AAA": 100.0, "BBB": 50.0, "CCC": 40.0}
SHAPES = {
    "put": ((0.92, False, -1),),
    "call": ((1.08, True, -1),),
    "long_put": ((0.95, False, 1),),
    "put_spread": ((0.94, False, -1), (0.90, False, 1)),
    "ratio": ((0.94, False, -2), (0.90, False, 1)),
    "strangle": ((0.92, False, -1), (1.08, True, -1)),
    "condor": ((0.94, False, -1), (0.90, False, 1), (1.06, True, -1), (1.10, True, 1)),
}


@st.composite
def candidates(draw, world, key="c1"):
    """An order of one of the shapes that are traded, on one of the underlyings."""
    symbol = draw(st.sampled_from(sorted(SPOTS)))
    days = draw(st.sampled_from([1, 5, 11, 30]))
    out = draw(st.sampled_from([0.0, 0.02, 0.05]))
    american = draw(st.integers(0, 9)) == 9
    legs = [
        world.leg(
            world.option(
                symbol,
                round(SPOTS[symbol] * (place + (out if is_call else -out)), 2),
                days=days,
                is_call=is_call,
                american=american,
            ),
            ratio,
            delta=draw(st.sampled_from([-0.03, -0.07, -0.12])),
            iv=draw(st.sampled_from([0.15, 0.3])),
        )
        for place, is_call, ratio in SHAPES[draw(st.sampled_from(sorted(SHAPES)))]
    ]
    return world.candidate(
        *legs,
        key=key,
        strategy=draw(st.sampled_from(["daily_puts", "stock_puts"])),
        units=draw(st.integers(1, 12)),
        margin=draw(st.sampled_from([0.0, 200.0, 3_000.0, 30_000.0])),
        auto_selected=draw(st.booleans()),
    )


@st.composite
def books(draw, world, most=5):
    """A few short options, spreads and shares."""
    holdings = []
    for number in range(draw(st.integers(0, most))):
        cand = draw(candidates(world))
        contracts = draw(st.integers(1, 3))
        holdings += [
            world.hold(leg.instrument, leg.ratio * contracts, f"p{number}", margin=300.0)
            for leg in cand.legs
        ]
    if draw(st.booleans()):
        symbol = draw(st.sampled_from(["AAA", "BBB", "CCC"]))
        holdings.append(world.hold(world.shares(symbol), draw(st.sampled_from([100, 250])), "s"))
    return world.held_book(*holdings)


@st.composite
def accounts(draw, world):
    nlv = draw(st.sampled_from([60_000.0, 300_000.0, 2_000_000.0]))
    used = draw(st.sampled_from([0.0, 0.2, 0.42, 0.55]))
    return world.account(nlv=nlv, margin=used * nlv)


def own_account(world, account):
    return world.desk(account=account, equity=world.equity(nlv=account.nlv_usd))


def used_of_limits(world, book, account):
    """Every limit of the book with all that may yet fill, as a part of itself; worked out anew."""
    nlv, limits = account.nlv_usd, world.LIMITS
    size, limited = book.scenarios.size, len(book.scenarios.limited)
    figures = dict(zip(Figure, -book.worst[size:], strict=True))
    waiting = sum(one.units * one.margin_usd_per_unit for one in book.pending)
    auto = sum(one.units * one.margin_usd_per_unit for one in book.pending if one.auto_selected)
    left = nlv + book.worst[book.scenarios.margin_stress]
    stressed = book.stressed_requirement_usd / left if left > 0.0 else math.inf
    excess = (account.excess_liquidity_usd - waiting) / nlv
    entries = sum(1 for one in book.pending if not one.reducing)
    names = {
        f"name {symbol}": loss / nlv / limits.concentration.name_max_fraction
        for symbol, loss in book.standing.losses_usd.items()
        if symbol in ("AAA", "BBB", "CCC")
    }
    losses = {
        f"scenario {n}": -book.worst[n] / nlv / limits.stress.entry_loss_fraction
        for n in range(limited)
    }
    return {
        "drop": figures[Figure.INDEX_DROP] / nlv / limits.greeks.index_drop_max_fraction,
        "rise": figures[Figure.INDEX_RISE] / nlv / limits.greeks.index_drop_max_fraction,
        "gamma": figures[Figure.GAMMA] / nlv / limits.greeks.gamma_max_fraction,
        "vega": figures[Figure.VIX_RISE] / nlv / limits.greeks.vega_max_fraction,
        "theta": figures[Figure.INCOME] / nlv / limits.greeks.theta_max_fraction,
        "notional": figures[Figure.NOTIONAL] / nlv / limits.greeks.notional_max_nlv,
        "margin": (account.initial_margin_usd + waiting) / nlv / 0.60,
        "liquidity": (1.0 - excess) / 0.80,
        "auto": auto / nlv / limits.margin.auto_select_max_fraction,
        "stressed": stressed / limits.margin.stressed_utilisation_max_fraction,
        "positions": (book.standing.positions + entries) / limits.concentration.positions_max,
        **names,
        **losses,
    }


def filled(world, held, order, units):
    """The book once so many units of an order have filled."""
    more = [
        world.hold(leg.instrument, leg.ratio * units, order.key, margin=0.0)
        for leg in order.legs
        if units
    ]
    return msgspec.structs.replace(held, holdings=(*held.holdings, *more))


@MANY
@given(data=st.data())
def test_no_approval_lets_anything_exceed_a_limit_whatever_fills(world, data):
    held, account = data.draw(books(world)), data.draw(accounts(world))
    ruler, own, ledger = None, own_account(world, account), Ledger()
    wanted = [
        data.draw(candidates(world, key=f"c{n}")) for n in range(data.draw(st.integers(1, 4)))
    ]
    instruments = [one.instrument for one in held.holdings]
    instruments += [leg.instrument for cand in wanted for leg in cand.legs]
    ruler = world.ruler(held=held, view=world.market(*instruments))
    before = used_of_limits(world, measure_book(held=held, pending=(), ruler=ruler), account)

    for cand in wanted:
        book = measure_book(held=held, pending=pending_orders(ledger), ruler=ruler)
        reviewed = review(
            cand,
            book=book,
            ruler=ruler,
            desk=own,
            limits=world.LIMITS,
            now_ns=world.NOW_NS,
            day=world.DAY,
        )
        found = approve(
            reviewed,
            candidate=cand,
            book=book,
            desk=own,
            ledger=ledger,
            limits=world.LIMITS,
            now_ns=world.NOW_NS,
        )
        if not isinstance(found, Approved) or found.approval.reducing:
            continue
        ledger, own = found.ledger, msgspec.structs.replace(own, flow=found.flow)
        ledger = use(
            ledger,
            found.approval.key,
            now_ns=world.NOW_NS,
            halt_epoch=0,
            state=TradingState.RUNNING,
        )
        state = data.draw(st.sampled_from([OrderState.WORKING, OrderState.UNKNOWN]))
        ledger = move(ledger, found.approval.key, state=state)

    orders = pending_orders(ledger)
    bound = measure_book(held=held, pending=orders, ruler=ruler)
    after = used_of_limits(world, bound, account)
    for name, used in after.items():
        assert used <= max(1.0, before.get(name, 0.0)) + 1e-6, name
    for order in orders:
        held = filled(world, held, order, data.draw(st.integers(0, order.units)))
    real = measure_book(held=held, pending=(), ruler=ruler)
    assert (real.filled >= bound.worst - 1e-6 * (1.0 + abs(bound.worst))).all()


LOOSER_WHEN_SMALLER = {
    "excess_liquidity_min_fraction",
    "theta_per_index_delta_min_usd",
    "marginal_premium_fraction",
    "same_entry_ns",
    "duplicate_ns",
}


def tightened(world, group, name, part):
    numbers = getattr(world.LIMITS, group)
    value = getattr(numbers, name)
    factor = 1.0 / part if name in LOOSER_WHEN_SMALLER else part
    tight = type(value)(value * factor)
    return world.limits(**{group: {name: tight}})


def tightenable(world):
    """Every number of the limits that may be tightened by itself."""
    skipped = {"readiness_min_points", "approval_ns", "theta_min_fraction"}
    found = []
    for group in type(world.LIMITS).__struct_fields__:
        numbers = getattr(world.LIMITS, group)
        for name in numbers.__struct_fields__:
            value = getattr(numbers, name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if number and group not in ("recovery", "live") and name not in skipped:
                found.append((group, name))
    return found


@MANY
@given(data=st.data(), part=st.sampled_from([0.0001, 0.3, 0.9, 0.999]))
def test_a_tighter_limit_never_yields_a_bigger_size(world, data, part):
    held, account = data.draw(books(world, most=3)), data.draw(accounts(world))
    cand, own = data.draw(candidates(world)), own_account(world, account)
    group, name = data.draw(st.sampled_from(tightenable(world)))

    normal = world.review(cand, held=held, own_desk=own)
    tight = world.review(cand, held=held, own_desk=own, limits=tightened(world, group, name, part))

    assert tight.units <= normal.units


WORSE = {
    "vix": lambda w, x: {"regime": w.seen(vix=17.0 + 30.0 * x, first_future=18.0)},
    "correlation": lambda w, x: {"regime": w.seen(average_correlation=0.2 + 0.6 * x)},
    "price": lambda w, x: {"regime": w.seen(price=110.0 - 25.0 * x)},
    "day": lambda w, x: {"equity": w.equity(day_start_usd=1e6 * (1 + 0.03 * x))},
    "week": lambda w, x: {"equity": w.equity(week_start_usd=1e6 * (1 + 0.06 * x))},
    "month": lambda w, x: {"equity": w.equity(month_start_usd=1e6 * (1 + 0.10 * x))},
    "drawdown": lambda w, x: {
        "equity": w.equity(peak_usd=1e6 * (1 + 0.12 * x), high_water_usd=1e6 * (1 + 0.12 * x))
    },
    "margin": lambda w, x: {"account": w.account(margin=700_000.0 * x)},
    "liquidity": lambda w, x: {"account": w.account(excess_liquidity_usd=900_000.0 * (1 - x))},
    "account": lambda w, x: {"account": w.account(nlv=1e6 * (1 - 0.99 * x), margin=5_000.0)},
}


@MANY
@given(
    data=st.data(),
    name=st.sampled_from(sorted(WORSE)),
    mild=st.floats(0.0, 1.0),
    more=st.floats(0.0, 1.0),
)
def test_a_worse_market_never_yields_a_bigger_size(world, data, name, mild, more):
    cand, held = data.draw(candidates(world)), data.draw(books(world, most=2))
    worse = min(1.0, mild + more)

    before, after = (
        world.review(cand, held=held, own_desk=world.desk(**WORSE[name](world, x))).units
        for x in (mild, worse)
    )

    assert after <= before


@MANY
@given(data=st.data())
def test_the_binding_rules_are_named_and_without_them_more_would_be_sent(world, data):
    held, account = data.draw(books(world)), data.draw(accounts(world))
    cand, own = data.draw(candidates(world)), own_account(world, account)

    reviewed = world.review(cand, held=held, own_desk=own)

    assert bool(reviewed.binding) is (reviewed.units < cand.units)
    for rule in reviewed.binding:
        assert f"{rule.value} " in reviewed.words
        assert any(
            one.rule is rule and one.verdict in (Verdict.SHRINK, Verdict.REFUSE)
            for one in reviewed.findings
        )


@st.composite
def closings(draw, world, held):
    """Take away a part of one short position: the legs of it that are short, bought back."""
    shorts = [one for one in held.holdings if one.contracts < 0.0 and one.instrument.is_option]
    assume(shorts)
    chosen = draw(st.sampled_from(shorts))
    most = -int(sum(one.contracts for one in shorts if one.instrument == chosen.instrument))
    longs = sum(one.contracts for one in held.holdings if one.instrument == chosen.instrument)
    assume(longs < 0.0)
    return world.candidate(
        world.leg(chosen.instrument, 1, mid=0.5),
        units=draw(st.integers(1, max(1, min(most, -int(longs))))),
        purpose=draw(st.sampled_from([Purpose.CLOSE, Purpose.OPEN, Purpose.HEDGE])),
        margin=0.0,
        whatif=None,
    )


TROUBLES = {
    "halted": lambda w: {
        "posture": Posture(
            latch=Latch(epoch=1, halt=HaltRecord(epoch=1, reason="r", by="b", at_ns=0))
        )
    },
    "cautious": lambda w: {"posture": Posture(cautions=(Caution(reason="r", by="b", at_ns=0),))},
    "no account": lambda w: {"account": None},
    "no regime": lambda w: {"regime": None},
    "crisis": lambda w: {"regime": w.seen(vix=45.0)},
    "losses": lambda w: {"equity": w.equity(day_start_usd=2e6, peak_usd=3e6, high_water_usd=3e6)},
    "unknown losses": lambda w: {"equity": w.equity(nlv_usd=None)},
    "ruined": lambda w: {"account": w.account(nlv=-5.0)},
    "other link": lambda w: {"link_epoch": 9},
}


@MANY
@given(data=st.data(), troubles=st.sets(st.sampled_from(sorted(TROUBLES)), max_size=4))
def test_buying_back_what_is_short_is_always_possible(world, data, troubles):
    held = data.draw(books(world))
    cand = data.draw(closings(world, held))
    changes = {}
    for name in sorted(troubles):
        changes |= TROUBLES[name](world)
    blind = data.draw(st.booleans())
    held = msgspec.structs.replace(held, at_ns=0, reconciled=False) if blind else held
    view = world.market() if blind else None

    reviewed = world.review(cand, held=held, own_desk=world.desk(**changes), view=view)

    assert reviewed.reduction.proved, reviewed.reduction.words
    assert reviewed.units == cand.units, reviewed.words


@MANY
@given(data=st.data())
def test_what_is_proved_to_reduce_passes_unless_sanity_refuses(world, data):
    held = data.draw(books(world))
    cand = data.draw(candidates(world))
    halted = world.desk(**TROUBLES["halted"](world))

    reviewed = world.review(cand, held=held, own_desk=halted)

    sane = all(one.verdict is not Verdict.REFUSE for one in reviewed.findings if one.sanity)
    assert reviewed.approved is (reviewed.reduction.proved and sane)
    if reviewed.reduction.proved:
        found = reviewed.reduction
        assert found.worst_after_usd <= found.worst_before_usd + found.paid_usd + 0.02
        assert found.margin_after_usd <= found.margin_before_usd + found.paid_usd + 0.02


@FEW
@given(data=st.data(), bad=st.sampled_from([math.nan, math.inf, -math.inf, None]))
def test_blindness_anywhere_never_opens_anything(world, data, bad):
    """Whatever one number becomes, nothing opens that would not open otherwise; mostly nothing."""
    cand = data.draw(candidates(world))
    assume(any(leg.ratio < 0 for leg in cand.legs))
    marks = cand.legs[0].marks
    number = math.nan if bad is None else bad
    field = data.draw(st.sampled_from(["iv_annual", "tau_years", "rate_annual"]))
    blind = msgspec.structs.replace(
        cand,
        legs=(
            msgspec.structs.replace(
                cand.legs[0], marks=msgspec.structs.replace(marks, **{field: number})
            ),
            *cand.legs[1:],
        ),
    )

    assert world.review(blind).units == 0


@FEW
@given(data=st.data())
def test_the_same_case_gives_the_same_review(world, data):
    held, cand = data.draw(books(world)), data.draw(candidates(world))

    first, second = (world.review(cand, held=held) for _ in range(2))

    assert first == second


def test_every_number_that_limits_something_can_be_tightened(world):
    assert len(tightenable(world)) > 50
    assert np.isfinite([getattr(getattr(world.LIMITS, g), n) for g, n in tightenable(world)]).all()


@pytest.mark.parametrize("name", sorted(WORSE))
def test_the_worse_end_of_every_market_really_stops_or_shrinks(world, name):
    cand = world.candidate(units=8, margin=100.0)

    calm, worst = (
        world.review(cand, own_desk=world.desk(**WORSE[name](world, x))).units for x in (0.0, 1.0)
    )

    assert worst < calm == 8
