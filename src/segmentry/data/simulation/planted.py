"""What was planted as segments of needs and as ideal customers, held against what was found.

What people answer and what is known of them limits what anybody could find; so beside each figure stands that of an
oracle, who knows what was planted and sees the same.
"""

from __future__ import annotations

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

    What people do for a living decides that, and no export tells it. ``scores`` is the table lookalikes,
    ``favourable`` the conditions found, by what they say; ``held_out`` the lift of the best tenth on customers held
    out.
    """
    likely = persons.mutate(likely=persons["occupation"].cases(*((o.name, o.tablet) for o in OCCUPATIONS)))
    rows = likely.select("customer_id", "likely").inner_join(scores.select("customer_id", "score"), "customer_id")
    parsed = [expressions.parse(condition, where="a favourable trait") for condition in favourable.values()]
    read = sorted({column for one in parsed for column in one.columns} - {"customer_id"})
    rows = rows.inner_join(traits.select("customer_id", *read), "customer_id")
    n = int(rows.count().to_pyarrow().as_py())
    tenth = max(1, round(n * _TOP))
    # everybody of a score on the border counts in part, so that the order of equals says nothing
    mine, oracle = (_mean_of_best(rows, column, tenth) for column in ("score", "likely"))
    met = {f"met_{i}": one.condition(rows).fill_null(False) for i, one in enumerate(parsed)}
    sums = {name: engine.exact_sum(c.ifelse(rows["likely"], 0.0), 1.0) for name, c in met.items()}
    counts = {f"n_{name}": engine.count_where(c) for name, c in met.items()}
    row = rows.agg(every=engine.exact_sum(rows["likely"], 1.0), **sums, **counts).to_pyarrow().to_pylist()[0]
    mean = row["every"] / max(n, 1)
    lifts = [row[name] / max(row[f"n_{name}"], 1) / mean for name in met]
    true = {text: lift for text, lift in zip(favourable, lifts, strict=True) if lift >= _MORE_OFTEN}
    told = "; ".join(f"{text} ({lift:.1f} times)" for text, lift in list(true.items())[:_SHOWN])
    text = (
        f"the tenth most like those who bought a tablet buys one {held_out:.1f} times as often as everybody among "
        f"customers held out, and was planted to {mine / mean:.1f} times as often; for an oracle that knows what "
        f"everybody does for a living it is {oracle / mean:.1f}. Of {len(favourable)} favourable traits {len(true)} go "
        f"with what was planted{f': {told}' if told else ''}"
    )
    return Distance("who buys tablets", text, mine / mean, oracle / mean)


def _mean_of_best(rows: ir.Table, by: str, most: int) -> float:
    """The mean planted probability of the rows that come first by a column; of equals on the border their mean."""
    groups = rows.group_by(by).agg(n=rows.count(), sum=engine.exact_sum(rows["likely"], 1.0)).order_by(ibis.desc(by))
    left, total = most, 0.0
    for row in groups.to_pyarrow().to_pylist():
        taken = min(left, row["n"])
        total += row["sum"] * taken / row["n"]
        left -= taken
        if not left:
            break
    return total / most
