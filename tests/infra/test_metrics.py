"""Figures as a monitoring system reads them, over a real socket."""

import contextlib
import http.client
import socket
import urllib.error
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from thetawarden.infra.metrics import Figures, MetricsServer, PortTakenError


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def scrape(port, path="/metrics"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        return {
            (sample.name, tuple(sample.labels.values())): sample.value
            for family in families
            for sample in family.samples
        }


@contextlib.contextmanager
def serving(look, *, refresh_s=1000.0):
    port = free_port()
    server = MetricsServer(look, port=port, refresh_s=refresh_s)
    server.start()
    try:
        yield port
    finally:
        server.stop()


ORDERS = Figures(
    name="orders",
    words="By stage.",
    labels=("stage",),
    values=((("sent",), 2.0), (("lost",), None)),
)


def test_what_is_known_is_told_and_what_is_not_is_left_out():
    counted = Figures(name="said", words="Grows.", values=(((), 7.0),), counts=True)
    with serving(lambda: (ORDERS, counted)) as port:
        told = scrape(port)

    assert told["thetawarden_orders", ("sent",)] == 2.0
    assert ("thetawarden_orders", ("lost",)) not in told
    assert told["thetawarden_said_total", ()] == 7.0
    assert told["process_resident_memory_bytes", ()] > 0


def test_no_crowd_of_readers_makes_it_look_more_often():
    looks = []
    with serving(lambda: looks.append(1) or (ORDERS,)) as port:
        for _ in range(5):
            assert scrape(port)

    assert len(looks) == 1


def test_a_look_that_fails_is_a_gap_and_no_more():
    with serving(lambda: 1 / 0) as port:
        told = scrape(port)

    assert not [name for name, _ in told if name.startswith("thetawarden")]


def test_it_is_not_to_be_had_from_elsewhere_and_not_after_the_end():
    with serving(lambda: (ORDERS,)) as port:
        others = [
            address[4][0]
            for address in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
            if not address[4][0].startswith("127.")
        ]
        for address in others:
            with pytest.raises(OSError, match="refused"):
                socket.create_connection((address, port), timeout=5)

    with pytest.raises(urllib.error.URLError):
        scrape(port)


def test_a_taken_port_is_one_clear_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(PortTakenError, match=f"metrics.port {port} cannot be listened at"):
            MetricsServer(lambda: (), port=port, refresh_s=1.0).start()


STRANGE = {
    "a name that was rebound": ("GET", "/metrics", {"Host": "evil.example"}, 403),
    "no name": ("GET", "/metrics", {"Host": ""}, 403),
    "a page of elsewhere": ("GET", "/metrics", {"Origin": "http://evil.example"}, 403),
    "a change": ("POST", "/metrics", {}, 405),
    "a removal": ("DELETE", "/", {}, 405),
    "a file": ("GET", "/../../etc/passwd", {}, 404),
}


@pytest.mark.parametrize("case", STRANGE)
def test_x03_x04_x05_figures_are_read_from_here_by_get_at_one_place(case):
    method, path, headers, code = STRANGE[case]
    with serving(lambda: (ORDERS,)) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        words = answer.read().decode()
        connection.close()

    assert answer.status == code
    assert words.startswith("allowed: ")
