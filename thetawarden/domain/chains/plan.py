"""Turns what should be watched into rows of a table and into wishes for market data.

Pure. Positions and orders stream first, then the options an entry would be made of. The pairs at
the money of the near expiries, on which forwards rest, stream as far as lines are left; the rest of
the window is asked for as snapshots, which hold no line. The underlying comes before all: without
its price no quote can be judged.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.broker.lines import LineManner, LinePriority, LineWant
from thetawarden.domain.chains.identity import Contracts, SeriesKey, instrument_of
from thetawarden.domain.chains.settings import Pace, WatchSettings
from thetawarden.domain.chains.table import QuoteTable, blank_table
from thetawarden.domain.chains.windows import (
    StrikeChoice,
    choose_strikes,
    edges_by_delta,
    edges_by_distance,
    nearest_strikes,
    price_of_delta,
)
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.market.contracts import ExerciseStyle, Right, Settlement
from thetawarden.domain.remembering import remembered
from thetawarden.domain.surface.smile import Smiles
from thetawarden.domain.surface.strikes import strike_delta
from thetawarden.domain.units import to_floats

SERIES_KEPT = 1024


class WatchedSeries(msgspec.Struct, frozen=True, kw_only=True):
    """One series that is watched: its options, its end, and which strikes are looked at."""

    contracts: Contracts
    settlement: Settlement
    style: ExerciseStyle
    settles_ns: UnixNs
    last_trade_ns: UnixNs
    choice: StrikeChoice = StrikeChoice()

    @property
    def key(self) -> SeriesKey:
        """Which series it is."""
        return self.contracts.key

    def strikes_usd(self) -> NDArray[np.float64]:
        """Its strikes for use in a model."""
        return _strikes_usd(self.contracts.strikes)


class PlannedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One option to be watched, by where it is found, and what for."""

    conid: int
    series: int
    strike_at: int
    right: Right
    priority: LinePriority
    streams: bool = True


def choose_rows(
    series: Sequence[WatchedSeries],
    *,
    smiles: Sequence[tuple[Smiles, int] | None],
    spot_usd: float,
    today: dt.date,
    settings: WatchSettings,
    again: bool = True,
) -> tuple[WatchedSeries, ...]:
    """Choose every series' strikes, `again` also those that were chosen before.

    `smiles` gives each its smile, if there is one.
    """
    near = sorted({one.key.expiry for one in series})[: settings.entries.expiries]
    return tuple(
        one
        if one.choice.chosen and not again
        else msgspec.structs.replace(
            one,
            choice=_choice(
                one,
                smile=smile,
                spot_usd=spot_usd,
                dte=(one.key.expiry - today).days,
                for_entries=one.key.expiry in near,
                settings=settings,
            ),
        )
        for one, smile in zip(series, smiles, strict=True)
    )


def plan_rows(
    series: Sequence[WatchedSeries],
    *,
    spot_usd: float,
    interest: Mapping[int, LinePriority],
    near_expiries: int,
) -> tuple[PlannedRow, ...]:
    """List the options to be watched: the chosen ones, and whatever somebody has asked for."""
    rows: dict[int, PlannedRow] = {}
    near = sorted({one.key.expiry for one in series})[:near_expiries]
    for number, one in enumerate(series):
        paired = set(one.choice.paired) if one.key.expiry in near else set()
        for strike_at, right, priority in _wanted_of(one, spot_usd, interest):
            conids = one.contracts.calls if right is Right.CALL else one.contracts.puts
            conid = conids[strike_at]
            known = rows.get(conid)
            if conid and (known is None or priority < known.priority):
                rows[conid] = PlannedRow(
                    conid=conid,
                    series=number,
                    strike_at=strike_at,
                    right=right,
                    priority=priority,
                    streams=priority is not LinePriority.SCAN or strike_at in paired,
                )
    return tuple(sorted(rows.values(), key=lambda row: (row.series, row.strike_at, row.right)))


def table_of(
    rows: Sequence[PlannedRow], series: Sequence[WatchedSeries], *, pace: Pace
) -> QuoteTable:
    """Return an empty table with these rows."""
    strikes = [one.strikes_usd() for one in series]
    return blank_table(
        conid=np.array([row.conid for row in rows], dtype=np.int64),
        series=np.array([row.series for row in rows], dtype=np.int64),
        strike_usd=np.array([strikes[row.series][row.strike_at] for row in rows], dtype=np.float64),
        is_call=np.array([row.right is Right.CALL for row in rows], dtype=np.bool_),
        refresh_ns=refreshes(rows, pace=pace),
    )


def refreshes(rows: Sequence[PlannedRow], *, pace: Pace) -> NDArray[np.int64]:
    """Return after how long each row's quote is asked for again."""
    return np.array([_refresh_ns(row.priority, pace) for row in rows], dtype=np.int64)


