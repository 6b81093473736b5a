"""Whatever comes in whatever order: no approval exceeds a limit, nothing is lost count of.

The machine keeps its own count of what may be held, by orders and fills alone, and compares.
"""

import msgspec
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.actors.governed import LIMITS, Governed, only, option, settings
from thetawarden.actors.governing import GovernorState, desk_of, measured
from thetawarden.actors.governor import Governor
from thetawarden.domain.orders.stages import ENDS, Stage
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.domain.risk.usage import limits_in_use
from thetawarden.messages.orders import OrderApproved, OrderRefused, PreviewMargin
from thetawarden.messages.timers import TimerFired
from thetawarden.messages.trading import Halt, Resume

STRIKES = (540, 530, 520, 510)
OPEN_ENDS = (Stage.CANCELLED, Stage.REJECTED, Stage.EXPIRED, Stage.ABSENT)


class Order:
    """One order as the machine knows it."""

    def __init__(self, approved, margin):
        self.approved, self.margin = approved, margin
        self.stage, self.sent, self.booked = None, False, 0

    @property
    def units(self):
        return self.approved.approval.units

    @property
    def leg(self):
        return self.approved.proposal.legs[0]

    @property
    def over(self):
        return self.stage in ENDS

    @property
    def open_units(self):
        return 0 if self.over else self.units - self.booked


