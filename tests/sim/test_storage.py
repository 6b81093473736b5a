"""A simulated disk tears, fills and is taken by two as a real one, and the desk stands it."""

import pytest

from tests.sim.worlds import world_of
from thetawarden.domain.instants import NS_PER_MINUTE
from thetawarden.domain.link.states import LinkState
from thetawarden.infra.journal.store import day_files
from thetawarden.infra.journal.wal import wal_path
from thetawarden.messages.base import Envelope
from thetawarden.messages.chains import ChainViewed
from thetawarden.messages.lifecycle import DeskStarted
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.trading import AdoptHaltFlag, Halt, TradingHalted
from thetawarden.sim.settings import plain_settings


def go_on(world, minutes):
    world.run_until(world.clock.true_ns() + minutes * NS_PER_MINUTE)


@pytest.fixture
def world(tmp_path):
    world, record = world_of(plain_settings(), tmp_path)
    world.record = record
    go_on(world, 40)
    return world


def newest(world):
    return day_files(world.disk.folder)[-1]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 1.0])
def test_s01_what_was_half_written_when_the_process_died_is_gone_and_all_else_is_there(
    world, share
):
    world.disk.tear(share)
    world.say(Halt(reason="never written", by="test"), sender="person")
    durable, whole = world.log.durable_seq, world.log.last_seq
    assert durable < whole

    before = len(world.record.entries)
    world.kill()
    torn = wal_path(newest(world)).stat().st_size
    go_on(world, 40)

    assert torn > 0
    assert (world.disk.torn_read, world.processes) == (1, 2)
    said = [one.seq for one in world.record.entries[before:] if isinstance(one, Envelope)]
    assert said[0] == durable + 1
    assert len(world.record.said(DeskStarted)) == 2
    assert world.record.said(TradingHalted) == []
    assert world.record.said(LinkChanged)[-1].state is LinkState.READY


def test_s01_only_a_process_that_dies_with_something_unwritten_tears_its_file(world):
    world.disk.tear(0.5)

    world.stop()

    assert not wal_path(newest(world)).exists()


def test_s04_states_of_another_version_are_passed_over_and_every_actor_is_as_it_was(world):
    world.disk.outdate()
    world.begin_anew()

    go_on(world, 40)

    assert (world.disk.outdated, world.processes) == (1, 2)
    assert world.desk.differing == []
    assert world.record.said(LinkChanged)[-1].state is LinkState.READY


def test_p07_on_a_full_disk_the_desk_halts_takes_no_quotes_and_writes_on(world):
    world.space.fill(5_000)
    go_on(world, 20)
    before = len(world.record.said(ChainViewed))
    written = world.log.durable_seq

    go_on(world, 30)

    assert world.desk.state_of("governor").latch.halt.by == "message log"
    assert world.log.durable_seq > written
    assert len(world.record.said(ChainViewed)) == before
    assert (world.processes, world.space.filled) == (1, 1)


def test_p07_a_log_without_any_room_ends_the_process_and_none_begins_until_there_is(world):
    world.space.fill(10)
    go_on(world, 120)
    assert not world.alive
    assert world.flag.read() is not None

    world.space.free()
    go_on(world, 60)

    assert world.alive
    assert world.processes == 2
    assert len(world.gave_up) == 1
    assert world.record.said(AdoptHaltFlag)
    assert world.desk.state_of("governor").latch.halt is not None


def test_h03_another_desk_on_the_same_store_is_refused_while_one_runs(world):
    said = world.log.last_seq

    world.start_another()

    assert (world.refused_starts, world.doubled) == (1, 0)
    assert world.log.last_seq == said
    world.stop()
    world.start_another()
    assert (world.refused_starts, world.doubled) == (1, 0)
