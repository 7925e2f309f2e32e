"""Why a comparison says what it says, in plain words, and why some cannot be made."""

import pandas as pd

from pmf_analysis.measures.arrays import FEWEST_PEERS, SENTENCES, Column, Frame, constants
from pmf_analysis.measures.polarity import first_text, said, undeclared

_SET = constants("reasons")


def why_not(pairs: Frame) -> Column:
    """Say why a pair cannot be judged, in plain words; "" where it can."""
    found, members = pairs["n_peers"].astype(str), pairs["n_members"].astype(str)
    hidden = pairs["n_hidden"].fillna(0).astype(int)
    unfair = hidden > _SET.hidden_share * (hidden + pairs["n_peers"])
    few = "Only " + found + " of " + members + " similar councils have a value for the"
    reasons = [
        (pairs["newest"].isna(), "We have no value that can be used."),
        *undeclared(pairs),
        (pairs["data_type"] == "count", SENTENCES["authority_total"]),
        (pairs["is_circular"], SENTENCES["circular"]),
        (pairs["n_peers"] < FEWEST_PEERS, few + " same period; five are needed."),
        (unfair, hidden.map(SENTENCES["misleading"].format)),
    ]
    return first_text(pairs.index, reasons)


def why(pairs: Frame, side: Column, level: float, spread: dict[str, Column]) -> Column:
    """Say what a verdict rests on, and what a reader must know about the figures.

    `side`: 1 where we lie above the benchmark, -1 below, 0 for neither; `spread`: which
    sentence says what the spread between peers makes of it.
    """
    published = (pairs["interval_from"] == "interval") | pairs["is_small"]
    whose = published.map({True: "published", False: "95 %"})
    own = pairs["n_own"].fillna(0).astype(int)
    silent = pairs["silent"].fillna("our own figures overlap")
    facts = zip(pairs["evidence"], side != 0, whose, own, silent, strict=True)
    tests = [_SET.because[by][apart].format(*told, level=100 * level) for by, apart, *told in facts]
    text = pd.Series(tests, pairs.index, dtype="str") + first_text(pairs.index, said(spread))
    months = (12 * pairs[name].dt.year + pairs[name].dt.month for name in ("newest_peer", "period"))
    notes = {
        "sampled": (pairs["evidence"] == "interval") & (pairs["interval_from"] == "sample"),
        "counts_differ": pairs["counts_differ"].eq(True),
        "small_count": pairs["is_small"],
        "older": pairs["period"] < pairs["newest"],
        "behind": next(months) - next(months) > _SET.oldest * 12 / pairs["periods_per_year"],
    }
    for name, applies in notes.items():
        text += first_text(pairs.index, said({name: applies}))
    return text
