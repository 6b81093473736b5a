"""A chain watcher on a virtual clock, with a broker that answers when it is told to."""

import msgspec

from bench.watched import NOW, World
from thetawarden.actors.chain import Chain
from thetawarden.domain.broker.quote_rows import write_quotes
from thetawarden.domain.chains.view import read_rows
from thetawarden.domain.instants import NS_PER_SECOND, new_york_date
from thetawarden.domain.link.states import LinkState
from thetawarden.messages.base import Message
from thetawarden.messages.chains import ChainStateChanged, ChainViewed
from thetawarden.messages.lifecycle import Begin
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.market import (
    ChainDiscovered,
    DiscoverChain,
    ListedClass,
    QualifySeries,
    QuotesObserved,
    SeriesQualified,
    WantLines,
)
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired

SECOND = NS_PER_SECOND


class Watching:
    """Delivers messages and timers in order of time, and keeps every step for a replay."""

    def __init__(self, world=None, *, settings=None, answers=True):
        self.world = world or World("SPX")
        self.settings = settings
        self.chain = self.new_chain()
        self.now, self.answers = NOW, answers
        self.timers, self.said, self.steps = {}, [], []
        self.epoch = 1
        self.options = {
            one.key.expiry: self.world.options(one.key.expiry, first_conid=10_000 * number)
            for number, one in enumerate(self.world.series, 1)
        }

    def new_chain(self):
        return Chain(underlying=self.world.symbol, settings=self.settings)

    def begin(self, *, up=True):
        self.tell(Begin(incarnation=1, resumed=False))
        if up:
            self.link(LinkState.READY)
        return self

    def link(self, state, epoch=None):
        self.epoch = epoch or self.epoch
        entries = state is LinkState.READY
        return self.tell(LinkChanged(epoch=self.epoch, state=state, entries=entries, why=""))

    def tell(self, message):
        answers = self.chain.receive(message, self.now)
        assert all(isinstance(one, Message) for one in answers)
        self.steps.append((message, self.now, answers))
        self.said.extend(answers)
        for one in answers:
            if isinstance(one, StartTimer):
                self.timers[one.name] = self.now + one.after_ns
            elif isinstance(one, CancelTimer):
                self.timers.pop(one.name, None)
        if self.answers:
            for one in answers:
                self._answer(one)
        return answers

    def _answer(self, question):
        if isinstance(question, DiscoverChain):
            self.tell(self.discovered())
        elif isinstance(question, QualifySeries):
            self.tell(self.qualified(question.expiry))

    def discovered(self, *extra):
        listed = ListedClass(
            trading_class=self.world.trading_class,
            exchange="SMART",
            multiplier=100,
            expiries=tuple(self.options),
            strikes=(),
        )
        return ChainDiscovered(
            underlying=self.world.symbol,
            instrument=self.world.underlying,
            classes=(listed, *extra),
        )

    def qualified(self, expiry, options=None, day=None):
        return SeriesQualified(
            underlying=self.world.symbol,
            trading_class=self.world.trading_class,
            expiry=expiry,
            day=day or self.today,
            options=self.options[expiry] if options is None else options,
        )

    @property
    def today(self):
        return new_york_date(self.now)

    def advance(self, ns):
        """Let time pass; every timer fires when it is due."""
        until = self.now + ns
        while self.timers and min(self.timers.values()) <= until:
            name = min(self.timers, key=self.timers.get)
            self.now = max(self.now, self.timers.pop(name))
            self.tell(TimerFired(name=name))
        self.now = until

    @property
    def board(self):
        return self.chain._board

    def quote(self, rows=None, *, spot_usd=None, spot=True, **changes):
        """Quote the underlying and these rows, all by default."""
        spot_usd = spot_usd or self.world.spot_usd
        places = range(len(self.board.rows)) if rows is None else rows
        quotes = (
            ()
            if not self.board.rows
            else self.world.quotes(self.board, places, at_ns=self.now, spot_usd=spot_usd, **changes)
        )
        first = (self.world.spot_quote(spot_usd, at_ns=self.now),) if spot else ()
        return self.observe((*first, *quotes))

    def observe(self, quotes, *, epoch=None):
        return self.tell(
            QuotesObserved(
                epoch=epoch or self.epoch,
                underlying=self.world.symbol,
                written=write_quotes(quotes),
            )
        )

    def settle(self):
        """Quote and wait until there is a model and a plan made by it."""
        self.quote()
        for _ in range(3):
            self.quote()
            self.advance(6 * SECOND)
        self.quote()
        self.advance(3 * SECOND)
        return self

    def all_of(self, kind):
        return [one for one in self.said if isinstance(one, kind)]

    @property
    def view(self):
        return self.all_of(ChainViewed)[-1].view

    @property
    def rows(self):
        return read_rows(self.view)

    @property
    def wants(self):
        return self.all_of(WantLines)[-1].wants

    @property
    def conditions(self):
        return [one.state for one in self.all_of(ChainStateChanged)]

    def state_bytes(self, chain=None):
        return msgspec.msgpack.encode((chain or self.chain).state)
