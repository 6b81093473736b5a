"""Log lines: JSON or human, redacted first and last, never raising, never in an actor's way.

The only importer of structlog. Our own lines and those of libraries (ib_async and pykka log through
the standard library) take the same way: redact, add the context, render the exception without
locals, redact again, render, look once more for known secrets, queue. Lines go to standard error,
so that standard output stays data, and to a file. A line's `seq` is the id of the message being
handled: the same number the message log knows. Times are UTC and the machine's, to read beside
other logs; order is told by `seq`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any, Self

import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from typing_extensions import override

from thetawarden.config.schema import LogFormat
from thetawarden.infra.log_writer import FileSink, LineWriter, Sink, StreamSink
from thetawarden.infra.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from contextlib import AbstractContextManager
    from pathlib import Path
    from types import TracebackType
    from typing import TextIO

    from structlog.typing import Processor

    from thetawarden.config.schema import LogsConfig

FILE_NAME = "desk.jsonl"
CLOSE_TIMEOUT_S = 2.0
TRACEBACK_LENGTH_MAX = 12_000
_FIRST_KEYS = ("timestamp", "level", "logger", "event", "seq")
# structlog's own; level and time are set by processors and never come from a caller
_UNTOUCHED = frozenset(
    {"exc_info", "stack_info", "_record", "_from_structlog", "level", "timestamp"}
)
_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}
_REDACTOR = Redactor()


class Log(structlog.BoundLoggerBase):
    """A logger whose calls never raise: a constant past-tense name and united values."""

    def debug(self, event: str, /, **values: object) -> None:
        """For whoever builds the desk."""
        self._say("debug", event, values)

    def info(self, event: str, /, **values: object) -> None:
        """For whoever wants to know what happened."""
        self._say("info", event, values)

    def warning(self, event: str, /, **values: object) -> None:
        """For whoever should look when there is time."""
        self._say("warning", event, values)

    def error(self, event: str, /, **values: object) -> None:
        """For whoever should look now."""
        self._say("error", event, values)

    def critical(self, event: str, /, **values: object) -> None:
        """For whoever has to act."""
        self._say("critical", event, values)

    def exception(self, event: str, /, **values: object) -> None:
        """An error, with the exception being handled."""
        self._say("error", event, {"exc_info": True, **values})

    def _say(self, level: str, event: str, values: dict[str, object]) -> None:
        try:
            if self._logger.isEnabledFor(_LEVELS[level]):
                arguments, options = self._process_event(level, event, values)
                self._logger.log(_LEVELS[level], *arguments, **options)
        except Exception as error:  # noqa: BLE001 -- a line is lost rather than its caller
            with contextlib.suppress(Exception):
                self._logger.log(_LEVELS[level], _withheld(error))


class Logs:
    """The logging of this process, from `start_logs` to `close`."""

    def __init__(self, handlers: list[_QueueHandler], undo: contextlib.ExitStack) -> None:
        self._handlers = handlers
        self._undo = undo

    @property
    def lost(self) -> int:
        """Lines that could not be written anywhere they should."""
        return sum(handler.writer.lost for handler in self._handlers)

    def flush(self, *, timeout_s: float = CLOSE_TIMEOUT_S) -> bool:
        """Wait until every line so far is written."""
        flushed = [handler.writer.flush(timeout_s=timeout_s) for handler in self._handlers]
        return all(flushed)

    def close(self) -> None:
        """Write what is queued, then put everything back as it was."""
        self._undo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def get_log(name: str) -> Log:
    """A logger; it may be made before `start_logs`."""
    return Log(logging.getLogger(name), _OWN_CHAIN, {})


def handling(*, seq: int, **names: object) -> AbstractContextManager[None]:
    """While open, every line of this thread carries the id of the message being handled."""
    return _bound(seq=seq, **names)


def start_logs(settings: LogsConfig, *, stream: TextIO, folder: Path | None) -> Logs:
    """Send all logging of this process to the stream and, when the settings say so, to the folder.

    Also takes over warnings and uncaught exceptions, whose texts could carry secrets.
    """
    on_terminal = stream.isatty()
    human = settings.format is LogFormat.HUMAN or (
        settings.format is LogFormat.AUTO and on_terminal
    )
    handlers = [
        _QueueHandler(StreamSink(stream), settings, _human(colors=on_terminal) if human else _json)
    ]
    if settings.file and folder is not None:
        size = settings.file_mb_max << 20
        sink = FileSink(folder / FILE_NAME, bytes_max=size, kept=settings.files_kept)
        handlers.append(_QueueHandler(sink, settings, _json))
    undo = contextlib.ExitStack()
    _install(handlers, settings, undo)
    _take_over_hooks(undo)
    return Logs(handlers, undo)


class _QueueHandler(logging.Handler):
    """Formats a record in the thread that logs it, and leaves the writing to another."""

    def __init__(self, sink: Sink, settings: LogsConfig, render: Processor) -> None:
        super().__init__()
        self.setFormatter(_formatter(render))
        self.writer = LineWriter(
            sink,
            lines_max=settings.queue_lines_max,
            lost_line=lambda lost: _lost_line(render, lost),
        )

    @override
    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception as error:  # noqa: BLE001 -- a library's bad format arguments, say
            line = self._without_arguments(record, error)
        self.writer.put(line)

    def _without_arguments(self, record: logging.LogRecord, error: Exception) -> str:
        plain = {"name": record.name, "levelno": record.levelno, "levelname": record.levelname}
        try:
            text = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
            words = f"{text} ({_withheld(error)})"
            return self.format(logging.makeLogRecord({**plain, "msg": words}))
        except Exception:  # noqa: BLE001 -- nothing of the record can be trusted
            return json.dumps({"level": "error", "logger": "logs", "event": _withheld(error)})

    @override
    def flush(self) -> None:
        self.writer.flush(timeout_s=CLOSE_TIMEOUT_S)


def _install(
    handlers: list[_QueueHandler], settings: LogsConfig, undo: contextlib.ExitStack
) -> None:
    root = logging.getLogger()
    undo.callback(root.handlers.extend, list(root.handlers))
    undo.callback(root.setLevel, root.level)
    root.handlers[:] = handlers
    root.setLevel(settings.level.upper())
    for name in settings.quiet:
        logger = logging.getLogger(name)
        undo.callback(logger.setLevel, logger.level)
        logger.setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=_OWN_CHAIN, logger_factory=structlog.stdlib.LoggerFactory(), wrapper_class=Log
    )
    undo.callback(structlog.reset_defaults)
    for handler in handlers:
        undo.callback(handler.writer.close, timeout_s=CLOSE_TIMEOUT_S)
        undo.callback(root.removeHandler, handler)


def _take_over_hooks(undo: contextlib.ExitStack) -> None:
    log = get_log("uncaught")

    def main(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            log.critical("exception_uncaught", exc_info=error)

    def thread(arguments: threading.ExceptHookArgs) -> None:
        name = arguments.thread.name if arguments.thread else ""
        log.critical("exception_uncaught", exc_info=arguments.exc_value, thread=name)

    undo.callback(setattr, sys, "excepthook", sys.excepthook)
    undo.callback(setattr, threading, "excepthook", threading.excepthook)
    undo.callback(logging.captureWarnings, capture=False)
    sys.excepthook = main
    threading.excepthook = thread
    logging.captureWarnings(capture=True)


@contextlib.contextmanager
def _bound(**names: object) -> Any:
    with bound_contextvars(**names):
        yield


def _redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """First and last: what is known to structlog stays, everything else is redacted."""
    return {
        _REDACTOR.text(key): value if key in _UNTOUCHED else _REDACTOR.value(value, key=key)
        for key, value in event.items()
    }


def _explain(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Exceptions become text without locals; the end of a long one is what matters."""
    given = event.pop("exc_info", None)
    if isinstance(given, tuple) and len(given) == 3:
        given = given[1]
    error = given if isinstance(given, BaseException) else sys.exc_info()[1] if given else None
    if error is not None:
        text = "".join(traceback.format_exception(error))
        event["exception"] = _REDACTOR.clean(text)[-TRACEBACK_LENGTH_MAX:].rstrip()
    stack = event.pop("stack_info", None)
    if isinstance(stack, str):
        event["stack"] = stack
    event.pop("color_message", None)  # uvicorn says everything twice
    return event


