"""Lists how much of every limit is used, for people and for what must be cancelled or reduced.

Pure. `held` is what is filled alone, `used` with all that may yet fill, in the limit's own unit;
NaN is unknown. Limits on single orders have no use of their own and are not listed.
"""

from __future__ import annotations

import math

import msgspec

from thetawarden.domain.pricing.arrays import FloatArray
from thetawarden.domain.risk.finding import RuleId
from thetawarden.domain.risk.holdings import Account
from thetawarden.domain.risk.limits import RiskLimits
from thetawarden.domain.risk.measure import BookMeasure, Figure


class LimitUse(msgspec.Struct, frozen=True, kw_only=True):
    """One limit: its value, and how much of it is taken up, in its own unit."""

    rule: RuleId
    name: str
    limit: float
    held: float
    used: float

    @property
    def fraction(self) -> float:
        """How much of the limit is used with all that may yet fill."""
        if self.limit > 0.0:
            return self.used / self.limit
        return math.nan if math.isnan(self.used) else (math.inf if self.used > 0.0 else 0.0)

    @property
    def is_over_by_pending(self) -> bool:
        """Whether what may yet fill passes the limit, or makes worse what has passed it already."""
        return self.used > max(self.limit, self.held) + 1e-9


def limits_in_use(
    book: BookMeasure, *, account: Account, limits: RiskLimits, positions_max: int
) -> tuple[LimitUse, ...]:
    """Return the use of every limit of the book, in the order of the rules."""
    return (
        *_small_moves(book, account, limits),
        *_margins(book, account, limits),
        *_scenarios(book, account, limits),
        *_names(book, account, limits),
        _positions(book, positions_max),
    )


def _small_moves(book: BookMeasure, account: Account, limits: RiskLimits) -> list[LimitUse]:
    greeks = limits.greeks
    limit_of = {
        Figure.INDEX_DROP: greeks.index_drop_max_fraction,
        Figure.INDEX_RISE: greeks.index_drop_max_fraction,
        Figure.VIX_RISE: greeks.vega_max_fraction,
        Figure.GAMMA: greeks.gamma_max_fraction,
        Figure.INCOME: greeks.theta_max_fraction,
        Figure.NOTIONAL: greeks.notional_max_nlv,
    }
    return [
        LimitUse(
            rule=RuleId.R2,
            name=figure.name.lower(),
            limit=limit,
            held=_loss(book.filled, book.scenarios.size + figure) / account.nlv_usd,
            used=_loss(book.worst, book.scenarios.size + figure) / account.nlv_usd,
        )
        for figure, limit in limit_of.items()
    ]


def _margins(book: BookMeasure, account: Account, limits: RiskLimits) -> list[LimitUse]:
    nlv, margin = account.nlv_usd, limits.margin
    waiting = math.fsum(order.margin_usd for order in book.pending)
    automatic = math.fsum(order.margin_usd for order in book.pending if order.auto_selected)
    stress = book.scenarios.margin_stress
    parts = {
        "utilisation": (margin.utilisation_max_fraction, account.initial_margin_usd, waiting),
        "not_liquid": (
            1.0 - margin.excess_liquidity_min_fraction,
            nlv - account.excess_liquidity_usd,
            waiting,
        ),
        "auto_select_budget": (
            margin.auto_select_max_fraction,
            account.auto_select_margin_usd,
            automatic,
        ),
    }
    found = [
        LimitUse(rule=RuleId.R3, name=name, limit=limit, held=held / nlv, used=(held + more) / nlv)
        for name, (limit, held, more) in parts.items()
    ]
    limit = margin.stressed_utilisation_max_fraction
    shocked = LimitUse(
        rule=RuleId.R4,
        name="stressed_utilisation",
        limit=limit,
        held=_part(book.held_requirement_usd, nlv + float(book.filled[stress])),
        used=_part(book.stressed_requirement_usd, nlv + float(book.worst[stress])),
    )
    return [*found, shocked]


def _part(requirement_usd: float, left_usd: float) -> float:
    """Requirement of what is left; without anything left, any requirement is too much."""
    if left_usd > 0.0:
        return requirement_usd / left_usd
    return math.inf if requirement_usd > 0.0 else 0.0


def _scenarios(book: BookMeasure, account: Account, limits: RiskLimits) -> list[LimitUse]:
    limit = limits.stress.entry_loss_fraction
    return [
        LimitUse(
            rule=RuleId.R6,
            name=scenario.name,
            limit=limit,
            held=_loss(book.filled, place) / account.nlv_usd,
            used=_loss(book.worst, place) / account.nlv_usd,
        )
        for place, scenario in enumerate(book.scenarios.limited)
    ]


def _names(book: BookMeasure, account: Account, limits: RiskLimits) -> list[LimitUse]:
    limit = limits.concentration.name_max_fraction
    standing = book.standing
    return [
        LimitUse(
            rule=RuleId.R10,
            name=symbol,
            limit=limit,
            held=standing.held_losses_usd.get(symbol, 0.0) / account.nlv_usd,
            used=loss / account.nlv_usd,
        )
        for symbol, loss in standing.losses_usd.items()
        if symbol not in book.broad
    ]


def _positions(book: BookMeasure, positions_max: int) -> LimitUse:
    entries = sum(1 for order in book.pending if not order.reducing)
    held = book.standing.positions
    return LimitUse(
        rule=RuleId.R10,
        name="positions",
        limit=float(positions_max),
        held=float(held),
        used=float(held + entries),
    )


def _loss(profits: FloatArray, place: int) -> float:
    return 0.0 - float(profits[place])
