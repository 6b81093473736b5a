"""How much of every limit of R2 to R10 is used, by facts of the log and arithmetic of our own.

`held` is what is filled, `used` with all that may yet fill, each order where it makes a number
worse and nowhere else. A number that a missing fact leaves open is NaN: then nothing may be let in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec
import numpy as np

from soak.own_facts import Account, Facts, is_option
from soak.own_margin import Lot, asked_usd
from soak.own_orders import Live, Lots
from soak.own_prices import (
    DAY,
    DROP,
    MARGIN,
    PLACE,
    RISE,
    SCENARIOS,
    VIX_UP,
    Floats,
    Terms,
    worths,
)
from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.market.contracts import ExerciseStyle, Right
from thetawarden.domain.market.products import OPTION_CLASSES
from thetawarden.domain.market.sectors import BROAD, sector_of
from thetawarden.domain.risk.limits import RiskLimits

POSITIONS_BY_VIX = ((20.0, 1.0, 999), (25.0, 0.75, 999), (30.0, 0.5, 999), (40.0, 0.5, 5))
"""Up to which VIX what part of the positions, and how many at most; beyond it none."""
STATES = len(PLACE)


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """One limit, in its own unit."""

    rule: str
    name: str
    limit: float
    held: float
    used: float

    @property
    def key(self) -> str:
        """Its name among all."""
        return f"{self.rule} {self.name}"

    @property
    def is_over(self) -> bool:
        """Whether more is used than the limit allows; unknown is not over."""
        return self.used > self.limit + 1e-6


class OwnMeasure:
    """Measures, and never prices the same contract in the same market twice."""

    def __init__(self, limits: RiskLimits) -> None:
        self._limits = limits
        self._worths: dict[int, tuple[Terms, Floats]] = {}

    def uses(self, facts: Facts) -> tuple[Use, ...]:
        """Return the use of every limit; nothing before the account was heard of."""
        account = facts.account
        if account is None or account.nlv_usd <= 0.0:
            return ()
        held = self._sum(facts, _flat(facts.orders.held().values()))
        worst, live = held.copy(), facts.live()
        for order in live:
            worst = worst + order.units_left * np.minimum(self.unit(facts, order), 0.0)
        return (
            *self._small_moves(facts, account, live, held=held),
            *self._margins(facts, account, live, held=held, worst=worst),
            *self._scenarios(account, held=held, worst=worst),
            *self._names(facts, account, live),
            self._positions(facts, live),
        )

    def unit(self, facts: Facts, order: Live) -> Floats:
        """What one unit of an order brings in every state."""
        legs = order.proposal.legs
        return self._sum(facts, {leg.instrument.conid: float(leg.ratio) for leg in legs})

    def margin_then_usd(self, facts: Facts, lots: Lots) -> float:
        """What some lots ask for after -10 % with the VIX doubled."""
        by_name: dict[str, list[Lot]] = {}
        for conid, n in lots.items():
            one = facts.orders.known[conid]
            lot = self._lot(facts, one, n)
            if lot is None:
                return math.nan
            by_name.setdefault(one.symbol, []).append(lot)
        total = 0.0
        for symbol, own in by_name.items():
            beta, spot = facts.beta_of(symbol), self._spot(facts, symbol)
            then = spot * max(1.0 + (math.nan if beta is None else beta[0]) * MARGIN.index, 0.01)
            total += asked_usd(own, spot=then, broad=symbol in BROAD)
        return total

    def _lot(self, facts: Facts, one: Instrument, n: float) -> Lot | None:
        if not is_option(one):
            return Lot(n=n, multiplier=float(one.multiplier), option=False)
        terms = self._terms(facts, one)
        if terms is None:
            return None
        return Lot(
            n=n,
            multiplier=float(one.multiplier),
            strike=terms.strike,
            call=terms.call,
            years=terms.years,
            worth=float(self._worth(one.conid, terms)[PLACE[MARGIN.name]]),
        )

    def _sum(self, facts: Facts, lots: Lots) -> Floats:
        """What lots bring in every state against now; NaN where any cannot be valued."""
        total = np.zeros(STATES)
        for conid, n in lots.items():
            total = total + n * self._profit(facts, facts.orders.known[conid])
        return total

    def _profit(self, facts: Facts, one: Instrument) -> Floats:
        multiplier = float(one.multiplier)
        if is_option(one):
            terms = self._terms(facts, one)
            if terms is None:
                return np.full(STATES, math.nan)
            worth = self._worth(one.conid, terms)
            return np.asarray((worth - worth[0]) * multiplier)
        beta, spot = facts.beta_of(one.symbol), self._spot(facts, one.symbol)
        moves = np.zeros(STATES)
        for shock in (*SCENARIOS, MARGIN, DROP, RISE):
            moves[PLACE[shock.name]] = (math.nan if beta is None else beta[0]) * shock.index
        return moves * spot * multiplier

    def _worth(self, conid: int, terms: Terms) -> Floats:
        known = self._worths.get(conid)
        if known is None or known[0] != terms:
            known = (terms, worths(terms))
            self._worths[conid] = known
        found: Floats = known[1]
        return found

    def _terms(self, facts: Facts, one: Instrument) -> Terms | None:
        """How an option stands by its chain; None where that has not shown it lately enough.

        Where the last view does not tell its volatility, that of an earlier one stands for it, as
        long as a revaluation may be old.
        """
        chain, beta = facts.chains.get(one.symbol), facts.beta_of(one.symbol)
        if chain is None or beta is None or facts.vix is None:
            return None
        if chain.spot_doubt or not chain.spot_usd:
            return None
        marks = facts.marks.get(one.conid)
        if marks is None or facts.now_ns - marks.at_ns > self._limits.stress.age_ns_max:
            return None
        style = OPTION_CLASSES.get(one.trading_class)
        return Terms(
            strike=float(one.strike or 0),
            call=one.right is Right.CALL,
            american=style is None or style.style is not ExerciseStyle.EUROPEAN,
            years=marks.years,
            vol=marks.vol,
            rate=marks.rate,
            carry=marks.carry,
            spot=chain.spot_usd,
            vix=facts.vix.value,
            beta=beta[0],
            vol_beta=beta[1],
        )

    def _spot(self, facts: Facts, symbol: str) -> float:
        chain = facts.chains.get(symbol)
        spot = None if chain is None or chain.spot_doubt else chain.spot_usd
        return math.nan if spot is None else spot

    def _small_moves(
        self, facts: Facts, account: Account, live: tuple[Live, ...], *, held: Floats
    ) -> list[Use]:
        """R2: a fall and a rise of 1 %, their curvature, a VIX point, a day, notional."""
        greeks = self._limits.greeks
        limit_of = {
            "index_drop": greeks.index_drop_max_fraction,
            "index_rise": greeks.index_drop_max_fraction,
            "gamma": greeks.gamma_max_fraction,
            "vix_rise": greeks.vega_max_fraction,
            "income": greeks.theta_max_fraction,
        }
        filled = small_moves(held)
        may = dict(filled)
        for order in live:
            for name, cost in small_moves(self.unit(facts, order)).items():
                may[name] += order.units_left * max(cost, 0.0)
        found = [
            Use(
                rule="R2",
                name=name,
                limit=limit,
                held=filled[name] / account.nlv_usd,
                used=may[name] / account.nlv_usd,
            )
            for name, limit in limit_of.items()
        ]
        notional = self._notional_usd(facts, _flat(facts.orders.held().values()))
        more = math.fsum(
            self._notional_usd(facts, _lots(one, one.units_left))
            for one in live
            if not _only_takes_away(one, facts)
        )
        nlv, most = account.nlv_usd, greeks.notional_max_nlv
        return [
            *found,
            Use(
                rule="R2",
                name="notional",
                limit=most,
                held=notional / nlv,
                used=(notional + more) / nlv,
            ),
        ]

    def _notional_usd(self, facts: Facts, lots: Lots) -> float:
        total = 0.0
        for conid, n in lots.items():
            one = facts.orders.known[conid]
            each = float(one.strike or 0) if is_option(one) else self._spot(facts, one.symbol)
            total += abs(n) * float(one.multiplier) * each
        return total

    def _margins(
        self, facts: Facts, account: Account, live: tuple[Live, ...], *, held: Floats, worst: Floats
    ) -> list[Use]:
        """R3 by the broker's figures; R4 by the rules of the account after the shock."""
        margin, nlv = self._limits.margin, account.nlv_usd
        waits = math.fsum(one.units_left * one.margin_usd for one in live)
        auto = [one for one in live if one.proposal.auto_selected]
        kept = math.fsum(one.margin_usd for one in facts.orders.trades.values() if one.auto)
        parts = {
            "utilisation": (margin.utilisation_max_fraction, account.margin_usd, waits),
            "not_liquid": (
                1.0 - margin.excess_liquidity_min_fraction,
                nlv - account.liquid_usd,
                waits,
            ),
            "auto_select_budget": (
                margin.auto_select_max_fraction,
                kept,
                math.fsum(one.units_left * one.margin_usd for one in auto),
            ),
        }
        found = [
            Use(rule="R3", name=name, limit=limit, held=usd / nlv, used=(usd + more) / nlv)
            for name, (limit, usd, more) in parts.items()
        ]
        own = self.margin_then_usd(facts, _flat(facts.orders.held().values()))
        more = math.fsum(
            one.units_left * self.margin_then_usd(facts, _lots(one, 1))
            for one in live
            if not _only_takes_away(one, facts)
        )
        place = PLACE[MARGIN.name]
        return [
            *found,
            Use(
                rule="R4",
                name="stressed_utilisation",
                limit=margin.stressed_utilisation_max_fraction,
                held=_part(own, nlv + float(held[place])),
                used=_part(own + more, nlv + float(worst[place])),
            ),
        ]

    def _scenarios(self, account: Account, *, held: Floats, worst: Floats) -> list[Use]:
        """R6: what every scenario would cost."""
        return [
            Use(
                rule="R6",
                name=one.name,
                limit=self._limits.stress.entry_loss_fraction,
                held=0.0 - float(held[PLACE[one.name]]) / account.nlv_usd,
                used=0.0 - float(worst[PLACE[one.name]]) / account.nlv_usd,
            )
            for one in SCENARIOS
        ]

    def _names(self, facts: Facts, account: Account, live: tuple[Live, ...]) -> list[Use]:
        """R10: what a single name could lose by expiry, and underlyings of one sector."""
        held: dict[str, Lots] = {}
        for conid, n in _flat(facts.orders.held().values()).items():
            held.setdefault(facts.orders.known[conid].symbol, {})[conid] = n
        losses = {name: self._at_expiry_usd(facts, lots) for name, lots in held.items()}
        found, used = [], dict(losses)
        for one in live:
            if not _only_takes_away(one, facts):
                name = one.proposal.underlying
                more = self._at_expiry_usd(facts, _lots(one, one.units_left))
                used[name] = used.get(name, 0.0) + more
        limits, nlv = self._limits.concentration, account.nlv_usd
        for name, usd in used.items():
            if name not in BROAD:
                loss, limit = losses.get(name, 0.0) / nlv, limits.name_max_fraction
                found.append(Use(rule="R10", name=name, limit=limit, held=loss, used=usd / nlv))
        sectors: dict[str, set[str]] = {}
        for name in used:
            if name not in BROAD:
                sectors.setdefault(sector_of(name), set()).add(name)
        for sector, names in sectors.items():
            own, most = float(len(names & held.keys())), float(limits.sector_underlyings_max)
            there = float(len(names))
            found.append(Use(rule="R10", name=f"in {sector}", limit=most, held=own, used=there))
        return found

    def _at_expiry_usd(self, facts: Facts, lots: Lots) -> float:
        """The worst at expiry over every price an underlying may end at."""
        known = [(facts.orders.known[conid], n) for conid, n in lots.items()]
        if not known:
            return 0.0
        spot = self._spot(facts, known[0][0].symbol)
        ends = [0.0, 2.0 * spot, *(float(one.strike or 0) for one, _ in known if is_option(one))]
        return max(0.0, *(-sum(_pays(one, n, end, spot) for one, n in known) for end in ends))

    def _positions(self, facts: Facts, live: tuple[Live, ...]) -> Use:
        held = float(len(facts.orders.held()))
        entries = float(sum(1 for one in live if not one.reducing))
        if facts.vix is None:
            entries = math.nan  # nobody knows how many are allowed
        return Use(
            rule="R10",
            name="positions",
            limit=float(positions_max(facts, self._limits.concentration.positions_max)),
            held=held,
            used=held + entries,
        )


