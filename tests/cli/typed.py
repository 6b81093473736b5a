"""`thetawarden` for a shell script: the arguments go to the nursery, signals to what it forks.

Run as a program with the descriptor of the nursery in the environment; loads next to nothing.
"""

import json
import os
import signal
import socket
import sys
from pathlib import Path

NURSERY = "NURSERY"
WORD = 16


def main():
    environment = dict(os.environ)
    nursery = socket.socket(fileno=int(environment.pop(NURSERY)))
    told, theirs = os.pipe()
    order = {"arguments": sys.argv[1:], "environment": environment, "folder": str(Path.cwd())}
    socket.send_fds(nursery, [json.dumps(order).encode()], [1, 2, theirs])
    os.close(theirs)
    pid = int(os.read(told, WORD))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: os.kill(pid, number))
    code = os.waitstatus_to_exitcode(int(os.read(told, WORD)))
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
