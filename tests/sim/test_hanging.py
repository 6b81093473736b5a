"""An actor that hangs: who trades takes the process with it, halted; others are replaced."""

import pytest

from tests.sim.worlds import world_of
from thetawarden.domain.link.states import LinkState
from thetawarden.messages.lifecycle import ActorEnded, DeskStarted
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.trading import AdoptHaltFlag
from thetawarden.sim.faults.process import OTHERS, TRADING
from thetawarden.sim.meddling import Mishap
from thetawarden.sim.settings import minutes, plain_settings


def hung(folder, name):
    """A world in which one actor hangs in its next message, and an hour after it."""
    world, record = world_of(plain_settings(), folder)
    world.run_until(world.settings.start_ns + minutes(30))
    world.meddler.strike(name, Mishap.HANG)
    world.run_until(world.settings.start_ns + minutes(90))
    assert name in {one.actor for one in record.said(ActorEnded)}
    return world, record


@pytest.mark.parametrize("name", TRADING)
def test_p02_one_that_trades_ends_the_process_when_it_hangs_and_the_next_begins_halted(
    tmp_path, name
):
    world, record = hung(tmp_path, name)

    assert world.gave_up == [f"{name} hung; its work cannot be handed over in a living process"]
    assert [one.resumed for one in record.said(DeskStarted)] == [False, True]
    assert [one.halt.by for one in record.said(AdoptHaltFlag)] == ["supervisor"]
    assert world.latch().halt is not None
    assert record.said(LinkChanged)[-1].state is LinkState.READY


@pytest.mark.parametrize("name", ["watchdog", "chain/XSP", "slots"])
def test_p02_one_that_does_not_trade_is_replaced_when_it_hangs_and_nothing_halts(tmp_path, name):
    assert name in OTHERS
    world, record = hung(tmp_path, name)

    assert (world.gave_up, world.processes, world.flag.read()) == ([], 1, None)
    assert (world.desk.late.count, world.desk.late.trespassed) == (1, [])
    assert record.said(LinkChanged)[-1].state is LinkState.READY
