"""The control API as an ASGI application: typed requests in, typed answers out, OpenAPI beside.

Knows HTTP and nothing of actors; what is asked goes to an Operator, on a worker thread, so that a
slow desk never blocks the socket.
"""

from __future__ import annotations

from typing import Any, Protocol

from litestar import Litestar, Request, Response, get, post
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig

from thetawarden.errors import RefusedError, ThetawardenError
from thetawarden.messages.control import (
    Done,
    HaltRequest,
    Inspection,
    Refusal,
    ResumeRequest,
    Status,
    StopRequest,
)

HTTP_CONFLICT = 409
HTTP_UNEXPECTED = 500


class UnknownActorError(ThetawardenError):
    """There is no actor of that name. The person looks at the list."""

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

    def stop(self, request: StopRequest, *, by: str) -> Done:
        """Begin to end the desk."""
        ...


def control_app(operator: Operator, *, max_request_bytes: int) -> Litestar:
    """The application; every handler runs on a worker thread."""
    return Litestar(
        route_handlers=[*_looks(operator), *_hands_on_actors(operator), *_brakes(operator)],
        request_max_body_size=max_request_bytes,
        openapi_config=OpenAPIConfig(title="Thetawarden control", version="1"),
        exception_handlers={
            HTTPException: _refuse_http,
            ThetawardenError: _refuse,
            Exception: _fail,
        },
        logging_config=None,
    )


def _looks(operator: Operator) -> list[HTTPRouteHandler]:
    @get("/status", sync_to_thread=True)
    def status() -> Status:
        """The desk in one look."""
        return operator.status()

    @get("/actors", sync_to_thread=True)
    def actors() -> Inspection:
        """All actors."""
        return operator.inspect(None)

    @get("/actors/{name:path}", sync_to_thread=True)
    def actor(name: str) -> Inspection:
        """One actor with its whole state."""
        return operator.inspect(_actor_name(name))

    return [status, actors, actor]


def _hands_on_actors(operator: Operator) -> list[HTTPRouteHandler]:
    @post("/restart/{name:path}", status_code=200, sync_to_thread=True)
    def restart(request: Request[Any, Any, Any], name: str) -> Done:
        """Restart an actor by hand."""
        return operator.restart(_actor_name(name), by=_peer(request))

    @post("/pause/{name:path}", status_code=200, sync_to_thread=True)
    def pause(request: Request[Any, Any, Any], name: str) -> Done:
        """Let an actor take control messages only."""
        return operator.pause(_actor_name(name), by=_peer(request))

    @post("/unpause/{name:path}", status_code=200, sync_to_thread=True)
    def unpause(request: Request[Any, Any, Any], name: str) -> Done:
        """Let a paused actor go on."""
        return operator.unpause(_actor_name(name), by=_peer(request))

    return [restart, pause, unpause]


def _brakes(operator: Operator) -> list[HTTPRouteHandler]:
    @post("/halt", status_code=200, sync_to_thread=True)
    def halt(request: Request[Any, Any, Any], data: HaltRequest) -> Done:
        """Halt trading now."""
        return operator.halt(data, by=_peer(request))

    @post("/resume", status_code=200, sync_to_thread=True)
    def resume(request: Request[Any, Any, Any], data: ResumeRequest) -> Done:
        """Lift the halt of this epoch."""
        return operator.resume(data, by=_peer(request))

    @post("/stop", status_code=200, sync_to_thread=True)
    def stop(request: Request[Any, Any, Any], data: StopRequest) -> Done:
        """End the desk gracefully."""
        return operator.stop(data, by=_peer(request))

    return [halt, resume, stop]


def _actor_name(path: str) -> str:
    return path.strip("/")


def _peer(request: Request[Any, Any, Any]) -> str:
    """Who asks; the socket let in only our own user, so the user it is."""
    return request.headers.get("x-thetawarden-by", "control socket")[:100]


def _refuse(_request: Request[Any, Any, Any], error: ThetawardenError) -> Response[Refusal]:
    refused = isinstance(error, RefusedError)
    status = HTTP_CONFLICT if refused else 404
    return Response(Refusal(error=str(error)), status_code=status)


def _refuse_http(_request: Request[Any, Any, Any], error: HTTPException) -> Response[Refusal]:
    return Response(Refusal(error=_one_line(error)), status_code=error.status_code)


def _fail(_request: Request[Any, Any, Any], error: Exception) -> Response[Refusal]:
    text = f"the desk could not answer: {type(error).__name__}: {error}"
    return Response(Refusal(error=text[:500]), status_code=HTTP_UNEXPECTED)


def _one_line(error: HTTPException) -> str:
    parts = [str(error.detail)]
    if isinstance(error.extra, list):
        parts.extend(str(part.get("message", part)) for part in error.extra)
    return "; ".join(parts).replace("\n", " ")[:500]
