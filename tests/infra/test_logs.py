"""The whole way of a log line, for our own lines and for those of libraries."""

import io
import json
import logging
import sys
import threading
import warnings

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from thetawarden.config.schema import LogFormat, LogLevel, LogsConfig
from thetawarden.config.secrets import Secret
from thetawarden.infra.logs import get_log, handling, start_logs

CANARY = "canary-8f2c71-é\"'\\x"
TEXT = f"{CANARY} of DU1234567"
FORMATS = [LogFormat.JSON, LogFormat.HUMAN]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(scope="module", autouse=True)
def canary():
    return Secret(CANARY)


def _logged(say, *, stream=None, folder=None, **changes):
    stream = io.StringIO() if stream is None else stream
    chosen = {"format": LogFormat.JSON, "level": LogLevel.DEBUG, "quiet": ()} | changes
    with start_logs(LogsConfig(**chosen), stream=stream, folder=folder):
        say()
    return stream.getvalue()


def _line(say, **changes):
    (line,) = _logged(say, **changes).splitlines()
    return json.loads(line)


def _raise(text):
    secret_local = text + "-local"
    raise ValueError(text) from KeyError(secret_local[: len(text)])


def _caught(log_it):
    try:
        _raise(TEXT)
    except ValueError as error:
        log_it(error)


def _in_context():
    with handling(seq=3, who=TEXT):
        get_log("t").info("said")


def _in_thread():
    thread = threading.Thread(target=_raise, args=(TEXT,))
    thread.start()
    thread.join()


WAYS = {
    "event": lambda: get_log("t").info(f"said {TEXT}"),
    "value": lambda: get_log("t").info("said", word=TEXT),
    "key": lambda: get_log("t").info("said", **{TEXT: 1}),
    "nested": lambda: get_log("t").info("said", a={"b": [{"c": (TEXT,)}]}),
    "bytes": lambda: get_log("t").info("said", a=TEXT.encode()),
    "secret": lambda: get_log("t").info("said", a=Secret(CANARY)),
    "bound": lambda: get_log("t").bind(a=TEXT).info("said"),
    "context": _in_context,
    "exception": lambda: _caught(lambda _: get_log("t").exception("failed")),
    "exception given": lambda: _caught(lambda error: get_log("t").error("failed", exc_info=error)),
    "exception as a value": lambda: _caught(lambda error: get_log("t").error("failed", why=error)),
    "logger": lambda: get_log(f"t.{TEXT}").info("said"),
    "plain structlog": lambda: structlog.get_logger("t").info("said", a=TEXT),
    "library": lambda: logging.getLogger("ib").info("said " + TEXT),  # noqa: G003 -- careless on purpose
    "library arguments": lambda: logging.getLogger("ib").info("said %s %r", TEXT, {"a": TEXT}),
    "library extra": lambda: logging.getLogger("ib").info("said", extra={"a": [TEXT], TEXT: 1}),
    "library exception": lambda: _caught(
        lambda e: logging.getLogger("ib").error("failed", exc_info=e)
    ),
    "library bad arguments": lambda: logging.getLogger("ib").info(TEXT + " %d", TEXT),  # noqa: G003 -- careless on purpose
    "library object": lambda: logging.getLogger("ib").info({"a": TEXT}),
    "library stack": lambda: logging.getLogger("ib").info(TEXT, stack_info=True),
    "warning": lambda: warnings.warn(TEXT, stacklevel=1),
    "thread": _in_thread,
    "uncaught": lambda: _caught(lambda e: sys.excepthook(type(e), e, e.__traceback__)),
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.filterwarnings("default")
def test_x02_a_secret_never_reaches_the_output_whichever_way_it_goes(way, form):
    written = _logged(WAYS[way], format=form)

    assert "***" in written
    assert "canary" not in written
    assert "DU1234567" not in written


def test_a_handler_that_is_not_ours_gets_our_lines_already_clean():
    stream = io.StringIO()
    strange = logging.StreamHandler(stream)
    log = logging.getLogger("t")
    log.addHandler(strange)
    try:
        _logged(lambda: get_log("t").info("said", a=[TEXT, {"token": "t0ken"}]))
    finally:
        log.removeHandler(strange)

    assert "said" in stream.getvalue()
    assert [word for word in ("canary", "DU1234567", "t0ken") if word in stream.getvalue()] == []


def test_of_a_long_exception_the_end_is_shown_and_no_piece_of_a_secret_is_left_at_the_cut():
    def say():
        error = ValueError((CANARY + "-") * 1000 + "§" * 11_990)
        get_log("t").error("failed", exc_info=error)

    exception = _line(say)["exception"]

    assert exception.endswith("§§§")
    assert set(exception) <= set("§*-")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.filterwarnings("default")
def test_every_line_of_json_is_a_document_with_time_level_logger_and_event(way):
    for line in _logged(WAYS[way]).splitlines():
        assert list(json.loads(line))[:4] == ["timestamp", "level", "logger", "event"]


def test_a_line_says_what_was_said():
    line = _line(lambda: get_log("desk").warning("order_sent", order_key="o-1", contracts=-2))

    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "warning",
        "logger": "desk",
        "event": "order_sent",
        "order_key": "o-1",
        "contracts": -2,
    }


