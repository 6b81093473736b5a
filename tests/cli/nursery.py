"""Commands as processes of their own, whose libraries have been loaded before.

Loading them is most of what a command costs, and the tests type some six hundred. One process
per run of the tests loads what verbs need and then does nothing but fork: what is typed still
has its own memory, arguments, environment, folder, output, signals and exit, and ends as
`python -m thetawarden` does. What loads little, and soon, is tested on real starts.
"""

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from thetawarden.config.loader import load_config
from thetawarden.domain.market.sessions import Exchange, load_sessions

LIBRARIES = (
    *("click", "msgspec", "yaml", "numpy", "scipy.optimize", "scipy.special", "structlog"),
    *("exchange_calendars", "litestar", "uvicorn", "rich.console", "rich.table", "ib_async"),
)
PACKAGES = ("actors", "cli", "config", "domain", "messages", "infra", "practice")
NOT_INFRA = ("thetawarden.infra.lake",)
WORD = 16
"""Bytes of a number that is told."""
NEVER = ("polars", "deltalake")
"""They start threads when they are loaded, and a thread does not survive a fork."""


class Child:
    """One command that runs; used as `subprocess.Popen` is."""

    def __init__(self, arguments, *, environment, folder=None):
        self._files = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
        self._told, theirs = os.pipe()
        self._written = self.returncode = None
        order = {
            "arguments": [str(each) for each in arguments],
            "environment": environment,
            "folder": str(folder or Path.cwd()),
        }
        descriptors = [*(file.fileno() for file in self._files), theirs]
        socket.send_fds(nursery(), [json.dumps(order).encode()], descriptors)
        os.close(theirs)
        born = os.read(self._told, WORD)
        assert born, "the nursery has ended: what it said of it stands above"
        self.pid = int(born)

    def poll(self):
        """Its exit code as `subprocess` says it, or None while it runs."""
        return self._look(0)

    def wait(self, timeout=None):
        if self._look(timeout) is None:
            raise subprocess.TimeoutExpired("thetawarden", timeout)
        return self.returncode

    def communicate(self, timeout=None):
        self.wait(timeout)
        return self.written()

    def written(self):
        """All it has written until now, to standard output and to standard error."""
        if self._written is not None:
            return self._written
        return tuple(
            os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode()
            for file in self._files
        )

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def _look(self, timeout):
        if self.returncode is None and select.select([self._told], [], [], timeout)[0]:
            status = os.read(self._told, WORD)
            self._written = self.written()
            for each in self._files:
                each.close()
            os.close(self._told)
            self.returncode = os.waitstatus_to_exitcode(int(status))
        return self.returncode


@functools.cache
def nursery():
    """The socket of this run's nursery, which ends when we do.

    An order is a line of JSON with three descriptors: standard output, standard error, and where
    the number of the process is told, and its status once it has ended.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
        )
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


def _preload():
    for name in LIBRARIES:
        importlib.import_module(name)
    for name in PACKAGES:
        package = importlib.import_module(f"thetawarden.{name}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.startswith(NOT_INFRA):
                importlib.import_module(module.name)
    load_sessions(Exchange.NYSE)  # and what every desk computes first, and always the same
    load_config(named_file=None, default_file=Path("/nonexistent"), environment={}, flags={})
    assert not set(NEVER) & set(sys.modules)
    gc.freeze()


def _serve(orders):
    """Fork what is asked for, tell how each ended; returns an order, in the process of it."""
    told, looks, wakes = {}, *os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        ready = select.select([orders, looks], [], [])[0]
        if looks in ready:
            os.read(looks, 4096)
            _tell_ends(told)
        if orders in ready:
            text, descriptors, *_ = socket.recv_fds(orders, 1 << 20, 3)
            if not text:
                sys.exit(0)
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                return json.loads(text), descriptors
            told[pid] = descriptors.pop()
            _tell(told[pid], pid)
            for each in descriptors:
                os.close(each)


def _tell_ends(told):
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            _tell(told[ended[0]], ended[1])
            os.close(told.pop(ended[0]))


def _tell(descriptor, number):
    with contextlib.suppress(BrokenPipeError):
        os.write(descriptor, b"%*d" % (WORD, number))


def _become(order, descriptors):
    """What `python -m thetawarden` finds when it begins."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, descriptor in enumerate(descriptors[:2], start=1):
        os.dup2(descriptor, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115  # as long as the process
    sys.stderr = open(2, "w", closefd=False, buffering=1, errors="backslashreplace")  # noqa: SIM115
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    sys.argv = ["thetawarden", *order["arguments"]]


def _run():
    with socket.socket(fileno=int(sys.argv[1])) as orders:
        _preload()
        order, descriptors = _serve(orders)
        _become(order, descriptors)
        orders.detach()
    runpy.run_module("thetawarden", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _run()
