"""Every invariant can fail: each check is shown what it must not accept, and what it must."""

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace as Fake

import msgspec
import pytest

from thetawarden.actors.keeping import KeeperState
from thetawarden.actors.post import Status
from thetawarden.domain.books.book import Book
from thetawarden.domain.books.fills import CommissionKind
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.orders import Execution, execution_stem
from thetawarden.domain.broker.quote import DataType, Quote
from thetawarden.domain.halt import HaltRecord, Latch
from thetawarden.domain.instants import NS_PER_HOUR, NS_PER_MINUTE, NS_PER_SECOND, new_york_ns
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.market.contracts import Right
from thetawarden.domain.orders.intent import Gate, Intent, Lifetime, OrderRole, OrderStyle
from thetawarden.domain.orders.proposal import OrderLeg
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.domain.vitals import Vitals
from thetawarden.messages.base import Envelope
from thetawarden.messages.books import ExecutionReported, FillBooked
from thetawarden.messages.lifecycle import Begin, DeskStarted, EffectFailed, MailboxOverflowed
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.market import QuotesObserved
from thetawarden.messages.operations import AlertDelivered, DeliverAlert, Urgency, VitalsTaken
from thetawarden.messages.orders import ModifyOrder, OrderApproved, OrderStageChanged, SubmitOrder
from thetawarden.messages.trading import AdoptHaltFlag, Halt, Resume, TradingHalted, TradingResumed
from thetawarden.ports import Delivery, Outcome
from thetawarden.practice import model
from thetawarden.sim.broker.tickets import ticket_of
from thetawarden.sim.disk import Numbered
from thetawarden.sim.invariants.referee import ELSEWHERE, MODULES
from thetawarden.sim.invariants.scene import Scene
from thetawarden.sim.settings import small_config

ROOT = Path(__file__).parents[2]
NOW = 10 * NS_PER_HOUR
PUT = Instrument(
    conid=7,
    kind=InstrumentKind.OPTION,
    symbol="XSP",
    multiplier=100,
    trading_class="XSPW",
    expiry=dt.date(2026, 10, 9),
    strike=Decimal(600),
    right=Right.PUT,
)
HALTED = HaltRecord(epoch=1, reason="enough", by="test", at_ns=NOW)
CHECKS = {module.make().id: module for module in MODULES}


def intent(ref="t.open.1.1", *, units=2, **more):
    plain = {
        "order_ref": ref,
        "trade": "t",
        "strategy": "s",
        "role": OrderRole.ENTRY,
        "legs": (OrderLeg(instrument=PUT, ratio=-1),),
        "units": units,
        "style": OrderStyle.LIMIT,
        "lifetime": Lifetime.DAY,
        "limit_usd": Decimal("-1.50"),
    }
    return Intent(**(plain | more))


def submit(one, *, approval="A1"):
    gate = Gate(
        approval_key=approval, halt_epoch=0, expires_ns=NOW, quoted_ns=NOW, quote_age_ns_max=1
    )
    return SubmitOrder(epoch=1, intent=one, exits=(), gate=gate)


def ticket(one, order_id=1, **more):
    key = model.OrderKey(client_id=17, order_id=order_id)
    return msgspec.structs.replace(ticket_of(one, key=key, account="DU1"), **more)


class World:
    """As much of a world as the checks look at, all in order."""

    def __init__(self):
        self.open_orders, self.positions, self.flagged = (), (), None
        self.durable, self.durable_seq = True, 0
        self.gave_up, self.doubled = [], 0
        self.halt = None
        rows = (Fake(key="NetLiquidation", value="1000000"),)
        self.gateway = Fake(
            account="DU1",
            listeners=[],
            exchange=Fake(
                open_orders=lambda: self.open_orders,
                positions=lambda: self.positions,
                account_rows=lambda _account: rows,
            ),
        )
        self.flag = Fake(read=lambda: self.flagged)
        self.log = Fake(is_durable=lambda _seq: self.durable)
        self.set_within, self.woke_ns, self.mono_ns = False, 0, NOW
        self.clock = Fake(
            now_ns=lambda: NOW,
            monotonic_ns=lambda: self.mono_ns,
            speed=1.0,
            was_set_within=lambda _duration: self.set_within,
        )
        self.broker = Fake(epoch=1, wire=True)
        self.settings = Fake(config=small_config())
        self.states = {
            "connection": Fake(state=LinkState.READY, reconciled=True, why="", rounds=()),
        }
        self.posts = {}
        late = Fake(trespassed=[])
        self.desk = Fake(state_of=self.states.get, posts=self.posts, differing=[], late=late)

    def latch(self):
        return Latch(epoch=1, halt=self.halt)


