"""Continues bars: five-second ones as they complete, and kept-up requests as they form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from thetawarden.practice.wire.encode import history as encode

if TYPE_CHECKING:
    from thetawarden.practice.gateway.session import Session
    from thetawarden.practice.gateway.subscriptions import KeptBars, RealTimeBarStream

REALTIME_BAR_NS = 5_000_000_000
_BURST_MAX = 120
"""At high speed a step holds many bars; older ones than these are left out."""


def send_realtime(session: Session, stream: RealTimeBarStream) -> None:
    """Send every five-second bar that has ended."""
    now_ns = session.gateway.now_ns
    end_ns = now_ns - now_ns % REALTIME_BAR_NS
    if end_ns <= stream.next_ns:
        return
    start_ns = max(stream.next_ns, end_ns - _BURST_MAX * REALTIME_BAR_NS)
    request = msgspec.structs.replace(stream.request, start_ns=start_ns, end_ns=end_ns)
    for bar in session.gateway.market.bars(request):
        session.send(encode.realtime_bar(stream.req_id, bar))
    stream.next_ns = end_ns


def send_kept(session: Session, kept: KeptBars) -> None:
    """Send the live bar when it changed, and bars that began since."""
    now_ns = session.gateway.now_ns
    request = msgspec.structs.replace(
        kept.request, start_ns=kept.last.start_ns, end_ns=now_ns, count_max=None
    )
    for bar in session.gateway.market.bars(request):
        if bar != kept.last:
            session.send(encode.historical_update(kept.req_id, bar, date=kept.date(bar.start_ns)))
            kept.last = bar
