"""An executor, a governor that approves, a broker in memory, and time that only a test moves."""

import datetime as dt
from decimal import Decimal

import msgspec

from tests.actors.fake_broker import FakeBroker
from tests.domain.books.accounts import SECOND, T0, option
from thetawarden.actors.executor import Executor
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.domain.orders.proposal import Exits, OrderLeg, Pricing, Proposal
from thetawarden.domain.orders.settings import ExecutorSettings
from thetawarden.domain.orders.walking import LegPrice
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.domain.risk.ledger import Approval
from thetawarden.domain.risk.reducing import Reduction
from thetawarden.domain.risk.review import Review
from thetawarden.messages.books import BookJudged
from thetawarden.messages.lifecycle import Begin
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.operations import NotifyPerson
from thetawarden.messages.orders import (
    CancelOrder,
    ModifyOrder,
    OrderApproved,
    OrderRefused,
    OrderStageChanged,
    ProposeOrder,
    SubmitOrder,
)
from thetawarden.messages.registry import decode, encode
from thetawarden.messages.timers import StartTimer, TimerFired
from thetawarden.messages.trading import Halt

EXPIRY = dt.date(2026, 10, 16)
SESSIONS = load_sessions(Exchange.NYSE)
SETTINGS = ExecutorSettings()
APART = SETTINGS.apart_ns + SECOND


def put(conid=11, strike="500"):
    return option(conid, strike, expiry=EXPIRY)


def legs(*ratios):
    """Puts of falling strikes: `legs(-1)` sells one, `legs(-1, 1)` is a spread."""
    return tuple(
        OrderLeg(instrument=put(11 + place, str(500 - 10 * place)), ratio=ratio)
        for place, ratio in enumerate(ratios)
    )


def proposal(key="p1", *, trade="t1", ratios=(-1,), units=2, limit="-1.50", **changes):
    fields = {
        "key": key,
        "trade": trade,
        "strategy": "s1",
        "purpose": Purpose.OPEN,
        "underlying": "SPY",
        "legs": legs(*ratios),
        "units": units,
        "limit_usd": Decimal(limit),
        "worst_usd": Decimal(limit) + Decimal("0.20"),
        "pricing": Pricing.WALK,
        "expires_ns": T0 + 10**6 * SECOND,
        "exits": Exits(take_profit_usd=Decimal("0.75"), stop_usd=Decimal(3)),
    } | changes
    return Proposal(**fields)


def closing(key="c1", **changes):
    fields = {"purpose": Purpose.CLOSE, "ratios": (1,), "limit": "1.00", "exits": None} | changes
    return proposal(key, **fields)


