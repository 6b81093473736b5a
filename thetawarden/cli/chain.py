"""`thetawarden chain`."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import click
import msgspec

from thetawarden.cli.place import Place, as_json, on_place, print_json, state_of
from thetawarden.errors import EXIT_USAGE, ThetawardenError

if TYPE_CHECKING:
    from thetawarden.domain.chains.view import ChainRows, ChainView, SeriesView


class RowView(msgspec.Struct, frozen=True, kw_only=True):
    """One option; null means not known. `doubt` is empty when it may be traded on."""

    conid: int
    trading_class: str
    expiry: str
    strike_usd: float
    right: str
    bid_usd: float | None
    ask_usd: float | None
    bid_size: float | None
    ask_size: float | None
    volume: float | None
    open_interest: float | None
    iv_annual: float | None
    smile_iv_annual: float | None
    delta_per_share: float | None
    gamma_per_usd: float | None
    vega_usd_per_vol_point: float | None
    theta_usd_per_day: float | None
    broker_iv_annual: float | None
    broker_delta: float | None
    liquidity: float
    age_s: float
    doubt: str


class ExpiryView(msgspec.Struct, frozen=True, kw_only=True):
    """One class on one expiry day; `gap` names what is missing, empty when nothing is.

    The model is that of `read_at`; `unread` says why a later fit could not read it.
    """

    trading_class: str
    expiry: str
    settlement: str
    rows: int
    usable: int
    forward_usd: float | None
    discount: float | None
    atm_iv_annual: float | None
    skew_log_ratio: float | None
    skew_normalised: float | None
    skew_percentile: float | None
    smile_error_vol_points: float | None
    gap: str
    read_at: str | None
    unread: str


class ChainShown(msgspec.Struct, frozen=True, kw_only=True):
    """A chain as its watcher said it last; nothing but `state` is known before that."""

    underlying: str
    state: str
    at: str | None
    epoch: int
    spot_usd: float | None
    spot_doubt: str
    fitted_at: str | None
    rows: int
    usable: int
    doubts: dict[str, int]
    widest_fraction: float | None
    oldest_s: float | None
    expiries: tuple[ExpiryView, ...]
    options: tuple[RowView, ...]


class NoSuchExpiryError(ThetawardenError):
    """The chain has no such expiry in view. The person looks at the list."""

    exit_code = EXIT_USAGE

    def __init__(self, wanted: dt.date, known: tuple[str, ...]) -> None:
        there = ", ".join(dict.fromkeys(known)) or "none"
        super().__init__(f"no expiry {wanted} is watched; there are: {there}")


@click.command()
@click.argument("underlying")
@click.option("--expiry", type=click.DateTime(["%Y-%m-%d"]), help="Only this expiry.")
@click.option("--strikes", default=8, show_default=True, help="Strikes on each side of the money.")
@as_json
@on_place
def chain(
    *, place: Place, underlying: str, expiry: dt.datetime | None, strikes: int, as_json: bool
) -> None:
    """Show the chain of UNDERLYING as its watcher sees it: quotes, our Greeks, smile and skew."""
    symbol = underlying.upper()
    shown = shown_of(state_of(place.desk(), f"chain/{symbol}"), symbol)
    if expiry is not None:
        shown = _only(shown, expiry.date())
    if as_json:
        print_json(shown)
        return
    from thetawarden.cli.tables import plain_table, print_table  # noqa: PLC0415  # rich is slow

    print_table(plain_table(words_of(shown), _EXPIRY_COLUMNS, _expiry_cells(shown)))
    for one in shown.expiries:
        rows = around_the_money(shown, one, strikes)
        if rows:
            title = f"\n{one.trading_class} {one.expiry}"
            print_table(plain_table(title, ROW_COLUMNS, [row_cells(row) for row in rows]))


def shown_of(state: Any, underlying: str) -> ChainShown:
    """Return what a watcher's state says to people."""
    from thetawarden.domain.chains.view import ChainView, read_rows  # noqa: PLC0415  # slow

    condition = str(state["course"]["condition"] or "starting")
    if state["view"] is None:
        return _nothing(underlying, condition)
    view = msgspec.convert(state["view"], ChainView, strict=False)
    rows = read_rows(view)
    return _shown(view, rows, condition)


def words_of(shown: ChainShown) -> str:
    """Return a chain in one line."""
    if shown.at is None:
        return f"{shown.underlying}: {shown.state}; nothing was seen yet"
    words = f"{shown.underlying} {_number(shown.spot_usd, ',.2f')}"
    words += f" ({shown.spot_doubt.replace('_', ' ')})" if shown.spot_doubt else ""
    words += f" · {shown.state} · {shown.usable} of {shown.rows} usable"
    if shown.widest_fraction is not None and shown.oldest_s is not None:
        words += f", widest {shown.widest_fraction:.0%}, oldest {shown.oldest_s:.0f} s"
    doubts = ", ".join(
        f"{count} {doubt.replace('_', ' ')}" for doubt, count in shown.doubts.items()
    )
    return f"{words} · {shown.at}" + (f"\n{doubts}" if doubts else "")


def around_the_money(shown: ChainShown, expiry: ExpiryView, strikes: int) -> tuple[RowView, ...]:
    """Return the options of an expiry whose strikes are nearest to its forward, in order."""
    mine = [
        row
        for row in shown.options
        if (row.expiry, row.trading_class) == (expiry.expiry, expiry.trading_class)
    ]
    centre = expiry.forward_usd or shown.spot_usd or 0.0
    listed = sorted({row.strike_usd for row in mine})
    below = [strike for strike in listed if strike < centre][-strikes:] if strikes > 0 else []
    above = [strike for strike in listed if strike >= centre][: max(strikes, 0)]
    kept = {*below, *above}
    return tuple(row for row in mine if row.strike_usd in kept)


