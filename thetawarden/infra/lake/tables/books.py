"""What we hold, were filled at and are worth. Amounts are exact; quantity above zero is long."""

from __future__ import annotations

from thetawarden.infra.lake.columns import (
    INSTRUMENT,
    SORTED_BY_TIME,
    Table,
    instant,
    money,
    number,
    text,
    truth,
    whole,
)

POSITION_UPDATES = Table(
    name="position_updates",
    words="Every holding as it stood on a cadence, and each explained change of one.",
    columns=(
        text("underlying", "The underlying."),
        text("source", "valued or explained."),
        text("account", "The account."),
        *INSTRUMENT,
        money("quantity", "Signed holding, or what it is after the change."),
        money("quantity_before", "Signed holding before it; only of an explained change."),
        money("average_cost_usd", "Average cost of a contract, multiplier and fees included."),
        money("mark_usd", "What a share of it was worth; null when unknown."),
        money("value_usd", "Market value."),
        money("unrealised_usd", "Result of what is held."),
        money("realised_usd", "Result of what was closed, since the book began."),
        money("realised_today_usd", "Result of what was closed today."),
        money("fees_usd", "Commissions paid."),
        number("delta_shares", "Shares that would move alike; null when unknown."),
        text("cause", "Why it changed: trade, manual, expiry, assignment, split, ..."),
        money("cash_usd", "Cash that came with the change."),
        text("words", "The explanation for people."),
    ),
)

ACCOUNT_UPDATES = Table(
    name="account_updates",
    words="The account's values as the broker told them; null where it was silent.",
    columns=(
        text("account", "The account."),
        truth("ready", "False while the broker still summed up."),
        money("cash_usd", "Total cash."),
        money("net_liquidation_usd", "What closing everything would leave."),
        money("equity_with_loan_usd", "Equity with loan value."),
        money("initial_margin_usd", "Initial margin in force."),
        money("maintenance_margin_usd", "Maintenance margin in force."),
        money("available_usd", "Available funds."),
        money("excess_liquidity_usd", "Excess liquidity."),
        money("buying_power_usd", "Buying power."),
        money("realised_usd", "Realised today."),
        money("unrealised_usd", "Unrealised."),
        number("cushion_fraction", "Excess liquidity over net liquidation."),
    ),
    sort=SORTED_BY_TIME,
)

FILLS = Table(
    name="fills",
    words=(
        "Every fill as it stands in the book. A correction, a bust or a cost that came later is a"
        " row of its own: take the newest of each fill."
    ),
    columns=(
        text("underlying", "The underlying."),
        text("fill", "The fill's identity over all its revisions."),
        text("execution", "The broker's id, with the revision."),
        text("account", "The account."),
        *INSTRUMENT,
        money("quantity", "Signed; above zero bought; 0 after a bust."),
        money("price_usd", "Per share."),
        instant("filled_at", "The broker's time of the fill."),
        text("order_ref", "Our name of the order; empty for anybody else's."),
        whole("perm_id", "The broker's lasting number of the order."),
        truth("liquidation", "Whether the broker forced it."),
        text("cause", "trade of ours, manual, ..."),
        money("commission_usd", "What it cost."),
        text("commission_kind", "reported by the broker, inferred from cash, or estimated."),
        money("cash_usd", "Cash it moved, commission included."),
        money("quantity_after", "Signed holding after it."),
        money("average_cost_usd", "Average cost of a contract after it."),
        money("realised_usd", "Result of what it closed."),
    ),
)

TRADES = Table(
    name="trades",
    words="One round trip or open position of a strategy: opened, closed, and what it made.",
    columns=(
        text("underlying", "The underlying."),
        text("trade", "Our name of the trade."),
        text("strategy", "The strategy."),
        text("event", "opened, adjusted or closed."),
        text("legs", "The legs as JSON: contract, quantity, price."),
        whole("contracts", "Number of units."),
        money("credit_usd", "Cash received for opening, paid is negative."),
        money("debit_usd", "Cash paid for closing."),
        money("commission_usd", "All commissions so far."),
        money("realised_usd", "Result so far, after commissions."),
        instant("opened_at", "When it was opened."),
        instant("closed_at", "When it was closed; null while open."),
        text("reason", "Why it was opened, adjusted or closed."),
    ),
)
