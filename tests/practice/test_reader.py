"""Fields are read with IB's conventions; what cannot be understood is named, never guessed."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.practice.gateway.handlers.table import HANDLERS
from thetawarden.practice.wire.incoming import Incoming
from thetawarden.practice.wire.reader import FieldReader, MalformedError
from thetawarden.practice.wire.requests.table import DECODERS, decode
from thetawarden.practice.wire.text import field

UNSET_FORMS = ["", "2147483647", "1.7976931348623157e+308", "1.7976931348623157E308"]


def reader(*fields):
    return FieldReader(("\0".join(fields) + "\0").encode())


@pytest.mark.parametrize("text", UNSET_FORMS)
def test_every_form_of_unset_reads_as_nothing(text):
    assert reader(text).optional_float() is None
    assert reader(text).optional_int() is None


@pytest.mark.parametrize(("text", "number"), [("700", 700), ("700.0", 700), ("-3", -3)])
def test_whole_numbers_may_be_written_as_floats(text, number):
    assert reader(text).optional_int() == number


@pytest.mark.parametrize("text", ["abc", "1.5", "inf", "Infinite", "9" * 30, "0x10", "1e400"])
def test_what_is_no_whole_number_is_named(text):
    with pytest.raises(MalformedError, match="whole number expected"):
        reader(text).optional_int()


@pytest.mark.parametrize("text", ["abc", "inf", "Infinite", "1e400", "--1"])
def test_what_is_no_finite_number_is_named(text):
    with pytest.raises(MalformedError, match="a number expected"):
        reader(text).optional_float()


def test_a_missing_field_is_named():
    fields = reader("1")
    fields.skip()

    with pytest.raises(MalformedError, match="another field expected"):
        fields.text()


@pytest.mark.parametrize("text", ["-1", "1001", "99999999"])
def test_groups_have_a_bounded_length(text):
    with pytest.raises(MalformedError):
        reader(text).count()


@given(
    incoming=st.sampled_from(sorted(Incoming)),
    fields=st.lists(
        st.one_of(st.text(max_size=12), st.integers().map(str), st.floats().map(str)),
        max_size=150,
    ),
)
def test_no_content_of_any_message_raises_anything_but_malformed(incoming, fields):
    payload = ("\0".join([str(incoming.value), *fields]) + "\0").encode("utf-8", "replace")

    with contextlib.suppress(MalformedError):
        decode(payload, client_id=1, version=178)


@given(payload=st.binary(max_size=300))
def test_no_bytes_raise_anything_but_malformed(payload):
    with contextlib.suppress(MalformedError):
        decode(payload, client_id=1, version=178)


def test_every_message_id_has_a_decoder_and_a_handler():
    assert set(DECODERS) | {Incoming.PLACE_ORDER} == set(Incoming)
    assert set(HANDLERS) == set(Incoming)


@given(text=st.text(max_size=50))
def test_any_text_fits_one_ascii_field(text):
    written = field(text)

    assert written.isascii()
    assert "\0" not in written


@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_reads_back_exactly(number):
    read = reader(field(number)).optional_float()

    assert read == number or (read is None and abs(number) > 1.7e308)