class Machine(RuleBasedStateMachine):
    """A governor, and somebody who sends, fills, loses, cancels and tells late."""

    @initialize()
    def begin(self):
        self.desk = Governed(instruments=[option(strike=one) for one in STRIKES])
        self.orders, self.asked, self.serial = [], [], 0

    @rule(
        strike=st.sampled_from(STRIKES),
        units=st.integers(1, 12),
        margin=st.floats(100.0, 30_000.0),
        wing=st.booleans(),
        later=st.integers(0, 3),
    )
    def propose(self, strike, units, margin, wing, later):
        self.serial += 1
        legs = [(option(strike=strike), -1)]
        if wing and strike > STRIKES[-1]:
            legs.append((option(strike=strike - 10), 1))
        limit = "-1.00" if len(legs) == 1 else "0.00"
        said = self.desk.propose(*legs, units=units, limit=limit, key=f"P{self.serial}")
        assert len(only(said, (OrderApproved, OrderRefused, PreviewMargin))) == 1
        if only(said, PreviewMargin):
            self.asked.append((said, margin))
            if later:
                self.take_answer(place=len(self.asked) - 1)

    @precondition(lambda self: self.asked)
    @rule(answered=st.booleans(), which=st.integers(0, 50))
    def answer(self, answered, which):
        place = which % len(self.asked)
        if answered:
            self.take_answer(place=place)
            return
        said, _ = self.asked.pop(place)
        (preview,) = only(said, PreviewMargin)
        assert only(self.desk.tell(TimerFired(name=f"wait:{preview.key}")), OrderRefused)

    def take_answer(self, *, place):
        said, margin = self.asked.pop(place)
        before = self.uses()
        found = self.desk.answer(said, margin=margin)
        assert len(only(found, (OrderApproved, OrderRefused))) == 1
        for approved in only(found, OrderApproved):
            self.orders.append(Order(approved, margin))
            self.check_limits(before)

    @precondition(lambda self: self.orders)
    @rule(which=st.integers(0, 50), stage=st.sampled_from((Stage.WORKING, Stage.UNKNOWN)))
    def send(self, which, stage):
        order = self.orders[which % len(self.orders)]
        late = self.desk.now >= order.approved.approval.expires_ns
        if order.over or (late and not order.sent):
            return
        if not order.sent:
            self.desk.stage(order.approved, Stage.INTENDED)
            order.sent = True
        self.desk.stage(order.approved, stage, filled=order.booked)
        order.stage = stage

    @precondition(lambda self: any(one.sent and not one.over for one in self.orders))
    @rule(which=st.integers(0, 50), units=st.integers(1, 12), told=st.booleans())
    def fill(self, which, units, told):
        order = self._live(which)
        units = min(units, order.units - order.booked)
        if not units:
            return
        order.booked += units
        whole = order.booked == order.units
        stage = Stage.FILLED if whole else Stage.PARTIAL
        if told:
            self.desk.stage(order.approved, stage, filled=order.booked)
        self.desk.fill(order.approved, units=units)
        if not told:
            self.desk.stage(order.approved, stage, filled=order.booked)
        order.stage = stage

    @precondition(lambda self: any(one.sent and not one.over for one in self.orders))
    @rule(which=st.integers(0, 50), stage=st.sampled_from(OPEN_ENDS))
    def end(self, which, stage):
        order = self._live(which)
        self.desk.stage(order.approved, stage, filled=order.booked)
        order.stage = stage

    @rule(which=st.integers(0, 50))
    def close(self, which):
        held = [one for one, count in self.desk.rows.values() if count < 0]
        if not held:
            return
        self.serial += 1
        leg = (held[which % len(held)], 1)
        told = {"limit": "1.00", "purpose": Purpose.CLOSE, "key": f"P{self.serial}"}
        for approved in only(self.desk.propose(leg, **told), OrderApproved):
            assert approved.review.reduction.proved
            self.orders.append(Order(approved, 0.0))

    @rule(agreed=st.booleans())
    def count(self, agreed):
        self.desk.valued(reconciled=agreed)

    @rule(seconds=st.sampled_from((1, 6, 30)))
    def time_passes(self, seconds):
        self.desk.wait(seconds).refresh()

    @rule(margin=st.integers(50_000, 400_000), nlv=st.integers(985_000, 1_015_000))
    def account(self, margin, nlv):
        self.desk.wait(1).account(nlv=nlv, margin=margin)

    @rule(vix=st.sampled_from((17.0, 17.0, 17.0, 11.0, 45.0)))
    def market(self, vix):
        self.desk.wait(1).context(vix=vix)

    @rule(lifted=st.integers(0, 3))
    def halt(self, lifted):
        self.desk.tell(Halt(reason="enough", by="me"))
        if lifted:
            epoch = self.desk.state.latch.epoch
            self.desk.tell(Resume(reason="go on", by="me", epoch=epoch))

    @invariant()
    def nothing_that_may_be_held_is_lost_count_of(self):
        if not hasattr(self, "desk"):
            return
        self._lapse()
        state = self.desk.state
        for strike in STRIKES:
            conid = option(strike=strike).conid
            truth = self.desk.rows.get(conid, (None, 0))[1]
            may = sum(
                min(ratio, 0) * one.open_units
                for one in self.orders
                for own, ratio in self._legs(one)
                if own == conid
            )
            counted = self._counted(conid)
            assert counted <= truth + may, (strike, counted, truth, may)
        assert all(one.units_counted >= 0 for one in state.ledger.reservations.values())

    @invariant()
    def the_state_comes_back_from_the_disk_and_answers_the_same(self):
        if not hasattr(self, "desk"):
            return
        written = msgspec.msgpack.encode(self.desk.state)
        again = Governor(settings=settings())
        again.state = msgspec.msgpack.decode(written, type=GovernorState)
        assert msgspec.msgpack.encode(again.state) == written
        self.desk.governor = again  # killed here, and come back

    def _lapse(self):
        """What was not sent in time may be let go of with whatever is heard next."""
        for order in self.orders:
            void_ns = order.approved.approval.expires_ns + settings().grace_ns
            if not order.sent and self.desk.now >= void_ns:
                order.stage = Stage.EXPIRED

    def check_limits(self, before):
        """What is held and reserved fits every limit, or makes one that was passed no worse."""
        order, after = self.orders[-1], self.uses()
        assert set(after) == set(before)
        for name, use in after.items():
            assert use.used <= max(use.limit, before[name].used) + 1e-6, (name, use)
        margin = self.desk.margin + sum(
            one.margin * one.open_units for one in self.orders if not one.over
        )
        most = LIMITS.margin.utilisation_max_fraction * self.desk.nlv
        assert margin <= most + 1e-6
        assert order.margin * order.units <= LIMITS.margin.per_trade_max_fraction * self.desk.nlv

    def uses(self):
        """The use of every limit, by the book as the governor has it now."""
        desk = self.desk
        own = settings()
        found = limits_in_use(
            measured(desk.state, own, None).book,
            account=desk_of(desk.state, own).account,
            limits=LIMITS,
            positions_max=LIMITS.concentration.positions_max,
        )
        return {(one.rule, one.name): one for one in found}

    def _legs(self, order):
        return [(leg.instrument.conid, leg.ratio) for leg in order.approved.proposal.legs]

    def _live(self, which):
        live = [one for one in self.orders if one.sent and not one.over]
        return live[which % len(live)]

    def _counted(self, conid):
        """Contracts that the governor counts of a kind, sold ones that may yet fill included."""
        state = self.desk.state
        held = sum(row.contracts for row in state.rows if row.instrument.con_id == conid)
        waiting = sum(
            min(leg.ratio, 0) * one.units_counted
            for one in state.ledger.reservations.values()
            for leg in one.legs
            if leg.instrument.con_id == conid
        )
        return held + waiting


Machine.TestCase.settings = hypothesis_settings(
    max_examples=30, stateful_step_count=30, deadline=None
)
test_whatever_comes_in_whatever_order = Machine.TestCase
