"""A whole desk in a world of its own: link, market, disk, and processes that end and begin."""

import datetime as dt

import msgspec
import pytest

from tests.sim.worlds import world_of
from thetawarden.domain.chains.condition import Condition
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.link.states import LinkState, LinkTrouble
from thetawarden.infra.journal.reader import open_log
from thetawarden.messages.base import Envelope
from thetawarden.messages.books import BookFetched
from thetawarden.messages.chains import ChainStateChanged, ChainViewed
from thetawarden.messages.lifecycle import DeskStarted, EffectFailed
from thetawarden.messages.link import FetchBook, LinkChanged, LinkLost
from thetawarden.messages.trading import AdoptHaltFlag, Halt, TradingHalted
from thetawarden.sim.replay import verify_replay
from thetawarden.sim.settings import minutes, plain_settings


@pytest.fixture(scope="module")
def hour(tmp_path_factory):
    """An hour and a half of an undisturbed desk, and the log it left."""
    folder = tmp_path_factory.mktemp("hour")
    world, record = world_of(plain_settings(), folder)
    world.run_until(world.settings.start_ns + minutes(90))
    dump = world.log.dump()
    world.stop()
    return world, record, dump


def test_the_desk_finds_its_broker_and_watches_its_chain(hour):
    _, record, _ = hour

    assert record.said(LinkChanged)[-1].state is LinkState.READY
    assert record.said(LinkChanged)[-1].entries
    conditions = [one.state for one in record.said(ChainStateChanged)]
    assert conditions[-2:] == [Condition.WATCHING, Condition.STOPPED]
    assert len(record.said(ChainViewed)) > 5
    assert record.said(EffectFailed) == []
    assert all(book.missing == () for book in record.said(BookFetched))


def test_the_same_settings_twice_give_the_same_log_byte_for_byte(hour, tmp_path):
    _, _, dump = hour

    again, _ = world_of(plain_settings(), tmp_path)
    again.run_until(again.settings.start_ns + minutes(90))

    assert again.log.dump() == dump


@pytest.mark.parametrize("swallowed", [True, False])
def test_a_book_is_told_once_and_as_missing_when_it_was_swallowed(tmp_path, swallowed):
    world, record = world_of(plain_settings(), tmp_path)
    world.run_until(world.settings.start_ns + minutes(5))
    wire = world.broker.wire
    asked = FetchBook(epoch=wire.epoch, round=999)
    question = Envelope(10**9, world.clock.now_ns(), "connection", 1, None, asked)

    wire.mute = swallowed
    world.broker.perform(question)
    wire.speak_again()
    patience_ns = world.broker.habits.book_timeout_ns * world.settings.speed
    world.run_until(world.clock.now_ns() + round(patience_ns) + minutes(10))

    told = [bool(one.missing) for one in record.said(BookFetched) if one.round == 999]
    assert told == [swallowed]


def test_another_seed_takes_another_way(hour, tmp_path):
    _, _, dump = hour

    other, _ = world_of(plain_settings(2), tmp_path)
    other.run_until(other.settings.start_ns + minutes(90))

    assert other.log.dump() != dump


def test_what_a_simulated_desk_logged_replays_like_any_log(hour):
    world, _, _ = hour

    with open_log(world.disk.folder) as days:
        verdict = verify_replay(world.tree, days)

    assert verdict.first_difference is None
    assert verdict.verified == verdict.deliveries > 300


def test_a_killed_process_loses_what_was_not_written_and_its_successor_goes_on(tmp_path):
    world, record = world_of(plain_settings(), tmp_path)
    world.run_until(world.settings.start_ns + minutes(40))
    world.say(Halt(reason="never written", by="test"), sender="person")
    lost = world.log.last_seq - world.log.durable_seq

    world.kill()
    world.run_until(world.settings.start_ns + minutes(90))
    world.stop()

    assert world.processes == 2
    assert lost > 0
    assert [one.resumed for one in record.said(DeskStarted)] == [False, True]
    assert record.said(LinkChanged)[-1].state is LinkState.READY
    assert record.said(TradingHalted) == []
    with open_log(world.disk.folder) as days:
        assert verify_replay(world.tree, days).first_difference is None


