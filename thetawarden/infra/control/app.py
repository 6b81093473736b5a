"""The control API as an ASGI application: typed requests in, typed answers out, OpenAPI beside.

Knows HTTP and nothing of actors; what is asked goes to an Operator, on a worker thread and with a
time limit, so that a slow desk never blocks the socket. Every refusal is one line for a person.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol, cast

import msgspec
from litestar import Litestar, Request, Response, get, post
from litestar.exceptions import HTTPException, PermissionDeniedException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.params import FromPath, FromQuery, JSONBody

from thetawarden.config.problems import one_line
from thetawarden.errors import EXIT_USAGE, RefusedError, ThetawardenError
from thetawarden.infra.control.place import HOST
from thetawarden.infra.control.workers import BusyError, Workers
from thetawarden.messages.control import (
    AcceptBookRequest,
    ApproveLineupRequest,
    Done,
    FlattenRequest,
    HaltRequest,
    Inspection,
    Refusal,
    ResumeRequest,
    Status,
    StopRequest,
    StressView,
    Why,
)

_OF_BROWSERS = ("origin", "referer", "sec-fetch-site", "cookie")
HTTP_CONFLICT = 409
HTTP_UNEXPECTED = 500
HTTP_BUSY = 503
DESK_THREADS_MAX = 16
BRAKE_THREADS_MAX = 8
_log = logging.getLogger("thetawarden.control")
_REFUSALS: Mapping[int, ResponseSpec] = {
    code: ResponseSpec(Refusal, description=words, generate_examples=False)
    for code, words in (
        (400, "Not a request of this API; nothing was done."),
        (404, "No actor is called so."),
        (HTTP_CONFLICT, "Refused: the desk would not."),
        (HTTP_BUSY, "No answer in time, or too many requests at once."),
    )
}


class UnknownActorError(ThetawardenError):
    """There is no actor of that name. The person looks at the list."""

    exit_code = EXIT_USAGE

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no actor is named {name!r}; there are: {', '.join(known)}")


class Operator(Protocol):
    """What the desk does when a person asks."""

    def status(self) -> Status:
        """The desk in one look."""
        ...

    def inspect(self, name: str | None) -> Inspection:
        """All actors, or one with its state."""
        ...

    def restart(self, name: str, *, by: str) -> Done:
        """Restart an actor."""
        ...

    def pause(self, name: str, *, by: str) -> Done:
        """Let an actor take control messages only."""
        ...

    def unpause(self, name: str, *, by: str) -> Done:
        """Let a paused actor go on."""
        ...

    def halt(self, request: HaltRequest, *, by: str) -> Done:
        """Halt trading; the flag file stands when this returns."""
        ...

    def resume(self, request: ResumeRequest, *, by: str) -> Done:
        """Lift the halt; raises RefusedError for a wrong epoch."""
        ...

    def flatten(self, request: FlattenRequest, *, by: str) -> Done:
        """Halt, and begin to close what is held; the order to do so is on disk."""
        ...

    def stop(self, request: StopRequest, *, by: str) -> Done:
        """Begin to end the desk."""
        ...

    def stress(self, *, by: str) -> StressView:
        """Revalue the book now; raises RefusedError while nothing was seen of the market."""
        ...

    def accept_book(self, request: AcceptBookRequest, *, by: str) -> Done:
        """Take the broker's word for our book; raises RefusedError when there is no need."""
        ...

    def build_lineup(self, *, by: str) -> Done:
        """Choose what to enter next; raises RefusedError when nothing comes of it."""
        ...

    def approve_lineup(self, request: ApproveLineupRequest, *, by: str) -> Done:
        """Let a line-up be entered; raises RefusedError when it may not."""
        ...