def test_lines_within_the_handling_of_a_message_carry_its_id_library_lines_too():
    def say():
        with handling(seq=41):
            get_log("desk").info("inside")
            logging.getLogger("ib_async").info("inside")
        get_log("desk").info("outside")

    lines = [json.loads(line) for line in _logged(say).splitlines()]

    assert [line.get("seq") for line in lines] == [41, 41, None]


@pytest.mark.parametrize(
    ("form", "stream", "human"),
    [
        (LogFormat.AUTO, Terminal(), True),
        (LogFormat.AUTO, io.StringIO(), False),
        (LogFormat.JSON, Terminal(), False),
        (LogFormat.HUMAN, io.StringIO(), True),
    ],
)
def test_auto_is_human_on_a_terminal_and_json_anywhere_else(form, stream, human):
    written = _logged(lambda: get_log("t").info("said"), format=form, stream=stream)

    assert written.startswith("{") is not human


def test_x08_a_text_from_outside_neither_forges_a_line_nor_steers_the_terminal():
    hostile = "x\n2026-01-01 [info] all is well\x1b[2J\r"

    written = _logged(lambda: get_log("t").info(hostile, a=hostile), format=LogFormat.HUMAN)

    assert written.count("\n") == 1
    assert "\x1b" not in written
    assert "\r" not in written


def test_an_exception_text_from_outside_stays_set_in_and_steers_no_terminal():
    error = ValueError("x\n2026-01-01 [info] all is well\x1b[2J\r")

    written = _logged(lambda: get_log("t").error("bad", exc_info=error), format=LogFormat.HUMAN)

    assert [line for line in written.splitlines()[1:] if line and not line.startswith("    ")] == []
    assert "\x1b" not in written
    assert "\r" not in written


def test_levels_below_the_set_one_and_chatter_of_quiet_libraries_are_left_out():
    def say():
        get_log("desk").debug("no")
        get_log("desk").info("yes")
        logging.getLogger("ib_async.client").info("no")
        logging.getLogger("ib_async.client").warning("yes")

    written = _logged(say, level=LogLevel.INFO, quiet=("ib_async",))

    assert [json.loads(line)["event"] for line in written.splitlines()] == ["yes", "yes"]


def test_the_file_is_json_beside_a_human_terminal(tmp_path):
    shown = _logged(
        lambda: get_log("t").info("said", a=CANARY),
        format=LogFormat.HUMAN,
        folder=tmp_path / "logs",
    )

    (line,) = (tmp_path / "logs" / "desk.jsonl").read_text().splitlines()
    assert json.loads(line)["a"] == "***"
    assert "a=***" in shown


def test_no_file_is_written_when_the_settings_say_so(tmp_path):
    _logged(lambda: get_log("t").info("said"), folder=tmp_path / "logs", file=False)

    assert list(tmp_path.iterdir()) == []


class Hostile:
    def __repr__(self):
        raise RecursionError

    __str__ = __repr__


@pytest.mark.parametrize(
    "say",
    [
        lambda: get_log("t").info("said", a=Hostile()),
        lambda: get_log("t").info("said", event=1, self=2, level=3, method_name=4, logger=5),
        lambda: get_log("t").info("said", exc_info=5, timestamp=6, _record=7, exception=8),
        lambda: get_log("t").info(None),
        lambda: get_log("t").exception("no exception is being handled"),
        lambda: logging.getLogger("ib").info("%d", "x"),
        lambda: logging.getLogger("ib").info(Hostile()),
        lambda: logging.getLogger("ib").info("%s", Hostile()),
        lambda: logging.getLogger("ib").info("said", extra={"_record": 1, "_from_structlog": 2}),
        lambda: logging.getLogger("ib").info("said", extra={"a": float("nan"), "b": {1: {2}}}),
        lambda: logging.getLogger("ib").log(37, "an odd level"),
        lambda: get_log("t").info("a lone surrogate \ud800", a="\ud800"),
    ],
)
@pytest.mark.parametrize("form", FORMATS)
def test_a_call_to_the_log_never_raises_and_leaves_a_line(say, form):
    written = _logged(say, format=form)

    assert written.count("\n") >= 1
    if form is LogFormat.JSON:
        assert [type(json.loads(line)) for line in written.splitlines()] == [dict]


def test_closing_puts_the_handlers_levels_and_hooks_back():
    root = logging.getLogger()
    before = (list(root.handlers), root.level, sys.excepthook, threading.excepthook)

    _logged(lambda: get_log("t").info("said"))

    assert (list(root.handlers), root.level, sys.excepthook, threading.excepthook) == before


def test_nothing_is_written_to_standard_output(capfd):
    get_log("early").info("before logging has started")
    _logged(lambda: get_log("t").info("said"))

    assert capfd.readouterr().out == ""


VALUES = st.recursive(
    st.one_of(st.text(max_size=20), st.integers(), st.floats(), st.binary(max_size=20), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=10,
)


@settings(max_examples=60)
@given(
    event=st.text(max_size=40),
    values=st.dictionaries(st.text(max_size=10), VALUES, max_size=4),
    before=st.text(max_size=10),
    form=st.sampled_from(FORMATS),
)
def test_any_values_make_one_line_and_none_of_them_shows_the_secret(event, values, before, form):
    written = _logged(
        lambda: get_log("t").info(event + CANARY, **{before + CANARY: values}, **values),
        format=form,
    )

    assert "canary" not in written
    assert written.count("\n") >= 1
