"""The scenario engine: its figures against QuantLib's, and what they ask for."""

import math

import msgspec
import pytest
import QuantLib as ql  # noqa: N813 - its own documentation calls it so

from thetawarden.domain.portfolio.scenario import ShockRules
from thetawarden.domain.risk import measure
from thetawarden.domain.risk.brakes import read_brakes
from thetawarden.domain.risk.demands import DemandKind, demands_of, naked_positions
from thetawarden.domain.risk.equity import losses_of
from thetawarden.domain.risk.measure import measure_book, measure_candidate, with_pending
from thetawarden.domain.risk.stress import StressResult, StressVerdict, stress_map, stress_result
from thetawarden.domain.risk.usage import limits_in_use

RULES = ShockRules()


def shocked(world, row, scenario, ruler):
    """Spot and volatility of a row after a scenario, worked out by hand."""
    view = ruler.market.underlying(row.instrument.underlying)
    growth = 1.0 + view.beta * scenario.index_return
    for sector, own_return in scenario.sector_returns.items():
        names = sorted({one.sector for one in ruler.market.underlyings if not one.broad_index})
        if not view.broad_index and names.index(view.sector) + 1 == sector:
            growth = 1.0 + own_return
    points = scenario.vix_points + ruler.market.vix_points * (scenario.vix_factor - 1.0)
    reach = min((30 / 365 / max(row.marks.tau_years, 1e-9)) ** 0.5, 2.0) * view.iv_beta
    return view.spot_usd * growth, max(row.marks.iv_annual + reach * points / 100.0, 0.03)


def quantlib_worth(row, spot, iv):
    instrument, marks = row.instrument, row.marks
    if not instrument.is_option:
        return row.contracts * spot
    root = math.sqrt(marks.tau_years)
    forward = spot * math.exp((marks.rate_annual - marks.yield_annual) * marks.tau_years)
    kind = ql.Option.Call if instrument.is_call else ql.Option.Put
    price = ql.blackFormula(
        kind,
        instrument.strike_usd,
        forward,
        iv * root,
        math.exp(-marks.rate_annual * marks.tau_years),
    )
    return row.contracts * instrument.multiplier * price


def test_scenario_losses_are_quantlib_s(world):
    """European options and shares; American ones are held against QuantLib with the pricer."""
    held = world.held_book(
        world.hold(world.option("SPX", 5700, days=4), -2),
        world.hold(world.option("SPX", 6300, days=45, is_call=True), -1),
        world.hold(world.option("XSP", 560, days=200), 7),
        world.hold(world.shares("AAA"), 300),
        world.hold(world.shares("CCC"), -150),
    )
    ruler = world.ruler(held=held)

    book = measure_book(held=held, pending=(), ruler=ruler)
    result = stress_result(book, nlv_usd=1e6, limits=world.LIMITS.stress)

    for scenario, loss in zip(book.scenarios.limited, result.scenarios, strict=True):
        profit = sum(
            quantlib_worth(row, *shocked(world, row, scenario, ruler))
            - quantlib_worth(
                row,
                ruler.market.underlying(row.instrument.underlying).spot_usd,
                row.marks.iv_annual,
            )
            for row in book.rows
        )
        assert loss.loss_usd == pytest.approx(-profit, rel=1e-6, abs=1e-6)


def test_there_are_six_standard_scenarios_and_the_worst_sector_is_found(world):
    held = world.held_book(
        world.hold(world.shares("AAA"), 300), world.hold(world.shares("CCC"), 100)
    )
    book = measure_book(held=held, pending=(), ruler=world.ruler(held=held))

    result = stress_result(book, nlv_usd=1e6, limits=world.LIMITS.stress)

    names = [one.name for one in result.scenarios]
    assert names == [
        "index -3 %, VIX +5",
        "index -5 %, VIX +10",
        "index -10 %, VIX +20",
        "index -20 %, VIX +40",
        "index flat, VIX doubles",
        "sector energy -15 %, VIX +10",
        "sector technology -15 %, VIX +10",
    ]
    by_name = {one.name: one.loss_usd for one in result.scenarios}
    assert by_name["sector technology -15 %, VIX +10"] == pytest.approx(0.15 * 30_000)
    assert by_name["sector energy -15 %, VIX +10"] == pytest.approx(0.15 * 4_000)


