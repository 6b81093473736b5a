"""Looks at a machine and a store before a desk is started there; changes nothing."""

from __future__ import annotations

import ctypes
import fcntl
import importlib.metadata
import os
import re
import resource
import shutil
import socket
import stat
import sys
from pathlib import Path

import thetawarden
from thetawarden.config.problems import one_line
from thetawarden.domain.preflight import (
    Finding,
    Verdict,
    judge_clock,
    judge_disk,
    judge_files,
    judge_packages,
    judge_python,
)
from thetawarden.infra.control.place import socket_path
from thetawarden.infra.halt_flag import HaltFlagFile

UNSYNCHRONISED = 5
_TIMEX_BYTES = 512
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def machine_findings(data: Path, *, reserve_bytes: int) -> tuple[Finding, ...]:
    """Return what is to be said of this machine."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (
        judge_python(sys.version_info[:3]),
        packages_finding(),
        judge_clock(synchronised=clock_synchronised()),
        judge_disk(free_bytes=_free_bytes(data), reserve_bytes=reserve_bytes),
        judge_files(limit),
    )


def packages_finding() -> Finding:
    """Return whether what this program needs is installed, as it was tested."""
    needed = importlib.metadata.requires("thetawarden") or []
    wanted = tuple(
        match[0].lower().replace("_", "-")
        for text in needed
        if "extra ==" not in text and (match := _NAME.match(text))
    )
    installed = {}
    for name in wanted:
        try:
            installed[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return judge_packages(installed=installed, wanted=wanted, tested=_tested())


def clock_synchronised() -> bool | None:
    """Return whether the kernel's clock is being kept right, None where it does not tell."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != UNSYNCHRONISED


def folder_finding(data: Path) -> Finding:
    """Return whether the data folder is ours alone."""
    name = "data folder"
    try:
        status = data.stat()
    except FileNotFoundError:
        return Finding(check=name, verdict=Verdict.OK, found=f"{data} is made at the first start")
    except OSError as error:
        remedy = "name another with --data-dir"
        return Finding(check=name, verdict=Verdict.FAIL, found=str(error), remedy=remedy)
    mode = stat.S_IMODE(status.st_mode)
    found, remedy = f"{data}, mode {mode:04o}", f"chmod 700 {data}"
    if status.st_uid != os.geteuid() or not os.access(data, os.W_OK | os.X_OK):
        found = f"{data} belongs to user {status.st_uid}, or is not ours to write"
        return Finding(check=name, verdict=Verdict.FAIL, found=found, remedy=f"chown it; {remedy}")
    if mode & _OTHERS_WRITE:
        return Finding(check=name, verdict=Verdict.FAIL, found=found, remedy=remedy)
    verdict = Verdict.WARN if mode & _OTHERS else Verdict.OK
    fix = remedy if verdict is Verdict.WARN else ""
    return Finding(check=name, verdict=verdict, found=found, remedy=fix)


def store_findings(store: Path) -> tuple[Finding, ...]:
    """Return whether a desk runs on the store, what the last one left, and whether it is halted."""
    return (_desk_finding(store), _halt_finding(store))


def port_finding(name: str, host: str, port: int) -> Finding:
    """Return whether a port that the desk will listen at is free."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        found = f"{host}:{port} is taken ({one_line(error.strerror or str(error))})"
        remedy = "end what listens there, or configure another port"
        return Finding(check=name, verdict=Verdict.FAIL, found=found, remedy=remedy)
    finally:
        listening.close()
    return Finding(check=name, verdict=Verdict.OK, found=f"{host}:{port} is free")


def _desk_finding(store: Path) -> Finding:
    holder = _lock_holder(store / "lock")
    left = socket_path(store)
    if holder is not None:
        found = f"a desk runs on this store (process {holder})"
        remedy = "that is fine; a second one would be refused. `thetawarden status` shows it"
        return Finding(check="second desk", verdict=Verdict.WARN, found=found, remedy=remedy)
    if left.exists():
        found = f"no desk runs; the last one was killed and left {left.name}"
        remedy = "nothing to do: the next start recovers and clears it away"
        return Finding(check="second desk", verdict=Verdict.WARN, found=found, remedy=remedy)
    return Finding(check="second desk", verdict=Verdict.OK, found="none runs on this store")


def _lock_holder(path: Path) -> str | None:
    """Who holds the store's lock; None for nobody, also when a dead desk left the file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
    finally:
        os.close(descriptor)
    return None


def _halt_finding(store: Path) -> Finding:
    halt = HaltFlagFile(store / "halt").read()
    if halt is None:
        return Finding(check="halt", verdict=Verdict.OK, found="no halt stands")
    found = f"halted (epoch {halt.epoch}) by {one_line(halt.by)}: {one_line(halt.reason, 200)}"
    remedy = "look into it, then: thetawarden resume --reason ..."
    return Finding(check="halt", verdict=Verdict.WARN, found=found, remedy=remedy)


def _free_bytes(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _tested() -> dict[str, str]:
    """What the tests run with, where this is a checkout and not an installed copy."""
    path = Path(thetawarden.__file__).parents[1] / "constraints.txt"
    try:
        lines = path.read_text().split()
    except OSError:
        return {}
    pairs = (line.split("==") for line in lines)
    return {name.lower().replace("_", "-"): version for name, version in pairs}
