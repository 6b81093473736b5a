"""A log of a later version is left alone; one of an earlier version is read."""

import json

import msgspec
import pytest

from thetawarden.errors import EXIT_USAGE
from thetawarden.infra.journal import rows
from thetawarden.infra.journal.errors import NewerLogError
from thetawarden.messages.base import Envelope


def _rewrite_meta(log, **values):
    meta = dict(log.select("SELECT key, value FROM meta")) | values
    meta["crc"] = str(rows.meta_crc(meta))
    for key, value in meta.items():
        log.edit("UPDATE meta SET value = ? WHERE key = ?", value, key)


@pytest.mark.parametrize(
    "newer",
    [
        {"format": "2"},
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


def _halt():
    from thetawarden.messages.trading import Halt  # noqa: PLC0415

    return Halt(reason="r", by="b")