def control_app(
    operator: Operator, *, max_request_bytes: int, request_timeout_s: float
) -> Litestar:
    """The application; the desk answers on worker threads, its brakes on threads of their own."""
    desk = Workers(threads_max=DESK_THREADS_MAX, timeout_s=request_timeout_s)
    brakes = Workers(threads_max=BRAKE_THREADS_MAX, timeout_s=request_timeout_s)
    return Litestar(
        route_handlers=[
            *_looks(operator, desk),
            *_hands_on_actors(operator, desk),
            *_hands_on_the_book(operator, desk),
            *_questions(operator, desk),
            *_hands_on_lineups(operator, desk),
            *_brakes(operator, brakes),
        ],
        before_request=_require_no_browser,
        request_max_body_size=max_request_bytes,
        openapi_config=OpenAPIConfig(
            title="Thetawarden control", version="1", render_plugins=[JsonRenderPlugin()]
        ),
        exception_handlers={
            HTTPException: _refuse_http,
            ThetawardenError: _refuse,
            RecursionError: _refuse_depth,
            Exception: _fail,
        },
        logging_config=None,
    )


async def _require_no_browser(request: Request[Any, Any, Any]) -> None:
    """Refuse what a page in a browser could send through something that forwards to the socket."""
    headers = request.headers
    named = headers.get("host", "")
    strange = next((name for name in _OF_BROWSERS if name in headers), None)
    if strange is not None:
        raise PermissionDeniedException(detail=f"a request with {strange} found; allowed: none")
    if named != HOST:
        found = one_line(named, 60)
        raise PermissionDeniedException(detail=f"host {found!r} found; allowed: {HOST}")


def describe_api() -> str:
    """The OpenAPI description of the control API, as JSON."""
    nobody = cast("Operator", None)  # asked for nothing while it is only described
    app = control_app(nobody, max_request_bytes=1, request_timeout_s=1)
    document = msgspec.json.encode(app.openapi_schema.to_schema(), order="sorted")
    return msgspec.json.format(document, indent=2).decode() + "\n"


def _looks(operator: Operator, workers: Workers) -> list[HTTPRouteHandler]:
    @get("/status", responses=_REFUSALS)
    async def status() -> Status:
        """The desk in one look."""
        return await workers.run(operator.status)

    @get("/actors", responses=_REFUSALS)
    async def actors() -> Inspection:
        """All actors."""
        return await workers.run(lambda: operator.inspect(None))

    @get("/actors/{name:path}", responses=_REFUSALS)
    async def actor(name: FromPath[str]) -> Inspection:
        """One actor with its whole state."""
        return await workers.run(lambda: operator.inspect(_actor_name(name)))

    return [status, actors, actor]


def _hands_on_actors(operator: Operator, workers: Workers) -> list[HTTPRouteHandler]:
    @post("/restart/{name:path}", status_code=200, responses=_REFUSALS)
    async def restart(
        request: Request[Any, Any, Any], name: FromPath[str], reason: FromQuery[Why] = ""
    ) -> Done:
        """Restart an actor by hand."""
        by = _because(_peer(request), reason)
        return await workers.run(lambda: operator.restart(_actor_name(name), by=by))

    @post("/pause/{name:path}", status_code=200, responses=_REFUSALS)
    async def pause(
        request: Request[Any, Any, Any], name: FromPath[str], reason: FromQuery[Why] = ""
    ) -> Done:
        """Let an actor take control messages only."""
        by = _because(_peer(request), reason)
        return await workers.run(lambda: operator.pause(_actor_name(name), by=by))

    @post("/unpause/{name:path}", status_code=200, responses=_REFUSALS)
    async def unpause(
        request: Request[Any, Any, Any], name: FromPath[str], reason: FromQuery[Why] = ""
    ) -> Done:
        """Let a paused actor go on."""
        by = _because(_peer(request), reason)
        return await workers.run(lambda: operator.unpause(_actor_name(name), by=by))

    return [restart, pause, unpause]


def _brakes(operator: Operator, workers: Workers) -> list[HTTPRouteHandler]:
    @post("/halt", status_code=200, responses=_REFUSALS)
    async def halt(request: Request[Any, Any, Any], data: JSONBody[HaltRequest]) -> Done:
        """Halt trading now."""
        by = _peer(request)
        return await workers.run(lambda: operator.halt(data, by=by))

    @post("/resume", status_code=200, responses=_REFUSALS)
    async def resume(request: Request[Any, Any, Any], data: JSONBody[ResumeRequest]) -> Done:
        """Lift the halt of this epoch."""
        by = _peer(request)
        return await workers.run(lambda: operator.resume(data, by=by))

    @post("/flatten", status_code=200, responses=_REFUSALS)
    async def flatten(request: Request[Any, Any, Any], data: JSONBody[FlattenRequest]) -> Done:
        """Halt, cancel all and close what is held."""
        by = _peer(request)
        return await workers.run(lambda: operator.flatten(data, by=by))

    @post("/stop", status_code=200, responses=_REFUSALS)
    async def stop(request: Request[Any, Any, Any], data: JSONBody[StopRequest]) -> Done:
        """End the desk gracefully."""
        by = _peer(request)
        return await workers.run(lambda: operator.stop(data, by=by))

    return [halt, resume, flatten, stop]


