"""Puts the broker's adapter together: one session and every handler on it."""

from __future__ import annotations

from collections.abc import Sequence

from thetawarden.config.broker import BrokerConfig
from thetawarden.config.lines import LinesConfig
from thetawarden.infra.ib.book import BookHandler
from thetawarden.infra.ib.broker import Broker, Handler
from thetawarden.infra.ib.discovery import DiscoveryHandler
from thetawarden.infra.ib.history import HistoryHandler
from thetawarden.infra.ib.orders import OrderHandler
from thetawarden.infra.ib.pacing import Pace
from thetawarden.infra.ib.previews import PreviewHandler
from thetawarden.infra.ib.quotes import QuoteHandler, line_settings
from thetawarden.infra.ib.session import Session, SessionSettings
from thetawarden.ports import Clock, DeskPort, HaltFlag


def broker_adapter(
    broker: BrokerConfig,
    lines: LinesConfig,
    *,
    host: str,
    port: int,
    clock: Clock,
    flag: HaltFlag,
) -> Broker:
    """Return the adapter of `effect:broker`; it connects when the connection actor says so."""
    quoting, account, book_s = line_settings(lines), broker.account, broker.book_timeout_s

    def handlers(session: Session, desk: DeskPort) -> Sequence[Handler]:
        quotes = QuoteHandler(session, desk, clock=clock, settings=quoting)
        return (
            OrderHandler(
                session,
                desk,
                clock=clock,
                flag=flag,
                account=account,
                probe_timeout_s=broker.probe_timeout_s,
                not_live=quotes.not_live,
            ),
            PreviewHandler(
                session,
                desk,
                clock=clock,
                account=account,
                timeout_s=broker.preview_timeout_s,
            ),
            BookHandler(session, desk, clock=clock, account=account, timeout_s=book_s),
            quotes,
            DiscoveryHandler(session, desk, clock=clock),
            HistoryHandler(session, desk, clock=clock),
        )

    return Broker(
        settings=SessionSettings(
            host=host,
            port=port,
            client_id=broker.client_id,
            connect_timeout_s=broker.connect_timeout_s,
            pace=Pace(per_s=broker.messages_per_s_max, reserved=broker.messages_reserved),
        ),
        probe_timeout_s=broker.probe_timeout_s,
        clock=clock,
        make_handlers=handlers,
    )