def test_losses_add_up_by_position_and_a_candidate_is_shown_before_and_after(world):
    held = world.held_book(
        world.hold(world.option("SPX", 5700), -1, "a"),
        world.hold(world.option("SPX", 5600), 1, "a"),
        world.hold(world.option("AAA", 90), -2, "b"),
    )
    ruler = world.ruler(held=held)
    cand = world.candidate(world.leg(world.option("AAA", 85), -1))
    order = world.pending(cand, units=2)
    book = measure_book(held=held, pending=(order,), ruler=ruler)
    added = measure_candidate(cand, ruler)

    result = stress_result(book, nlv_usd=1e6, limits=world.LIMITS.stress, added=added, units=3)

    assert [one.name for one in result.positions] == ["a", "b", "A1"]
    for place, loss in enumerate(result.scenarios):
        a, b, waiting = (one.losses_usd[place] for one in result.positions)
        assert a + b == pytest.approx(loss.loss_usd)
        assert loss.loss_with_pending_usd == pytest.approx(a + b + max(waiting, 0.0))
        more = loss.loss_with_candidate_usd - loss.loss_with_pending_usd
        assert more == pytest.approx(1.5 * waiting)


@pytest.mark.parametrize(
    ("fraction", "verdict"),
    [
        (0.149, StressVerdict.FINE),
        (0.151, StressVerdict.OVER_LEVERAGED),
        (0.199, StressVerdict.OVER_LEVERAGED),
        (0.201, StressVerdict.REDUCE),
    ],
)
def test_the_worst_loss_decides_what_is_asked_for(world, fraction, verdict):
    held = world.held_book(world.hold(world.option("SPX", 5700), -1))
    book = measure_book(held=held, pending=(), ruler=world.ruler(held=held))
    worst = max(-book.filled[: len(book.scenarios.limited)])

    result = stress_result(book, nlv_usd=worst / fraction, limits=world.LIMITS.stress)

    assert result.verdict is verdict
    assert result.worst.name == "index -20 %, VIX +40"


def demanded(world, held, *, nlv=1e6, regime=None, equity=None, view=None, use=()):
    book = measure_book(held=held, pending=(), ruler=world.ruler(held=held, view=view))
    return demands_of(
        brakes=read_brakes(
            losses=losses_of(equity or world.equity()),
            utilisation_fraction=0.1,
            margin_max_fraction=0.6,
            limits=world.LIMITS.brakes,
        ),
        stress=stress_result(book, nlv_usd=nlv, limits=world.LIMITS.stress),
        regime=regime or world.regime(),
        held=held,
        use=use,
    )


def test_a_calm_desk_demands_nothing(world):
    held = world.held_book(world.hold(world.option("XSP", 540), -1))

    assert demanded(world, held) == ()


def test_too_large_a_loss_demands_reduction_of_the_dearest_first(world):
    held = world.held_book(
        world.hold(world.option("SPX", 5400), -1, "far"),
        world.hold(world.option("SPX", 5900), -1, "near"),
        world.hold(world.option("SPX", 5000), 1, "hedge"),
    )

    (demand,) = demanded(world, held, nlv=200_000.0)

    assert demand.kind is DemandKind.REDUCE
    assert demand.positions == ("near", "far")
    assert demand.parts == (0.9, 1.0)
    assert demand.together == (0.9,)


@pytest.mark.parametrize("fraction", [0.21, 0.25, 0.4, 0.9, 1.9])
def test_as_many_go_together_as_are_enough_and_none_of_them_more_than_needed(world, fraction):
    lots = {"a": -40, "b": -30, "c": -20, "d": -10}

    def worst(held):
        book = measure_book(held=held, pending=(), ruler=world.ruler(held=held))
        return max(-book.filled[: len(book.scenarios.limited)])

    def book_of(gone):
        left = {name: n + round(-n * gone.get(name, 0.0)) for name, n in lots.items()}
        option = world.option("SPX", 5700)
        return world.held_book(*(world.hold(option, n, name) for name, n in left.items() if n))

    nlv = worst(book_of({})) / fraction
    (demand,) = [
        one for one in demanded(world, book_of({}), nlv=nlv) if one.kind is DemandKind.REDUCE
    ]
    together = dict(zip(demand.positions, demand.together, strict=False))

    limit = world.LIMITS.stress.reduce_loss_fraction * nlv
    assert worst(book_of(together)) <= limit + 1e-6
    *others, last = together
    assert all(together[name] == 1.0 for name in others)
    less = dict(together, **{last: together[last] - 0.1})
    assert worst(book_of(less)) > limit