def _hands_on_the_book(operator: Operator, workers: Workers) -> list[HTTPRouteHandler]:
    @post("/accept-book", status_code=200, responses=_REFUSALS)
    async def accept_book(
        request: Request[Any, Any, Any], data: JSONBody[AcceptBookRequest]
    ) -> Done:
        """Take the broker's word for what our book cannot explain."""
        by = _peer(request)
        return await workers.run(lambda: operator.accept_book(data, by=by))

    return [accept_book]


def _questions(operator: Operator, workers: Workers) -> list[HTTPRouteHandler]:
    @post("/stress", status_code=200, responses=_REFUSALS)
    async def stress(request: Request[Any, Any, Any]) -> StressView:
        """Revalue the book in every scenario, now."""
        by = _peer(request)
        return await workers.run(lambda: operator.stress(by=by))

    return [stress]


def _hands_on_lineups(operator: Operator, workers: Workers) -> list[HTTPRouteHandler]:
    @post("/lineup/build", status_code=200, responses=_REFUSALS)
    async def build_lineup(request: Request[Any, Any, Any]) -> Done:
        """Choose what to enter next, within the budget, by the broker's margins."""
        by = _peer(request)
        return await workers.run(lambda: operator.build_lineup(by=by))

    @post("/lineup/approve", status_code=200, responses=_REFUSALS)
    async def approve_lineup(
        request: Request[Any, Any, Any], data: JSONBody[ApproveLineupRequest]
    ) -> Done:
        """Let a line-up be entered, adapted to the market as it opens."""
        by = _peer(request)
        return await workers.run(lambda: operator.approve_lineup(data, by=by))

    return [build_lineup, approve_lineup]


def _actor_name(path: str) -> str:
    return path.strip("/")


def _peer(request: Request[Any, Any, Any]) -> str:
    """Who asks; the socket let in only our own user, so the name is the caller's to give."""
    return one_line(request.headers.get("x-thetawarden-by", "control socket"))


def _because(by: str, reason: str) -> str:
    return f"{by}: {one_line(reason, 500)}" if reason else by


def _refuse(_request: Request[Any, Any, Any], error: ThetawardenError) -> Response[Refusal]:
    statuses = ((RefusedError, HTTP_CONFLICT), (UnknownActorError, 404), (BusyError, HTTP_BUSY))
    status = next((code for kind, code in statuses if isinstance(error, kind)), HTTP_UNEXPECTED)
    return Response(Refusal(error=str(error)), status_code=status)


def _refuse_http(_request: Request[Any, Any, Any], error: HTTPException) -> Response[Refusal]:
    return Response(Refusal(error=_words(error)), status_code=error.status_code)


def _refuse_depth(_request: Request[Any, Any, Any], _error: Exception) -> Response[Refusal]:
    return Response(Refusal(error="found JSON nested too deep"), status_code=400)


def _fail(_request: Request[Any, Any, Any], error: Exception) -> Response[Refusal]:
    _log.error("control_request_failed", exc_info=error)
    text = f"the desk could not answer: {type(error).__name__}: {error}"
    return Response(Refusal(error=one_line(text, 500)), status_code=HTTP_UNEXPECTED)


def _words(error: HTTPException) -> str:
    parts = [str(error.detail)]
    if isinstance(error.extra, list):
        parts.extend(_part(part) for part in error.extra if isinstance(part, dict))
    return one_line("; ".join(parts), 500)


def _part(part: dict[str, Any]) -> str:
    key, message = part.get("key"), str(part.get("message", part))
    return f"{key}: {message}" if key else message