def _sort(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    first = {key: event[key] for key in _FIRST_KEYS if key in event}
    return first | {key: value for key, value in event.items() if key not in first}


def _json(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    line = json.dumps(event)
    clean = _REDACTOR.known(line)
    if clean != line:
        try:
            json.loads(clean)
        except ValueError:
            return json.dumps({"level": "error", "event": "line_withheld"})
    return clean


def _human(*, colors: bool) -> Processor:
    render = structlog.dev.ConsoleRenderer(
        colors=colors,
        force_colors=colors,
        sort_keys=False,
        exception_formatter=structlog.dev.plain_traceback,
    )

    def processor(logger: Any, name: str, event: MutableMapping[str, Any]) -> str:
        tame = {
            key: _tame_lines(value) if key in ("exception", "stack") else _tame(value)
            for key, value in event.items()
        }
        return _REDACTOR.known(str(render(logger, name, tame)))

    return processor


def _tame(value: Any) -> Any:
    """No text from outside steers the terminal or forges a line."""
    if not isinstance(value, str):
        return value
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in value
    )


def _tame_lines(value: Any) -> Any:
    """A text of several lines stays one, set in, so that none of them passes for a line of ours."""
    if not isinstance(value, str):
        return _tame(value)
    return "\n".join(f"    {_tame(line)}" for line in value.split("\n"))


def _formatter(render: Processor) -> ProcessorFormatter:
    return ProcessorFormatter(
        foreign_pre_chain=[
            ExtraAdder(),
            _redact,
            merge_contextvars,
            add_log_level,
            add_logger_name,
        ],
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _explain,
            _redact,
            _sort,
            render,
        ],
    )


def _lost_line(render: Processor, lost: int) -> str:
    event = {"level": "warning", "logger": "logs", "event": "lines_lost", "lines": lost}
    return str(render(None, "warning", event))


def _withheld(error: Exception) -> str:
    return f"arguments withheld: {type(error).__name__}"


_OWN_CHAIN: list[Processor] = [
    _redact,
    merge_contextvars,
    add_log_level,
    add_logger_name,
    ProcessorFormatter.wrap_for_formatter,
]
