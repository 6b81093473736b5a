"""What was decided and on what grounds, so that attribution and learning need nothing else."""

from __future__ import annotations

from thetawarden.infra.lake.columns import (
    Table,
    day,
    instant,
    number,
    text,
    truth,
    whole,
)

_NAMED = (
    text("underlying", "The underlying."),
    text("trade", "Our name of the trade."),
    text("strategy", "The strategy."),
    text("order_ref", "Our name of the order."),
)
_CONTRACT = (
    text("legs", "All legs as JSON: contract, quantity, price."),
    whole("conid", "The short leg's number at the broker."),
    text("trading_class", "Option class, such as SPXW."),
    day("expiry", "Expiry of the short leg."),
    number("strike_usd", "Strike of the short leg."),
    text("option_right", "C or P of the short leg."),
    whole("multiplier", "USD per point."),
    whole("dte", "Days to expiry."),
    number("width_usd", "Distance to the long leg; null for naked."),
)
_QUOTES = (
    number("bid_usd", "Bid of the whole, per share."),
    number("ask_usd", "Ask of the whole, per share."),
    number("mid_usd", "Mid of the whole, per share."),
    number("spread_fraction", "Spread over mid."),
    number("bid_size", "Contracts at the bid of the thinnest leg."),
    number("ask_size", "Contracts at the ask of the thinnest leg."),
    number("quote_age_s", "Age of the oldest quote used."),
    number("volume", "Contracts traded today in the thinnest leg."),
    number("open_interest", "Open contracts of the thinnest leg."),
    number("liquidity_score", "Our score of liquidity, 0 to 1."),
)
_VOLATILITY = (
    number("iv_annual", "Implied volatility of the short leg."),
    number("iv_atm_annual", "Implied volatility at the money of that expiry."),
    number(
        "iv_rank_fraction", "Where 30-day IV closed between the lowest and highest close of a year."
    ),
    number(
        "iv_percentile_fraction", "Share of the closes of a year that were lower than the last one."
    ),
    number("skew_vol_points", "Put minus call IV at 25 delta."),
    number("term_slope_fraction", "Back over front IV, less one."),
    number("realised_5_annual", "Realised volatility of 5 days."),
    number("realised_21_annual", "Realised volatility of 21 days."),
    number("realised_63_annual", "Realised volatility of 63 days."),
)
_GREEKS = (
    number("delta_per_share", "Delta of the whole."),
    number("gamma_shares_per_usd", "Gamma of the whole."),
    number("vega_usd_per_vol_point", "Vega of the whole."),
    number("theta_usd_per_day", "Theta of the whole."),
    number("short_delta_per_share", "Delta of the short leg."),
    number("touch_probability_fraction", "Chance of touching the short strike."),
    number("profit_probability_fraction", "Chance of a profit at expiry."),
)
_UNDERLYING = (
    number("spot_usd", "The underlying."),
    number("sma_20_usd", "Its 20-day average."),
    number("sma_50_usd", "Its 50-day average."),
    number("sma_200_usd", "Its 200-day average."),
    number("adx_points", "Its ADX."),
    number("otm_fraction", "Distance of the short strike."),
)
_MARKET = (
    number("vix_points", "VIX."),
    number("vix3m_points", "VIX3M."),
    number("vix_front_points", "Front VIX future."),
    number("vix_second_points", "Second VIX future."),
    text("regime", "The regime's overall state."),
    number("regime_size_fraction", "What the regime left of a size."),
    text("regime_reasons", "Its factors with reasons, as JSON."),
)
_PORTFOLIO = (
    number("nlv_usd", "Net liquidation value."),
    number("cash_usd", "Cash."),
    whole("positions", "Open positions."),
    number("portfolio_delta_shares", "Portfolio delta, in shares of its benchmark."),
    number("portfolio_gamma_shares_per_usd", "Portfolio gamma."),
    number("portfolio_vega_usd_per_vol_point", "Portfolio vega."),
    number("portfolio_theta_usd_per_day", "Portfolio theta."),
    number("correlation", "Average correlation of what is held."),
)
_SOFTWARE = (
    text("config_fingerprint", "Fingerprint of the configuration."),
    text("software", "Version of the desk."),
)


