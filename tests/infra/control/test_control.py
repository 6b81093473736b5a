"""The control socket: who gets in, what is understood, and that no caller can hold it up."""

import contextlib
import json
import os
import socket
import stat
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

from thetawarden.errors import EXIT_USAGE, RefusedError
from thetawarden.infra.control import client as client_module
from thetawarden.infra.control import server as server_module
from thetawarden.infra.control.app import UnknownActorError, describe_api
from thetawarden.infra.control.client import ControlClient, NoDeskError, NotUnderstoodError
from thetawarden.infra.control.place import UnsafeSocketFolderError, peer_uid
from thetawarden.infra.control.server import ControlServer
from thetawarden.messages.control import Done, Inspection

NOBODY = 65534


class FakeOperator:
    """Notes what it is asked; waits where it is told to."""

    def __init__(self):
        self.asked = []
        self.go_on = threading.Event()
        self.go_on.set()

    def inspect(self, name):
        self.go_on.wait(30)
        if name == "nobody":
            raise UnknownActorError(name, ("governor",))
        if name == "broken":
            raise ValueError("our bug\nin two lines")
        self.asked.append(("inspect", name))
        return Inspection(actors=())

    def restart(self, name, *, by):
        self.asked.append(("restart", name, by))
        return Done(what="restarted")

    def halt(self, request, *, by):
        self.asked.append(("halt", request.reason, by))
        return Done(what="halted")

    def resume(self, request, *, by):
        self.asked.append(("resume", request.epoch, by))
        raise RefusedError("no, and why")

    def build_lineup(self, *, by):
        self.asked.append(("build", by))
        return Done(what="built")

    def approve_lineup(self, request, *, by):
        self.asked.append(("approve", request.lineup, by))
        raise RefusedError("no such line-up")


class Served:
    """A server on a store of its own."""

    def __init__(self, store, *, timeout_s=5.0):
        store.mkdir(mode=0o700)
        self.operator = FakeOperator()
        self.path = store / "control" / "desk.sock"
        self.client = ControlClient(store, timeout_s=20.0)
        self.server = ControlServer(
            self.operator, self.path, max_request_bytes=4096, request_timeout_s=timeout_s
        )
        self.server.start()

    def close(self):
        self.operator.go_on.set()
        self.server.stop()

    def connect(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(20)
        connection.connect(str(self.path))
        return connection

    def raw(self, content):
        """Send these bytes; the status and the body of what comes back."""
        with self.connect() as connection:
            with contextlib.suppress(BrokenPipeError):
                connection.sendall(content)
            answer = _read_all(connection)
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]) if head else None, body

    def post(self, path, body, *headers):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [f"POST {path} HTTP/1.1", "host: desk", f"content-length: {len(content)}", *headers]
        return self.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + content)


def _read_all(connection):
    content = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            content += piece
    return content


@pytest.fixture
def served(tmp_path):
    with contextlib.closing(Served(tmp_path / "store")) as each:
        yield each


@pytest.fixture
def hurried(tmp_path):
    with contextlib.closing(Served(tmp_path / "store", timeout_s=0.5)) as each:
        yield each


