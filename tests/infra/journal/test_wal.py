"""After a crash the write-ahead file holds acknowledged records: a torn end is fine, damage not."""

import itertools
import random

import pytest

from thetawarden.infra.journal.errors import DamagedLogError
from thetawarden.infra.journal.journal import Position
from thetawarden.infra.journal.verify import verify_day
from thetawarden.infra.journal.wal import wal_damage, wal_path

COMMITS = 12
FRAME, BLOCK = 24 + 4096, 4096


@pytest.fixture
def left(log, say):
    """What a desk killed after twelve commits left behind."""
    journal = log.open(position=Position())
    for number in range(COMMITS):
        say(journal, f"{number} " + "z" * 500)
        journal.wait_durable(journal.last_seq, 10)
    return log.crashed()


@pytest.fixture
def left_large(log, say, left):
    """The same with one more commit of many frames, and where in the file that begins."""
    begins = wal_path(left.path()).stat().st_size
    (journal,) = log.journals
    say(journal, random.Random(13).randbytes(20_000).hex())
    journal.wait_durable(journal.last_seq, 10)
    large = log.crashed("large")
    assert wal_path(large.path()).stat().st_size > begins + 6 * FRAME
    return large, begins


def _last_seq(log):
    return log.recover().position.next_seq - 1


def test_the_write_ahead_file_of_a_killed_desk_is_read_whole(left):
    assert wal_path(left.path()).stat().st_size > 0
    before = left.contents()

    assert _last_seq(left) == COMMITS
    assert left.contents() == before


def test_any_flipped_bit_in_the_write_ahead_file_is_refused_and_nothing_is_changed(left):
    wal = wal_path(left.path())
    sound = wal.read_bytes()
    chance, frame = random.Random(11), FRAME
    ends = range(len(sound) - frame, len(sound))
    last = len(sound) - frame
    headers = [start + byte for start in (32, last) for byte in range(24)]
    places = chance.sample(range(len(sound)), 100) + chance.sample(ends, 40)

    for byte in [*range(32), *headers, *places]:
        flipped = bytearray(sound)
        flipped[byte] ^= 1 << chance.randrange(8)
        wal.write_bytes(flipped)
        before = left.contents()
        with pytest.raises(DamagedLogError):
            left.recover()
        assert left.contents() == before


def test_p06_a_torn_end_costs_only_what_was_not_acknowledged(left):
    wal = wal_path(left.path())
    sound = wal.read_bytes()
    chance = random.Random(12)
    lengths = sorted(chance.sample(range(len(sound)), 40))

    seen = []
    for length in lengths:
        wal.write_bytes(sound[:length])
        seen.append(_last_seq(left))
        assert verify_day(left.path()).damaged == 0

    assert seen == sorted(seen)
    assert seen[0] < seen[-1] <= COMMITS


def test_p06_blocks_that_never_reached_the_disk_cost_only_what_was_not_acknowledged(left_large):
    """The file has grown, some of what was in it has not been written when the power goes."""
    left, begins = left_large
    wal = wal_path(left.path())
    sound = wal.read_bytes()
    edges = [begins, *range(begins // BLOCK * BLOCK + BLOCK, len(sound), BLOCK)]

    for start, end in itertools.pairwise(edges):
        wal.write_bytes(sound[:start] + bytes(end - start) + sound[end:])
        assert _last_seq(left) == COMMITS
        assert verify_day(left.path()).damaged == 0

    assert len(edges) > 7


def test_p06_a_block_of_zeros_in_what_was_acknowledged_is_damage_and_refused(left_large):
    left, begins = left_large
    wal = wal_path(left.path())
    sound = wal.read_bytes()

    for start in range(BLOCK, begins - BLOCK, BLOCK):
        wal.write_bytes(sound[:start] + bytes(BLOCK) + sound[start + BLOCK :])
        before = left.contents()
        with pytest.raises(DamagedLogError):
            left.recover()
        assert left.contents() == before


def test_p06_s01_a_desk_goes_on_after_a_torn_end_and_can_be_killed_again(left_large, say):
    """Nothing of the torn commit is left behind what is written next."""
    left, _ = left_large
    wal = wal_path(left.path())
    wal.write_bytes(wal.read_bytes()[:-100])
    last = _last_seq(left)

    journal = left.open()
    say(journal, "again")
    journal.wait_durable(last + 1, 10)
    again = left.crashed("again")

    assert last == COMMITS
    assert _last_seq(again) == COMMITS + 1
    assert again.select("SELECT count(*) FROM messages") == [(COMMITS + 1,)]


def test_s01_a_frame_torn_while_older_ones_were_overwritten_is_no_damage(left, log, say):
    """The first commit after a checkpoint writes over the round before, which has other salts."""
    older = wal_path(left.path()).read_bytes()
    for journal in log.journals:
        journal._store.checkpoint()
        say(journal, "first of a new round")
        journal.wait_durable(journal.last_seq, 10)
    newer = wal_path(log.path()).read_bytes()
    torn_at = 32 + 24 + 1000

    assert newer[16:24] != older[16:24]
    assert wal_damage(newer[:torn_at] + older[torn_at:]) is None
    assert wal_damage(newer + older[len(newer) :]) is None


def test_a_reader_beside_a_busy_writer_never_cries_damage(log, say, monkeypatch):
    monkeypatch.setattr("thetawarden.infra.journal.journal.CHECKPOINT_ABOVE_BYTES", 100_000)
    journal = log.open()
    for number in range(150):
        for _ in range(5):
            say(journal, f"{number} " + "w" * 400)
        if number % 3 == 0:
            assert _last_seq(log) <= journal.last_seq
    journal.wait_durable(journal.last_seq, 10)
