"""No secret gets out: not by name, not by value in any wrapping, not by its looks."""

import base64
import dataclasses
import json
import time
from urllib.parse import quote, quote_plus

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.config.secrets import Secret
from thetawarden.infra.redaction import Redactor

CANARY = "canary/8f2c+71é"
KNOWING = Redactor(values=lambda: (CANARY,), count=lambda: 1)
PLAIN = Redactor(values=tuple, count=lambda: 0)


class Ticket(msgspec.Struct):
    order_key: str
    api_key: str


@dataclasses.dataclass
class Login:
    user: str
    password: str


class Broken:
    def __repr__(self):
        raise RuntimeError(CANARY)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("account DU1234567 filled", "account ***67 filled"),
        ("U1234567, F7654321 and DFH123456", "***67, ***21 and ***56"),
        ("acct_DU1234567_x", "acct_***67_x"),
        ("order 1234567 of SPXW 20261120P05900000", "order 1234567 of SPXW 20261120P05900000"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: ***"),
        ("sent bearer abcdef123456 there", "sent bearer *** there"),
        ("Cookie: a=b; session=c", "Cookie: ***"),
        ("https://user:pass@host/path", "https://***@host/path"),
        ("https://tokenonly@host/path", "https://***@host/path"),
        ("http://127.0.0.1:4002/status", "http://127.0.0.1:4002/status"),
        ("tgram://123456789/abc", "tgram://***"),
        ("mailto://me:pw@example.org", "mailto://***"),
        ("https://hooks.slack.com/services/T0/B0/abcdef", "https://hooks.slack.com/services/***"),
        (
            "https://api.telegram.org/bot123456789:AAabcdefghijklmnopqrstuvwxyz0123456/sendMessage",
            "https://api.telegram.org/bot***/sendMessage",
        ),
        ("eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl here", "*** here"),
        ("flex?token=1234&q=5", "flex?token=***&q=5"),
        ("{'api_key': 'a b c', 'x': 1}", "{'api_key': ***, 'x': 1}"),
        ('{"password":"p\\"q","x":1}', '{"password":***,"x":1}'),
        ('body {\\"token\\": \\"abc\\"}', 'body {\\"token\\": ***\\"}'),
        ("password = hunter2, next", "password = ***, next"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "***"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_a_pattern_is_redacted_and_what_only_resembles_one_is_left(text, clean):
    assert PLAIN.text(text) == clean


@pytest.mark.parametrize(
    "wrapped",
    [
        CANARY,
        f"x{CANARY}x",
        f"{CANARY}{CANARY}",
        quote(CANARY),
        quote(CANARY, safe=""),
        quote_plus(CANARY),
        base64.b64encode(CANARY.encode()).decode(),
        base64.urlsafe_b64encode(CANARY.encode()).decode(),
        CANARY.encode().hex(),
        json.dumps(CANARY),
        repr(CANARY),
        repr(CANARY.encode()),
    ],
)
def test_a_known_value_is_found_in_every_usual_encoding(wrapped):
    clean = KNOWING.text(wrapped)

    assert clean.replace("*", "").strip("\"'bx=") == ""


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"token": "a", "n": 1}, {"token": "***", "n": 1}),
        ({"Authorization": ["a", "b"]}, {"Authorization": "***"}),
        ({"a": {"b": [CANARY, (CANARY,)]}}, {"a": {"b": ["***", ["***"]]}}),
        ({CANARY: 1}, {"***": 1}),
        ({CANARY.encode(): 1}, {"b'***'": 1}),
        ([("Cookie", "a"), (b"set-cookie", b"a")], [["Cookie", "***"], ["set-cookie", "***"]]),
        (CANARY.encode(), "***"),
        (bytearray(CANARY.encode()), "***"),
        (Ticket("o-1", "k"), {"order_key": "o-1", "api_key": "***"}),
        (Login("me", "p"), {"user": "me", "password": "***"}),
        (Secret("another-canary"), "***"),
        (ValueError(CANARY), "ValueError: ***"),
        (Broken(), "<Broken that cannot be shown: RuntimeError>"),
        (float("nan"), "nan"),
        (10**400, "<a number of 1329 bits>"),
        ([None, True, 1.5, "a"], [None, True, 1.5, "a"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_of_any_shape_becomes_plain_and_clean(value, shown):
    assert KNOWING.value(value) == shown


def test_a_number_that_contains_a_secret_of_digits_is_redacted():
    digits = Redactor(values=lambda: ("12345678",), count=lambda: 1)

    assert digits.value({"a": 912345678, "b": 1.2345678, "c": 12345678}) == {
        "a": "9***",
        "b": 1.2345678,
        "c": "***",
    }


def test_what_is_too_deep_long_or_wide_is_withheld_and_not_cut_through_a_secret():
    loop = []
    loop.append(loop)
    deep = KNOWING.value(loop)
    long_text = KNOWING.text("x" * 99_980 + CANARY)
    longer = KNOWING.text("y" * 200_000)
    wide = KNOWING.value(list(range(300)))

    assert str(deep).strip("[]'") == "<1 items withheld>"
    assert long_text.startswith("xxx")
    assert "canary" not in long_text
    assert longer == "<200000 characters withheld>"
    assert wide[-1] == "<100 more>"


def test_references_that_multiply_do_not_multiply_the_work():
    value = ["x"] * 200
    for _ in range(7):
        value = [value] * 200

    assert len(json.dumps(PLAIN.value(value))) < 1_000_000


def test_a_secret_that_arrives_later_is_known_at_once():
    known = ["first-canary"]
    redactor = Redactor(values=lambda: known, count=lambda: len(known))
    before = redactor.text("second-canary")

    known.append("second-canary")

    assert (before, redactor.text("second-canary")) == ("second-canary", "***")


@pytest.mark.parametrize(
    ("piece", "times", "tail"),
    [
        ("a", 99_000, "="),
        ("a+", 49_000, "://"),
        ("a.", 49_000, "://"),
        ("://", 33_000, ""),
        ("://a:", 19_000, ""),
        ("token=", 16_000, ""),
        ('token="', 14_000, ""),
        ('token=\\"', 10_000, ""),
        ("token='x\\", 9_000, ""),
        ("-token", 16_000, "="),
        ("1", 99_000, ":"),
        ("D", 99_000, "12345"),
        ("eyJ", 33_000, "."),
        ("bearer ", 14_000, ""),
        ("cookie:", 14_000, ""),
        ("-----BEGIN PRIVATE KEY", 4_000, ""),
    ],
)
def test_the_search_takes_time_in_proportion_to_the_text_however_hostile(piece, times, tail):
    def cost(text):
        best = float("inf")
        for _ in range(3):
            start = time.thread_time()
            PLAIN.clean(text)
            best = min(best, time.thread_time() - start)
        return best

    quarter, whole = cost(piece * (times // 4) + tail), cost(piece * times + tail)

    assert whole < 10 * quarter + 0.01  # sixteen times would be the square


SECRETS = st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=30).filter(
    lambda text: len(text.strip()) >= 8 and "*" not in text
)
PIECES = st.text(max_size=20)


def _strings(shown):
    if isinstance(shown, dict):
        for key, value in shown.items():
            yield key
            yield from _strings(value)
    elif isinstance(shown, list):
        for value in shown:
            yield from _strings(value)
    else:
        yield str(shown)


@st.composite
def _placed(draw):
    secret = draw(SECRETS)
    holding = st.builds(lambda before, after: before + secret + after, PIECES, PIECES)
    leaves = st.one_of(
        holding,
        holding.map(lambda text: text.encode("utf-8", "surrogatepass")),
        holding.map(ValueError),
        holding.map(lambda text: Login(text, text)),
        holding.map(lambda text: Ticket(text, text)),
        st.integers(),
        st.floats(),
        st.none(),
        st.binary(max_size=10),
    )
    value = draw(
        st.recursive(
            leaves,
            lambda inner: st.one_of(
                st.lists(inner, max_size=4),
                st.lists(inner, max_size=4).map(tuple),
                st.dictionaries(st.one_of(PIECES, holding), inner, max_size=4),
            ),
            max_leaves=12,
        )
    )
    return secret, value


@given(_placed())
def test_no_known_secret_survives_wherever_it_is_placed(placed):
    secret, value = placed
    redactor = Redactor(values=lambda: (secret,), count=lambda: 1)

    shown = redactor.value(value)

    assert [text for text in _strings(shown) if secret in text] == []
    json.dumps(shown, allow_nan=False)
