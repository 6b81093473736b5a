"""Talks to a running desk; light, because every verb of the command line loads it."""

from __future__ import annotations

import getpass
import http.client
import os
import socket
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import msgspec
from typing_extensions import override

from thetawarden.config.problems import one_line
from thetawarden.errors import EXIT_USAGE, RefusedError, ThetawardenError, UnreachableError
from thetawarden.infra.control.place import HOST, peer_uid, socket_address, socket_path
from thetawarden.messages.control import (
    AcceptBookRequest,
    ApproveLineupRequest,
    Done,
    FlattenRequest,
    HaltRequest,
    Inspection,
    Refusal,
    Request,
    ResumeRequest,
    Status,
    StopRequest,
    StressView,
)

T = TypeVar("T")
HTTP_OK = 200
HTTP_CONFLICT = 409
HTTP_BUSY = 503
HTTP_NOT_UNDERSTOOD = (400, 404)
MARGIN_S = 2.0


class NoDeskError(UnreachableError):
    """Nobody answers at the store's socket. The person starts a desk or names its folder."""

    def __init__(self, store: Path, why: str) -> None:
        super().__init__(
            f"no desk answers for {one_line(str(store), 400)} ({why}); one must be running."
            " Start it with `thetawarden run`, or name its folder with --data-dir"
        )


class NotUnderstoodError(ThetawardenError):
    """The desk does not know what was named, or not so. The person looks at the words."""

    exit_code = EXIT_USAGE


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__(HOST, timeout=timeout_s)
        self._path = path

    @override
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        with socket_address(self._path) as address:
            self.sock.connect(address)
        if (uid := peer_uid(self.sock)) != os.geteuid():
            raise OSError(f"the socket is served by user {uid}, not by us")


class ControlClient:
    """The same typed requests the server knows; raises our errors, never its library's."""

    def __init__(self, store: Path, *, timeout_s: float) -> None:
        self._store = store
        self._path = socket_path(store)
        self._timeout_s = timeout_s + MARGIN_S  # the desk's own words come first

    def status(self) -> Status:
        """The desk in one look."""
        return self._call("GET", "/status", None, Status)

    def inspect(self, name: str | None = None) -> Inspection:
        """All actors, or one with its state."""
        path = "/actors" if name is None else f"/actors/{quote(name)}"
        return self._call("GET", path, None, Inspection)

    def restart(self, name: str, reason: str = "") -> Done:
        """Restart an actor."""
        return self._call("POST", _path("restart", name, reason), None, Done)

    def pause(self, name: str, reason: str = "") -> Done:
        """Let an actor take control messages only."""
        return self._call("POST", _path("pause", name, reason), None, Done)

    def unpause(self, name: str, reason: str = "") -> Done:
        """Let a paused actor go on."""
        return self._call("POST", _path("unpause", name, reason), None, Done)

    def halt(self, reason: str, *, cautious: bool = False, exits_too: bool = False) -> Done:
        """Halt trading, or open nothing."""
        request = HaltRequest(reason=reason, cautious=cautious, exits_too=exits_too)
        return self._call("POST", "/halt", request, Done)

    def resume(self, reason: str, epoch: int | None) -> Done:
        """Lift the halt of this epoch."""
        return self.lift(ResumeRequest(reason=reason, epoch=epoch))

    def lift(self, request: ResumeRequest) -> Done:
        """Lift a halt, and what else is named."""
        return self._call("POST", "/resume", request, Done)

    def stress(self) -> StressView:
        """Revalue the book now."""
        return self._call("POST", "/stress", None, StressView)

    def flatten(self, reason: str, underlying: str) -> Done:
        """Halt, cancel all and close what is held: everything, or one underlying."""
        asked = FlattenRequest(reason=reason, underlying=underlying)
        return self._call("POST", "/flatten", asked, Done)

    def stop(self, reason: str) -> Done:
        """Begin to end the desk."""
        return self._call("POST", "/stop", StopRequest(reason=reason), Done)

    def accept_book(self, reason: str) -> Done:
        """Take the broker's word for what is unexplained."""
        return self._call("POST", "/accept-book", AcceptBookRequest(reason=reason), Done)

    def build_lineup(self) -> Done:
        """Choose what to enter next, by the broker's margins."""
        return self._call("POST", "/lineup/build", None, Done)

    def approve_lineup(self, lineup: str) -> Done:
        """Let a line-up be entered."""
        return self._call("POST", "/lineup/approve", ApproveLineupRequest(lineup=lineup), Done)

    def _call(self, method: str, path: str, body: Request | None, answer: type[T]) -> T:
        raw, status = self._exchange(method, path, body)
        try:
            if status == HTTP_OK:
                return msgspec.json.decode(raw, type=answer)
            refusal = msgspec.json.decode(raw, type=Refusal)
        except msgspec.MsgspecError as error:
            why = "too many requests at once" if status == HTTP_BUSY else "its answer is no desk's"
            raise NoDeskError(self._store, why) from error
        if status == HTTP_BUSY:
            raise NoDeskError(self._store, refusal.error)
        if status in HTTP_NOT_UNDERSTOOD:
            raise NotUnderstoodError(refusal.error)
        if status == HTTP_CONFLICT:
            raise RefusedError(refusal.error)
        raise ThetawardenError(refusal.error)

    def _exchange(self, method: str, path: str, body: Request | None) -> tuple[bytes, int]:
        connection = _UnixConnection(self._path, self._timeout_s)
        headers = {"x-thetawarden-by": _user(), "content-type": "application/json"}
        try:
            payload = None if body is None else msgspec.json.encode(body)
            connection.request(method, path, payload, headers)
            response = connection.getresponse()
            return response.read(), response.status
        except TimeoutError:
            raise NoDeskError(self._store, f"no answer in {self._timeout_s:g} s") from None
        except (OSError, http.client.HTTPException) as error:
            words = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise NoDeskError(self._store, one_line(words).lower()) from error
        finally:
            connection.close()


def _path(verb: str, name: str, reason: str) -> str:
    return f"/{verb}/{quote(name)}" + (f"?reason={quote(reason)}" if reason else "")


def _user() -> str:
    try:
        return getpass.getuser().encode("ascii", "backslashreplace").decode()
    except (KeyError, OSError):
        return "unknown user"