ENTRY_SNAPSHOTS = Table(
    name="entry_snapshots",
    words="The world at the entry of a trade, and every factor of its size.",
    columns=(
        *_NAMED,
        *_CONTRACT,
        *_QUOTES,
        *_VOLATILITY,
        *_GREEKS,
        *_UNDERLYING,
        *_MARKET,
        *_PORTFOLIO,
        whole("contracts", "Units asked for."),
        number("credit_usd", "Credit aimed at, per share."),
        number("margin_before_usd", "Margin before it."),
        number("margin_after_usd", "Margin after it, by the broker's preview."),
        text("sizing", "Each sizing factor with its reason, as JSON."),
        text("scores", "Each score, as JSON."),
        number("score", "The score that decided."),
        text("findings", "Every rule consulted, as JSON: rule, verdict, used, limit, words."),
        *_SOFTWARE,
    ),
)

EXIT_SNAPSHOTS = Table(
    name="exit_snapshots",
    words="The world while a trade is held, on a cadence, and at its exit.",
    columns=(
        *_NAMED,
        text("event", "held or exit."),
        text("reason", "Why it is left; null while held."),
        *_CONTRACT,
        *_QUOTES,
        *_VOLATILITY,
        *_GREEKS,
        *_UNDERLYING,
        *_MARKET,
        *_PORTFOLIO,
        whole("contracts", "Units held."),
        number("days_held", "Days since the entry."),
        number("unrealised_usd", "Result on paper."),
        number("profit_fraction", "Result over the credit."),
        text("attribution", "Result by delta, gamma, vega, theta and rest, as JSON."),
        *_SOFTWARE,
    ),
)

STRATEGY_PREDICTIONS = Table(
    name="strategy_predictions",
    words="What a model expected, said before it could know.",
    columns=(
        text("underlying", "The underlying."),
        text("prediction", "Our name of the prediction."),
        text("strategy", "Whose it is."),
        text("model", "Model and version."),
        text("quantity", "What is predicted."),
        instant("due_at", "When it can be judged."),
        number("value", "The expectation."),
        number("low", "Lower end of its range."),
        number("high", "Upper end of its range."),
        number("probability_fraction", "Chance of the event; null where a value is predicted."),
        text("inputs", "What it was made from, as JSON."),
    ),
)

PREDICTION_OUTCOMES = Table(
    name="prediction_outcomes",
    words="What came of each prediction.",
    columns=(
        text("underlying", "The underlying."),
        text("prediction", "Our name of the prediction."),
        text("strategy", "Whose it was."),
        text("model", "Model and version."),
        number("expected", "What was expected."),
        number("actual", "What happened."),
        truth("happened", "Whether the event came; null where a value was predicted."),
        truth("in_range", "Whether it lay in the range."),
        number("error", "Actual less expected."),
    ),
)

STRESS_RESULTS = Table(
    name="stress_results",
    words="The book under each scenario: one row a scenario and position, and one for all.",
    version=2,
    columns=(
        text("underlying", "The underlying; empty for the whole book."),
        text("run", "Our name of the run."),
        text("scenario", "The scenario."),
        number("spot_change_fraction", "Move of the spot."),
        number("vol_change_points", "Move of volatility."),
        number("days_forward", "Days that pass."),
        number("pnl_usd", "What it would make."),
        number("margin_usd", "Margin it would then take."),
        number("nlv_fraction", "Result over net liquidation value."),
        truth("breach", "Whether it breaks a limit."),
        text("limit", "Which limit, or null."),
        text("position", "The position or pending order; empty for the whole book.", 2),
        number("held_pnl_usd", "What is held alone would make; of the whole book only.", 2),
        text("verdict", "fine, over_leveraged, reduce or unknown; of the whole book only.", 2),
        text("grid", "On the row of the scenario `grid`: profits by index and VIX, as JSON.", 2),
    ),
)