class Case:
    """One check in a world of its own."""

    def __init__(self, number):
        self.check, self.world = CHECKS[number].make(), World()
        self.scene, self.seq, self.found = Scene(self.world), 0, []

    def say(self, body, *, sender="actor", incarnation=0, cause=None, seq=None):
        self.seq = self.seq + 1 if seq is None else seq
        self.record(Envelope(self.seq, NOW, sender, incarnation, cause, body))
        return self

    def record(self, entry):
        self.scene.note(entry)
        kind = type(entry.body) if isinstance(entry, Envelope) else type(entry)
        if self.check.entry is not None and (not self.check.hears or kind in self.check.hears):
            self.found += self.check.entry(entry, self.scene)
        return self

    def send(self, one):
        if self.check.sent is not None:
            self.found += self.check.sent(one, self.scene)
        return self

    def end(self):
        self.found += self.check.end(self.scene)
        return self

    @property
    def holds(self):
        return not self.found


def quoted(**more):
    quote = Quote(**({"conid": 7, "at_ns": NOW, "bid_usd": 1.45, "ask_usd": 1.55} | more))
    return QuotesObserved(epoch=1, underlying="XSP", quotes=(quote,))


def handled(body, *, by="keeper", incarnation=1, said_ns=NOW, at_ns=NOW):
    envelope = Envelope(1, said_ns, "supervisor", 0, None, body)
    return Numbered(1, Delivery(envelope, by, incarnation, at_ns, Outcome.HANDLED, 1))


def stage(ref, to):
    return OrderStageChanged(
        order_ref=ref,
        trade="t",
        strategy="s",
        role=OrderRole.ENTRY,
        approval_key="A1",
        proposal_key="p",
        stage=to,
        units=1,
        units_filled=0,
        perm_id=0,
        words="",
    )


def filled(quantity, exec_id="a.1.01"):
    execution = Execution(
        execution_id=exec_id,
        instrument=PUT,
        quantity=Decimal(quantity),
        price_usd=Decimal(1),
        at_ns=NOW,
        perm_id=1,
        order_id=1,
        client_id=17,
        order_ref="t.open.1.1",
        account="DU1",
    )
    return ExecutionReported(epoch=1, execution=execution)


def test_every_invariant_is_checked_here_or_it_is_said_where():
    numbers = [f"I{number:02}" for number in range(1, 31)]

    assert sorted([*CHECKS, *ELSEWHERE]) == numbers


def test_every_check_is_shown_to_fail_and_every_test_that_is_named_is_there():
    named = {name[5:8].upper() for name in globals() if re.match(r"test_i\d\d_", name)}
    places = [place for _, where in ELSEWHERE.values() for place in where.split(", ")]

    assert named == set(CHECKS)
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_i01_an_entry_that_leaves_after_a_halt_is_found():
    one = intent()
    fine = Case("I01").say(submit(one)).send(ticket(one))
    late = Case("I01").say(TradingHalted(halt=HALTED)).say(submit(one)).send(ticket(one))
    exits = intent("t.close.1.1", reducing=True, legs=(OrderLeg(instrument=PUT, ratio=1),))
    closing = Case("I01").say(TradingHalted(halt=HALTED)).say(submit(exits))
    closing.world.positions = (Fake(contract=Fake(con_id=PUT.conid), quantity=-2),)
    closing.send(ticket(exits))

    assert (fine.holds, late.holds, closing.holds) == (True, False, True)


