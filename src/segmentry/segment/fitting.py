"""What every method gets and gives: the bounded sample it learns on, and the parts of a segmentation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import numpy.typing as npt

from segmentry import engine, expressions
from segmentry.catalogue import Trait
from segmentry.config import Objective
from segmentry.errors import FitError, did_you_mean
from segmentry.placement import BEYOND, Prep, Rule, exact
from segmentry.segmentation import Segment, Segmentation

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd  # half a second to import, which reading commands do without

Progress = Callable[[int, int], None]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Before:
    """The units of a sample as they were so many days ago as the horizon of an objective, and what came of them.

    ``sample`` and ``weights`` are as those of :class:`Learning`; ``met`` (n,) says who meets the behaviour today,
    ``windows`` how many days declared traits look back.
    """

    sample: pd.DataFrame
    weights: Numbers
    met: npt.NDArray[np.bool_]
    windows: Mapping[str, int]


@dataclass(frozen=True)
class Learning:
    """What a method learns from.

    ``sample`` has one row per unit of the population (a bounded sample of it) and one column per trait; ``specs``
    describe the columns. ``weights`` (n,) say how many units of the base each row stands for, on any scale (None: all
    the same). ``barred`` are traits that may not form segments, each with the reason; ``watched`` protected traits,
    each with the reason why it may form them, if it may (see :mod:`segmentry.segment.bias`). ``where`` names the place
    in the config for errors, such as ``segmentry.yaml segmentations.value``. ``seed`` makes chance repeatable.
    ``objectives`` are those of the config, and ``parts`` the segmentations that this one is made of, by name. ``notes``
    are to be told with the result, such as margins of the market that the weights miss. ``before`` is there where the
    objective of a tree has a horizon.
    """

    sample: pd.DataFrame
    specs: Mapping[str, Trait]
    where: str
    seed: int = 1
    progress: Progress | None = None
    weights: Numbers | None = None
    objectives: Mapping[str, Objective] = field(default_factory=dict)
    parts: Mapping[str, Segmentation] = field(default_factory=dict)
    barred: Mapping[str, str] = field(default_factory=dict)
    watched: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    before: Before | None = None

    @property
    def row_weights(self) -> Numbers:
        """(n,) the weight of every row, 1 on average; exactly 1 where all weigh the same."""
        if self.weights is None:
            return np.ones(len(self.sample))
        return self.weights * (len(self.weights) / self.weights.sum())

    def only(self, kept: npt.NDArray[np.bool_] | pd.Series) -> Learning:
        """The same with the rows for which ``kept`` (n,) is true."""
        mask = np.asarray(kept, dtype=bool)
        return replace(self, sample=self.sample[mask], weights=None if self.weights is None else self.weights[mask])

    def numbers(self, trait: str) -> tuple[Numbers, Numbers]:
        """The known, finite values of a numeric trait, and the weight of each.

        Raises :class:`FitError` when the trait is not there, is no number, or is known for nobody.
        """
        if trait not in self.specs:
            raise FitError(
                f"{self.where}: there is no trait {trait}.",
                why=did_you_mean(trait, self.specs),
                fix="`segmentry show traits` lists them; `segmentry plan` with a model says why one is not there.",
            )
        if self.specs[trait].kind == "category":
            raise FitError(
                f"{self.where}: the trait {trait} is a category; a number is needed.",
                fix="Choose a number; `segmentry show traits` tells the kind of each.",
            )
        values = self.sample[trait].to_numpy(dtype=np.float64, na_value=np.nan)
        known = np.abs(values) < BEYOND
        if not known.any():
            raise FitError(
                f"{self.where}: the trait {trait} is not known for any customer.",
                fix="Map the data it needs in segmentry.yaml; `segmentry show traits` shows its fill rate.",
            )
        return values[known], self.row_weights[known]


@dataclass(frozen=True)
class Fitted:
    """What a method gives back: the rule, the segments in their order, and what it found out (plain JSON values)."""

    rule: Rule
    segments: tuple[Segment, ...]
    report: Mapping[str, Any] = field(default_factory=dict)


def quantile(values: Numbers, share: float, weights: Numbers) -> float:
    """The least value up to which at least ``share`` (0 to 1) of the weight lies: the inverse of the distribution.

    >>> quantile(np.array([1.0, 2.0, 9.0]), 0.5, np.array([3.0, 1.0, 1.0]))
    1.0
    """
    return float(np.quantile(values, share, weights=weights, method="inverted_cdf"))


def stranger(distances: Numbers, weights: Numbers) -> float:
    """Beyond this there is no good fit: half as far again as 99 of 100 members, so that only strangers fall out."""
    return 1.5 * quantile(distances, 0.99, weights) if distances.max() > 0 else 1.0


def reach(
    distances: Numbers, labels: npt.NDArray[np.int64], weights: Numbers, k: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Of each of ``k`` segments the median distance of its members, and the one beyond which there is no good fit.

    ``distances`` are those of (n,) rows from the centre of their own segment.
    """
    within = [(distances[labels == i], weights[labels == i]) for i in range(k)]
    typical = tuple(exact(quantile(away, 0.5, weight)) for away, weight in within)
    return typical, tuple(exact(stranger(away, weight)) for away, weight in within)


def worked_out(
    sample: pd.DataFrame, traits: Iterable[str], columns: Callable[[ir.Table], Sequence[ir.Value]]
) -> pd.DataFrame:
    """What expressions over ``traits`` make of every row of a sample, a column each, in the order of the rows."""
    with engine.in_memory() as con:
        table = con.create_table("sample", sample[list(dict.fromkeys(traits))].reset_index(drop=True))
        numbered = table.mutate(row_number=ibis.row_number())
        made = numbered.select("row_number", **{f"c{j}": value for j, value in enumerate(columns(numbered))})
        return con.to_pandas(made.order_by("row_number")).drop(columns="row_number")


def prepared(prep: Sequence[Prep], sample: pd.DataFrame) -> Numbers:
    """The prepared numbers of a sample, (rows, len(prep)), by the expression that also places the base."""
    made = worked_out(sample, (p.trait for p in prep), lambda traits: [p.of(traits) for p in prep])
    return made.to_numpy(dtype=np.float64)


def require_kinds(condition: expressions.Expression, specs: Mapping[str, Trait]) -> None:
    """Raise :class:`ConfigError` where a condition compares values of two kinds, such as a number with a text."""
    types = {"number": "float64", "category": "string", "boolean": "boolean"}
    if condition.columns:
        condition.condition(ibis.table({name: types[specs[name].kind] for name in condition.columns}, name="traits"))


def holds(condition: str, sample: pd.DataFrame, *, where: str) -> npt.NDArray[np.bool_]:
    """For each row of a sample, whether a condition holds (not known is no), by the expression that the base runs."""
    parsed = expressions.parse(condition, where=where)
    met = worked_out(sample, parsed.columns, lambda traits: [parsed.condition(traits).fill_null(False)])
    return met["c0"].to_numpy(dtype=np.bool_)
