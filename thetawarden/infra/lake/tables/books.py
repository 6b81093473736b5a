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
    words="Each count of a holding by the broker, and each explained change of one.",
    columns=(
        text("underlying", "The underlying."),
        text("source", "reported, fetched or explained."),
        text("account", "The account."),
        *INSTRUMENT,
        money("quantity", "Signed holding after it."),
        money("quantity_before", "Signed holding before it; only of an explained change."),
        money("average_cost_usd", "The broker's average cost: per contract, multiplier included."),
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
        "Executions and their commissions as told. The same one may be told again, and a higher"
        " revision corrects a lower: take the newest row of each execution."
    ),
    columns=(
        text("underlying", "The underlying; null in a commission's row."),
        text("row", "execution or commission."),
        text("execution", "The execution's identity, without its revision."),
        text("revision", "The last part of the broker's id: a higher one corrects."),
        text("account", "The account."),
        *INSTRUMENT,
        money("quantity", "Signed; above zero bought."),
        money("price_usd", "Per share."),
        instant("filled_at", "The broker's time of the fill."),
        text("order_ref", "Our name of the order; empty for anybody else's."),
        whole("perm_id", "The broker's lasting number of the order."),
        truth("liquidation", "Whether the broker forced it."),
        money("commission_usd", "What it cost; in a commission's row."),
        money("realised_usd", "The broker's realised result; in a commission's row."),
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
