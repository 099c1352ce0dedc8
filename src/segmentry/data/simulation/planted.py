"""What was planted as segments of needs and as ideal customers, held against what was found.

What people answer and what is known of them limits what anybody could find; so beside each figure stands that of an
oracle, who knows what was planted and sees the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt

from segmentry import engine, expressions
from segmentry.data.simulation.comparison import Distance
from segmentry.data.simulation.plan_people import OCCUPATIONS
from segmentry.stats.stability import adjusted_rand_of_counts

NEEDS = "needs"  # the segmentation of the demo's segmentry.yaml that looks for them
TABLETS = "tablets"  # its objective
_TOP = 0.1  # of the customers: as the lift of a score is told
_IDEAL = 2.0  # times as likely as everybody: from here on an occupation is one of ideal customers
_MORE_OFTEN = 1.1  # from this lift on a condition goes with what was planted
_SHOWN = 4  # conditions that are told


def needs(
    persons: ir.Table, traits: ir.Table, members: ir.Table, names: Sequence[str], forming: Sequence[str]
) -> Distance:
    """Segments of needs against those planted, of everybody in the population.

    ``members`` are the memberships, ``names`` the segments, ``forming`` the numeric traits that form them. Who is in no
    segment (no data, no good fit) counts as a group of its own in the score. The oracle knows what the members of every
    planted segment answer on average, how they vary, and what share they are, and places everybody by Bayes' rule
    (linear discriminant analysis).
    """
    known = persons.inner_join(members.select("customer_id", "segment"), "customer_id")
    rows = known.select("customer_id", "needs_segment", "segment")
    frame = rows.inner_join(traits.select("customer_id", *forming), "customer_id").order_by("customer_id").to_pandas()
    planted, truth = np.unique(frame["needs_segment"].to_numpy(str), return_inverse=True)
    found = frame["segment"].to_numpy(str)
    inside = np.isin(found, names)
    score, placed = _alike(truth, found), _alike(truth[inside], found[inside])
    most = _alike(truth, _oracle(frame[list(forming)].to_numpy(np.float64, na_value=np.nan), truth))
    text = (
        f"{len(names)} segments of needs against {len(planted)} planted: adjusted Rand index {score:.2f} for all "
        f"{len(frame):,} who answered, {placed:.2f} for the {inside.mean():.0%} who are in one of them; an oracle that "
        f"knows the answers of each planted segment reaches {most:.2f}, since answers are chancy"
    )
    return Distance("what customers need", text, score, most)


def _alike(truth: npt.NDArray[np.int64], found: npt.NDArray[np.str_] | npt.NDArray[np.int64]) -> float:
    if not len(truth):
        return 0.0
    groups, which = np.unique(found, return_inverse=True)
    counts = np.zeros((int(truth.max()) + 1, len(groups)))
    np.add.at(counts, (truth, which), 1.0)
    return adjusted_rand_of_counts(counts)


def _oracle(values: npt.NDArray[np.float64], truth: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The planted segment that is most probable given the values (n, traits); a gap is the mean."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis  # noqa: PLC0415  # a second that others save

    filled = np.where(np.isnan(values), np.nanmean(values, axis=0), values)
    placed: npt.NDArray[np.int64] = LinearDiscriminantAnalysis().fit(filled, truth).predict(filled)
    return placed


def ideal_customers(
    persons: ir.Table, traits: ir.Table, scores: ir.Table, favourable: Mapping[str, str], held_out: float
) -> Distance:
    """The look-alikes of those who bought a tablet, against how likely everybody was planted to buy one.

    What people do for a living decides that, which two in three tell the shop. The planted ideal customers are those of
    the occupations that buy at least twice as often as everybody. ``scores`` is the table lookalikes, ``favourable``
    the conditions found, by what they say; ``held_out`` the lift of the best tenth on customers held out.

    The distance is how far the planted lift of the best tenth is on the way from everybody's (0) to that of an oracle
    (1), who knows what everybody does for a living.
    """
    likely = persons.mutate(likely=persons["occupation"].cases(*((o.name, o.tablet) for o in OCCUPATIONS)))
    rows = likely.select("customer_id", "occupation", "likely")
    rows = rows.inner_join(scores.select("customer_id", "score"), "customer_id")
    parsed = [expressions.parse(condition, where="a favourable trait") for condition in favourable.values()]
    read = sorted({column for one in parsed for column in one.columns} - {"customer_id", "occupation"})
    rows = rows.inner_join(traits.select("customer_id", *read), "customer_id")
    n, mean, ideal = _ideal(rows)
    rows = rows.mutate(ideal=rows["occupation"].isin(ideal).ifelse(1.0, 0.0))
    tenth = max(1, round(n * _TOP))
    # everybody of a score on the border counts in part, so that the order of equals says nothing
    mine, oracle = (_mean_of_best(rows, by, "likely", tenth) / mean for by in ("score", "likely"))
    inside, most = (_mean_of_best(rows, by, "ideal", tenth) for by in ("score", "likely"))
    lifts = _planted_lifts(rows, dict(zip(favourable, parsed, strict=True)), mean)
    true = {text: lift for text, lift in lifts.items() if lift >= _MORE_OFTEN}
    told = "; ".join(f"{text} ({lift:.1f} times)" for text, lift in list(true.items())[:_SHOWN])
    who = " and ".join(f"{name}s" for name in ideal)
    text = (
        f"planted are {who}. The tenth with the best scores buys a tablet {held_out:.1f} times as often as everybody "
        f"among customers held out, and was planted to {mine:.1f} times as often; {inside:.0%} of it are {who}. For an "
        f"oracle that knows what everybody does for a living it is {oracle:.1f} times, {most:.0%}. Of "
        f"{len(favourable)} favourable traits {len(true)} go with what was planted{f': {told}' if told else ''}"
    )
    figures = {
        "lift_held_out": held_out,
        "lift_planted": mine,
        "lift_oracle": oracle,
        "ideal_share_of_best_tenth": inside,
        "ideal_share_of_best_tenth_oracle": most,
        "favourable_traits": len(favourable),
        "favourable_traits_planted": len(true),
    }
    return Distance("who buys tablets", text, (mine - 1) / (oracle - 1), figures=figures)


def _ideal(rows: ir.Table) -> tuple[int, float, list[str]]:
    """How many rows there are, how likely they are to buy on average, and the occupations of the ideal customers."""
    kinds = rows.group_by(["occupation", "likely"]).agg(n=rows.count()).order_by("occupation").to_pyarrow().to_pylist()
    n = sum(kind["n"] for kind in kinds)
    mean = math.fsum(kind["n"] * kind["likely"] for kind in kinds) / n
    return n, mean, [kind["occupation"] for kind in kinds if kind["likely"] >= _IDEAL * mean]


def _planted_lifts(rows: ir.Table, conditions: Mapping[str, expressions.Expression], mean: float) -> dict[str, float]:
    """How many times as likely as everybody those are who meet each condition, by what it says."""
    met = {text: one.condition(rows).fill_null(False) for text, one in conditions.items()}
    sums = {f"sum_{i}": engine.exact_sum(c.ifelse(rows["likely"], 0.0), 1.0) for i, c in enumerate(met.values())}
    counts = {f"n_{i}": engine.count_where(c) for i, c in enumerate(met.values())}
    if not met:
        return {}
    row = rows.agg(**sums, **counts).to_pyarrow().to_pylist()[0]
    return {text: row[f"sum_{i}"] / max(row[f"n_{i}"], 1) / mean for i, text in enumerate(met)}


def _mean_of_best(rows: ir.Table, by: str, of: str, most: int) -> float:
    """The mean of a column over the rows that come first by another; of equals on the border their mean."""
    groups = rows.group_by(by).agg(n=rows.count(), sum=engine.exact_sum(rows[of], 1.0)).order_by(ibis.desc(by))
    left, total = most, 0.0
    for row in groups.to_pyarrow().to_pylist():
        taken = min(left, row["n"])
        total += row["sum"] * taken / row["n"]
        left -= taken
        if not left:
            break
    return total / most
