"""Alerts of a whole desk: at least once over a kill, and no secret anywhere."""

import signal

from tests.cli.shell import wait_for
from tests.infra.alerts.test_channels import Web

CANARY = "canary-7c1d9e55a0"


def everything_written(shell):
    for file in sorted(shell.data.rglob("*")):
        if file.is_file():
            yield file.name, file.read_bytes()


def test_x02_an_alert_outlives_a_kill_and_no_secret_is_in_anything_that_was_written(shell):
    web = Web()
    web.code = 503
    shell.extra = {
        "THETAWARDEN__ALERTS__CRITICAL": "hook",
        "THETAWARDEN__ALERTS__RETRY_MIN_S": "0.2",
        "THETAWARDEN_SECRET_ALERT_HOOK": f"json://u:{CANARY}-pw@127.0.0.1:{web.port}/{CANARY}",
        "THETAWARDEN_SECRET_OTHER": f"{CANARY}-other",
    }
    desk = shell.start()
    printed = [shell("halt", "--reason", f"because of {CANARY}-other").out]
    wait_for(lambda: web.told)  # refused: it is in the outbox
    desk.send_signal(signal.SIGKILL)
    printed += desk.communicate(timeout=60)
    before, web.code = len(web.told), 200
    again = shell.start()
    wait_for(lambda: len(web.told) > before)
    printed += [shell("inspect", "notifier", "--json").out, shell("status").out]
    printed += shell.end(again)[1:]

    assert "Trading halted" in str(web.told[-1])
    web.server.shutdown()
    web.server.server_close()
    assert CANARY not in "".join(body["message"] for _, body in web.told)
    assert CANARY not in "".join(printed)
    written = dict(everything_written(shell))
    assert any(name.endswith(".db") for name in written)
    assert [name for name, data in written.items() if CANARY.encode() in data] == []


def test_c04_a_channel_without_an_address_and_commands_without_a_token_refuse_the_start(shell):
    shell.extra = {"THETAWARDEN__ALERTS__HIGH": "phone"}
    assert "THETAWARDEN_SECRET_ALERT_PHONE" in shell("run").err

    shell.extra = {"THETAWARDEN__ALERTS__TELEGRAM__COMMANDS": "true"}
    refused = shell("run")
    assert refused.code == 2
    assert "THETAWARDEN_SECRET_TELEGRAM_TOKEN" in refused.err
