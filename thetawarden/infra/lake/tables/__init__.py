"""Every table of the lake, declared as data."""

from __future__ import annotations

from collections.abc import Mapping

from thetawarden.infra.lake.columns import Table
from thetawarden.infra.lake.tables.books import (
    ACCOUNT_UPDATES,
    FILLS,
    POSITION_UPDATES,
    TRADES,
)
from thetawarden.infra.lake.tables.decisions import (
    ENTRY_SNAPSHOTS,
    EXIT_SNAPSHOTS,
    PREDICTION_OUTCOMES,
    STRATEGY_PREDICTIONS,
    STRESS_RESULTS,
)
from thetawarden.infra.lake.tables.desk import MESSAGE_ARCHIVE, NOTIFICATIONS
from thetawarden.infra.lake.tables.market import (
    CONTRACTS,
    FUTURES_SNAPSHOTS,
    OPTION_SNAPSHOTS,
    REGIMES,
    UNDERLYING_BARS,
)

TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        OPTION_SNAPSHOTS,
        UNDERLYING_BARS,
        FUTURES_SNAPSHOTS,
        POSITION_UPDATES,
        ACCOUNT_UPDATES,
        TRADES,
        FILLS,
        ENTRY_SNAPSHOTS,
        EXIT_SNAPSHOTS,
        STRATEGY_PREDICTIONS,
        PREDICTION_OUTCOMES,
        STRESS_RESULTS,
        REGIMES,
        NOTIFICATIONS,
        CONTRACTS,
        MESSAGE_ARCHIVE,
    )
}