class Desk:
    """Runs the executor against the broker; what is said is performed unless a test holds it."""

    def __init__(self, settings=SETTINGS, ready=True):
        self.settings, self.broker = settings, FakeBroker()
        self.executor = Executor(settings, SESSIONS)
        self.now, self.approvals, self.timer = T0, 0, None
        self.steps, self.said, self.told = [], [], []
        self.refuse = ""  # the governor refuses proposals of the executor with these words
        self.review = None  # and with these findings
        self.silent = False  # the governor does not answer at all
        self.tell(Begin(incarnation=1, resumed=False))
        if ready:
            self.connect()

    @property
    def state(self):
        return self.executor.state

    def connect(self, epoch=1):
        """A link whose book was fetched twice and agreed."""
        self.tell(LinkChanged(epoch=epoch, state=LinkState.SYNCING, entries=False, why="t"))
        self.reconcile(epoch=epoch)
        self.tell(LinkChanged(epoch=epoch, state=LinkState.READY, entries=True, why="t"))

    def reconcile(self, *, epoch=1, agreed=True, rounds=2, accepted=None):
        """Fetch the whole book, far enough apart, and let the keeper agree, or a person for it."""
        for _ in range(rounds):
            self.wait(APART)
            book = msgspec.structs.replace(self.broker.book(), epoch=epoch)
            self.tell(book)
            said = () if agreed else ("it does not fit",)
            verdict = BookJudged(epoch=epoch, round=book.round, agreed=agreed, unexplained=said)
            self.tell(msgspec.structs.replace(verdict, accepted=tuple((accepted or {}).items())))
            accepted = None

    def tell(self, message):
        """Give the executor a message, and perform what it says."""
        self.steps.append((message, self.now))
        answers = self.executor.receive(message, self.now)
        self.said += answers
        self.told.append(message)
        for one in answers:
            self.perform(one)
        return answers

    def perform(self, one):
        """What the world does with an answer."""
        match decode(encode(one)):  # whatever is said must survive the log
            case SubmitOrder():
                self.broker.place(one)
            case ModifyOrder():
                self.broker.modify(one)
            case CancelOrder():
                self.broker.cancel(one)
            case ProposeOrder():
                self.judge(one.proposal)
            case StartTimer(after_ns=after):
                self.timer = self.now + after
            case _:
                pass

    def judge(self, asked):
        """The governor: approves what the executor proposes, unless a test says otherwise."""
        if self.silent:
            return
        if self.refuse:
            refused = OrderRefused(proposal=asked, review=self.review, words=self.refuse)
            self.broker.outbox.append(refused)
            return
        self.broker.outbox.append(self.approval(asked, reducing=True))

    def approve(self, asked=None, *, reducing=None, units=None):
        """The strategist's proposal comes back approved."""
        asked = asked or proposal()
        reducing = asked.purpose is Purpose.CLOSE if reducing is None else reducing
        return self.tell(self.approval(asked, reducing=reducing, units=units))

    def approval(self, asked, *, reducing, units=None):
        self.approvals += 1
        units = asked.units if units is None else units
        approval = Approval(
            key=f"A{self.approvals}",
            candidate_key=asked.key,
            units=units,
            approved_ns=self.now,
            expires_ns=self.now + 60 * SECOND,
            halt_epoch=self.state.halt_epoch,
            quotes=(),
            stress_key="s",
            stress_at_ns=self.now,
            worst_loss_usd=1.0,
            book_version="b",
            reducing=reducing,
        )
        review = Review(
            candidate_key=asked.key,
            wanted=asked.units,
            units=units,
            reduction=Reduction(proved=reducing, words=""),
            findings=(),
            binding=(),
            words="",
        )
        return OrderApproved(proposal=asked, approval=approval, review=review)

    def settle(self, limit=200):
        """Deliver what the broker and the governor have said, until nobody has anything to say."""
        for _ in range(limit):
            if not self.broker.outbox:
                return self
            self.tell(self.broker.outbox.pop(0))
        raise AssertionError("it never comes to rest")

    def wait(self, ns):
        """Let time pass; timers ring on the way."""
        end = self.now + ns
        while self.timer is not None and self.timer <= end:
            self.now, self.timer = max(self.now, self.timer), None
            self.tell(TimerFired(name="due"))
        self.now = end
        return self

    def restart(self, at=None):
        """Another incarnation: the state comes back from the deliveries, then it begins again.

        At another time, where somebody set the clock meanwhile: of a timer nothing is left then.
        """
        executor = Executor(self.settings, SESSIONS)
        for message, then in self.steps:
            executor.receive(message, then)
        executor.state.quotes = dict(self.state.quotes)  # `quote` puts them there
        assert msgspec.msgpack.encode(executor.state) == msgspec.msgpack.encode(self.state)
        self.executor = executor
        if at is not None:
            self.now, self.timer = at, None
        self.tell(Begin(incarnation=2, resumed=True))
        return self

    def quote(self, bid="1.40", ask="1.60", conid=11):
        """What the chain shows of a contract, put where the executor keeps it."""
        self.state.quotes[conid] = LegPrice(
            bid_usd=Decimal(bid), ask_usd=Decimal(ask), at_ns=self.now
        )

    def watch(self, ns, bid="1.40", ask="1.60"):
        """Let time pass while the market is seen, and answer whatever comes."""
        for _ in range(ns // SECOND):
            self.quote(bid, ask)
            self.wait(SECOND)
            self.settle()

    def order(self, role):
        """The latest order of a role."""
        return [one for one in self.state.orders.values() if one.intent.role == role][-1]

    def stages(self, ref=None):
        """The stages told, of one order or of all."""
        return [one.stage for one in self.heard(OrderStageChanged) if ref in (None, one.order_ref)]

    def heard(self, *kinds):
        return [one for one in self.said if isinstance(one, kinds)]

    def pages(self):
        return [one.text for one in self.heard(NotifyPerson)]

    def halts(self):
        return [one.reason for one in self.heard(Halt)]

    def protected(self):
        """The units that the broker has orders to end for, by role."""
        by_role = {}
        for one in self.broker.orders.values():
            if one.is_open and one.intent.reducing:
                role = one.intent.role
                by_role[role] = by_role.get(role, 0) + one.units - one.filled
        return by_role

    @property
    def held(self):
        return {conid: int(count) for conid, count in self.broker.held.items() if count}
