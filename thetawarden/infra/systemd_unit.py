"""The unit by which systemd runs a desk: started anew when it fails, shut in as far as it can be.

What the exit codes mean decides what is started again: 70 (the supervisor gave up, halted), a
signal, a missed watchdog, anything unexpected. Not a wrong configuration (2), a second desk (3) or
a desk that ended as it was told to, halted (4) or not: no new start would mend those.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from thetawarden.errors import EXIT_GAVE_UP, EXIT_HALTED, EXIT_REFUSED, EXIT_USAGE

WATCHDOG_S = 30
HARDENING = """\
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
UMask=0077"""
HARDENING_OF_THE_SYSTEM = """\
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome={home}
ReadWritePaths={data}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictNamespaces=yes"""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """What is run; `user` runs it, the caller of `systemctl --user` when empty.

    `account` is the one of real money, which is asked for again at each start.
    """

    program: tuple[str, ...]
    data: Path
    config: Path | None
    mode: str
    user: str
    account: str = ""


def render_unit(service: Service) -> str:
    """Return the text of the unit file."""
    words = [*service.program, "--data-dir", str(service.data)]
    if service.config is not None:
        words += ["--config", str(service.config)]
    words += ["run", "--mode", service.mode]
    if service.account:
        words += ["--account", service.account]
    command = " ".join(map(_quoted, words))
    return f"""\
[Unit]
Description=Thetawarden, {service.mode}
Wants=network-online.target
After=network-online.target time-sync.target
# more often than this and it stays down, halted: a person looks
StartLimitIntervalSec=900
StartLimitBurst=5

[Service]
Type=notify
NotifyAccess=main
{_user_lines(service)}ExecStart={command}
Restart=on-failure
RestartSec=10
RestartForceExitStatus={EXIT_GAVE_UP}
RestartPreventExitStatus={EXIT_USAGE} {EXIT_REFUSED}
SuccessExitStatus={EXIT_HALTED}
WatchdogSec={WATCHDOG_S}
TimeoutStartSec=300
TimeoutStopSec=60
KillMode=mixed
LimitNOFILE=65536
{HARDENING}
{_system_lines(service)}
[Install]
WantedBy={"multi-user.target" if service.user else "default.target"}
"""


def _user_lines(service: Service) -> str:
    return f"User={_escaped(service.user)}\n" if service.user else ""


def _system_lines(service: Service) -> str:
    """What only the system's own manager may do for a service."""
    if not service.user:
        return ""
    paths = (str(service.data), str(service.config or ""), *service.program)
    in_home = any(path.startswith(("/home/", "/root/")) for path in paths)
    lines = HARDENING_OF_THE_SYSTEM.format(
        home="read-only" if in_home else "yes", data=_quoted(str(service.data))
    )
    return lines + "\n"


def _quoted(word: str) -> str:
    """A word as systemd reads it back: percent signs and dollars doubled, spaces in quotes."""
    escaped = _escaped(word).replace("$", "$$")
    if not escaped or any(char in escaped for char in " \t\"'\\;"):
        return '"' + escaped.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return escaped


def _escaped(word: str) -> str:
    return word.replace("%", "%%")
