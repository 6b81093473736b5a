"""The writer's promise: callers never wait, nothing raises, what is lost is counted and told."""

import os
import threading

from thetawarden.infra.log_writer import FileSink, LineWriter

WAIT_S = 10.0


class Gate:
    """A sink that hangs until it is let go."""

    def __init__(self):
        self.entered = threading.Event()
        self.open = threading.Event()
        self.texts = []

    def write(self, text):
        self.entered.set()
        self.open.wait(WAIT_S)
        self.texts.append(text)

    def close(self):
        pass


class Failing:
    def __init__(self, *, times):
        self.times = times
        self.texts = []

    def write(self, text):
        if self.times:
            self.times -= 1
            raise OSError(28, "No space left on device")
        self.texts.append(text)

    def close(self):
        raise OSError(5, "Input/output error")


def _writer(sink, lines_max=10):
    return LineWriter(sink, lines_max=lines_max, lost_line=lambda lost: f"lost {lost}")


def test_a_hanging_sink_holds_up_nobody_and_the_lost_lines_are_told_afterwards():
    sink = Gate()
    writer = _writer(sink, lines_max=3)
    writer.put("first")
    sink.entered.wait(WAIT_S)

    for number in range(10):
        writer.put(f"line {number}")
    lost, hanging = writer.lost, writer.flush(timeout_s=0.01)
    sink.open.set()
    closed = writer.close(timeout_s=WAIT_S)

    assert (lost, hanging, closed) == (7, False, True)
    assert "".join(sink.texts) == "first\nline 0\nline 1\nline 2\nlost 7\n"


def test_closing_on_a_hanging_sink_gives_up_when_told():
    sink = Gate()
    writer = _writer(sink)
    writer.put("first")
    sink.entered.wait(WAIT_S)

    closed = writer.close(timeout_s=0.01)
    sink.open.set()

    assert closed is False


def test_a_closed_writer_counts_what_comes_too_late_and_does_not_wait():
    writer = _writer(Failing(times=0))
    writer.close(timeout_s=WAIT_S)

    writer.put("too late")

    assert writer.flush(timeout_s=1e6) is False  # would never return if it waited
    assert writer.lost == 1


def test_a_full_disk_loses_lines_counts_them_and_goes_on():
    sink = Failing(times=1)
    writer = _writer(sink)

    writer.put("first")
    writer.flush(timeout_s=WAIT_S)
    writer.put("second")
    closed = writer.close(timeout_s=WAIT_S)

    assert (closed, writer.lost, sink.texts) == (True, 1, ["second\nlost 1\n"])


def test_a_sink_that_fails_for_long_loses_the_lines_that_were_given_and_no_more():
    writer = _writer(Failing(times=10**6))
    for number in range(4):
        writer.put(f"line {number}")
        writer.flush(timeout_s=WAIT_S)
        writer.flush(timeout_s=WAIT_S)

    assert writer.lost == 4


def test_every_line_of_many_threads_is_written_whole(tmp_path):
    path = tmp_path / "logs" / "desk.jsonl"
    writer = _writer(FileSink(path, bytes_max=1 << 20, kept=2), lines_max=100_000)

    threads = [
        threading.Thread(target=lambda n=n: [writer.put(f"{n}-{i}") for i in range(500)])
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close(timeout_s=WAIT_S)

    assert sorted(path.read_text().split()) == sorted(
        f"{n}-{i}" for n in range(4) for i in range(500)
    )


def test_a_grown_file_is_put_aside_and_only_so_many_are_kept(tmp_path):
    sink = FileSink(tmp_path / "desk.jsonl", bytes_max=10, kept=2)

    for number in range(5):
        sink.write(f"number-{number}\n")
    sink.close()

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "desk.jsonl": "number-4\n",
        "desk.jsonl.1": "number-3\n",
        "desk.jsonl.2": "number-2\n",
    }


def test_a_log_file_and_its_folder_are_for_their_owner_only(tmp_path):
    path = tmp_path / "logs" / "desk.jsonl"
    previous = os.umask(0)
    try:
        sink = FileSink(path, bytes_max=5, kept=1)
        sink.write("12345\n")
        sink.write("12345\n")
        sink.close()
    finally:
        os.umask(previous)

    modes = [
        each.stat().st_mode & 0o777 for each in (path, path.parent, path.with_name("desk.jsonl.1"))
    ]
    assert modes == [0o600, 0o700, 0o600]


def test_a_log_is_not_written_through_a_planted_link(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "desk.jsonl").symlink_to(victim)
    writer = _writer(FileSink(tmp_path / "desk.jsonl", bytes_max=100, kept=1))

    writer.put("line")
    writer.close(timeout_s=WAIT_S)

    assert (victim.read_text(), writer.lost) == ("precious", 1)
