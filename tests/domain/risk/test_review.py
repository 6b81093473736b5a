"""How findings become one size: always smaller, always explained."""

import itertools

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thetawarden.domain.risk.finding import Check, RuleFinding, RuleId, Usage, Verdict, count
from thetawarden.domain.risk.reducing import Reduction
from thetawarden.domain.risk.review import RULES, Review, compose

UNPROVED = Reduction(proved=False, words="")
PROVED = Reduction(proved=True, words="")
CHECKS = st.builds(Check, rule=st.sampled_from(RuleId), name=st.just("x"), sanity=st.booleans())


@st.composite
def findings(draw):
    check = draw(CHECKS)
    kind = draw(st.sampled_from(["pass", "warn", "refuse", "scale", "cap"]))
    if kind == "scale":
        return check.scales(draw(st.sampled_from([0.0, 0.25, 0.5, 0.75, 0.8, 1.0])), "")
    if kind == "cap":
        limit = float(draw(st.integers(0, 12)))
        usage = Usage(what="", used=0.0, per_unit=1.0, limit=limit, show=count)
        return check.caps(usage, wanted=10)
    return {"pass": check.passes, "warn": check.warns, "refuse": check.refuses}[kind]("")


MANY = st.lists(findings(), max_size=8)
WANTED = st.integers(1, 12)


def size(world, wanted, found, reduction=UNPROVED):
    return compose(world.candidate(units=wanted), tuple(found), reduction)


@given(wanted=WANTED, found=MANY, more=findings())
def test_adding_a_finding_never_enlarges(world, wanted, found, more):
    for reduction in (PROVED, UNPROVED):
        before, after = (size(world, wanted, x, reduction).units for x in (found, [*found, more]))
        assert 0 <= after <= before <= wanted


@given(wanted=WANTED, found=MANY)
def test_without_the_binding_rules_the_size_would_be_larger(world, wanted, found):
    for reduction in (PROVED, UNPROVED):
        reviewed = size(world, wanted, found, reduction)
        freed = [one for one in found if one.rule not in reviewed.binding]

        assert (reviewed.binding == ()) is (reviewed.units == wanted)
        if reviewed.binding:
            assert size(world, wanted, freed, reduction).units > reviewed.units
        assert all(f"{rule.value} x" in reviewed.words for rule in reviewed.binding)


@given(wanted=WANTED, found=MANY)
def test_the_order_of_the_rules_does_not_matter(world, wanted, found):
    forth, back = size(world, wanted, found), size(world, wanted, found[::-1])

    assert forth.units == back.units
    assert set(forth.binding) == set(back.binding)


@given(wanted=WANTED, found=MANY)
def test_a_reducing_order_is_bound_by_sanity_alone(world, wanted, found):
    reviewed = size(world, wanted, found, PROVED)
    sane = size(world, wanted, [one for one in found if one.sanity], UNPROVED)

    assert (reviewed.units, reviewed.binding) == (sane.units, sane.binding)
    assert reviewed.findings == tuple(found)
    assert [reviewed.applies(one) for one in found] == [one.sanity for one in found]


def test_factors_multiply_the_tightest_cap_wins_and_rounding_is_down(world):
    check = Check(rule=RuleId.R1, name="x")
    usage = Usage(what="", used=0.0, per_unit=1.0, limit=4.99, show=count)
    half, most = check.scales(0.5, ""), check.scales(0.75, "")
    cap = check.caps(usage, wanted=10)

    assert size(world, 10, [half, most]).units == 3
    assert size(world, 10, [most, cap]).units == 4
    assert size(world, 10, [half, most, cap]).units == 3
    assert size(world, 1, [most]).units == 0