@pytest.mark.parametrize(
    "change",
    [{"quantity": 3}, {"action": model.Action.BUY}, {"limit_price": 1.45}, {"order_ref": "other"}],
)
def test_i02_an_order_that_is_not_what_was_intended_is_found(change):
    one = intent()

    assert Case("I02").say(submit(one)).send(ticket(one)).holds
    assert not Case("I02").say(submit(one)).send(ticket(one, **change)).holds


def test_i02_an_order_that_leaves_before_its_intent_is_on_disk_is_found():
    one, case = intent(), Case("I02")
    case.world.durable = False

    assert not case.say(submit(one)).send(ticket(one)).holds


def test_i03_the_same_intent_sent_under_two_numbers_is_found():
    one = intent()

    assert Case("I03").send(ticket(one)).send(ticket(one)).holds
    assert not Case("I03").send(ticket(one)).send(ticket(one, order_id=2)).holds


def test_i03_a_second_attempt_while_the_first_works_is_found():
    case = Case("I03")
    case.world.open_orders = (Fake(request=ticket(intent("t.open.1.1"))),)

    assert not case.send(ticket(intent("t.open.1.2"), order_id=2)).holds


def test_i04_an_order_without_an_approval_is_found():
    one = intent()

    assert not Case("I04").say(submit(one)).send(ticket(one)).holds


def test_i05_a_position_only_the_broker_knows_is_found():
    case = Case("I05")
    case.world.positions = (Fake(contract=Fake(con_id=7), quantity=-1),)
    case.world.states["keeper"] = KeeperState(book=Book(client_id=17, since_ns=0))

    assert not case.end().holds
    case.world.positions, case.found = (), []
    assert case.end().holds


def test_i06_more_sold_than_the_limit_is_found():
    small, large = intent(units=1), intent(units=100)

    assert Case("I06").say(submit(small)).send(ticket(small)).holds
    assert not Case("I06").say(submit(large)).send(ticket(large)).holds


def test_i07_an_actor_that_is_built_as_another_than_it_was_is_found_once():
    case, begin = Case("I07"), Begin(incarnation=2, resumed=True)
    assert case.say(begin).holds

    case.world.desk.differing.append("keeper")
    assert case.say(begin).say(begin).found == [
        "keeper was built of the log as another than it had been"
    ]


def test_i08_a_gap_in_the_log_is_found():
    fine = Case("I08").say(Halt(reason="a", by="b")).say(Halt(reason="a", by="b"))
    gap = Case("I08").say(Halt(reason="a", by="b")).say(Halt(reason="a", by="b"), seq=3)

    assert (fine.holds, gap.holds) == (True, False)


def test_i08_a_process_that_begins_elsewhere_than_the_disk_ends_is_found():
    case = Case("I08")
    case.world.durable_seq = 5

    assert not case.say(Halt(reason="a", by="b")).holds


@pytest.mark.parametrize(("lane", "holds"), [("market", True), ("orders", False)])
def test_i09_an_order_that_overflows_is_found(lane, holds):
    overflow = MailboxOverflowed(actor="keeper", lane=lane, depth=9, kind="x")

    assert Case("I09").say(overflow).holds is holds


def test_i10_a_control_message_that_waits_for_minutes_is_found():
    halt = Halt(reason="a", by="b")

    assert Case("I10").record(handled(halt)).holds
    assert not Case("I10").record(handled(halt, said_ns=NOW - 5 * NS_PER_MINUTE)).holds


@pytest.mark.parametrize(("woke_min", "holds"), [(1, True), (2, False)])
def test_i10_counts_no_time_in_which_no_desk_ran(woke_min, holds):
    case = Case("I10")
    case.world.woke_ns = NOW - woke_min * NS_PER_MINUTE

    said_ns = NOW - 9 * NS_PER_HOUR
    assert case.record(handled(Halt(reason="a", by="b"), said_ns=said_ns)).holds is holds


