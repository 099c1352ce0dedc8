"""Choosing the segments: how many, whether they can be trusted, and whether each is worth having.

The panel of evidence (``stats.choosing``) says which numbers of segments come back in new samples. A number that
passes is still refused when its segments would not serve: too small, or not materially different from each other. Then
the next smaller number is formed anew, and it is told why and where their customers went (decision 0041). A number that
a person asked for is taken, with the doubts as warnings, unless ``serve.otherwise`` says something else.

Steps 2 and 5 of Dolnicar, Grün & Leisch (2018), "Market Segmentation Analysis".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

import numpy as np

from segmentry.errors import FitError
from segmentry.placement import exact
from segmentry.segment.fitting import Learning, Numbers
from segmentry.stats import choosing, solutions
from segmentry.stats.cloud import Cloud, cloud_like, groups_like
from segmentry.stats.descent import Ints
from segmentry.stats.finding import Finder, Solution
from segmentry.stats.stability import DOUBTFUL, trust

if TYPE_CHECKING:
    from segmentry.config import Serve

KS = range(2, 9)
# The panel needs hundreds of searches: it works on this many customers; the chosen number is then fitted on all.
PANEL_ROWS = 2_000
DIFFERENT = 0.5  # standard deviations in at least one trait: Cohen 1988, a medium effect
NOTICEABLE = 0.2  # the same in a trait that did not form the segments: a small effect
_CLOUDS = 19  # to be better than all of 19 by chance has a probability of 1 in 20
_MATERIAL = 1.1  # groups are hardly ever quite normal, which alone makes such gains up to a tenth larger
_CLOUD_STARTS = 5
_CLOUD_ROWS = 1_000
_CONTRAST_ROWS = 10_000  # customers whose traits are compared
_LEVELS = 8  # of a category, the most frequent
_BINS = 20  # of a gorge plot

S = TypeVar("S", bound=Solution)


class Asking(Protocol):
    """What the settings of a method that finds segments say of their number."""

    @property
    def segments(self) -> int | Literal["auto"]: ...
    @property
    def serve(self) -> Serve: ...


@dataclass(frozen=True)
class Chosen(Generic[S]):
    """The solution that is taken, on the whole sample, and the evidence as plain JSON values.

    ``report`` has ``k``, ``asked``, ``verdict``, ``because``, ``groups`` (whether the segments are more than a
    cut through one cloud), ``passed``, ``sizes``, ``panel`` (a row per number), ``panel_rows`` (customers behind it),
    ``across``, ``gorge`` (of the panel's solution; ``counterpart`` says which of its segments each is), ``judged`` (a
    row per segment), ``refused`` (numbers that would not serve, why, and where their customers went).
    """

    solution: S
    report: Mapping[str, Any]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _Problem:
    """Why a segment that is too small, or two that are alike, are not worth having; without any: one is too many."""

    segments: tuple[int, ...]
    why: str


@dataclass(frozen=True)
class _Judged:
    """A solution on the whole sample: a row per segment, and why it is refused, if it is."""

    solution: Any
    rows: tuple[Mapping[str, Any], ...]
    problems: tuple[_Problem, ...]
    counterpart: tuple[int, ...]  # for each segment the one of the panel's solution that it is


def choose(
    finder: Finder[S],
    rows: Numbers,
    learning: Learning,
    settings: Asking,
    *,
    forming: Sequence[str],
    blocks: Sequence[int] | None = None,
) -> Chosen[S]:
    """Choose the number of segments, or judge the one that was asked for.

    Args:
        rows: (n, p) the table of the finder, one row per row of ``learning.sample``.
        forming: names of the traits that form the segments.
        blocks: (p,) columns with the same number are of one trait; by default each column is one.

    Raises :class:`FitError` when the rows cannot fill the smallest number of segments, or ``serve.otherwise`` is refuse
    and a segment is not worth having.
    """
    asked = None if settings.segments == "auto" else settings.segments
    otherwise = settings.serve.otherwise or ("keep" if asked else "fewer")
    ks = [k for k in KS if k <= (settings.serve.most or KS[-1])]
    if asked:
        ks = list(range(KS[0], asked + 1)) if otherwise == "fewer" else [asked]
    how = replace(choosing.INTERACTIVE, seed=learning.seed, starts=finder.starts)
    part, weight = choosing.bounded(rows, learning.row_weights, PANEL_ROWS, learning.seed)
    evidence = choosing.panel(part, ks, finder=finder, weights=weight, how=how, progress=learning.progress)
    evidence = replace(
        evidence,
        options=tuple(replace(option, least_share=settings.serve.share) for option in evidence.options),
        of_rows=len(rows),
    )
    options = {option.k: option for option in evidence.options}
    outdone = {} if asked else _outdone(evidence)
    verdict = choosing.decide(evidence)
    if verdict.k in outdone:
        verdict = _alone(evidence, verdict, max(k for k in verdict.passed if k not in outdone))
    tests = _Tests(finder, *_fewer(part, weight, learning.seed), learning.seed, blocks)
    verdict, groups = tests.of(verdict)
    enough = tests.enough(verdict.passed) if groups and not asked else max(options)
    refused: list[_Judged] = []
    for k in sorted(options, reverse=True) if asked else _candidates(verdict, options):
        judged = _judged(finder, rows, (part, options[k]), learning, settings.serve, forming)
        if k in outdone or k > enough:
            why = _less_likely(k, outdone[k]) if k in outdone else _explained(k, enough)
            refused.append(replace(judged, problems=(_Problem((), why),)))
            continue
        if otherwise == "keep" or not judged.problems:
            break
        if otherwise == "refuse":
            raise _not_worth_having(judged, learning)
        refused.append(judged)
    taken = judged.solution.k
    refused = [each for each in refused if each.solution.k != taken]
    if taken != verdict.k:
        verdict, groups = tests.of(_alone(evidence, verdict, taken))
    warnings = list(dict.fromkeys(problem.why for problem in judged.problems))
    told = [_refused(each, judged.solution) for each in refused]
    if told:
        last = told[-1]
        moved = _moved(last["went"][0], taken)
        warnings.append(f"{last['k']} segments were taken down to {taken}: {last['why'][0]}{moved}")
    warnings += [f"{_few(judged.rows, row)}: {row['doubt']}" for row in judged.rows if row["doubt"]]
    report = {
        "k": taken,
        "asked": asked,
        "verdict": verdict.structure,
        "because": verdict.sentence,
        "groups": groups,
        "passed": list(verdict.passed),
        "sizes": [round(n) for n in judged.solution.sizes],
        "panel": [_panel_row(option, evidence) for option in evidence.options],
        "panel_rows": evidence.rows,
        "across": _across(evidence, weight),
        "counterpart": list(judged.counterpart),
        "gorge": _gorge(finder, part, weight, options[taken]),
        "judged": list(judged.rows),
        "refused": told,
    }
    return Chosen(judged.solution, report, tuple(warnings))


def _candidates(verdict: choosing.Verdict, options: Mapping[int, choosing.Option]) -> list[int]:
    """The numbers to look at: what passed, the largest first, then all that are smaller than the chosen one."""
    passed = sorted({verdict.k, *verdict.passed}, reverse=True)
    return list(dict.fromkeys([*passed, *sorted((k for k in options if k < verdict.k), reverse=True)]))


def _alone(evidence: choosing.Panel, verdict: choosing.Verdict, k: int) -> choosing.Verdict:
    """The same verdict on another number of segments."""
    options = tuple(option for option in evidence.options if option.k == k)
    return replace(choosing.decide(replace(evidence, options=options)), passed=verdict.passed, natural=verdict.natural)


def _outdone(evidence: choosing.Panel) -> dict[int, int]:
    """Numbers of segments that pass, of models, and the smaller one that passes and is better by both BIC and ICL."""
    found: dict[int, int] = {}
    told = {o.k: _criteria(o.solution, evidence.rows) for o in evidence.options if not o.failures}
    for k, criteria in told.items():
        better = [m for m in told if criteria and m < k and all(told[m][c] < criteria[c] for c in ("bic", "icl"))]
        if better:
            found[k] = better[0]
    return found


def _few(rows: Sequence[Mapping[str, Any]], row: Mapping[str, Any]) -> str:
    return f"Segment {list(rows).index(row) + 1} of {len(rows)} ({100 * row['share']:.0f} % of the customers)"


# Is there anything at all? --------------------------------------------------------------------------------------------


def _fewer(rows: Numbers, weights: Numbers, seed: int) -> tuple[Numbers, Numbers]:
    """The customers on whom tables without groups are modelled: each test is up to 40 searches."""
    return choosing.bounded(rows, weights, _CLOUD_ROWS, seed)


@dataclass(frozen=True)
class _Tests:
    """Comparisons with tables that have no groups, or no more than some, on the same customers.

    ``blocks`` as for :func:`choose`.
    """

    finder: Finder[Any]
    rows: Numbers
    weights: Numbers
    seed: int
    blocks: Sequence[int] | None

    def of(self, verdict: choosing.Verdict) -> tuple[choosing.Verdict, bool]:
        """The verdict after the segments were held against tables without groups, and whether they are groups.

        Traits that have nothing to do with each other can be cut just as reproducibly, each along its own spread: then
        there is no structure. Traits that rise and fall together can be cut along that line: then there is structure,
        but there are no groups. With one trait there is nothing to compare.
        """
        if verdict.structure == "constructive" or len(set(self._block)) < 2:
            return verdict, verdict.structure == "natural"
        known, ordered = self.finder.known(self.rows), self.finder.ordered(self.rows)
        if self._tighter(verdict.k, cloud_like(self.rows, known, self._block, ordered, self.seed)):
            return verdict, True
        shuffled = cloud_like(self.rows, known, self._block, np.zeros_like(ordered), self.seed)
        if self._tighter(verdict.k, shuffled):
            return replace(verdict, structure="reproducible", sentence=_no_groups(verdict.k)), False
        return replace(verdict, structure="constructive", sentence=_no_structure(verdict.k)), False

    def enough(self, numbers: Sequence[int]) -> int:
        """The smallest of these numbers of groups that explains the larger ones (McLachlan 1987).

        m groups explain k segments if some table of m groups and no more gives k as much tighter than m.
        """
        taken = numbers[0]
        while more := [k for k in numbers if k > taken and not self._explain(taken, k)]:
            taken = more[0]
        return taken

    def _explain(self, m: int, k: int) -> bool:
        """Whether m groups and no more explain k segments: a gain that is hardly more than theirs is no reason."""
        groups = self.finder.solve(self.rows, self.weights, m, _CLOUD_STARTS, self.seed).labels
        known = self.finder.known(self.rows)
        least = self._gain(self.rows, m, k) / _MATERIAL
        chances = (np.random.default_rng([self.seed, m, draw, 1]) for draw in range(_CLOUDS))
        return any(self._gain(groups_like(self.rows, known, self._block, groups, rng), m, k) > least for rng in chances)

    def _tighter(self, k: int, cloud: Cloud) -> bool:
        """Whether k segments are tighter than those of all tables drawn from a cloud."""
        loss = self._loss(self.rows, k)
        draws = (cloud.draw(np.random.default_rng([self.seed, k, draw])) for draw in range(_CLOUDS))
        return all(self._loss(drawn, k) > loss for drawn in draws)

    def _gain(self, rows: Numbers, m: int, k: int) -> float:
        """By how much k segments are tighter than m."""
        return self._loss(rows, m) - self._loss(rows, k)

    def _loss(self, rows: Numbers, k: int) -> float:
        return self.finder.loss(rows, self.weights, k, _CLOUD_STARTS, self.seed)

    @property
    def _block(self) -> Sequence[int]:
        return list(range(self.rows.shape[1])) if self.blocks is None else list(self.blocks)


def _less_likely(k: int, m: int) -> str:
    return f"as a model of these customers {m} segments do better than {k}, by BIC and by ICL."


def _explained(k: int, m: int) -> str:
    return (
        f"customers in {m} groups and no more, drawn like these, give {k} segments, within a tenth, as much tighter"
        f" than {m}."
    )


def _no_structure(k: int) -> str:
    return (
        "There is no structure in these traits: when each is shuffled by itself, so that none says anything of another,"
        f" segments just as tight come out. The cut into {k} is ours, along the spread of the single traits. Use it to"
        " divide the work, or choose traits that go together."
    )


def _no_groups(k: int) -> str:
    return (
        f"The {k} segments are reproducible: the same ones come back when customers are sampled anew. But they are no"
        " groups that stand apart: one cloud of customers without groups, whose traits rise and fall together as these"
        " do, gives segments just as tight. Read them as regions of that cloud; customers on either side of a border"
        " can be much alike."
    )


# Is every segment worth having? ---------------------------------------------------------------------------------------


def _judged(
    finder: Finder[Any],
    rows: Numbers,
    seen: tuple[Numbers, choosing.Option],
    learning: Learning,
    serve: Serve,
    forming: Sequence[str],
) -> _Judged:
    """Fit a number of segments on the whole sample and look at every segment."""
    part, option = seen
    weights, k = learning.row_weights, option.k
    alike = len(part) == len(rows) and option.solution.starts >= finder.starts
    solution = option.solution if alike else finder.solve(rows, weights, k, finder.starts, learning.seed)
    customers = np.bincount(solution.labels, minlength=k)
    shares = solution.sizes / solution.sizes.sum()
    counterpart, jaccard = _counterparts(option, solution.classify(part))
    traits, values = _values(learning)
    step = max(1, len(values) // _CONTRAST_ROWS)
    apart = solutions.contrasts(values[::step], solution.labels[::step], weights[::step], k)
    formed = np.array([name in forming for name in traits])
    rows_, problems = [], []
    for i in range(k):
        others = [j for j in range(k) if j != i]
        nearest = min(others, key=lambda j: float((apart[i, j] ** 2).sum()))
        at = int(apart[i, nearest].argmax()) if traits else 0
        most = float(apart[i, nearest].max(initial=0.0))
        described = float(apart[i, nearest][~formed].max(initial=0.0))
        rows_.append(
            {
                "customers": int(customers[i]),
                "share": exact(float(shares[i])),
                "jaccard": exact(float(jaccard[i])),
                "trust": trust(float(jaccard[i])),
                "nearest": nearest,
                "difference": exact(most),
                "trait": traits[at] if traits else "",
                "described": exact(described) if (~formed).any() else None,
                "doubt": _doubt(float(jaccard[i]), described if (~formed).any() else None),
            }
        )
        if shares[i] < serve.share:
            why = (
                f"one segment holds only {100 * shares[i]:.1f} % of the customers, under the {100 * serve.share:.0f} % "
                "from which a segment is served."
            )
            problems.append(_Problem((i,), why))
        elif customers[i] < serve.count:
            why = (
                f"one segment holds only {customers[i]} customers of the sample, fewer than the {serve.count} from "
                "which a segment is served."
            )
            problems.append(_Problem((i,), why))
        if most < DIFFERENT and i < nearest:
            why = (
                f"two segments are not materially different: {most:.2f} standard deviations in the trait that differs "
                f"most ({traits[at] if traits else 'none'}), {DIFFERENT} is the least."
            )
            problems.append(_Problem((i, nearest), why))
    return _Judged(solution, tuple(rows_), tuple(problems), tuple(counterpart.tolist()))


def _not_worth_having(judged: _Judged, learning: Learning) -> FitError:
    return FitError(
        f"{learning.where}: of {judged.solution.k} segments not all are worth having: {judged.problems[0].why}",
        why="serve.otherwise is refuse.",
        fix="Ask for fewer segments, lower serve.share or serve.count, or set serve.otherwise to fewer or keep.",
    )


def _refused(judged: _Judged, taken: Solution) -> dict[str, Any]:
    """A number that was refused: why, and in which segment of the ``taken`` solution most of the customers are now."""
    went: list[dict[str, Any] | None] = []
    for problem in judged.problems:
        if not problem.segments:
            went.append(None)
            continue
        members = np.isin(judged.solution.labels, problem.segments)
        into = np.bincount(taken.labels[members], minlength=taken.k)
        went.append(
            {
                "segments": list(problem.segments),
                "customers": int(members.sum()),
                "into": int(into.argmax()),
                "share": exact(float(into.max() / members.sum())),
            }
        )
    return {"k": judged.solution.k, "why": [problem.why for problem in judged.problems], "went": went}


def _moved(went: Mapping[str, Any] | None, k: int) -> str:
    return (
        ""
        if went is None
        else f" Formed anew as {k}, {100 * went['share']:.0f} % of them are in segment {went['into'] + 1}."
    )


def _counterparts(option: choosing.Option, labels: Ints) -> tuple[Ints, Numbers]:
    """(k,) which segment of the panel's solution each segment of the whole sample is, and how well it comes back.

    It comes back as its counterpart does; where the two overlap less than that, the overlap counts.
    """
    k = option.k
    table = solutions.across(labels, option.solution.labels, (k, k), np.ones(len(labels))).flows
    union = table.sum(axis=1, keepdims=True) + table.sum(axis=0) - table
    overlap = table / np.where(union > 0, union, 1.0)
    counterpart = overlap.argmax(axis=1).astype(np.int64)
    return counterpart, np.minimum(option.jaccard[counterpart], overlap.max(axis=1))


def _doubt(jaccard: float, described: float | None) -> str:
    if jaccard < DOUBTFUL:
        return f"do not trust it: in new samples it comes back as something else (Jaccard {jaccard:.2f})."
    if described is not None and described < NOTICEABLE:
        return "it differs from its closest neighbour only in the traits that formed it, so it is hard to address."
    return ""


def _values(learning: Learning) -> tuple[list[str], Numbers]:
    """Names and (n, t) values of all traits: numbers on a log scale, categories as the share of each level."""
    names: list[str] = []
    columns: list[Any] = []
    for name, spec in learning.specs.items():
        if name not in learning.sample:
            continue
        column = learning.sample[name]
        if spec.kind == "category":
            known = column.notna().to_numpy()
            for level in column.value_counts().index[:_LEVELS]:
                names.append(name)
                columns.append(np.where(known, (column == level).fillna(False).to_numpy(dtype=bool), np.nan))
        else:
            numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
            names.append(name)
            columns.append(np.sign(numbers) * np.log1p(np.abs(numbers)) if spec.kind == "number" else numbers)
    return names, np.column_stack(columns) if columns else np.empty((len(learning.sample), 0))


# The evidence as plain values -----------------------------------------------------------------------------------------


def _panel_row(option: choosing.Option, evidence: choosing.Panel) -> dict[str, Any]:
    found = option.solution
    row: dict[str, Any] = {
        "k": option.k,
        "ari": [exact(float(a)) for a in option.ari],
        "mean_ari": exact(option.mean_ari),
        "jaccard": [exact(float(j)) for j in option.jaccard],
        "min_jaccard": exact(option.min_jaccard),
        "smallest_share": exact(option.smallest_share),
        "loss": exact(found.loss),
        "starts": found.starts,
        "replications": found.replications,
        "border": exact(option.gaps.border),
        "failures": list(option.failures),
    }
    return row | _criteria(found, evidence.rows)


def _criteria(found: Solution, rows: int) -> dict[str, float]:
    """AIC, BIC and ICL (Biernacki, Celeux & Govaert 2000); none without a model."""
    if found.parameters is None or found.overlap is None:
        return {}
    bic = 2 * found.loss + found.parameters * float(np.log(rows))
    return {
        "aic": exact(2 * found.loss + 2 * found.parameters),
        "bic": exact(bic),
        "icl": exact(bic + 2 * found.overlap),
    }


def _across(evidence: choosing.Panel, weights: Numbers) -> list[dict[str, Any]]:
    """From each number of segments to the next: flows as shares of all, SLSA of the later, what comes back."""
    found = []
    for before, after in zip(evidence.options, evidence.options[1:], strict=False):
        step = solutions.across(before.solution.labels, after.solution.labels, (before.k, after.k), weights)
        found.append(
            {
                "k": before.k,
                "flows": [[exact(float(x)) for x in row] for row in step.flows / step.flows.sum()],
                "slsa": [exact(float(x)) for x in step.entropy_stability],
                "comes_back": [exact(float(x)) for x in step.comes_back],
            }
        )
    return found


def _gorge(finder: Finder[Any], rows: Numbers, weights: Numbers, option: choosing.Option) -> list[list[float]]:
    """For each segment, how the similarity of all customers to it is spread: weights in bins from 0 to 1."""
    similarity = finder.similarity(rows, option.solution)
    return [
        [exact(float(x)) for x in np.histogram(column, bins=_BINS, range=(0.0, 1.0), weights=weights)[0]]
        for column in similarity.T
    ]