@pytest.mark.parametrize("fraction", [0.21, 0.23, 0.28, 0.35])
def test_as_large_a_part_as_is_demanded_brings_the_loss_back_and_little_more(world, fraction):
    def worst(contracts, nlv=None):
        held = world.held_book(world.hold(world.option("SPX", 5700), contracts))
        book = measure_book(held=held, pending=(), ruler=world.ruler(held=held))
        return max(-book.filled[: len(book.scenarios.limited)]), held

    loss, held = worst(-100)
    nlv = loss / fraction
    (demand,) = [one for one in demanded(world, held, nlv=nlv) if one.kind is DemandKind.REDUCE]
    (part,) = demand.parts

    left, _ = worst(-(100 - round(100 * part)))
    more, _ = worst(-(100 - round(100 * (part - 0.05))))
    assert left / nlv <= world.LIMITS.stress.reduce_loss_fraction + 1e-9
    assert more / nlv > world.LIMITS.stress.reduce_loss_fraction


def test_a_deep_inversion_demands_that_what_is_naked_is_closed(world):
    held = world.held_book(
        world.hold(world.option("XSP", 500), -1, "naked"),
        world.hold(world.option("XSP", 500), -1, "spread"),
        world.hold(world.option("XSP", 490), 1, "spread"),
    )
    deep = world.regime(vix=24.0, vix3m=18.0, first_future=22.0, second_future=20.0)

    (demand,) = demanded(world, held, regime=deep)

    assert (demand.kind, demand.positions) == (DemandKind.CLOSE_NAKED, ("naked",))
    assert naked_positions(held) == ("naked",)


def test_a_crisis_demands_that_the_weakest_is_closed_and_losses_come_first(world):
    held = world.held_book(world.hold(world.option("XSP", 400), -1))
    crisis = world.regime(vix=41.0, vix3m=43.0, first_future=42.0, second_future=43.0)
    lost = world.equity(day_start_usd=1e6 / 0.97, peak_usd=1e6 / 0.89)

    kinds = [one.kind for one in demanded(world, held, regime=crisis, equity=lost)]

    assert kinds == [DemandKind.HALT_FOR_REVIEW, DemandKind.HALT, DemandKind.CLOSE_WEAKEST]


def test_what_cannot_be_valued_is_told_and_not_called_fine(world):
    put = world.option("AAA", 80)
    held = world.held_book(world.hold(put, -1))
    book = measure_book(held=held, pending=(), ruler=world.ruler(held=held, view=world.market()))

    result = stress_result(book, nlv_usd=1e6, limits=world.LIMITS.stress)

    assert result.verdict is StressVerdict.UNKNOWN
    assert result.worst is None
    assert str(put.con_id) in result.unknown[0]
    assert [one.kind for one in demanded(world, held, view=world.market())] == [DemandKind.TELL]


def in_use(world, held, orders, *, account=None):
    ruler = world.ruler(held=held)
    book = measure_book(held=held, pending=tuple(orders), ruler=ruler)
    found = limits_in_use(
        book, account=account or world.account(), limits=world.LIMITS, positions_max=20
    )
    return {one.name: one for one in found}


def test_the_use_of_every_limit_is_told_with_and_without_what_is_pending(world):
    held = world.held_book(
        world.hold(world.option("AAA", 80), -1), world.hold(world.option("XSP", 540), -1)
    )
    cand = world.candidate(world.leg(world.option("AAA", 79), -1), margin=6_000.0)

    found = in_use(world, held, [world.pending(cand, units=2)])

    assert found["AAA"].held == pytest.approx(8_000 / 1e6)
    assert found["AAA"].used == pytest.approx((8_000 + 2 * 7_900) / 1e6)
    assert found["AAA"].fraction == pytest.approx((8_000 + 2 * 7_900) / 100_000)
    assert found["utilisation"].held == pytest.approx(0.10)
    assert found["utilisation"].used == pytest.approx(0.112)
    assert found["notional"].used == pytest.approx((8_000 + 54_000 + 2 * 7_900) / 1e6)
    assert (found["positions"].held, found["positions"].used) == (2.0, 3.0)
    assert "XSP" not in found
    assert {one.rule.value for one in found.values()} == {"R2", "R3", "R4", "R6", "R10"}
    assert all(one.used >= one.held for one in found.values())