def line_wants(
    rows: Sequence[PlannedRow],
    series: Sequence[WatchedSeries],
    *,
    underlying: Instrument,
    pace: Pace,
) -> tuple[LineWant, ...]:
    """Return the wishes for market data, the most important first."""
    first = LineWant(
        instrument=underlying,
        priority=LinePriority.POSITION,
        manner=LineManner.STREAM,
        refresh_ns=pace.stream_refresh_ns,
    )
    wants = (
        LineWant(
            instrument=instrument_of(
                contracts=series[row.series].contracts,
                underlying=underlying.symbol,
                strike_at=row.strike_at,
                right=row.right,
            ),
            priority=row.priority,
            manner=LineManner.STREAM if row.streams else LineManner.SNAPSHOT,
            refresh_ns=_refresh_ns(row.priority, pace),
        )
        for row in sorted(rows, key=lambda row: (row.priority, not row.streams))
    )
    return (first, *wants)


@remembered(SERIES_KEPT)
def _strikes_usd(strikes: tuple[Decimal, ...]) -> NDArray[np.float64]:
    found = np.array(to_floats(strikes), dtype=np.float64)
    found.flags.writeable = False
    return found


def _choice(
    one: WatchedSeries,
    *,
    smile: tuple[Smiles, int] | None,
    spot_usd: float,
    dte: int,
    for_entries: bool,
    settings: WatchSettings,
) -> StrikeChoice:
    strikes, window, entries = one.strikes_usd(), settings.strikes, settings.entries
    reach = None if smile is None else _reach(smile[0], strikes, settings, at=smile[1])
    put_usd = call_usd = math.nan
    if reach is None:
        edges = edges_by_distance(spot_usd=spot_usd, dte=dte, window=window)
    else:
        edges = reach.edges
        if for_entries:
            put_usd, call_usd = reach.put_usd, reach.call_usd
    choice = choose_strikes(
        strikes,
        before=one.choice,
        edges=edges,
        spot_usd=spot_usd,
        near_usd=(put_usd, call_usd),
        window=window,
    )
    return msgspec.structs.replace(
        choice,
        entry_puts=nearest_strikes(
            strikes, put_usd, count=entries.puts, before=one.choice.entry_puts
        ),
        entry_calls=nearest_strikes(
            strikes, call_usd, count=entries.calls, before=one.choice.entry_calls
        ),
    )


class _Reach(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Where a smile puts the edges of the window, and the deltas that entries are looked for at."""

    edges: NDArray[np.float64]
    put_usd: float
    call_usd: float


@remembered(SERIES_KEPT)
def _reach(
    smiles: Smiles, strikes: NDArray[np.float64], settings: WatchSettings, /, *, at: int
) -> _Reach | None:
    """What a smile says of a series; None where it can tell no delta.

    Beyond the quotes a smile is a guess, but a window is no price: a guess will do.
    """
    if smiles.gaps[at] is not None:
        return None
    expiry = np.full(len(strikes), at)
    delta = strike_delta(smiles, expiry=expiry, strike_usd=strikes, is_call=True)
    if not np.isfinite(delta).all():
        return None
    entries = settings.entries
    return _Reach(
        edges=edges_by_delta(strikes, delta, window=settings.strikes),
        put_usd=float(price_of_delta(strikes, delta, 1.0 - entries.put_delta)),
        call_usd=float(price_of_delta(strikes, delta, entries.call_delta)),
    )


def _wanted_of(
    one: WatchedSeries, spot_usd: float, interest: Mapping[int, LinePriority]
) -> list[tuple[int, Right, LinePriority]]:
    scan, entry = LinePriority.SCAN, LinePriority.ENTRY
    strikes, choice, contracts = one.strikes_usd(), one.choice, one.contracts
    wanted = [
        (at, Right.PUT if strikes[at] < spot_usd else Right.CALL, scan) for at in choice.chosen
    ]
    wanted += [(at, right, scan) for at in choice.paired for right in Right]
    wanted += [(at, Right.PUT, entry) for at in choice.entry_puts]
    wanted += [(at, Right.CALL, entry) for at in choice.entry_calls]
    if interest:
        places = _places(contracts)
        wanted += [
            (*places[conid], priority) for conid, priority in interest.items() if conid in places
        ]
    return wanted


@remembered(SERIES_KEPT)
def _places(contracts: Contracts) -> Mapping[int, tuple[int, Right]]:
    """At which strike, and of which right, each of a series' options is."""
    sides = ((Right.CALL, contracts.calls), (Right.PUT, contracts.puts))
    return {
        conid: (at, right) for right, conids in sides for at, conid in enumerate(conids) if conid
    }


def _refresh_ns(priority: LinePriority, pace: Pace) -> int:
    return pace.scan_refresh_ns if priority is LinePriority.SCAN else pace.stream_refresh_ns