def _shown(view: ChainView, rows: ChainRows, condition: str) -> ChainShown:
    from thetawarden.domain.chains.view import row_liquidity  # noqa: PLC0415
    from thetawarden.domain.instants import iso  # noqa: PLC0415

    summary, scores = view.summary, row_liquidity(rows).score
    return ChainShown(
        underlying=view.underlying,
        state=condition,
        at=iso(view.at_ns),
        epoch=view.epoch,
        spot_usd=view.spot_usd,
        spot_doubt=view.spot_doubt,
        fitted_at=iso(view.fitted_ns) if view.fitted_ns else None,
        rows=summary.rows,
        usable=summary.usable,
        doubts={str(doubt): count for doubt, count in summary.doubts},
        widest_fraction=summary.widest_fraction,
        oldest_s=None if summary.oldest_ns is None else summary.oldest_ns / 1e9,
        expiries=tuple(_expiry(one) for one in view.series),
        options=tuple(_row(view, rows, at, float(scores[at])) for at in range(summary.rows)),
    )


def _expiry(one: SeriesView) -> ExpiryView:
    from thetawarden.domain.instants import iso  # noqa: PLC0415

    return ExpiryView(
        trading_class=one.trading_class,
        expiry=one.expiry.isoformat(),
        settlement=str(one.settlement),
        rows=one.rows,
        usable=one.usable,
        forward_usd=one.forward_usd,
        discount=one.discount,
        atm_iv_annual=one.atm_iv_annual,
        skew_log_ratio=one.skew_log_ratio,
        skew_normalised=one.skew_normalised,
        skew_percentile=one.skew_percentile,
        smile_error_vol_points=one.smile_error_vol_points,
        gap=one.forward_gap or one.smile_gap or one.skew_gap,
        read_at=iso(one.read_ns) if one.read_ns else None,
        unread=one.unread,
    )


_AS_THEY_ARE = (
    *("bid_usd", "ask_usd", "bid_size", "ask_size", "volume", "open_interest", "iv_annual"),
    *("smile_iv_annual", "delta_per_share", "gamma_per_usd", "vega_usd_per_vol_point"),
    *("theta_usd_per_day", "broker_iv_annual", "broker_delta"),
)


def _row(view: ChainView, rows: ChainRows, at: int, liquidity: float) -> RowView:
    from thetawarden.domain.chains.view import row_doubt  # noqa: PLC0415

    series = view.series[int(rows.series[at])]
    return RowView(
        conid=int(rows.conid[at]),
        trading_class=series.trading_class,
        expiry=series.expiry.isoformat(),
        strike_usd=float(rows.strike_usd[at]),
        right="C" if rows.is_call[at] else "P",
        liquidity=round(liquidity, 3),
        age_s=(view.at_ns - int(rows.at_ns[at])) / 1e9,
        doubt=str(row_doubt(rows, at) or ""),
        **{name: _finite(float(getattr(rows, name)[at])) for name in _AS_THEY_ARE},
    )


def _nothing(underlying: str, condition: str) -> ChainShown:
    return ChainShown(
        underlying=underlying,
        state=condition,
        at=None,
        epoch=0,
        spot_usd=None,
        spot_doubt="",
        fitted_at=None,
        rows=0,
        usable=0,
        doubts={},
        widest_fraction=None,
        oldest_s=None,
        expiries=(),
        options=(),
    )


def _only(shown: ChainShown, wanted: dt.date) -> ChainShown:
    expiries = tuple(one for one in shown.expiries if one.expiry == wanted.isoformat())
    if not expiries:
        raise NoSuchExpiryError(wanted, tuple(one.expiry for one in shown.expiries))
    options = tuple(row for row in shown.options if row.expiry == wanted.isoformat())
    return msgspec.structs.replace(shown, expiries=expiries, options=options)


_EXPIRY_COLUMNS = ("class", "expiry", "usable", "forward", "ATM IV", "skew", "pctile", "gap")


def _expiry_cells(shown: ChainShown) -> list[tuple[str, ...]]:
    return [
        (
            f"{one.trading_class} ({one.settlement})",
            one.expiry,
            f"{one.usable}/{one.rows}",
            _number(one.forward_usd, ",.2f"),
            _number(one.atm_iv_annual, ".2%"),
            _number(one.skew_normalised, "+.3f"),
            _number(one.skew_percentile, ".0%"),
            _gap_words(one),
        )
        for one in shown.expiries
    ]


def _gap_words(one: ExpiryView) -> str:
    """What is missing, and since when nothing could be read though what was read then stands."""
    words = [one.gap] if one.gap else []
    if one.unread and one.read_at is not None:
        words.append(f"as read {one.read_at[11:19]}: {one.unread} since")
    return "; ".join(words).replace("_", " ")


ROW_COLUMNS = ("strike", "", "bid", "ask", "IV", "delta", "theirs", "OI", "liquidity", "doubt")


def row_cells(row: RowView) -> tuple[str, ...]:
    """Return an option's row."""
    return (
        f"{row.strike_usd:g}",
        row.right,
        _number(row.bid_usd, ".2f"),
        _number(row.ask_usd, ".2f"),
        _number(row.iv_annual, ".2%"),
        _number(row.delta_per_share, "+.3f"),
        _number(row.broker_delta, "+.3f"),
        _number(row.open_interest, ",.0f"),
        f"{row.liquidity:.2f}",
        row.doubt.replace("_", " "),
    )


def _number(value: float | None, form: str) -> str:
    return "?" if value is None else format(value, form)


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
