"""What the market showed: option chains, daily bars, lead futures, contracts, the regime."""

from __future__ import annotations

from thetawarden.infra.lake.columns import (
    INSTRUMENT,
    SORTED_BY_TIME,
    Table,
    day,
    instant,
    number,
    text,
    truth,
    whole,
)

OPTION_SNAPSHOTS = Table(
    name="option_snapshots",
    words="Every option of a chain view: its quote, our volatility and Greeks, and the verdict.",
    columns=(
        text("underlying", "The underlying whose chain it is."),
        whole("conid", "The broker's number of the option."),
        text("trading_class", "Option class, such as SPXW."),
        day("expiry", "Expiry as its symbol carries it."),
        number("strike_usd", "Strike."),
        text("option_right", "C or P."),
        number("bid_usd", "Best bid; null when unknown."),
        number("ask_usd", "Best ask; null when unknown."),
        number("bid_size", "Contracts at the bid."),
        number("ask_size", "Contracts at the ask."),
        number("volume", "Contracts traded today."),
        number("open_interest", "Open contracts, as the broker last told."),
        instant("quoted_at", "When it was quoted, at receipt; null for never."),
        text("doubt", "Why the quote may not be traded on; null when it may."),
        number("spot_usd", "The underlying at that instant."),
        number("forward_usd", "Forward of the expiry, read off the chain."),
        number("iv_annual", "Our implied volatility, 0.18 for 18 %."),
        number("smile_iv_annual", "Our smile's volatility at the strike."),
        number("delta_per_share", "Our delta by the spot."),
        number("gamma_shares_per_usd", "Our gamma."),
        number("vega_usd_per_vol_point", "Our vega."),
        number("theta_usd_per_day", "Our theta."),
        number("broker_iv_annual", "The broker's implied volatility, to compare."),
        number("broker_delta_per_share", "The broker's delta, to compare."),
    ),
)

UNDERLYING_BARS = Table(
    name="underlying_bars",
    words="Daily bars from the broker's history, each session once (see bar_day, not day).",
    columns=(
        text("underlying", "The symbol."),
        whole("conid", "The broker's number."),
        text("kind", "stock, index or future."),
        day("expiry", "Expiry of a future; null for others."),
        day("bar_day", "The session the bar is of."),
        number("open_usd", "First price."),
        number("high_usd", "Highest price."),
        number("low_usd", "Lowest price."),
        number("close_usd", "Last price."),
        number("volume", "Traded; null for an index."),
    ),
    sort=("underlying", "bar_day"),
)

FUTURES_SNAPSHOTS = Table(
    name="futures_snapshots",
    words="The lead futures ES, NQ and RTY: their changes, and what they say of what follows.",
    columns=(
        text("underlying", "The future's symbol: ES, NQ or RTY."),
        text("contract", "The front contract."),
        text("follower", "What it leads: SPY, QQQ or IWM."),
        instant("quoted_at", "When it was quoted."),
        number("price_points", "Its price; null when nothing was traded."),
        number("follower_usd", "The follower's price."),
        number("hour_fraction", "Change over one hour."),
        number("four_hours_fraction", "Change over four hours."),
        number("overnight_fraction", "Change since the cash close."),
        number("day_fraction", "Change since the last settlement."),
        whole("days", "Days the correlation is from."),
        number("correlation", "Of its last step with the follower's next; null until known."),
        number("foreseen_fraction", "Part of the follower's variance foreseen out of sample."),
    ),
)

REGIMES = Table(
    name="regimes",
    words="Each assessment of the regime: the verdict, and the rules it was made of.",
    columns=(
        text("derived", "The overall state; null while it cannot be known."),
        text("entries", "What new entries are allowed."),
        number("size_fraction", "Factor on sizes."),
        number("delta_fraction", "Factor on short deltas."),
        truth("close_naked", "Whether naked short options are to be closed."),
        text("vix_band", "Band of the VIX; null while unknown."),
        number("vix_points", "The VIX; null while unknown."),
        text("faults", "Inputs that could not be used, each with why."),
        text("regime", "The whole verdict as JSON, with evidence and every factor's reasons."),
    ),
    sort=SORTED_BY_TIME,
)

CONTRACTS = Table(
    name="contracts",
    words="Instruments as the broker qualified them: the cache that spares asking again.",
    columns=(
        text("underlying", "The underlying it belongs to."),
        *INSTRUMENT,
        text("exchange", "Where it trades."),
        text("currency", "Its currency."),
        text("local_symbol", "The broker's symbol of it."),
        day("asked_day", "When the broker was asked."),
    ),
)
