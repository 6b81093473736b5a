"""Orders made of candidates: on ticks, starting at the middle, never below what may be conceded."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.watched import NOW
from tests.domain.strategy.scenes import changed, regime, scene_of, settings, terms_of, view_of
from tests.domain.strategy.test_catalog import everything
from thetawarden.domain.chains.view import read_rows
from thetawarden.domain.market.ticks import is_on_tick
from thetawarden.domain.strategy.catalog import look
from thetawarden.domain.strategy.proposing import Naming, propose, ticks_of

NAMING = Naming(key="k", trade="t", expires_ns=NOW + 1, view_number=7)


def proposals(view, chosen=None):
    chosen = chosen or everything()
    scene = scene_of(view)
    for one in look(scene, chosen).candidates:
        terms = chosen.terms[one.strategy]
        yield one, propose(one, naming=NAMING, terms=terms, settings=chosen, regime=scene.regime)


@given(half=st.floats(0.003, 0.12), shift=st.floats(0.0, 0.04))
def test_prices_are_on_ticks_and_between_the_middle_and_what_may_be_conceded(half, shift):
    rows = read_rows(view_of())
    mid = (rows.bid_usd + rows.ask_usd) / 2.0 + shift
    view = changed(view_of(), bid_usd=mid * (1 - half), ask_usd=mid * (1 + half))
    for one, order in proposals(view):
        if isinstance(order, str):
            assert "leaves nothing" in order
            continue
        ticks = ticks_of(one)
        step = Decimal("0.10")
        assert is_on_tick(order.limit_usd, ticks)
        assert is_on_tick(order.worst_usd, ticks)
        assert order.limit_usd <= order.worst_usd < 0
        assert abs(float(order.limit_usd) + one.credit_usd) <= float(step) / 2 + 1e-6
        allowed = max(0.08 * one.credit_usd, 0.05)
        assert float(order.worst_usd) <= -one.credit_usd + allowed + float(step)
        assert is_on_tick(order.exits.take_profit_usd, ticks)
        assert 0 < order.exits.take_profit_usd < max(one.credit_usd, 0.11)


def test_a_proposal_names_its_quotes_reasons_and_scores():
    one, order = next(iter(proposals(view_of())))

    assert [quote.con_id for quote in order.quotes] == list(one.conids)
    assert {quote.seq for quote in order.quotes} == {7}
    assert len(order.reasons) == len(one.reasons) + 1
    assert dict(order.scores)["selector"] == one.selector
    assert (order.auto_selected, order.units, order.strategy) == (
        True,
        terms_of(one.strategy).units,
        one.strategy,
    )


@pytest.mark.parametrize(("vix", "left"), [(17.0, "0.30"), (27.0, "0.50"), (45.0, "0.60")])
def test_the_profit_aimed_at_is_the_strategys_own_or_less_where_the_regime_says_so(vix, left):
    chosen = settings(terms={"index_puts": terms_of("index_puts")})
    scene = scene_of(regime=regime(vix=vix))
    one = look(scene, chosen).candidates[0]

    order = propose(
        one,
        naming=NAMING,
        terms=chosen.terms["index_puts"],
        settings=chosen,
        regime=scene.regime,
    )

    target = Decimal(left) * Decimal(one.credit_usd)
    assert target - Decimal("0.05") < order.exits.take_profit_usd <= target
    assert order.exits.stop_usd is None


def test_a_stop_is_set_at_so_many_credits_when_one_is_wanted():
    chosen = everything(stop_multiple=3.0)
    for one, order in proposals(view_of(), chosen):
        assert -1e-9 < float(order.exits.stop_usd) - 3.0 * one.credit_usd < 0.10