def test_i11_a_link_that_stays_away_must_halt_trading():
    case, looked = Case("I11"), []
    at_ns = new_york_ns(dt.date(2026, 9, 14), dt.time(10))
    case.world.clock.now_ns = case.world.clock.monotonic_ns = lambda: at_ns
    for state in (LinkState.READY, *[LinkState.DOWN] * 9):
        case.say(LinkChanged(epoch=1, state=state, entries=False, why=""))
        case.record(handled(VITALS, by="watchdog", at_ns=at_ns))
        looked.append(case.holds)
        at_ns += 10 * NS_PER_SECOND

    assert looked == [True] * 9 + [False]


@pytest.mark.parametrize(
    "seen",
    [
        quoted(data_type=DataType.DELAYED),
        msgspec.structs.replace(quoted(), epoch=9),
        QuotesObserved(epoch=1, underlying="XSP", quotes=(Quote(conid=7, at_ns=1),)),
        QuotesObserved(epoch=1, underlying="XSP", quotes=()),
    ],
)
def test_i12_an_entry_on_a_quote_that_must_not_be_used_is_found(seen):
    one = intent()

    assert Case("I12").say(quoted()).say(submit(one)).send(ticket(one)).holds
    assert not Case("I12").say(seen).say(submit(one)).send(ticket(one)).holds


@pytest.mark.parametrize(("more_s", "holds"), [(0, True), (1, False)])
def test_i12_a_quote_is_too_old_by_the_second(more_s, holds):
    one, case = intent(), Case("I12")
    age_s = case.world.settings.config.risk.orders.quote_age_s_max + more_s
    seen = quoted(at_ns=round(NOW - age_s * NS_PER_SECOND))

    assert case.say(seen).say(submit(one)).send(ticket(one)).holds is holds


def test_i12_says_nothing_of_age_just_after_somebody_set_the_clock():
    one, case = intent(), Case("I12")
    case.world.set_within = True

    assert case.say(quoted(at_ns=1)).say(submit(one)).send(ticket(one)).holds


def test_i13_a_resume_by_nobody_or_of_another_halt_is_found():
    halted, resumed = TradingHalted(halt=HALTED), TradingResumed(epoch=1, reason="r", by="p")

    def case(epoch, sender):
        resume = Resume(reason="r", by="p", epoch=epoch)
        return Case("I13").say(halted).say(resume, sender=sender).say(resumed, cause=2)

    assert case(1, "person").holds
    assert not case(2, "person").holds
    assert not case(1, "strategist").holds
    assert not Case("I13").say(halted).say(resumed).holds


def test_i13_a_halt_that_has_no_flag_is_found():
    case = Case("I13")
    case.world.halt = HALTED

    assert not case.end().holds


def test_i13_a_halt_that_stood_without_a_flag_is_found_when_it_is_lifted():
    resume, resumed = (
        Resume(reason="r", by="p", epoch=1),
        TradingResumed(epoch=1, reason="r", by="p"),
    )

    def lifted(after_ns, flagged):
        case = Case("I13").say(TradingHalted(halt=HALTED))
        case.world.mono_ns, case.world.flagged = NOW + after_ns, flagged
        return case.say(resume, sender="person").say(resumed, cause=2)

    assert lifted(NS_PER_SECOND, None).holds
    assert lifted(NS_PER_MINUTE, HALTED).holds
    assert not lifted(NS_PER_MINUTE, None).holds


VITALS = VitalsTaken(vitals=Vitals(actors=(), log_lag_ns=0, disk_free_bytes=1))


def test_i21_another_desk_that_is_let_in_is_found_once():
    case = Case("I21").say(VITALS)
    assert case.holds

    case.world.doubled = 1

    assert not case.say(VITALS).say(VITALS).holds
    assert len(case.found) == 1


def test_i14_what_was_sold_and_works_for_no_exit_is_found():
    fill = Fake(
        contract=Fake(legs=(), con_id=PUT.conid),
        exec_id="a.1.01",
        order_ref="t.open.1.1",
        side=model.Action.SELL,
        quantity=2,
        price=1.5,
    )
    proposal = Fake(
        trade="t",
        purpose=Purpose.OPEN,
        exits=None,
        limit_usd=Decimal("-1.50"),
        legs=intent().legs,
    )
    approved = OrderApproved(proposal=proposal, approval=Fake(key="A1"), review=None)
    case = Case("I14").say(approved).say(submit(intent()))
    assert case.end().holds

    case.scene.dealt.take(fill, NOW)
    case.world.positions = (Fake(contract=Fake(con_id=PUT.conid), quantity=-2),)

    assert not case.end().holds


