"""What a fault may take hold of: the gateway's seams, its connections, and the levers behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from thetawarden.errors import RefusedError
from thetawarden.practice.model import ExchangeLevers, MarketLevers, OrderChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from thetawarden.practice.gateway.core import Gateway
    from thetawarden.practice.gateway.seams import Seams
    from thetawarden.practice.gateway.session import Session
    from thetawarden.practice.model import ExchangeEvent, OrderView

NS_PER_S = 1_000_000_000


class Link(Protocol):
    """A connection a fault may break."""

    def reset(self) -> None:
        """End it at once, with a TCP reset."""


class Stage:
    """The gateway as faults see it."""

    def __init__(self, gateway: Gateway, *, links: Callable[[], Iterable[Link]]) -> None:
        self.gateway = gateway
        self.links = links

    @property
    def seams(self) -> Seams:
        """Where filters are put in."""
        return self.gateway.seams

    def sessions(self) -> list[Session]:
        """All clients."""
        return list(self.gateway.sessions.values())

    def notice(self, code: int, text: str) -> None:
        """Tell every client something about no request."""
        for session in self.sessions():
            session.notice(code, text)

    def market_levers(self) -> MarketLevers:
        """What may be forced upon the market; refused when this one has no levers."""
        market = self.gateway.market
        if not isinstance(market, MarketLevers):
            raise RefusedError(f"{type(market).__name__} has no levers; this fault needs them")
        return market

    def exchange_levers(self) -> ExchangeLevers:
        """What may be forced upon orders and accounts; refused likewise."""
        exchange = self.gateway.exchange
        if not isinstance(exchange, ExchangeLevers):
            raise RefusedError(f"{type(exchange).__name__} has no levers; this fault needs them")
        return exchange

    def con_id(self, asked: int) -> int:
        """The contract meant: the one named, or the first anybody watches."""
        if asked:
            return asked
        for session in self.sessions():
            for line in session.subscriptions.lines.values():
                return line.con_ids()[0]
        raise RefusedError("nobody watches a contract; name one with con_id=N")

    def order(self, perm_id: int) -> OrderView:
        """The working order meant: the one named, or the newest."""
        views = self.gateway.exchange.open_orders()
        for view in sorted(views, key=lambda one: -one.perm_id):
            if perm_id in (0, view.perm_id):
                return view
        raise RefusedError(f"no working order with perm_id={perm_id}; place one first")

    def after_s(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call back in so many seconds of our time, of market time when flat out."""
        speed = self.gateway.clock.speed or 1.0
        self.gateway.timers.at(self.gateway.now_ns + int(seconds * speed * NS_PER_S), callback)

    def on_next_order(self, act: Callable[[OrderView], None]) -> Callable[[], None]:
        """Do something once, right after the next order was acknowledged; returns the undo."""
        seen = {view.perm_id for view in self.gateway.exchange.open_orders()}
        done = False

        def watch(event: ExchangeEvent) -> Iterable[ExchangeEvent]:
            nonlocal done
            if not done and isinstance(event, OrderChanged) and event.view.perm_id not in seen:
                done = True
                view = event.view
                self.gateway.timers.at(self.gateway.now_ns, lambda: act(view))
            return (event,)

        return added(self.seams.events, watch)


def added(filters: list[Any], one: object) -> Callable[[], None]:
    """Add a filter and return what takes it out again."""
    filters.append(one)

    def remove() -> None:
        if one in filters:
            filters.remove(one)

    return remove