@pytest.mark.parametrize("factor", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_factor_that_is_none_refuses(world, factor):
    check = Check(rule=RuleId.R1, name="x")
    forged = RuleFinding(rule=RuleId.R1, check="x", verdict=Verdict.PASS, words="", factor=factor)

    assert check.scales(factor, "").verdict is Verdict.REFUSE
    assert size(world, 10, [forged]).units == 0


@given(
    used=st.floats(-1e6, 1e6),
    per_unit=st.floats(0.0, 1e6),
    limit=st.floats(0.0, 1e6),
    wanted=st.integers(1, 100),
)
def test_a_cap_never_lets_the_limit_be_passed(used, per_unit, limit, wanted):
    usage = Usage(what="", used=used, per_unit=per_unit, limit=limit, show=count)
    found = Check(rule=RuleId.R2, name="x").caps(usage, wanted=wanted)

    if found.units_max is not None and found.units_max > 0:
        units = min(found.units_max, wanted)
        assert used + units * per_unit <= limit + 1e-6 * max(per_unit, 1.0)
    if found.units_max is not None and found.units_max < wanted:
        assert used + (found.units_max + 1) * per_unit > limit or found.units_max == 0


@given(
    bad=st.sampled_from([float("nan"), float("inf"), float("-inf")]),
    name=st.sampled_from(["used", "per_unit", "limit"]),
)
def test_a_cap_on_unknown_numbers_fits_nothing(bad, name):
    numbers = {"used": 0.0, "per_unit": 1.0, "limit": 5.0} | {name: bad}

    found = Check(rule=RuleId.R2, name="x").caps(Usage(what="", show=count, **numbers), wanted=3)

    assert (found.verdict, found.units_max) == (Verdict.REFUSE, 0)
    assert found.faults


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"legs": ()}, "no legs"),
        ({"units": 0}, "no units"),
        ({"units": -3}, "no units"),
    ],
)
def test_what_is_no_order_is_refused_before_it_is_measured(world, changes, words):
    reviewed = world.review(msgspec.structs.replace(world.candidate(), **changes))

    assert reviewed.units == 0
    assert words in reviewed.reduction.words


def test_legs_of_several_underlyings_or_twice_the_same_are_no_order(world):
    leg = world.leg(world.option("XSP", 540), -1)
    other = world.leg(world.option("SPX", 5400), 1)

    for legs in ((leg, other), (leg, leg), (world.leg(world.option("XSP", 540), 0),)):
        assert world.review(world.candidate(*legs, limit=-1.0)).units == 0


def test_a_calm_market_approves_and_every_rule_has_spoken(world):
    reviewed = world.review(world.candidate(units=3))

    assert reviewed.units == 3
    assert reviewed.words == "all 3 approved"
    assert {one.rule for one in reviewed.findings} == set(RuleId)
    assert all(one.words for one in reviewed.findings)


def test_the_table_of_rules_says_which_checks_bind_exits(world):
    case = world.case()

    for rule in RULES:
        findings = rule.judge(case)
        assert {one.rule for one in findings} == {rule.id}
        assert tuple(one.check for one in findings if one.sanity) == rule.exits
        assert rule.does
        assert rule.reads
        assert not rule.limits or hasattr(world.LIMITS, rule.limits)


def test_a_review_survives_being_written_and_read(world):
    reviewed = world.review(own_desk=world.desk(regime=None))

    assert msgspec.msgpack.decode(msgspec.msgpack.encode(reviewed), type=Review) == reviewed


@settings(max_examples=60, deadline=None)
@given(
    kept=st.lists(st.booleans(), min_size=len(RULES), max_size=len(RULES)),
    units=st.integers(1, 30),
    vix=st.sampled_from([11.0, 17.0, 22.0, 27.0, 33.0, 45.0]),
    margin=st.floats(100.0, 60_000.0),
)
def test_adding_a_rule_never_enlarges(world, kept, units, vix, margin):
    seen = world.seen(vix=vix, vix3m=vix + 3, first_future=vix + 1, second_future=vix + 2)
    cand = world.candidate(units=units, margin=margin)
    own = world.desk(regime=seen)
    some = tuple(itertools.compress(RULES, kept))

    fewer = world.review(cand, own_desk=own, rules=some).units

    assert world.review(cand, own_desk=own).units <= fewer <= units
