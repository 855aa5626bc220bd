"""What our own fills have taught, as metrics: edge, adverse selection, queue places and how true their estimate was."""

from __future__ import annotations

from common import metrics
from common.messages import Side
from quoter.adverse import reach_slope
from quoter.engine import QuoteEngine
from quoter.floor import adverse_bound_bps
from quoter.places import BUCKETS
from quoter.state import ASK_SIDE, BID_SIDE, S_ADVERSE_MEAN

E6 = 1e-6


def show_evidence(engine: QuoteEngine, coin: str, levels: int) -> None:
    """Set the gauges from the engine's own books."""
    _show_edge(engine, coin)
    for word, side in (("bid", BID_SIDE), ("ask", ASK_SIDE)):
        for estimator, bps in (
            ("mean", engine.state[S_ADVERSE_MEAN + side]),
            ("bound", adverse_bound_bps(engine.state, engine.ints, side)),
            ("slope", reach_slope(engine.state, engine.ints, side)),
        ):
            metrics.set("amm_adverse_bps", float(bps), coin=coin, side=word, estimator=estimator)
    ahead = {(place.side, place.level): place.front * place.px_u * E6 for place in engine.queue.places}
    for word, signed in (("bid", Side.BID), ("ask", Side.ASK)):
        for n in range(levels):
            labels = {"coin": coin, "side": word, "level": f"{n:02d}"}
            metrics.set("amm_queue_ahead_usd", ahead.get((signed, n), 0.0), **labels)
    known = engine.queue.calibration
    for bucket in range(BUCKETS):
        for estimator, usd in (("expected", known.expected_usd[bucket]), ("observed", known.observed_usd[bucket])):
            metrics.set("amm_queue_fill_usd", usd, coin=coin, bucket=str(bucket), estimator=estimator)


def _show_edge(engine: QuoteEngine, coin: str) -> None:
    metrics.set("amm_edge_stopped", float(engine.edge_gate.stopped), coin=coin)
    found = engine.edge_gate.found
    if found is None:
        return
    for estimator, bps in (("mean", found.mean), ("lo", found.lo), ("hi", found.hi)):
        if bps is not None:
            metrics.set("amm_edge_net_bps", bps, coin=coin, estimator=estimator)