def test_a_halt_outlives_the_process_that_was_told_of_it(tmp_path):
    world, record = world_of(plain_settings(), tmp_path)
    world.run_until(world.settings.start_ns + minutes(5))
    world.say(Halt(reason="enough", by="person"), sender="person")
    world.run_until(world.settings.start_ns + minutes(10))

    world.kill()
    world.run_until(world.settings.start_ns + minutes(45))

    assert [one.halt.reason for one in record.said(AdoptHaltFlag)] == ["enough"]
    assert world.desk.state_of("governor").latch.halt.reason == "enough"


def test_an_hour_is_not_lost_when_somebody_sets_the_clock(tmp_path):
    world, record = world_of(plain_settings(), tmp_path)
    world.run_until(world.settings.start_ns + minutes(30))
    world.clock.set_back_or_forth(3600 * NS_PER_SECOND)
    world.run_until(world.settings.start_ns + minutes(60))

    assert world.clock.true_ns() == world.settings.start_ns + minutes(60)
    assert record.said(LinkChanged)[-1].state is LinkState.READY


def test_a_link_that_is_cut_is_made_again(tmp_path):
    world, record = world_of(plain_settings(), tmp_path)
    world.run_until(world.settings.start_ns + minutes(30))
    world.broker.lose(LinkTrouble.CLOSED_BY_PEER, "reset")
    world.run_until(world.settings.start_ns + minutes(60))

    assert [one.trouble for one in record.said(LinkLost)] == [LinkTrouble.CLOSED_BY_PEER]
    assert record.said(LinkChanged)[-1].state is LinkState.READY
    assert record.said(LinkChanged)[-1].epoch == 2


def test_a_mute_broker_is_found_out_by_a_probe(tmp_path):
    world, record = world_of(plain_settings(), tmp_path)
    world.run_until(world.settings.start_ns + minutes(30))
    world.broker.wire.fall_silent()
    world.run_until(world.settings.start_ns + minutes(75))

    assert [one.trouble for one in record.said(LinkLost)] == [LinkTrouble.SILENT]


def test_the_page_turns_at_midnight_and_both_pages_are_there(tmp_path):
    late = dt.timedelta(hours=14, minutes=30)  # 23:55 in New York
    settings = plain_settings()
    settings = msgspec.structs.replace(
        settings, start_ns=settings.start_ns + int(late.total_seconds()) * NS_PER_SECOND
    )
    world, _ = world_of(settings, tmp_path)
    world.run_until(settings.start_ns + minutes(15))
    world.stop()

    with open_log(world.disk.folder) as days:
        assert [day.day for day in days] == [dt.date(2026, 9, 14), dt.date(2026, 9, 15)]
        assert verify_replay(world.tree, days).first_difference is None


def test_a_desk_that_rests_begins_anew_with_what_happened_meanwhile(tmp_path):
    world, record = world_of(plain_settings(), tmp_path)
    start_ns = world.settings.start_ns
    world.run_until(start_ns + minutes(20))
    world.rest_until(start_ns + minutes(200))
    rested = len(record.entries)

    assert not world.alive
    assert world.broker.wire is None
    assert world.clock.true_ns() == start_ns + minutes(200)
    assert world.gateway.exchange.now_ns >= start_ns + minutes(195)
    assert world.desk.left.keys() >= {"executor", "keeper", "governor", "chain/XSP"}

    world.run_until(start_ns + minutes(230))

    assert (world.desk.left, world.desk.differing) == ({}, [])

    begun = [one for one in record.entries[rested:] if isinstance(one, Envelope)]
    assert [one.body.resumed for one in begun if isinstance(one.body, DeskStarted)] == [True]
    assert begun[0].at_ns == start_ns + minutes(200)
    assert world.unwritten == 0
    assert record.said(LinkChanged)[-1].state is LinkState.READY
    world.stop()
