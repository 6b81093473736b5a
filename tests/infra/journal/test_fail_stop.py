"""A disk that errs ends the process at once, halted: a second sync may falsely succeed."""

import subprocess
import sys

from thetawarden.errors import EXIT_GAVE_UP
from thetawarden.infra.halt_flag import HaltFlagFile
from thetawarden.infra.journal.recover import recover
from thetawarden.infra.journal.verify import verify_log

# The kernel refuses to let any file of this process grow beyond the limit: a real write error.
PROGRAM = """
import resource, signal, sys, threading
from pathlib import Path
import msgspec
from thetawarden.config.schema import Config, JournalConfig
from thetawarden.errors import ThetawardenError
from thetawarden.messages.operations import NotifyPerson, Urgency
from thetawarden.process import DeskProcess

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
process = DeskProcess(Config(journal=JournalConfig(reserve_mb=0)), Path(sys.argv[1]))
process.take()
process.open()
note = NotifyPerson(urgency=Urgency.LOW, topic="t", text="x" * 200)
try:
    while True:
        seq = process.desk.say(note, sender="test")
        process.journal.wait_durable(seq, 30)
        print(seq, flush=True)
except ThetawardenError:
    threading.Event().wait(30)  # as the desk's main thread does: the log's own thread ends it
"""


def test_p08_a_write_error_ends_the_desk_with_70_and_the_halt_flag_and_loses_nothing_acknowledged(
    tmp_path,
):
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == EXIT_GAVE_UP, ended.stderr[-2000:]
    halt = HaltFlagFile(tmp_path / "halt").read()
    assert halt.by == "message log"
    acknowledged = int(ended.stdout.split()[-1])
    assert acknowledged > 100
    *_, (_, total) = verify_log(tmp_path / "log")
    assert total.damaged == 0
    assert total.last_seq >= acknowledged
    names = ("watchdog", "governor", "scheduler", "notifier")
    assert recover(tmp_path / "log", names).position.next_seq == total.last_seq + 1
