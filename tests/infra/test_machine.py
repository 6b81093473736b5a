"""What the operating system tells of this process."""

import os
import resource

from thetawarden.infra.machine import files_left, memory_bytes


def test_p14_every_file_that_is_opened_is_one_less_that_may_be():
    before = files_left()
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(10)]
    during = files_left()
    for each in opened:
        os.close(each)

    assert before - during == 10
    assert files_left() == before


def test_p14_when_not_even_that_can_be_looked_at_nothing_is_left(monkeypatch):
    monkeypatch.setattr(os, "listdir", lambda _: (_ for _ in ()).throw(OSError(24, "too many")))

    assert files_left() == 0


def test_p10_memory_in_use_is_told_in_bytes():
    assert resource.getpagesize() < memory_bytes() < 1 << 40
