"""Killed at any message, the governor comes back with the same reservations and brakes."""

import msgspec

from tests.actors.governed import Governed, option, settings
from thetawarden.actors.governing import GovernorState
from thetawarden.actors.governor import Governor
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.messages.orders import OrderApproved
from thetawarden.messages.risk import BeCautious
from thetawarden.messages.trading import Halt, Resume


def a_full_day():
    """Entries, fills, a roll of doubts, losses, a halt, a caution; everything that moves state."""
    desk = Governed(instruments=[option(), option(strike=530), option(strike=520)])
    desk.hold(desk.approve(units=2))
    unknown = desk.wait(10).approve((option(strike=530), -1), key="P2")
    desk.stage(unknown, Stage.INTENDED)
    desk.stage(unknown, Stage.UNKNOWN)
    desk.approve((option(strike=520), -1), key="P3")
    desk.wait(1).account(nlv=984_000)
    desk.propose((option(), 1), limit="1.00", key="X1", purpose=Purpose.CLOSE)
    desk.wait(1).account(nlv=979_000)
    desk.tell(BeCautious(reason="odd quotes", by="me"))
    desk.tell(Resume(reason="looked", by="me", epoch=1))
    desk.stage(unknown, Stage.PARTIAL)
    desk.wait(61).refresh(vix=31.0)
    desk.stage(unknown, Stage.CANCELLED)
    desk.tell(Halt(reason="enough", by="me"))
    desk.valued()
    return desk


def written(said):
    """As the log has it: unknown numbers are alike there."""
    return [msgspec.msgpack.encode(one) for one in said]


def test_the_same_messages_give_the_same_state_and_answers():
    first, second = a_full_day(), a_full_day()

    assert msgspec.msgpack.encode(first.state) == msgspec.msgpack.encode(second.state)
    assert written(first.said) == written(second.said)


def test_killed_at_any_message_it_comes_back_with_identical_reservations_and_brakes():
    day = a_full_day()
    governor, said = Governor(settings=settings()), []
    for message, now in day.heard:
        said += governor.receive(message, now)
        snapshot = msgspec.msgpack.encode(governor.state)
        governor = Governor(settings=settings())
        governor.state = msgspec.msgpack.decode(snapshot, type=GovernorState)

    assert written(said) == written(day.said)
    assert governor.state.ledger == day.state.ledger
    assert governor.state.latch == day.state.latch
    assert governor.state.equity == day.state.equity
    assert governor.state.tripped == day.state.tripped
    assert governor.state.cautions == day.state.cautions
    assert msgspec.msgpack.encode(governor.state) == msgspec.msgpack.encode(day.state)
    assert [one for one in said if isinstance(one, OrderApproved)]
    assert day.state.ledger.minted >= 3