def test_x01_the_socket_and_its_folder_are_ours_alone(served):
    assert stat.S_IMODE(served.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(served.path.parent.stat().st_mode) == 0o700


def test_typed_requests_arrive_with_who_asked(served):
    served.client.halt("because")
    served.client.restart("chain/SPX")
    served.client.restart("chain/SPX", "odd & slow\n")

    by = served.operator.asked[0][2]
    assert served.operator.asked == [
        ("halt", "because", by),
        ("restart", "chain/SPX", by),
        ("restart", "chain/SPX", f"{by}: odd & slow\\n"),
    ]
    assert by


def test_refusals_come_back_as_our_own_errors(served):
    with pytest.raises(RefusedError, match="no, and why"):
        served.client.resume("r", 7)
    with pytest.raises(NotUnderstoodError, match="there are: governor") as caught:
        served.client.inspect("nobody")
    assert caught.value.exit_code == EXIT_USAGE


def test_a_failure_of_ours_is_one_line_and_nothing_else_suffers(served):
    status, body = served.raw(b"GET /actors/broken HTTP/1.1\r\nhost: desk\r\n\r\n")

    assert status == 500
    assert json.loads(body)["error"] == (
        "the desk could not answer: ValueError: our bug\\nin two lines"
    )
    assert served.client.inspect() == Inspection(actors=())


BAD = {
    "wrong type": ("/halt", {"reason": 7}, 400, "reason"),
    "missing field": ("/halt", {}, 400, "reason"),
    "extra field": ("/halt", {"reason": "r", "force": True}, 400, "force"),
    "empty reason": ("/halt", {"reason": ""}, 400, "reason"),
    "truth for a number": ("/resume", {"reason": "r", "epoch": True}, 400, "epoch"),
    "no JSON": ("/halt", b"\xff\x00{", 400, "error"),
    "another document": ("/halt", [1, 2], 400, "error"),
    "depth": ("/halt", b"[" * 2000, 400, "error"),
    "too large": ("/halt", {"reason": "x" * 5000}, 413, "error"),
    "unknown path": ("/somewhere", {"reason": "r"}, 404, "error"),
    "traversal": ("/../../etc/passwd", {}, 404, "error"),
    "wrong method": ("/status", {}, 405, "error"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_not_a_request_is_refused_in_one_line_and_changes_nothing(served, case):
    path, body, status, word = BAD[case]

    answered, content = served.post(path, body, "content-type: application/json")

    assert answered == status
    error = json.loads(content)["error"]
    assert "\n" not in error
    assert word in error or word == "error"
    assert served.operator.asked == []
    assert served.client.halt("still here").what == "halted"


@pytest.mark.parametrize(
    "content",
    [b"\x00\x01\x02\r\n\r\n", b"GET", b"x" * 100_000, b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 9000],
    ids=["binary", "half a word", "no end", "endless headers"],
)
def test_garbage_gets_nothing_and_harms_nobody(hurried, content):
    status, _ = hurried.raw(content)

    assert status in {None, 400}
    assert hurried.operator.asked == []
    hurried.client.halt("still here")


def test_callers_that_never_finish_are_hung_up_on_and_others_served_meanwhile(hurried):
    slow = [hurried.connect() for _ in range(40)]
    for number, connection in enumerate(slow):
        part = b"POST /halt HTTP/1.1\r\nhost: desk\r\ncontent-length: 99\r\n"
        connection.sendall(part if number % 2 else part + b'\r\n{"reason')

    assert hurried.client.inspect() == Inspection(actors=())
    answers = [_read_all(connection) for connection in slow]

    assert set(answers) == {b""}
    for connection in slow:
        connection.close()
    assert [what for what, *_ in hurried.operator.asked] == ["inspect"]


def test_a_crowd_is_served_or_told_and_the_desk_stays_reachable(served):
    outcomes = []

    def ask():
        try:
            outcomes.append(served.client.inspect())
        except NoDeskError as error:
            outcomes.append(str(error))

    crowd = [threading.Thread(target=ask) for _ in range(150)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join(60)

    assert len(outcomes) == 150
    assert Inspection(actors=()) in outcomes
    told = {each for each in outcomes if isinstance(each, str)}
    assert all("too many" in words or "busy" in words for words in told)
    assert served.client.halt("after the crowd").what == "halted"


def test_lineups_are_built_and_approved_by_who_asks(served):
    assert served.client.build_lineup().what == "built"
    with pytest.raises(RefusedError, match="no such line-up"):
        served.client.approve_lineup("L9")

    assert [asked[:-1] for asked in served.operator.asked] == [("build",), ("approve", "L9")]


def test_a_desk_that_hangs_is_said_so_and_still_takes_a_halt(hurried):
    hurried.operator.go_on.clear()

    with pytest.raises(NoDeskError, match=r"did not answer within 0\.5 s"):
        hurried.client.inspect()
    for _ in range(20):
        threading.Thread(
            target=lambda: hurried.raw(b"GET /actors HTTP/1.1\r\nhost: desk\r\n\r\n")
        ).start()

    assert hurried.client.halt("now").what == "halted"


def test_nobody_answers_where_nobody_is(tmp_path):
    with pytest.raises(NoDeskError, match="no such file"):
        ControlClient(tmp_path, timeout_s=1).status()


def test_a_socket_left_by_a_killed_desk_is_replaced(tmp_path):
    first = Served(tmp_path / "store")
    first.close()
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(first.path))
    left.close()

    with pytest.raises(NoDeskError, match="connection refused"):
        first.client.inspect()
    second = ControlServer(FakeOperator(), first.path, max_request_bytes=99, request_timeout_s=5)
    second.start()
    assert first.client.inspect() == Inspection(actors=())
    second.stop()
    assert not first.path.exists()


def test_a_folder_that_is_not_ours_alone_is_refused(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    for name in ("open", "link", "file"):
        store = tmp_path / name
        store.mkdir()
    (tmp_path / "open" / "control").mkdir()
    (tmp_path / "open" / "control").chmod(0o750)
    (tmp_path / "link" / "control").symlink_to(elsewhere)
    (tmp_path / "file" / "control").touch()

    for name in ("open", "link", "file"):
        path = tmp_path / name / "control" / "desk.sock"
        server = ControlServer(FakeOperator(), path, max_request_bytes=99, request_timeout_s=5)
        with pytest.raises(UnsafeSocketFolderError, match="0700"):
            server.start()


def test_the_kernel_tells_who_is_at_the_other_end():
    one, other = socket.socketpair()

    assert peer_uid(one) == peer_uid(other) == os.getuid()
    one.close()
    other.close()


def test_x01_a_peer_of_another_user_is_hung_up_on_unread(served, monkeypatch):
    monkeypatch.setattr(server_module, "peer_uid", lambda _: os.geteuid() + 1)

    assert served.raw(b"GET /actors HTTP/1.1\r\nhost: desk\r\n\r\n") == (None, b"")
    assert served.operator.asked == []
    monkeypatch.undo()
    served.client.halt("still here")


def test_the_client_does_not_talk_to_another_users_socket(served, monkeypatch):
    monkeypatch.setattr(client_module, "peer_uid", lambda _: NOBODY)

    with pytest.raises(NoDeskError, match=f"served by user {NOBODY}"):
        served.client.halt("r")
    assert served.operator.asked == []


_CALLER = """
import socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
try:
    connection.sendall(b"GET /actors HTTP/1.1\\r\\nhost: desk\\r\\n\\r\\n")
    print(len(connection.recv(100)))
except (ConnectionResetError, BrokenPipeError):
    print(0)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_who_reaches_the_socket_is_refused_by_the_kernels_word(served):
    base = Path(tempfile.gettempdir()) / f"open-{os.getpid()}-{served.path.stat().st_ino}"
    base.mkdir(mode=0o755)
    try:
        base.chmod(0o755)
        os.link(served.path, base / "desk.sock")
        (base / "desk.sock").chmod(0o666)
        python = next(
            each for each in ("/usr/bin/python3", "/usr/local/bin/python3") if Path(each).exists()
        )
        command = [python, "-c", _CALLER, str(base / "desk.sock")]
        stranger = subprocess.run(
            command,
            user=NOBODY,
            group=NOBODY,
            extra_groups=(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd="/",
        )
        ours = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    finally:
        (base / "desk.sock").unlink(missing_ok=True)
        base.rmdir()

    assert (stranger.stdout, stranger.stderr) == ("0\n", "")
    assert ours.stdout == "100\n"
    assert served.operator.asked == [("inspect", None)]


def test_the_description_names_every_request(served):
    status, body = served.raw(b"GET /schema/openapi.json HTTP/1.1\r\nhost: desk\r\n\r\n")

    assert status == 200
    assert set(json.loads(body)["paths"]) >= {"/status", "/actors", "/halt", "/resume", "/stop"}


BROWSERS = {
    "another host": ["host: 127.0.0.1:8765"],
    "a name that was rebound": ["host: desk.example.com"],
    "a page of elsewhere": ["host: desk", "origin: http://evil.example"],
    "a page of nowhere": ["host: desk", "origin: null"],
    "a link": ["host: desk", "referer: http://evil.example/"],
    "a fetch": ["host: desk", "sec-fetch-site: cross-site"],
    "a cookie": ["host: desk", "cookie: a=b"],
}


@pytest.mark.parametrize("case", BROWSERS)
@pytest.mark.parametrize("start", ["GET /actors", "POST /halt"])
def test_x03_what_a_browser_may_send_through_a_forwarder_is_refused(served, start, case):
    body = b'{"reason": "from a page"}'
    lines = [f"{start} HTTP/1.1", f"content-length: {len(body)}", *BROWSERS[case]]

    status, content = served.raw("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    assert status == 403
    assert "found; allowed: " in json.loads(content)["error"]
    assert served.operator.asked == []


def test_x04_nothing_that_changes_anything_is_done_by_a_get(served):
    described = json.loads(describe_api())["paths"]
    looks = {"/status", "/actors", "/actors/{name}"}
    answered = set()

    for path in described:
        named = path.replace("{name}", "governor")
        status, _ = served.raw(f"GET {named} HTTP/1.1\r\nhost: desk\r\n\r\n".encode())
        answered |= {path} if status != 405 else set()

    assert answered == looks
    assert {path for path, methods in described.items() if [*methods] != ["post"]} == looks
    assert {what for what, _ in served.operator.asked} <= {"status", "inspect"}


@pytest.mark.parametrize(
    "path", ["/actors/../../etc/passwd", "/actors/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/etc/passwd"]
)
def test_x05_a_path_is_a_name_to_look_up_and_never_a_file(served, path):
    status, content = served.raw(f"GET {path} HTTP/1.1\r\nhost: desk\r\n\r\n".encode())

    assert b"root:" not in content
    asked = [name for what, name in served.operator.asked if what == "inspect"]
    assert status == 404 or asked == ["../../etc/passwd"]  # the desk looks it up among its actors
