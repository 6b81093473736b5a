"""Revalues options of one underlying in the governor's own scenarios, contract by contract.

Losses of scenarios are what limits are stated in; whether a rearrangement or a hedge makes them
smaller is therefore judged by the same shocks. The underlying is moved as the index is. What has no
model inputs has NaN for a profit, and nothing is built on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.chains.view import ChainView
from thetawarden.domain.portfolio.book import KINDS, Book, Underlyings
from thetawarden.domain.portfolio.revaluation import scenario_profits
from thetawarden.domain.portfolio.scenario import ShockRules
from thetawarden.domain.portfolio.shock import STANDARD_SCENARIOS, Scenario
from thetawarden.domain.pricing.arrays import FloatArray
from thetawarden.domain.risk.instrument import UNMARKED, ConId, Marks
from thetawarden.domain.risk.intake import instrument_of, marks_of_chain
from thetawarden.domain.risk.scenarios import ONLY_VIX, RISES, SMALL_MOVES

SCENARIOS: Final[tuple[Scenario, ...]] = (*STANDARD_SCENARIOS, ONLY_VIX, *RISES, *SMALL_MOVES)


class Stand(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What one chain says that revaluing needs."""

    spot_usd: float
    vix_points: float
    marks: dict[ConId, Marks]


def stand_of(view: ChainView, *, vix_points: float) -> Stand:
    """Return what a view says; without a price everything is NaN."""
    return Stand(
        spot_usd=np.nan if view.spot_usd is None else view.spot_usd,
        vix_points=vix_points,
        marks=marks_of_chain(view),
    )


def contract_profits(instruments: Sequence[Instrument], stand: Stand) -> FloatArray:
    """Return what one contract of each brings in every scenario: instrument x scenario, in USD."""
    known = [instrument_of(one) for one in instruments]
    profits = np.full((len(known), len(SCENARIOS)), np.nan)
    rows = [number for number, one in enumerate(known) if one is not None]
    terms = [one for one in known if one is not None]
    if not terms:
        return profits
    marks = [stand.marks.get(one.con_id, UNMARKED) if one.is_option else Marks() for one in terms]
    size = len(terms)
    book = Book(
        kind=np.array([KINDS.index(one.kind) for one in terms], dtype=np.int8),
        underlying=np.zeros(size, dtype=np.intp),
        contracts=np.ones(size),
        multiplier=np.array([one.multiplier for one in terms]),
        strike_usd=np.array([one.strike_usd for one in terms]),
        is_call=np.array([one.is_call for one in terms], dtype=np.bool_),
        tau_years=np.array([one.tau_years for one in marks]),
        iv_annual=np.array([one.iv_annual for one in marks]),
        rate_annual=np.array([one.rate_annual for one in marks]),
        yield_annual=np.array([one.yield_annual for one in marks]),
    )
    underlyings = Underlyings(
        spot_usd=np.array([stand.spot_usd]),
        beta=np.ones(1),
        iv_beta=np.ones(1),
        sector=np.zeros(1, dtype=np.intp),
    )
    with np.errstate(all="ignore"):
        profits[rows] = scenario_profits(
            book,
            underlyings,
            vix_now=stand.vix_points,
            scenarios=SCENARIOS,
            rules=ShockRules(),
        )
    return profits


def worst_loss_usd(profits: FloatArray) -> float:
    """Return the largest loss over all scenarios, 0 when none loses; NaN when any is unknown."""
    return float(np.maximum(-profits, 0.0).max(initial=0.0)) if profits.size else 0.0
