"""What the edge study's own simulator gave on the same day and terms: printed beside our figures, decides nothing.

StandX BTC, fitted on 6 and scored on 7 January 2026, maker fee 0.3 bps, 100 + 300 ms, cap USD 500, strict placing;
`grid` and `seeds` over both days. Source: edge.md sections 3, 5 and 7, the study's out/strict.txt and out/quoters.txt.
"""

from __future__ import annotations

SCORED = "2026-01-07T00:00"

#: Quoter -> (net edge bps, fills a day).
FIGURES: dict[str, tuple[float, float]] = {
    "symmetric": (-1.85, 2196),
    "grid": (-2.5, 2990),
    "seeds": (-2.3, 2500),
    "lean": (0.93, 1095),
    "bare_lean": (0.93, 1095),
}
R2 = {5: 0.215, 30: 0.126}
"""Through the venue's channels (section 8)."""
