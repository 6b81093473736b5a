"""Judges every row of a quote table: may it be used, and if not, why not.

Pure. First the quote is judged as a quote, by what was said and when; then, once there is a model,
by what it would mean. All that is asked for is at hand in the table or the frame; nobody is asked.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.broker.quote import DataType
from thetawarden.domain.broker.quote_rows import DATA_TYPES
from thetawarden.domain.chains.doubts import CODES, FROM_PRICING, Doubt, DoubtLimits
from thetawarden.domain.chains.moving import expected_move_usd
from thetawarden.domain.chains.table import QuoteTable
from thetawarden.domain.pricing.arrays import BoolArray
from thetawarden.domain.pricing.reasons import CODE_OF, Codes

_LIVE = DATA_TYPES.index(DataType.LIVE)
_PRICING_CODES = {CODE_OF[reason]: CODES[doubt] for reason, doubt in FROM_PRICING.items()}


class Frame(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What holds for all rows, or for all of one series."""

    now_ns: int
    link_up: bool
    spot_usd: float
    spot_sure: bool
    underlying_halted: bool
    last_trade_ns: NDArray[np.int64]
    qualified: BoolArray


def doubt_quotes(table: QuoteTable, frame: Frame, limits: DoubtLimits) -> Codes:
    """Return for each row the first reason that its quote itself gives; 0 where there is none."""
    with np.errstate(all="ignore"):
        findings = _circumstances(table, frame, limits) | _prices(table, frame, limits)
        findings[Doubt.FROZEN] = _frozen(table, frame, limits)
    return _first(findings, len(table.conid))


def doubt_frozen(table: QuoteTable, frame: Frame, limits: DoubtLimits, codes: Codes) -> Codes:
    """Return these codes of quotes once more, after some rows without a doubt had new Greeks."""
    with np.errstate(all="ignore"):
        frozen = _frozen(table, frame, limits)
    return np.where((codes == 0) & frozen, CODES[Doubt.FROZEN], codes).astype(np.int8)


def doubt_rows(
    table: QuoteTable, quote_codes: Codes, *, has_forward: BoolArray, limits: DoubtLimits
) -> Codes:
    """Return for each row the reason of its quote, or the first that its meaning gives.

    `has_forward` is one flag per series.
    """
    bare = np.isnan(table.iv_annual)
    priced = np.zeros(len(bare), dtype=np.int8)
    for pricing_code, code in _PRICING_CODES.items():
        priced[bare & (table.iv_code == pricing_code)] = code
    with np.errstate(all="ignore"):
        findings = {
            Doubt.NO_FORWARD: ~has_forward[table.series],
            Doubt.NO_VOLATILITY: bare & (priced == 0),
            Doubt.GREEKS_DIVERGE: _diverging(table, limits),
        }
    meant = _first(findings, len(bare))
    by_price = np.where(meant == CODES[Doubt.NO_FORWARD], meant, np.where(priced, priced, meant))
    return np.where(quote_codes != 0, quote_codes, by_price).astype(np.int8)


def _circumstances(table: QuoteTable, frame: Frame, limits: DoubtLimits) -> dict[Doubt, BoolArray]:
    size = len(table.conid)
    everywhere = np.ones(size, dtype=np.bool_)
    age_ns = frame.now_ns - table.at_ns
    halted = (table.halted == 1) | frame.underlying_halted
    return {
        Doubt.NOT_QUALIFIED: ~frame.qualified[table.series],
        Doubt.EXPIRED: frame.last_trade_ns[table.series] <= frame.now_ns,
        Doubt.LINK_DOWN: everywhere & (not frame.link_up),
        Doubt.NO_QUOTE: table.at_ns == 0,
        Doubt.OLD_LINK: ~table.linked & np.isfinite(table.bid_usd + table.ask_usd),
        Doubt.NOT_LIVE: table.data_type != _LIVE,
        Doubt.HALTED: halted,
        Doubt.UNDERLYING_UNSURE: everywhere & (not frame.spot_sure),
        Doubt.FROM_THE_FUTURE: age_ns < -limits.future_ns_max,
        Doubt.STALE: age_ns > limits.age_ns_max + table.refresh_ns,
    }


def _prices(table: QuoteTable, frame: Frame, limits: DoubtLimits) -> dict[Doubt, BoolArray]:
    bid, ask = table.bid_usd, table.ask_usd
    one_sided = np.isnan(bid) | np.isnan(ask)
    patient = frame.now_ns - table.crossed_ns <= limits.crossed_grace_ns
    crossed = (table.crossed_ns > 0) & ~(patient & np.isfinite(table.sound_mid_usd))
    width = table.sound_ask_usd - table.sound_bid_usd
    allowed = np.maximum(
        limits.spread_usd_always_fine, limits.spread_fraction_max * table.sound_mid_usd
    )
    return {
        Doubt.NOT_FINITE: np.isinf(bid) | np.isinf(ask),
        Doubt.NEGATIVE: (bid < 0.0) | (ask < 0.0),
        Doubt.ONE_SIDED: one_sided,
        Doubt.ZERO_BID: bid == 0.0,
        Doubt.ZERO_ASK: ask == 0.0,
        Doubt.NO_SIZE: (table.bid_size <= 0.0) | (table.ask_size <= 0.0),
        Doubt.CROSSED: crossed & (bid > ask),
        Doubt.LOCKED: crossed & (bid == ask),
        Doubt.JUMPED: np.isfinite(table.pending_usd),
        Doubt.TOO_WIDE: ~(width <= allowed),
    }


def _frozen(table: QuoteTable, frame: Frame, limits: DoubtLimits) -> BoolArray:
    """The underlying has gone where this quote must have followed, and it did not.

    Far moves bring a fit, so the Greeks are about those of where the underlying is now.
    """
    carried = expected_move_usd(
        delta_per_share=table.delta_per_share,
        gamma_per_usd=table.gamma_per_usd,
        way_usd=frame.spot_usd - table.moved_spot_usd,
        worth_usd=table.sound_mid_usd,
        greeks_at_end=True,
    )
    width = np.maximum(table.sound_ask_usd - table.sound_bid_usd, 0.01)
    still = frame.now_ns - table.moved_ns > limits.frozen_after_ns
    return np.asarray(still & (np.abs(carried) > limits.frozen_widths * width))


def _diverging(table: QuoteTable, limits: DoubtLimits) -> BoolArray:
    """The broker's own model says something else; where it says nothing there is nothing to say."""
    ours, theirs = table.iv_annual, table.broker_iv_annual
    by_iv = np.abs(theirs - ours) > limits.iv_fraction_max * ours
    by_delta = np.abs(table.broker_delta - table.delta_per_share) > limits.delta_difference_max
    return by_iv | by_delta


def _first(findings: dict[Doubt, BoolArray], size: int) -> Codes:
    codes = np.zeros(size, dtype=np.int8)
    for doubt in reversed(Doubt):
        found = findings.get(doubt)
        if found is not None:
            codes[found] = CODES[doubt]
    return codes
