"""A halt flag halts whatever is in it, and nobody lowers a later one."""

import errno

from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.halt import HaltRecord
from thetawarden.infra.halt_flag import UNREADABLE, HaltFlagFile


def _halt(epoch):
    return HaltRecord(epoch=epoch, reason="r", by="b", at_ns=5)


def test_a_raised_flag_is_read_back_and_a_lowered_one_is_gone(tmp_path):
    flag = HaltFlagFile(tmp_path / "halt")
    flag.raise_flag(_halt(3))

    assert flag.read() == _halt(3)
    flag.lower(2)
    assert flag.read() == _halt(3)
    flag.raise_flag(_halt(2))
    assert flag.read() == _halt(3)
    flag.lower(3)
    assert flag.read() is None
    assert list(tmp_path.iterdir()) == []


@given(content=st.one_of(st.just(b""), st.binary(), st.just(b'{"x":' + b"[" * 5000)))
def test_a_flag_with_anything_in_it_halts(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("flag") / "halt"
    path.write_bytes(content)

    assert HaltFlagFile(path).read() == UNREADABLE


def test_a_flag_that_is_a_folder_or_leads_nowhere_halts(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")

    assert HaltFlagFile(tmp_path / "folder").read() == UNREADABLE
    assert HaltFlagFile(tmp_path / "link").read() == UNREADABLE


def test_on_a_full_disk_an_empty_flag_halts(tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr("thetawarden.infra.halt_flag.os.fsync", full)
    flag = HaltFlagFile(tmp_path / "halt")

    flag.raise_flag(_halt(1))

    assert flag.read() is not None