def test_i15_more_fills_than_were_ordered_are_found():
    one = intent(units=2)
    fine = Case("I15").say(submit(one)).say(filled(-2)).say(filled(-2))
    more = Case("I15").say(submit(one)).say(filled(-2)).say(filled(-1, "b.1.01"))

    assert (fine.holds, more.holds) == (True, False)


def test_i15_an_order_that_was_made_larger_may_fill_to_its_new_size():
    grown = ModifyOrder(epoch=1, intent=intent(units=3), gate=submit(intent()).gate, number=1)
    case = Case("I15").say(submit(intent(units=2))).say(grown)

    assert case.say(filled(-2)).say(filled(-1, "b.1.01")).holds
    assert not case.say(filled(-1, "c.1.01")).holds


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ({}, True),
        ({"quantity": Decimal(0)}, True),  # it was busted
        ({"quantity": Decimal(-4)}, False),
        ({"fill": "a.2"}, False),
    ],
)
def test_i16_a_fill_that_is_booked_twice_over_or_as_another_is_found(change, holds):
    execution = filled(-2).execution
    plain = {
        "fill": execution_stem(execution.execution_id),
        "execution": execution,
        "cause": Cause.TRADE,
        "quantity": Decimal(-2),
        "commission_usd": Decimal(0),
        "commission_kind": CommissionKind.ESTIMATED,
        "cash_usd": Decimal(200),
        "position_after": Decimal(-2),
        "average_cost_usd": Decimal(1),
        "realised_usd": Decimal(0),
    }

    assert Case("I16").say(FillBooked(**(plain | change))).holds is holds


def test_i17_an_order_that_lives_again_by_itself_is_found():
    ended, again = stage("r", Stage.CANCELLED), stage("r", Stage.WORKING)
    by_broker = Case("I17").say(ended).say(filled(-1)).say(again, cause=2)
    by_itself = Case("I17").say(ended).say(again)

    assert (by_broker.holds, by_itself.holds) == (True, False)


@pytest.mark.parametrize(("durable_seq", "holds"), [(0, True), (1, False)])
def test_i17_an_end_that_was_lost_with_its_process_was_none(durable_seq, holds):
    started = DeskStarted(config_fingerprint="f", software="s", resumed=True)
    case = Case("I17")
    case.world.durable_seq = durable_seq

    case.say(stage("r", Stage.CANCELLED)).say(started).say(stage("r", Stage.UNKNOWN))

    assert case.holds is holds


def test_i17_a_broker_s_word_that_was_lost_excuses_nothing_of_the_next_process():
    started = DeskStarted(config_fingerprint="f", software="s", resumed=True)
    case = Case("I17")
    case.world.durable_seq = 1

    case.say(stage("r", Stage.CANCELLED)).say(filled(-1)).say(started)
    case.say(stage("r", Stage.WORKING), cause=2)

    assert not case.holds


def test_i18_orders_that_would_trade_with_each_other_are_found():
    sell, buy = intent(), intent("b", legs=(OrderLeg(instrument=PUT, ratio=1),))
    buy = msgspec.structs.replace(buy, limit_usd=Decimal("1.60"))
    case = Case("I18").say(submit(sell))
    case.world.open_orders = (
        Fake(request=ticket(buy), contract=Fake(legs=(), con_id=7), why_held=""),
    )

    assert case.send(ticket(sell, order_type="STP LMT")).holds
    assert not case.send(ticket(sell)).holds


def changes(case, count, *, apart_ns, sizes=(1,)):
    """One order is changed so many times, to each of these sizes in turn."""
    gate = submit(intent()).gate
    for number in range(1, count + 1):
        case.world.mono_ns += apart_ns
        size = sizes[number % len(sizes)]
        asked = msgspec.structs.replace(intent(), units=size)
        case.say(ModifyOrder(epoch=1, intent=asked, gate=gate, number=number))
    return case


