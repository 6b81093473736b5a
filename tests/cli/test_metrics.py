"""A desk's figures, read from outside while it runs, halts and is mended."""

from tests.cli.shell import listening, one_line_error, wait_for
from tests.infra.test_metrics import free_port, scrape


def test_a_desk_tells_a_monitoring_system_how_it_is(shell):
    port = free_port()
    shell.extra = {
        "THETAWARDEN__METRICS__PORT": str(port),
        "THETAWARDEN__METRICS__REFRESH_S": "1",
    }
    shell.start()
    wait_for(lambda: listening(port))
    told = scrape(port)

    assert told["thetawarden_halted", ()] == 0
    assert told["thetawarden_info", ("practice", shell("--version").out.split()[1])] == 1
    assert told["thetawarden_actor_running", ("governor",)] == 1
    assert ("thetawarden_actor_waiting", ("governor", "control")) in told
    assert told["thetawarden_log_messages_total", ()] > 0
    assert told["thetawarden_log_lag_seconds", ()] >= 0
    assert told["thetawarden_reconciled", ()] == 0
    assert ("thetawarden_net_liquidation_usd", ()) not in told  # nobody has told it yet

    shell("halt", "--reason", "look")
    shell("actor", "restart", "scheduler")

    wait_for(lambda: scrape(port)["thetawarden_halted", ()] == 1)
    wait_for(lambda: scrape(port)["thetawarden_actor_restarts_total", ("scheduler",)] == 1)
    assert one_line_error(shell("run"), 3)  # a second desk does not take the port from the first


def test_there_are_no_figures_unless_asked_for(shell):
    assert shell("config", "show", "--json").json["metrics.port"]["value"] == "0"