def small_moves(profits: Floats) -> dict[str, float]:
    """What the small moves of R2 cost, by name."""
    drop, rise = float(profits[PLACE[DROP.name]]), float(profits[PLACE[RISE.name]])
    return {
        "index_drop": 0.0 - drop,
        "index_rise": 0.0 - rise,
        "gamma": 0.0 - (drop + rise) / 2.0,
        "vix_rise": 0.0 - float(profits[PLACE[VIX_UP.name]]),
        "income": float(profits[PLACE[DAY.name]]),
    }


def positions_max(facts: Facts, normal: int, *, phase: float = 1.0) -> int:
    """How many positions the VIX allows, and of those the way back; an unknown VIX allows none."""
    if facts.vix is None:
        return 0
    for until, part, most in POSITIONS_BY_VIX:
        if facts.vix.value < until or (until == 40.0 and facts.vix.value == until):
            return min(math.floor(normal * part * phase + 1e-9), most)
    return 0


def _pays(one: Instrument, n: float, end: float, spot: float) -> float:
    shares = n * float(one.multiplier)
    if not is_option(one):
        return shares * (end - spot)
    inside = end - float(one.strike or 0)
    return shares * max(inside if one.right is Right.CALL else -inside, 0.0)


def _flat(many: Iterable[Lots]) -> Lots:
    total: Lots = {}
    for lots in many:
        for conid, n in lots.items():
            total[conid] = total.get(conid, 0.0) + n
    return {conid: n for conid, n in total.items() if abs(n) > 1e-9}


def _lots(one: Live, units: int) -> Lots:
    return {leg.instrument.conid: float(leg.ratio * units) for leg in one.proposal.legs}


def _only_takes_away(one: Live, facts: Facts) -> bool:
    counts = facts.orders.counts()
    return all(
        counts.get(conid, 0.0) * n < 0.0 and abs(n) <= abs(counts.get(conid, 0.0)) + 1e-9
        for conid, n in _lots(one, one.units_left).items()
    )


def _part(usd: float, left_usd: float) -> float:
    if left_usd > 0.0:
        return usd / left_usd
    return math.inf if usd > 0.0 else 0.0
