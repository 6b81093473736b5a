"""Killed at any message, the governor comes back with the same reservations and brakes."""

import msgspec
import pytest

from tests.actors.governed import Governed, only, option, settings, view
from thetawarden.actors.governing import GovernorState
from thetawarden.actors.governor import Governor
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.risk.brakes import BrakeName
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.domain.risk.demands import DemandKind
from thetawarden.domain.risk.loosening import Looser, StatedLimit, fingerprint_of
from thetawarden.domain.risk.recovery import RecoveryPhase
from thetawarden.messages.orders import OrderApproved, PreviewMargin
from thetawarden.messages.risk import (
    AcceptLimits,
    BeCautious,
    FreezeExits,
    LimitsStated,
    ReviewDrawdown,
    RiskDemanded,
    RiskTaken,
    StressTaken,
    TakeStress,
    UnlockStrategy,
)
from thetawarden.messages.timers import TimerFired
from thetawarden.messages.trading import Halt, Resume, TradingHalted

STATED = (StatedLimit(name="risk.x", words="1", looser=Looser.MORE, amount=1.0),)
LOOSER = (StatedLimit(name="risk.x", words="2", looser=Looser.MORE, amount=2.0),)


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


def a_crash_and_the_way_back():
    """Every brake, reduction demanded, a drawdown reviewed, all phases of the way back."""
    puts = [option(), option(strike=530), option(strike=520), option(strike=510)]
    desk = Governed(instruments=puts)
    desk.tell(LimitsStated(limits=STATED))
    desk.hold(desk.approve(units=9))
    pair = desk.wait(1).approve((puts[1], -1), (puts[2], 1), key="P2", limit="0.00", units=2)
    desk.stage(pair, Stage.INTENDED)
    desk.fill(pair, units=1, legs=pair.proposal.legs[:1])  # one leg ahead of its unit
    desk.wait(1).tell(LimitsStated(limits=LOOSER))
    desk.propose((puts[3], -1), key="P3")
    desk.tell(AcceptLimits(fingerprint=fingerprint_of(LOOSER), reason="meant", by="me"))
    asked = desk.wait(1).propose((puts[3], -1), key="P4")
    desk.wait(20).tell(TimerFired(name="wait:P4"))  # no answer came
    assert only(asked, PreviewMargin)
    desk.fill(pair, units=1, legs=pair.proposal.legs[1:])
    desk.stage(pair, Stage.PARTIAL, filled=1)
    desk.tell(moved(desk, -0.12))
    for day, nlv in enumerate((990_000, 976_000, 962_000, 949_000, 925_000, 905_000, 890_000)):
        desk.wait(86_400).refresh(vix=22.0 + 4.0 * day)
        desk.account(nlv=nlv)
        desk.propose((puts[0], 1), limit="1.00", key=f"X{day}", purpose=Purpose.CLOSE)
        if desk.state.latch.halt:
            epoch = desk.state.latch.epoch
            desk.tell(FreezeExits(frozen=day % 2 == 0, reason="to see", by="me"))
            desk.tell(Resume(reason="looked", by="me", epoch=epoch))
    desk.tell(ReviewDrawdown(reason="understood", by="me"))
    desk.tell(UnlockStrategy(strategy="daily_puts", reason="looked", by="me"))
    for days, nlv in ((14, 900_000), (14, 920_000), (28, 960_000)):
        desk.nlv = nlv
        desk.wait(days * 86_400).refresh()
        desk.propose((puts[3], -1), key=f"Y{days}{nlv}", units=8)
    desk.tell(TakeStress(run="nightly"))
    return desk


def moved(desk, change):
    told = view("XSP", desk.instruments, now=desk.now)
    series = tuple(
        msgspec.structs.replace(one, forward_usd=one.forward_usd * (1.0 + change))
        for one in told.view.series
    )
    spot = told.view.spot_usd * (1.0 + change)
    return msgspec.structs.replace(
        told, view=msgspec.structs.replace(told.view, spot_usd=spot, series=series)
    )


HISTORIES = (a_full_day, a_crash_and_the_way_back)


def written(said):
    """As the log has it: unknown numbers are alike there."""
    return [msgspec.msgpack.encode(one) for one in said]


def test_the_crash_has_in_it_everything_that_a_kill_could_lose():
    said = a_crash_and_the_way_back().said

    halts = " ".join(one.halt.reason for one in only(said, TradingHalted))
    demanded = {one.kind for told in only(said, RiskDemanded) for one in told.demands}
    levels = {(one.name, one.level) for told in only(said, RiskTaken) for one in told.brakes}
    assert all(f"{name} is" in halts for name in ("day loss", "week loss", "drawdown"))
    assert {DemandKind.HALT_FOR_REVIEW, DemandKind.HALT, DemandKind.REDUCE} <= demanded
    assert {DemandKind.CLOSE_WEAKEST, DemandKind.CANCEL_ENTRIES, DemandKind.TELL} <= demanded
    assert {(BrakeName.DRAWDOWN, one) for one in ("warn", "slow", "stop")} <= levels
    assert {one.recovery for one in only(said, RiskTaken)} == set(RecoveryPhase)
    assert only(said, FreezeExits) or only(said, StressTaken)


@pytest.mark.parametrize("history", HISTORIES)
def test_the_same_messages_give_the_same_state_and_answers(history):
    first, second = history(), history()

    assert msgspec.msgpack.encode(first.state) == msgspec.msgpack.encode(second.state)
    assert written(first.said) == written(second.said)


@pytest.mark.parametrize("history", HISTORIES)
def test_killed_at_any_message_it_comes_back_with_identical_reservations_and_brakes(history):
    day = history()
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
    assert governor.state.recovery == day.state.recovery
    assert governor.state.demands == day.state.demands
    assert msgspec.msgpack.encode(governor.state) == msgspec.msgpack.encode(day.state)
    assert [one for one in said if isinstance(one, OrderApproved)]
    assert day.state.ledger.minted >= 3


@pytest.mark.parametrize("history", HISTORIES)
def test_told_again_from_any_snapshot_on_it_answers_as_before(history):
    """As a process that is killed later than its last snapshot comes back."""
    day = history()
    snapshots = []
    governor = Governor(settings=settings())
    answers = []
    for message, now in day.heard:
        snapshots.append(msgspec.msgpack.encode(governor.state))
        answers.append(governor.receive(message, now))

    for place in range(0, len(snapshots), max(len(snapshots) // 12, 1)):
        again = Governor(settings=settings())
        again.state = msgspec.msgpack.decode(snapshots[place], type=GovernorState)
        told = [again.receive(message, now) for message, now in day.heard[place:]]
        assert [written(one) for one in told] == [written(one) for one in answers[place:]]
        assert msgspec.msgpack.encode(again.state) == msgspec.msgpack.encode(day.state)
