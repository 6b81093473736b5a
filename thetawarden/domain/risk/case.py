"""Gathers everything a rule may look at into one case: candidate, book, desk, market, limits."""

from __future__ import annotations

import datetime as dt
import math

import msgspec
import numpy as np

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.regime.assess import Regime
from thetawarden.domain.regime.readings import SKEW_NS_MAX, InputFault
from thetawarden.domain.risk.candidate import Candidate
from thetawarden.domain.risk.equity import EquityState
from thetawarden.domain.risk.flow import LiveOrder, OrderFlow
from thetawarden.domain.risk.holdings import Account, MarketView
from thetawarden.domain.risk.interlock import InterlockGap
from thetawarden.domain.risk.limits import RiskLimits
from thetawarden.domain.risk.measure import AddedMeasure, BookMeasure
from thetawarden.domain.risk.posture import Posture
from thetawarden.domain.risk.recovery import RecoveryState


class RegimeSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A regime and when it was assessed."""

    regime: Regime
    at_ns: UnixNs


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What the desk knows of itself; None is not known."""

    account: Account | None
    regime: RegimeSeen | None
    equity: EquityState = EquityState()
    recovery: RecoveryState = RecoveryState()
    posture: Posture = Posture()
    flow: OrderFlow = OrderFlow()
    live_orders: tuple[LiveOrder, ...] = ()
    link_epoch: int = 0
    interlock: tuple[InterlockGap, ...] = ()


class Case(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One candidate to be judged at one instant; `day` is the trading day."""

    candidate: Candidate
    added: AddedMeasure
    book: BookMeasure
    desk: Desk
    market: MarketView
    limits: RiskLimits
    now_ns: UnixNs
    day: dt.date

    @property
    def nlv_usd(self) -> float:
        """Net liquidation value, or NaN: a limit that is a part of it then lets nothing through."""
        account = self.desk.account
        if account is None or self.account_fault is not None:
            return math.nan
        return account.nlv_usd

    @property
    def account_fault(self) -> InputFault | None:
        """Why the account's figures may not be used, or None when they may."""
        account = self.desk.account
        if account is None:
            return InputFault.MISSING
        figures = (account.nlv_usd, account.initial_margin_usd, account.excess_liquidity_usd)
        if not all(map(math.isfinite, figures)):
            return InputFault.NOT_FINITE
        if account.nlv_usd <= 0.0 or account.initial_margin_usd < 0.0:
            return InputFault.OUT_OF_RANGE
        return age_fault(
            account.at_ns, now_ns=self.now_ns, age_ns_max=self.limits.margin.account_age_ns_max
        )

    @property
    def reserved_margin_usd(self) -> float:
        """Margin kept free for what may yet fill."""
        return math.fsum(order.margin_usd for order in self.book.pending)

    @property
    def utilisation_fraction(self) -> float:
        """Margin in use or kept free, over net liquidation value; NaN when unknown."""
        account = self.desk.account
        if account is None:
            return math.nan
        return (account.initial_margin_usd + self.reserved_margin_usd) / self.nlv_usd

    @property
    def margin_usd_per_unit(self) -> float:
        """The broker's margin for one unit, never below 0; NaN when the answer is unusable."""
        answer = self.candidate.whatif
        if answer is None or self.whatif_fault is not None:
            return math.nan
        return max(answer.initial_change_usd, answer.maintenance_change_usd, 0.0) / answer.units

    @property
    def whatif_fault(self) -> InputFault | None:
        """Why the broker's answer may not be used, or None when it may."""
        answer = self.candidate.whatif
        if answer is None:
            return InputFault.MISSING
        changes = (answer.initial_change_usd, answer.maintenance_change_usd)
        if not all(map(math.isfinite, changes)):
            return InputFault.NOT_FINITE
        if answer.units <= 0 or max(map(abs, changes)) >= ABSURD_USD:
            return InputFault.OUT_OF_RANGE
        return age_fault(
            answer.at_ns, now_ns=self.now_ns, age_ns_max=self.limits.margin.answer_age_ns_max
        )

    def worst(self, place: int) -> float:
        """A measured number of the book, with all that may yet fill, as a loss in USD."""
        return 0.0 - float(self.book.worst[place])

    def cost(self, place: int) -> float:
        """What one unit makes worse of a measured number, in USD, never below 0."""
        return 0.0 - float(np.minimum(self.added.profits[place], 0.0))


ABSURD_USD = 1e12
"""Brokers write "no answer" as 1.8e308; no account here is within a thousandth of this."""


def age_fault(at_ns: int, *, now_ns: int, age_ns_max: int) -> InputFault | None:
    """Return why an instant is too old, or not yet, or None when it will do."""
    age_ns = now_ns - at_ns
    if age_ns > age_ns_max:
        return InputFault.STALE
    return InputFault.FROM_THE_FUTURE if age_ns < -SKEW_NS_MAX else None