def test_entries_are_cancelled_when_the_market_has_taken_their_room(world):
    held = world.held_book(world.hold(world.option("XSP", 540), -1))
    waiting = [world.pending(world.candidate(margin=300_000.0))]
    full = world.account(margin=500_000.0)

    room, none = (in_use(world, held, waiting, account=a) for a in (world.account(), full))

    assert not any(one.is_over_by_pending for one in room.values())
    assert [name for name, one in none.items() if one.is_over_by_pending] == ["utilisation"]
    kinds = [one.kind for one in demanded(world, held, use=tuple(none.values()))]
    assert kinds == [DemandKind.CANCEL_ENTRIES]


def test_the_heat_map_meets_the_scenarios_where_they_cross(world):
    held = world.held_book(
        world.hold(world.option("SPX", 5700), -1), world.hold(world.option("AAA", 90), -2)
    )
    ruler = world.ruler(held=held)
    book = measure_book(held=held, pending=(), ruler=ruler)

    found = stress_map(book.rows, ruler, limits=world.LIMITS.stress)

    assert found.profit_usd.shape == (1, 21, 21)
    middle = int(abs(found.grid.index_returns).argmin())
    assert found.grid.index_returns[middle] == pytest.approx(0.0)
    crash = list(abs(found.grid.index_returns + 0.20)).index(
        min(abs(found.grid.index_returns + 0.20))
    )
    forty = list(abs(found.grid.vix_points - 40.0)).index(min(abs(found.grid.vix_points - 40.0)))
    assert found.profit_usd[0, crash, forty] == pytest.approx(book.filled[3], rel=1e-4)


def test_counting_one_more_order_is_the_same_as_measuring_anew(world):
    held = world.held_book(world.hold(world.option("SPX", 5700), -1))
    ruler = world.ruler(held=held)
    orders = tuple(
        world.pending(world.candidate(world.leg(world.option("AAA", 80 + n), -1)), key=f"A{n}")
        for n in range(3)
    )

    at_once = measure_book(held=held, pending=orders, ruler=ruler)
    one_by_one = measure_book(held=held, pending=orders[:1], ruler=ruler)
    for order in orders[1:]:
        one_by_one = with_pending(one_by_one, order, ruler)

    assert one_by_one.key == at_once.key
    assert list(one_by_one.worst) == pytest.approx(list(at_once.worst))
    assert one_by_one.standing == at_once.standing
    assert one_by_one.stressed_requirement_usd == pytest.approx(at_once.stressed_requirement_usd)


def test_what_was_measured_for_a_candidate_is_not_measured_again_for_its_order(world, monkeypatch):
    cand = world.candidate(world.leg(world.option("AAA", 80), -1), units=3)
    held = world.held_book(world.hold(world.option("SPX", 5700), -1))
    ruler, other = world.ruler(held=held), world.ruler(held=held)
    revalued = []
    real = measure.position_worths

    def counted(*asked, **more):
        revalued.append(asked)
        return real(*asked, **more)

    book = measure_book(held=held, pending=(), ruler=ruler)
    monkeypatch.setattr(measure, "position_worths", counted)
    added = measure_candidate(cand, ruler)
    once = len(revalued)
    counted_in = with_pending(book, world.pending(cand), ruler)

    assert once > 0
    assert len(revalued) == once
    alone = measure_candidate(cand, other)
    assert list(added.profits) == list(alone.profits)
    assert list(counted_in.worst) == pytest.approx(list(book.worst + 3 * alone.adverse))
    assert counted_in.stressed_requirement_usd == pytest.approx(
        book.stressed_requirement_usd + 3 * alone.stressed_requirement_usd
    )


def test_a_stress_result_survives_being_written_and_read(world):
    held = world.held_book(world.hold(world.option("AAA", 80), -1))
    book = measure_book(held=held, pending=(), ruler=world.ruler(held=held))
    result = stress_result(book, nlv_usd=1e6, limits=world.LIMITS.stress)

    written = msgspec.msgpack.encode(result)

    assert msgspec.msgpack.decode(written, type=StressResult) == result
