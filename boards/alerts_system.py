"""Alerts about the processes: who is down, silent, late or wrong; grafana.md section 4 and reliability.md section 5.

A dead process exports nothing, so its own series prove nothing: `up`, `absent` and heartbeats told by others do.
"""

from __future__ import annotations

from boards import bounds as b
from boards.rule import DURATION, Compare, Group, Rule, equal, over
from common.messages import Severity

INFO, WARNING, CRITICAL = Severity.INFO, Severity.WARNING, Severity.CRITICAL

UP = 'up{job="amm500"}'
HEARTBEAT_AGE = "time() - max by (service) (amm_heartbeat_timestamp_seconds)"
FEED_AGE = 'time() - max by (coin, channel) (amm_feed_last_message_timestamp_seconds{channel="l2Book"})'
LAG = "max by (stream, group) (amm_stream_lag_messages)"
PENDING = "max by (stream, group) (amm_stream_oldest_pending_seconds)"
REQUIRED = ("amm_margin_ratio", "amm_equity_usd", "amm_heartbeat_timestamp_seconds")
BUILDS = 'count(count by (build, schema, config_hash) (amm_build_info{service!="simvenue"}))'

ALIVE_RULES = (
    Rule(
        "ServiceDown", CRITICAL, equal(UP, 0), for_s=15, health=True,
        summary="{service} does not answer scrapes",
        description="Prometheus has had no answer from {service} ({instance}) for 15 s.",
        runbook="docker compose ps and logs of {service} (or run/demo/logs); it restarts by itself; if it does not "
                "stay up: make kill, then look.",
        panel="system/Targets up",
    ),
    Rule(
        "ServiceHeartbeatStale", CRITICAL, over(HEARTBEAT_AGE, b.HEARTBEAT_S), health=True,
        summary="{service} has been silent for {value}",
        description="Others have had no heartbeat of {service} for {value}: it hangs, is dead or has lost Redis.",
        runbook="If several are silent look at Redis first; else restart {service}. Warden silent: make pause until it "
                "is back.",
        form=DURATION, panel="system/Heartbeat age",
    ),
    Rule(
        "FeedStale", CRITICAL, over(FEED_AGE, b.FEED_S), for_s=5, health=True,
        summary="{channel} of {coin} has been silent for {value}",
        description="The last valid {channel} message of {coin} is {value} old; quotes were pulled after 1.5 s.",
        runbook="Check the venue's status page and our network; the feed reconnects by itself; restart it if the "
                "venue is fine and it stays stale.",
        form=DURATION, panel="system/Feed age by layer",
    ),
    Rule(
        "BusLinkDown", CRITICAL, equal("min by (service) (amm_bus_link_up)", 0), for_s=5,
        summary="{service} has lost Redis",
        description="A connection of {service} to Redis does not work; without it nobody quotes.",
        runbook="Look at Redis (logs, memory, disk); services reconnect within a second of its return.",
        panel="system/Links to Redis",
    ),
    Rule(
        "NoData", CRITICAL, (Compare("(" + " or ".join(f"absent({name})" for name in REQUIRED) + ")", ">", "0"),),
        needs=REQUIRED, for_s=60, health=False,
        summary="A metric that must exist is absent",
        description="No series of margin, equity or heartbeats has been scraped for a minute.",
        runbook="See which targets are up (System board); riskd and monitor export these; if all are up the account "
                "was never read: look at the executor's log.",
        panel="system/Targets up",
    ),
)  # fmt: skip

