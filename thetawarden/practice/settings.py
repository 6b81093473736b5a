"""The gateway's limits and habits; the defaults are the genuine gateway's."""

from __future__ import annotations

import msgspec


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a practice gateway behaves.

    `master_client_id` sees every order of every client. `pair_repeats` is how often each pair of
    openOrder and orderStatus is sent; genuine gateways often repeat it. A client whose unsent
    output exceeds `outbox_soft_bytes` gets market data conflated, beyond `outbox_hard_bytes` it is
    disconnected; long answers are sent on while less than `outbox_stream_bytes` wait; order
    messages are never left out. `account_push_s` is market time, the other pushes go by the clock
    on the wall. `farms` are named in the start-up notices.
    """

    clients_max: int = 32
    lines_max: int = 100
    depth_max: int = 3
    tick_by_tick_max: int = 5
    realtime_bars_max: int = 50
    history_max: int = 50
    summaries_max: int = 2
    account_feeds_max: int = 50
    pnl_feeds_max: int = 500
    messages_per_s_max: int = 50
    messages_per_s_warn: int = 44
    rate_violations_max: int = 3
    push_interval_s: float = 0.1
    account_push_s: float = 180.0
    pnl_push_s: float = 1.0
    bars_push_s: float = 1.0
    reference_push_s: float = 10.0
    pair_repeats: int = 1
    master_client_id: int | None = None
    read_only: bool = False
    outbox_soft_bytes: int = 1 << 18
    outbox_stream_bytes: int = 1 << 20
    outbox_hard_bytes: int = 1 << 24
    handshake_deadline_s: float = 10.0
    frame_deadline_s: float = 30.0
    connections_max: int = 128
    version_max: int = 178
    farms: tuple[str, ...] = ("usfarm", "usopt", "cashfarm")
    history_farm: str = "ushmds"
    definition_farm: str = "secdefil"