def test_i19_a_leg_that_stays_alone_untold_is_found():
    long = msgspec.structs.replace(PUT, conid=8, strike=Decimal(590))
    spread = (OrderLeg(instrument=PUT, ratio=-1), OrderLeg(instrument=long, ratio=1))
    case = Case("I19").say(LinkChanged(epoch=1, state=LinkState.READY, entries=True, why=""))
    case.say(submit(intent(legs=spread))).say(filled(-1))
    fill = Fake(contract=Fake(legs=(), con_id=PUT.conid), exec_id="a.1.01", quantity=1, price=1.0)
    fill.order_ref, fill.side = "t.open.1.1", model.Action.SELL
    case.scene.dealt.take(fill, NOW)
    case.world.positions = (Fake(contract=Fake(con_id=PUT.conid), quantity=-1),)
    looked = []
    for _ in range(28):
        looked.append(case.say(VITALS).holds)
        case.world.mono_ns += NS_PER_SECOND

    assert looked == [True] * 26 + [False] * 2


def test_i20_an_order_that_is_changed_over_and_over_is_found_once():
    assert changes(Case("I20"), 100, apart_ns=NS_PER_SECOND // 2).holds
    (words,) = changes(Case("I20"), 100, apart_ns=NS_PER_SECOND // 5).found
    assert "4 changes of" in words
    assert "within a second, 3 allowed" in words


def test_i20_an_exit_that_follows_fill_after_fill_is_none_but_one_that_wavers_is():
    fast_ns = NS_PER_SECOND // 20

    assert changes(Case("I20"), 15, apart_ns=fast_ns, sizes=range(15, 0, -1)).holds
    assert not changes(Case("I20"), 15, apart_ns=fast_ns, sizes=(1, 2)).holds


def test_i20_more_orders_than_the_broker_takes_in_a_second_are_found():
    case = Case("I20")
    for number in range(40):
        case.say(submit(intent(f"t.open.{number}")))
    assert case.holds
    assert not case.say(submit(intent("t.open.41"))).holds


def test_i22_a_word_of_an_old_incarnation_is_found():
    begun = handled(Begin(incarnation=2, resumed=True), incarnation=2)
    halt = Halt(reason="a", by="b")

    assert Case("I22").record(begun).say(halt, sender="keeper", incarnation=2).holds
    assert not Case("I22").record(begun).say(halt, sender="keeper", incarnation=1).holds


@pytest.mark.parametrize("outcome", [Outcome.CRASHED, Outcome.HUNG, Outcome.PARKED])
def test_i22_who_was_ended_by_a_message_says_and_handles_nothing_though_nobody_follows(outcome):
    halt = Halt(reason="a", by="b")
    end = handled(halt)
    end = msgspec.structs.replace(
        end, delivery=msgspec.structs.replace(end.delivery, outcome=outcome)
    )
    started = DeskStarted(config_fingerprint="f", software="s", resumed=True)

    assert not Case("I22").record(end).say(halt, sender="keeper", incarnation=1).holds
    assert not Case("I22").record(end).record(handled(halt)).holds
    assert Case("I22").record(end).say(halt, sender="keeper", incarnation=2).holds
    assert Case("I22").record(end).say(started).record(handled(halt)).holds
    waits = msgspec.structs.replace(end.delivery, outcome=Outcome.WAITING)
    assert Case("I22").record(end).record(Numbered(2, waits)).holds


def test_i23_a_process_that_goes_on_after_giving_up_is_found():
    started = DeskStarted(config_fingerprint="f", software="s", resumed=True)
    fine, bad = Case("I23"), Case("I23")
    fine.world.gave_up, bad.world.gave_up = ["x"], ["x"]

    assert fine.say(started).say(AdoptHaltFlag(halt=HALTED)).holds
    assert not bad.say(started).say(Halt(reason="a", by="b")).holds


def alert_of(epoch):
    text = f"Trading halted by person: enough (epoch {epoch})"
    return DeliverAlert(number=epoch, urgency=Urgency.CRITICAL, topic="halt", text=text)


def test_i24_a_halt_nobody_is_told_of_is_found():
    halted, alert = TradingHalted(halt=HALTED), alert_of(HALTED.epoch)
    gone, lost = AlertDelivered(number=1), EffectFailed(adapter="alerts", kind="x", error="x")

    assert Case("I24").say(halted).say(alert).say(gone, cause=2).end().holds
    assert Case("I24").say(halted).say(alert).say(lost, cause=2).end().holds
    assert not Case("I24").say(halted).end().holds
    assert not Case("I24").say(halted).say(alert).end().holds
    assert (
        not Case("I24").say(halted).say(alert_of(HALTED.epoch + 1)).say(gone, cause=2).end().holds
    )


def test_i24_a_halt_that_was_told_is_not_told_anew_by_a_process_that_begins():
    halted, alert = TradingHalted(halt=HALTED), alert_of(HALTED.epoch)
    told = Case("I24").say(halted).say(alert).say(AlertDelivered(number=1), cause=2)

    assert told.say(halted).end().holds
    other = msgspec.structs.replace(HALTED, epoch=HALTED.epoch + 1)
    assert not told.say(TradingHalted(halt=other)).end().holds


def test_i24_a_halt_that_was_lost_with_its_process_before_it_was_written_was_none():
    started = DeskStarted(config_fingerprint="f", software="s", resumed=True)
    for durable_seq, holds in ((0, True), (1, False)):
        case = Case("I24").say(TradingHalted(halt=HALTED))
        case.world.durable_seq = durable_seq
        assert case.say(started).end().holds is holds


def test_i26_a_run_without_a_header_is_found():
    started = DeskStarted(config_fingerprint="f", software="s", resumed=False)
    halt = Halt(reason="a", by="b")

    assert Case("I26").say(started).say(halt, incarnation=1).holds
    assert not Case("I26").say(halt, incarnation=1).holds


def test_i29_a_link_that_only_the_desk_believes_in_is_found():
    case = Case("I29")
    assert case.end().holds
    case.world.broker.wire = None
    assert not case.end().holds


@pytest.mark.parametrize(
    "spoil",
    [
        lambda world: setattr(world.states["connection"], "state", LinkState.DOWN),
        lambda world: setattr(world.states["connection"], "reconciled", False),
        lambda world: world.posts.update(keeper=Fake(status=Status.FAILED)),
    ],
)
def test_i29_a_desk_that_does_not_come_back_is_found(spoil):
    fine, bad = Case("I29"), Case("I29")
    spoil(bad.world)

    assert (fine.end().holds, bad.end().holds) == (True, False)


def test_i30_closing_what_we_never_opened_is_found():
    back = (OrderLeg(instrument=PUT, ratio=1),)
    opened, closing = intent(), intent("c", role=OrderRole.EXIT, reducing=True, legs=back)

    def case():
        found = Case("I30")
        found.world.positions = (Fake(contract=Fake(con_id=PUT.conid), quantity=-2),)
        return found

    assert case().say(submit(opened)).say(submit(closing)).send(ticket(closing)).holds
    assert not case().say(submit(closing)).send(ticket(closing)).holds


@pytest.mark.parametrize("role", [OrderRole.ROLL, OrderRole.HEDGE])
def test_i30_what_rearranges_a_trade_closes_nothing_of_others_either(role):
    back = (OrderLeg(instrument=PUT, ratio=1),)
    one, case = intent("r", role=role, reducing=True, legs=back), Case("I30")
    case.world.positions = (Fake(contract=Fake(con_id=PUT.conid), quantity=-2),)

    assert not case.say(submit(one)).send(ticket(one)).holds


def test_i30_a_hedge_that_opens_as_it_reduces_closes_nothing():
    bought = (OrderLeg(instrument=PUT, ratio=1),)
    hedge = intent("h", role=OrderRole.HEDGE, reducing=True, legs=bought)

    assert Case("I30").say(submit(hedge)).send(ticket(hedge)).holds