LATE_RULES = (
    Rule(
        "StreamLag", WARNING, (*over(LAG, b.LAG_MESSAGES), *over(PENDING, b.PENDING_S)), for_s=15,
        summary="{group} is behind on {stream}",
        description="{group} reads {stream} too slowly: {value} (messages not read, or seconds not acknowledged).",
        runbook="Look at the CPU and loop lag of {group} on the System board; restart it if it hangs.",
        panel="system/Stream lag",
    ),
    Rule(
        "StreamDropped", WARNING, over("sum by (service, stream) (increase(amm_stream_dropped_total[5m]))", 0),
        summary="{service} could not write {value} messages to {stream}",
        description="Redis did not take {value} messages of {service} to {stream} in time, so they were dropped.",
        runbook="Look at Redis (slow disk, memory); state is repeated, so nothing is lost for good unless it goes on.",
        panel="system/Messages dropped",
    ),
    Rule(
        "ReconnectStorm", WARNING, over("sum by (channel) (increase(amm_ws_reconnects_total[10m]))", b.RECONNECTS),
        summary="{value} reconnections of {channel} in ten minutes",
        description="The socket {channel} was opened anew {value} times in ten minutes.",
        runbook="Check network and the venue's status; the venue allows 30 new connections a minute: stop other users "
                "of this IP.",
        panel="system/Reconnections and gaps",
    ),
    Rule(
        "TickToOrderSlow", WARNING, over("amm:tick_to_order_seconds:p99_5m", b.TICK_TO_ORDER_S), for_s=120,
        summary="Tick to order of {coin} takes {value} at p99",
        description="One in a hundred orders of {coin} leaves more than {value} after the market message behind it.",
        runbook="See CPU, loop lag and late compiles on the System board; something else uses the quoter's core: "
                "make pin-check.",
        form=DURATION, panel="system/Tick to order, percentiles",
    ),
    Rule(
        "LoopLag", WARNING, over("max by (service) (amm_loop_lag_seconds)", b.LOOP_LAG_S), for_s=15,
        summary="The event loop of {service} is {value} late",
        description="{service} could not run its loop for {value}: the machine is overloaded or it computes too long.",
        runbook="See the CPU of all services on the System board; stop what else runs on this machine.",
        form=DURATION, panel="system/Loop lag",
    ),
    Rule(
        "ClockStepped", WARNING, over("max by (service) (abs(amm_clock_offset_seconds))", b.CLOCK_STEP_S),
        summary="The clock of {service} was corrected by {value}",
        description="Market time of {service} and of the venue were {value} apart at the last look.",
        runbook="Check the host's time synchronisation (chronyc tracking, sntp); a laptop's sleep does this once.",
        form=DURATION, panel="system/Clock correction",
    ),
    Rule(
        "LateCompiles", WARNING, over("sum by (service) (increase(amm_late_compiles_total[10m]))", 0),
        summary="{service} compiled {value} kernels while trading",
        description="{value} kernels of {service} were compiled after it was ready; each stops its loop for a second.",
        runbook="The kernel cache does not fit the code or the CPU: build the image anew (make up), or "
                "python -m common.kernel on a native host.",
        panel="system/Late compiles",
    ),
)  # fmt: skip

WRONG_RULES = (
    Rule(
        "LogErrors", WARNING, over("sum by (service) (increase(amm_log_errors_total[5m]))", 0),
        summary="{service} logged {value} errors in five minutes",
        description="{service} wrote {value} lines at ERROR or above; in health it writes none.",
        runbook="docker compose logs {service} (or run/demo/logs), level error; an unknown one is a bug to be filed.",
        panel="system/Errors logged",
    ),
    Rule(
        "BadInput", WARNING,
        over("sum by (service, boundary) (rate(amm_bad_input_total[1m]))", b.BAD_INPUT_PER_S), for_s=60,
        summary="{service} refuses {value} inputs a second at {boundary}",
        description="{service} has refused {value} messages a second at {boundary} for a minute as malformed or stale.",
        runbook="See the reasons on the System board; if the venue changed its format stop: make drain.",
        panel="system/Bad input",
    ),
    Rule(
        "BuildsDiffer", CRITICAL, over(BUILDS, 1), for_s=60,
        summary="Services run {value} different builds or configurations",
        description="{value} combinations of build, schema and configuration run side by side; riskd pauses quoting.",
        runbook="Restart all with one build: make down, then make up.",
        panel="system/What runs",
    ),
    Rule(
        "RecorderStopped", WARNING, equal("min by (coin) (amm_recorder_on)", 0),
        summary="Recording of {coin} has stopped",
        description="Market messages of {coin} are no longer written to disk; trading goes on without them.",
        runbook="Free disk space or mend the folder (RECORD_DIR, RECORD_FREE_GB_MIN), then restart the feed.",
        panel="system/Recorder",
    ),
    Rule(
        "RecorderLossy", WARNING, over("sum by (coin) (increase(amm_recorder_dropped_total[10m]))", 0),
        summary="{value} market messages of {coin} were not recorded",
        description="The disk did not keep up: {value} messages of {coin} were left out of the recording.",
        runbook="Move RECORD_DIR to a faster disk; this recording must not be used to fit a forecast.",
        panel="system/Recorder",
    ),
    Rule(
        "ProcessMemoryHigh", WARNING, over("max by (service) (amm_process_resident_bytes)", b.MEMORY_BYTES),
        for_s=300,
        summary="{service} uses {value} bytes of memory",
        description="{service} holds {value} bytes in RAM, far more than it needs: something grows without bound.",
        runbook="make drain, note /healthz and the metrics of {service} for the bug report, then restart it.",
        panel="system/Memory",
    ),
    Rule(
        "SimulatorLate", INFO, over("sum(increase(amm_sim_lags_total[5m]))", b.SIM_LAGS), for_s=60,
        summary="The simulated market was late {value} times in five minutes",
        description="{value} steps of the simulated market came over 0.1 s late: this run's figures do not count.",
        runbook="Lower SPEED or stop other programs; only paper trading has this alert.",
        panel="system/Simulated market",
    ),
)  # fmt: skip

SYSTEM_GROUPS = (
    Group("amm_alive", 5, ALIVE_RULES),
    Group("amm_late", 15, LATE_RULES),
    Group("amm_wrong", 15, WRONG_RULES),
)
