"""Shows figures to Prometheus, on the loopback address and nowhere else.

Whoever reads gets the latest look, and a look is taken at most every few seconds: no crowd of
readers makes the desk work more. A figure that is not known is left out, never zero.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import msgspec
from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import ThreadingWSGIServer
from prometheus_client.registry import Collector
from typing_extensions import override

from thetawarden.errors import RefusedError

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

LOOPBACK = "127.0.0.1"
OUR_NAMES = (LOOPBACK, "localhost")
PATHS = ("/metrics", "/")
PREFIX = "thetawarden_"
_log = logging.getLogger("thetawarden.metrics")


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """One name and its values by the labels' values; `counts` for what only grows."""

    name: str
    words: str
    labels: tuple[str, ...] = ()
    values: tuple[tuple[tuple[str, ...], float | None], ...]
    counts: bool = False


class PortTakenError(RefusedError):
    """The port for figures is not to be had. The person frees it or configures another."""

    def __init__(self, port: int, why: str) -> None:
        super().__init__(
            f"metrics.port {port} cannot be listened at ({why}); a free port is needed."
            " Free it, name another, or set it to 0"
        )


class MetricsServer:
    """Serves what `look` finds, from its start to its stop."""

    def __init__(
        self, look: Callable[[], Sequence[Figures]], *, port: int, refresh_s: float
    ) -> None:
        self._port = port
        self._registry = CollectorRegistry()
        self._registry.register(_Latest(look, refresh_s))
        ProcessCollector(registry=self._registry)
        self._serving: tuple[WSGIServer, threading.Thread] | None = None

    def start(self) -> None:
        """Listen; raises PortTakenError."""
        app = _Guarded(make_wsgi_app(self._registry))
        try:
            server = make_server(
                LOOPBACK, self._port, app, ThreadingWSGIServer, handler_class=_Silent
            )
        except OSError as error:
            raise PortTakenError(self._port, error.strerror or str(error)) from None
        thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
        thread.start()
        self._serving = server, thread

    def stop(self) -> None:
        """Listen no more."""
        if self._serving is not None:
            server, thread = self._serving
            server.shutdown()
            server.server_close()
            thread.join()


class _Silent(WSGIRequestHandler):
    """Writes no line a request."""

    @override
    def log_message(self, format: str, *args: Any) -> None:
        return


class _Guarded:
    """Lets a reader on this machine read, and a page in a browser do nothing at all.

    A name that was made to resolve to this address is refused by the name it is asked under.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, asked: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        host = asked.get("HTTP_HOST", "").rpartition(":")[0] or asked.get("HTTP_HOST", "")
        if host not in OUR_NAMES or "HTTP_ORIGIN" in asked:
            return _refused(start, "403 Forbidden", f"allowed: {' or '.join(OUR_NAMES)}, no page")
        if asked["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            return _refused(start, "405 Method Not Allowed", "allowed: GET")
        if asked["PATH_INFO"] not in PATHS:
            return _refused(start, "404 Not Found", f"allowed: {' or '.join(PATHS)}")
        return self._app(asked, start)


def _refused(start: StartResponse, status: str, words: str) -> Iterable[bytes]:
    start(status, [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{words}\n".encode()]


class _Latest(Collector):
    """The latest look, taken anew when it is older than it may be."""

    def __init__(self, look: Callable[[], Sequence[Figures]], refresh_s: float) -> None:
        self._look, self._refresh_s = look, refresh_s
        self._lock = threading.Lock()
        self._seen: Sequence[Figures] = ()
        self._seen_s = -refresh_s

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand: what there is, is known by looking."""
        return iter(())

    @override
    def collect(self) -> Iterator[Metric]:
        """Every figure; none from a look that failed."""
        with self._lock:
            if time.monotonic() - self._seen_s >= self._refresh_s:
                self._seen = self._new_look()
                self._seen_s = time.monotonic()
            seen = self._seen
        yield from map(_metric, seen)

    def _new_look(self) -> Sequence[Figures]:
        try:
            return self._look()
        except Exception as error:  # noqa: BLE001  # a monitor sees the gap; the desk goes on
            _log.warning("metrics_look_failed", exc_info=error)
            return ()


def _metric(figures: Figures) -> Metric:
    kind = CounterMetricFamily if figures.counts else GaugeMetricFamily
    metric: Any = kind(PREFIX + figures.name, figures.words, labels=figures.labels)
    for labels, value in figures.values:
        if value is not None:
            metric.add_metric(labels, value)
    family: Metric = metric
    return family
