"""Decides when each kind of subscription is looked at again, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.gateway.push import accounts, bars, generics, streams
from thetawarden.practice.wire.encode import ticks as encode_ticks
from thetawarden.practice.wire.times import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from thetawarden.practice.gateway.core import Gateway
    from thetawarden.practice.gateway.session import Session

_SCAN_EVERY_S = 30.0
_ACCOUNT_AT_MOST_EVERY_S = 1.0


class FeedPusher:
    """Keeps the time of each kind of push; `now_s` is monotonic."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._due_s: dict[str, float] = {}
        self._dirty: dict[str, None] = {}
        self._news_since_ns = self._accounts_ns = gateway.exchange.now_ns

    def account_changed(self, account: str) -> None:
        """Send this account's values with the next step."""
        self._dirty[account] = None

    def push(self, now_s: float) -> None:
        """Send everything that is due."""
        settings = self._gateway.settings
        self._push_each_step()
        self._push_dirty()
        if self._is_due("bars", now_s, settings.bars_push_s):
            self._push_kept_bars()
            self._push_news()
        if self._is_due("pnl", now_s, settings.pnl_push_s):
            self._push_pnls()
        if self._is_account_due(now_s):
            self._push_accounts(self._gateway.exchange.accounts())
        if self._is_due("reference", now_s, settings.reference_push_s):
            self._push_references()
        if self._is_due("scan", now_s, _SCAN_EVERY_S):
            self._push_scans()

    def _push_each_step(self) -> None:
        for session in self._open():
            subscriptions = session.subscriptions
            for stream in subscriptions.ticks.values():
                streams.send_ticks(session, stream)
            for bar_stream in subscriptions.realtime_bars.values():
                bars.send_realtime(session, bar_stream)
            for book in subscriptions.books.values():
                streams.send_book(session, book)

    def _push_pnls(self) -> None:
        for session in self._open():
            for feed in session.subscriptions.pnls.values():
                accounts.send_pnl(session, feed)

    def _push_scans(self) -> None:
        for session in self._open():
            for scan in session.subscriptions.scans.values():
                streams.send_scan(session, scan)

    def _push_dirty(self) -> None:
        if self._dirty:
            dirty = tuple(self._dirty)
            self._dirty.clear()
            self._push_accounts(dirty)

    def _push_accounts(self, changed: tuple[str, ...]) -> None:
        for session in self._gateway.sessions.values():
            subscriptions = session.subscriptions
            if subscriptions.account is not None and subscriptions.account.account in changed:
                accounts.send_account(session, subscriptions.account, everything=False)
            for feed in subscriptions.summaries.values():
                accounts.send_summary(session, feed, end=False)
            for feed in subscriptions.account_multi.values():
                accounts.send_multi(session, feed, end=False)

    def _push_kept_bars(self) -> None:
        for session in self._open():
            for kept in session.subscriptions.kept_bars.values():
                bars.send_kept(session, kept)

    def _push_news(self) -> None:
        market = self._gateway.market
        articles = market.news(start_ns=self._news_since_ns, end_ns=market.now_ns)
        self._news_since_ns = market.now_ns
        if articles:
            for session in self._open():
                streams.send_headlines(session, articles)

    def _push_references(self) -> None:
        for session in self._open():
            for line in session.subscriptions.lines.values():
                if line.generics and not line.contract.legs:
                    known = self._gateway.market.reference(line.contract.con_id)
                    ticks = generics.reference_ticks(line.generics, known)
                    session.send(encode_ticks.assemble(line.req_id, ticks))

    def _open(self) -> Iterator[Session]:
        for session in self._gateway.sessions.values():
            if not session.is_congested():
                yield session

    def _is_account_due(self, now_s: float) -> bool:
        """Account values age in market time, but nobody wants them more than once a second."""
        every_ns = int(self._gateway.settings.account_push_s * NS_PER_S)
        if self._gateway.now_ns - self._accounts_ns < every_ns:
            return False
        if not self._is_due("account", now_s, _ACCOUNT_AT_MOST_EVERY_S):
            return False
        self._accounts_ns = self._gateway.now_ns
        return True

    def _is_due(self, what: str, now_s: float, every_s: float) -> bool:
        if now_s < self._due_s.setdefault(what, now_s + every_s):
            return False
        self._due_s[what] = now_s + every_s
        return True
