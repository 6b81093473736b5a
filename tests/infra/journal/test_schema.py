"""A log of a later version is left alone; one of an earlier version is read."""

import json
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.errors import EXIT_USAGE
from thetawarden.infra.journal import packing, rows
from thetawarden.infra.journal.errors import DamagedLogError, NewerLogError
from thetawarden.infra.journal.reader import open_log
from thetawarden.messages.base import Envelope
from thetawarden.messages.operations import NotifyPerson, Urgency
from thetawarden.messages.registry import encode


def _rewrite_meta(log, **values):
    meta = dict(log.select("SELECT key, value FROM meta")) | values
    meta["crc"] = str(rows.meta_crc(meta))
    for key, value in meta.items():
        log.edit("UPDATE meta SET value = ? WHERE key = ?", value, key)


@pytest.mark.parametrize(
    "newer",
    [
        {"format": str(rows.FORMAT + 1)},
        {"vocabulary": json.dumps(rows.vocabulary() | {"Unheard": 1})},
        {"vocabulary": json.dumps(rows.vocabulary() | {"Halt": 3})},
    ],
)
def test_a_newer_log_is_refused_and_left_as_it_is(closed_day, newer):
    _rewrite_meta(closed_day, **newer)
    before = closed_day.contents()

    with pytest.raises(NewerLogError) as refusal:
        closed_day.recover()

    assert refusal.value.exit_code == EXIT_USAGE
    assert "\n" not in str(refusal.value)
    assert closed_day.contents() == before


def test_a_message_written_with_fewer_fields_is_still_read():
    class Grown(msgspec.Struct, frozen=True, kw_only=True, tag="Halt", array_like=True):
        reason: str
        by: str
        since: str = "always"

    old = rows.decode_body
    said = Envelope(seq=1, at_ns=1, sender="x", incarnation=0, cause_seq=None, body=_halt())
    body = rows.message_row(said)[6]

    assert old(body) == _halt()
    assert msgspec.msgpack.decode(body, type=Grown).since == "always"
    assert rows.newer_than_us({"Halt": 1}) == ()


def test_a_large_message_is_compressed_and_comes_back_whole():
    said = _long_note(5 * packing.COMPRESS_ABOVE_BYTES)

    body = rows.message_row(_enveloped(said))[6]

    assert len(body) < packing.COMPRESS_ABOVE_BYTES
    assert body[0] in packing.FIRST_BYTES
    assert rows.decode_body(body) == said


@given(body=st.binary(min_size=1, max_size=3 * packing.COMPRESS_ABOVE_BYTES))
def test_whatever_is_packed_comes_back(body):
    body = b"\x92" + body  # a message is an array of at least its kind

    assert packing.unpacked(packing.packed(body)) == body


def test_a_log_of_format_1_is_read_and_gone_on_with_in_this_format(closed_day):
    said = _long_note(2 * packing.COMPRESS_ABOVE_BYTES)
    old = zlib.compress(encode(said), 1)
    seq = _rewrite_last(closed_day, old)
    _rewrite_meta(closed_day, format="1")

    with open_log(closed_day.folder) as (day,):
        assert day.message(seq).body == said
    journal = closed_day.open()
    added = journal.say(said, "test", 0, None, 6).seq
    journal.close()

    with open_log(closed_day.folder) as (day,):
        assert day.message(seq).body == day.message(added).body == said
    firsts = closed_day.select("SELECT hex(substr(body, 1, 1)) FROM messages WHERE seq >= ?", seq)
    assert [first for (first,) in firsts] == ["78", "28"]
    assert dict(closed_day.select("SELECT key, value FROM meta"))["format"] == str(rows.FORMAT)


@pytest.mark.parametrize("compress", [zlib.compress, packing.packed])
def test_a_compressed_message_that_was_cut_before_it_was_written_is_told_of(closed_day, compress):
    cut = compress(encode(_long_note(2 * packing.COMPRESS_ABOVE_BYTES)))[:-9]
    seq = _rewrite_last(closed_day, cut)

    with open_log(closed_day.folder) as (day,), pytest.raises(DamagedLogError, match="be read"):
        day.message(seq)


def _rewrite_last(log, body):
    """Let the last message be this one; returns its number."""
    (seq,) = log.select("SELECT max(seq) FROM messages")[0]
    crc = rows.message_crc(seq, 5, "test", 0, None, "NotifyPerson", body)
    log.edit(
        "UPDATE messages SET at_ns = 5, sender = 'test', incarnation = 0, cause_seq = NULL,"
        " kind = 'NotifyPerson', body = ?, crc = ? WHERE seq = ?",
        body,
        crc,
        seq,
    )
    return seq


def _long_note(size):
    return NotifyPerson(urgency=Urgency.NORMAL, topic="t", text="why " * (size // 4))


def _enveloped(body):
    return Envelope(seq=1, at_ns=1, sender="x", incarnation=0, cause_seq=None, body=body)


def _halt():
    from thetawarden.messages.trading import Halt  # noqa: PLC0415

    return Halt(reason="r", by="b")
