"""What a service manager hears, on a real datagram socket."""

import socket

import pytest

from thetawarden.infra.service_manager import ServiceManager


class Manager:
    """Listens at an address; `heard` is all that has come."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(60)

    def heard(self):
        return self.socket.recv(4096).decode()


@pytest.fixture(params=["a file", "an abstract name"])
def manager(request, tmp_path):
    named = str(tmp_path / "notify") if request.param == "a file" else f"\0{tmp_path}"
    each = Manager(named)
    each.environment = {"NOTIFY_SOCKET": named.replace("\0", "@")}
    yield each
    each.socket.close()


def test_readiness_life_and_the_end_are_told(manager):
    teller = ServiceManager(manager.environment)

    teller.ready("mode practice\nWATCHDOG=1")
    teller.alive()
    teller.stopping()

    assert manager.heard() == "READY=1\nSTATUS=mode practice WATCHDOG=1"
    assert manager.heard() == "WATCHDOG=1"
    assert manager.heard() == "STOPPING=1"


@pytest.mark.parametrize("address", ["", "/nobody/listens/here", "relative", "@"])
def test_nobody_to_tell_is_no_trouble(address):
    teller = ServiceManager({"NOTIFY_SOCKET": address})

    teller.ready("up")
    teller.alive()
    teller.stopping()


def test_a_manager_that_does_not_listen_never_holds_the_desk_up(manager):
    teller = ServiceManager(manager.environment)

    for _ in range(5_000):  # far more than the kernel keeps for it
        teller.alive()
