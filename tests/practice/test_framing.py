"""Frames survive every split and merge, and a hostile length costs no memory."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.practice.wire.framing import FrameSplitter, FrameTooLongError, frame
from thetawarden.practice.wire.handshake import negotiate, wants_pacing

PAYLOADS = st.lists(st.binary(max_size=60), max_size=8)


@given(payloads=PAYLOADS, cuts=st.lists(st.integers(min_value=1, max_value=40), max_size=60))
def test_any_split_gives_the_same_frames(payloads, cuts):
    stream = b"".join(struct.pack(">I", len(one)) + one for one in payloads)
    splitter = FrameSplitter()

    got, at = [], 0
    for cut in [*cuts, len(stream)]:
        got += splitter.feed(stream[at : at + cut])
        at += cut

    assert got == payloads
    assert splitter.waiting_bytes == 0


@given(payload=st.binary(max_size=100))
def test_what_we_frame_we_can_cut(payload):
    assert FrameSplitter().feed(frame(payload)) == [payload]


def test_a_hostile_length_is_refused_before_anything_is_stored():
    splitter = FrameSplitter(payload_bytes_max=1000)

    with pytest.raises(FrameTooLongError, match="4294967295 bytes announced, at most 1000"):
        splitter.feed(b"\xff\xff\xff\xff" + b"x" * 10)


def test_frames_before_a_hostile_length_do_not_stay_in_memory():
    splitter = FrameSplitter(payload_bytes_max=1000)

    with pytest.raises(FrameTooLongError):
        splitter.feed(frame(b"good") + b"\xff\xff\xff\xff")

    assert splitter.waiting_bytes == 4


@pytest.mark.parametrize(
    ("offer", "announced"),
    [
        (b"v157..178", 178),
        (b"v100..176", 176),
        (b"v100..177", 177),
        (b"v100..187", 178),
        (b"v100..225 +PACEAPI", 178),
        (b"v176", 176),
        (b"v100..175", None),
        (b"v179..225", None),
        (b"v1e9..178", None),
        (b"", None),
        (b"\xff\xfe", None),
    ],
)
def test_the_smaller_maximum_is_announced_or_nothing(offer, announced):
    assert negotiate(offer) == announced


def test_a_client_may_ask_to_be_paced():
    assert wants_pacing(b"v100..178 +PACEAPI")
    assert not wants_pacing(b"v100..178")
