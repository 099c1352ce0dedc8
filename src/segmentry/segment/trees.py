"""Trees: segments that differ in an objective, or in a trait, as much as readable conditions can make them.

The tree is grown and pruned by :mod:`segmentry.stats.trees`. Its leaves become the conditions of a cascade, of which
exactly one holds for everybody, nulls and unseen categories included. Traits that would give the target away form none
(:mod:`segmentry.segment.leakage`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from segmentry import expressions
from segmentry.catalogue import Trait
from segmentry.config import FILE_NAME, Objective, Trees
from segmentry.errors import FitError
from segmentry.placement import NO_GOOD_FIT, Cascade, exact, figure, words
from segmentry.segment import leakage, variables
from segmentry.segment.fitting import Fitted, Learning, Numbers, holds
from segmentry.segmentation import Segment
from segmentry.stats import trees
from segmentry.wording import agree

_BINS = 32  # of a number with more different values than that
MOST_LEVELS = 20  # of a category; the others are one
_LEAST_KNOWN = 0.02  # share of the customers of whom a trait must be known
_LONGEST_NAME = 60
_LITTLE = 0.02  # Cohen 1988: a share of the variance below that is less than a small effect
_TWICE = 2.0  # of what is rare nobody can explain much of the variance: it is told where some show it twice as often
_NAMED = 5  # traits that were left out


@dataclass(frozen=True)
class Variable:
    """A trait as a tree sees it: what its codes mean. ``cuts`` of a number, ``levels`` of a category."""

    trait: Trait
    feature: trees.Feature
    cuts: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()

    @property
    def has_missing(self) -> bool:
        return bool((self.feature.codes == self.feature.levels).any())


@dataclass(frozen=True, eq=False)
class _Target:
    """What a tree tells apart.

    ``learning`` has the rows with a say; ``columns`` (n, c) are the target of each, one column for a number or a share,
    one per category. ``levels`` name the columns, ``told`` says in words what is told, ``read`` are the traits that it
    is read from.
    """

    learning: Learning
    columns: Numbers
    levels: tuple[str, ...]
    told: str
    read: tuple[str, ...]
    warnings: Sequence[str] = ()


@dataclass(frozen=True)
class _Piece:
    """What a leaf asks of one trait: as a condition, and in words."""

    condition: str
    label: str


def fit(settings: Trees, learning: Learning) -> Fitted:
    """Grow and prune the tree on the sample; the leaf with the highest target is the first segment.

    Of an objective the population alone has a say, and what it excepts forms no condition; everybody is placed. With a
    horizon, traits of so many days before tell the behaviour of today, and place everybody by those of today.
    Raises :class:`FitError` when nothing tells the target apart, or it is the same for everybody.
    """
    target = _target(settings, learning)
    everybody, learning, told, names = learning, target.learning, target.told, target.levels
    chosen, left_out = _candidates(settings, everybody, target)
    found = [v for trait in chosen if (v := variable(trait, learning)) is not None]
    limits = trees.Limits(settings.least, settings.most, settings.depth)
    features = [v.feature for v in found]
    if not found:
        raise FitError(
            f"{learning.where}: no trait is left to tell {told}.",
            why=_named([leak for leak in left_out if leak.trait not in target.read])
            or "Those that were offered are the same for everybody, or hardly known.",
            fix="Offer others with `traits:`; `segmentry show traits` lists them.",
        )
    root, explained = trees.grow(features, target.columns, learning.row_weights, limits, learning.seed)
    if root.left is None:
        raise FitError(
            f"{learning.where}: nothing tells {told}.",
            why=agree(len(found), "No condition on {n} [trait|traits] showed")
            + " both in a corrected test and on customers held out.",
            fix="Offer other traits, or a larger sample; segments made anyway would be noise.",
        )
    order = sorted(enumerate(trees.leaves(root)), key=lambda leaf: (*(-m for m in leaf[1][0].mean[:1]), leaf[0]))
    pieces = [_pieces(path, found) for _, (_, path) in order]
    labels = _labels(pieces)
    conditions = [" AND ".join(p.condition for p in leaf) for leaf in pieces]
    parsed = [expressions.parse(text, where=learning.where) for text in conditions]
    segments = tuple(
        Segment(
            name=label,
            meaning=_meaning(leaf.mean, root.mean, names, told),
            criteria=expressions.reads_as(condition, words),
        )
        for label, condition, (_, (leaf, _)) in zip(labels, parsed, order, strict=True)
    )
    used = {name: learning.specs[name].kind for condition in parsed for name in condition.columns}
    placed = [holds(condition.sql(), everybody.sample, where=learning.where) for condition in parsed]
    rule = Cascade(tuple(c.sql() for c in parsed), NO_GOOD_FIT, tuple(used.items()))
    lift = order[0][1][0].mean[0] / root.mean[0] if _is_yes_no(target.columns) else 1.0
    report = {
        "k": len(segments),
        "verdict": "constructive",
        "because": f"The conditions were chosen because they tell {told}; on customers held out they explain "
        f"{100 * max(0.0, explained):.0f} % of how customers differ in that (100 %: within a segment all are alike)."
        + (f" In the first segment it is {lift:.1f} times as frequent as among all." if lift > 1 else ""),
        "sizes": [round(everybody.row_weights[inside].sum()) for inside in placed],
        "traits": list(used),
        "target": told,
        "levels": list(names),
        "means": [list(leaf.mean) for _, (leaf, _) in order],
        "overall": list(root.mean),
        "held_out_explained": exact(explained),  # share of the variance
        "left_out": {leak.trait: leak.why for leak in left_out},
        "warnings": [*target.warnings, *_doubts(target, explained, lift, left_out)],
    }
    return Fitted(rule, segments, report)


def _target(settings: Trees, learning: Learning) -> _Target:
    if settings.objective is None:
        return _of_trait(str(settings.target), learning)
    return _of_objective(settings.objective, learning)


def _of_objective(name: str, learning: Learning) -> _Target:
    """Who behaves so; with a horizon, told by how they were so many days before."""
    objective: Objective = learning.objectives[name]
    where = f"{FILE_NAME} objectives.{name}"
    rule = expressions.parse(objective.behaviour, where=f"{where}.behaviour")
    rule = rule.resolve(learning.specs, listed="`segmentry show traits` lists them.")
    told, warnings = f"who meets {words(name)}", list[str]()
    if objective.horizon is None:
        learning, warnings = _of_population(name, objective, learning)
        met = holds(rule.sql(), learning.sample, where=learning.where)
    elif learning.before is None:
        raise FitError(
            f"{learning.where}: the objective {name} has a horizon, and a sample does not tell how customers were"
            f" {objective.horizon} days before.",
            fix="Fit it where the customers are, or take the horizon out of the objective.",
        )
    else:
        before, told = learning.before, f"{told} {objective.horizon} days later"
        specs = {n: s for n, s in learning.specs.items() if n in before.sample.columns}
        learning, met = replace(learning, sample=before.sample, weights=before.weights, specs=specs), before.met
    if met.all() or not met.any():
        who = "nobody meets" if not met.any() else "everybody meets"
        raise FitError(f"{learning.where}: {who} the objective {name}.", fix="Change its behaviour.")
    return _Target(learning, met[:, None].astype(np.float64), ("",), told, rule.columns, warnings)


def _of_population(name: str, objective: Objective, learning: Learning) -> tuple[Learning, list[str]]:
    """Those of the sample whom an objective is about, and what to say of the others, who are placed all the same."""
    if not objective.population:
        return learning, []
    where = f"{FILE_NAME} objectives.{name}.population"
    rule = expressions.parse(objective.population, where=where)
    rule = rule.resolve(list(learning.sample.columns), listed="`segmentry show traits` lists them.")
    inside = holds(rule.sql(), learning.sample, where=where)
    if inside.all():
        return learning, []
    if not inside.any():
        raise FitError(
            f"{learning.where}: nobody is in the population of the objective {name}.",
            why=f"It is: {objective.population}.",
            fix="Change its population, or that of the segmentation.",
        )
    others = learning.row_weights[~inside].sum() / learning.row_weights.sum()
    told = f"{others:.0%} of those placed are not in the population of the objective {name}"
    return learning.only(inside), [f"{told} ({rule.sql()}): they had no say."]


def _of_trait(name: str, learning: Learning) -> _Target:
    """The values of a trait, or which of its categories each has."""
    if name in learning.specs and learning.specs[name].kind == "category":
        values = learning.sample[name]
        levels = tuple(str(level) for level in values.value_counts().index[:MOST_LEVELS])
        if len(levels) < 2:
            raise _nothing_to_tell(name, learning)
        columns = np.column_stack([(values == level).to_numpy(dtype=np.float64) for level in levels])
        return _Target(learning, columns, levels, f"{words(name)} apart", (name,))
    learning.numbers(name)  # refuses what is no number, or known for nobody
    numbers = learning.sample[name].to_numpy(dtype=np.float64, na_value=np.nan)
    known = np.isfinite(numbers)
    # Whose target is not known counts as average: they are placed, and have no say.
    if numbers[known].min() == numbers[known].max():
        raise _nothing_to_tell(name, learning)
    filled = np.where(known, numbers, numbers[known].mean())
    if learning.specs[name].kind == "number":
        low, high = np.quantile(filled, [0.005, 0.995])  # one giant must not make a segment
        filled = np.clip(filled, low, high) if low < high else filled
    yes = learning.specs[name].kind == "boolean"
    told = f"whose {words(name)} is yes" if yes else f"{words(name)} apart"
    return _Target(learning, filled[:, None], ("",), told, (name,))


def _nothing_to_tell(name: str, learning: Learning) -> FitError:
    return FitError(
        f"{learning.where}: {name} is the same for everybody.",
        why="So nothing can tell it apart.",
        fix="Choose a target that differs between customers; `segmentry show traits` lists them.",
    )


def _candidates(settings: Trees, everybody: Learning, target: _Target) -> tuple[list[Trait], tuple[leakage.Leak, ...]]:
    """The traits that may form conditions, and those that would give the target away."""
    learning, every = target.learning, tuple(target.learning.specs)
    chosen = variables.variables(settings.traits if settings.traits != ("auto",) else every, every, learning)
    read = [everybody.specs[name] for name in target.read]
    asked = set(settings.traits) - set(target.read)  # named one by one: whoever does that knows what they are made of
    if settings.objective is None:
        return leakage.parted(chosen, read, learning.specs, (), trusted=asked)
    objective = learning.objectives[settings.objective]
    of = replace(learning, where=f"{FILE_NAME} objectives.{settings.objective}")
    excepted = variables.excepted(objective.except_traits, of)
    windows = learning.before.windows if learning.before else None
    return leakage.parted(
        chosen, read, learning.specs, excepted, trusted=asked, horizon=objective.horizon, windows=windows
    )


def variable(trait: Trait, learning: Learning) -> Variable | None:
    """A trait as codes; None where it is the same for everybody, or hardly known."""
    values = learning.sample[trait.name]
    missing = values.isna().to_numpy()
    if (~missing).mean() < _LEAST_KNOWN:
        return None
    if trait.kind == "category":
        texts = values.astype("object").where(~values.isna(), None)
        counts = texts.value_counts()
        levels = tuple(sorted(str(level) for level in counts.index[:MOST_LEVELS]))
        places = {level: i for i, level in enumerate(levels)}
        # the last code is every other category, those that appear only live included
        codes = np.array([len(levels) + 1 if t is None else places.get(str(t), len(levels)) for t in texts])
        if len(levels) < 2 and not missing.any():
            return None
        return Variable(trait, trees.Feature(codes, len(levels) + 1, ordered=False), levels=levels)
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    if trait.kind == "boolean":
        cuts: tuple[float, ...] = (1.0,)
    else:
        cuts = _cuts(numbers[~missing])
    if not cuts and not missing.any():
        return None
    codes = np.where(missing, len(cuts) + 1, np.searchsorted(np.array(cuts), np.nan_to_num(numbers, nan=0.0), "right"))
    return Variable(trait, trees.Feature(codes.astype(np.int64), len(cuts) + 1, ordered=True), cuts=cuts)


def telling(
    variable: Variable, met: npt.NDArray[np.bool_], weights: Numbers, used: npt.NDArray[np.bool_]
) -> tuple[str, str, npt.NDArray[np.bool_]] | None:
    """The condition on one trait that tells best who behaves in some way, chosen on the rows used: the side with the
    higher share, as a condition and in words, and the rows that meet it; None where there is none."""
    # weights of their own say who is used: the codes stay whole
    found = trees.stump(variable.feature, met[:, None].astype(np.float64), np.where(used, weights, 0.0), _LEAST_KNOWN)
    if found is None:
        return None
    piece = _piece(variable, found)
    return piece.condition, piece.label, np.isin(variable.feature.codes, list(found))


def _cuts(known: Any) -> tuple[float, ...]:
    """Where a number may be cut: between all its values where they are few, else at quantiles, rounded for people."""
    distinct = np.unique(known[np.isfinite(known)])
    if len(distinct) < 2:
        return ()
    if len(distinct) <= _BINS:
        return tuple(exact(float(value)) for value in distinct[1:])
    quantiles = np.quantile(known[np.isfinite(known)], np.arange(1, _BINS) / _BINS, method="higher")
    rounded = {float(f"{q:.3g}") for q in quantiles}
    return tuple(sorted(cut for cut in rounded if distinct[0] < cut <= distinct[-1]))


def _pieces(path: Iterable[tuple[trees.Node, bool]], found: Sequence[Variable]) -> list[_Piece]:
    """What a leaf asks, one piece per trait, in the order in which the tree asks first."""
    allowed: dict[int, frozenset[int]] = {}
    for node, left in path:
        every = frozenset(range(found[node.feature].feature.levels + 1))
        side = node.left_codes if left else every - node.left_codes
        allowed[node.feature] = allowed.get(node.feature, every) & side
    return [_piece(found[number], codes) for number, codes in allowed.items()]


def _piece(variable: Variable, codes: frozenset[int]) -> _Piece:
    name, title = variable.trait.name, words(variable.trait.name)
    missing = variable.feature.levels
    known = sorted(codes - {missing})
    unknown = missing in codes
    if not known:
        return _Piece(f"{name} IS NULL", f"{title} not known")
    if len(known) == missing:
        return _Piece(f"{name} IS NOT NULL", f"{title} known")
    if variable.trait.kind == "category":
        condition, label = _of_categories(variable, known)
    elif variable.trait.kind == "boolean":
        condition, label = (name, title) if known == [1] else (f"NOT {name}", f"not {title}")
    else:
        condition, label = _of_range(variable, known)
    if unknown:
        said = f"{label} or not known" if variable.has_missing else label
        return _Piece(f"(({condition}) OR {name} IS NULL)", said)
    return _Piece(f"({condition})", label)


def _of_categories(variable: Variable, known: Sequence[int]) -> tuple[str, str]:
    name, title, other = variable.trait.name, words(variable.trait.name), len(variable.levels)
    inside = [variable.levels[code] for code in known if code < other]
    if other not in known:
        return f"{name} IN ({_listed(inside)})", f"{title} {' or '.join(inside)}"
    outside = [level for code, level in enumerate(variable.levels) if code not in known]
    if not outside:
        return f"{name} IS NOT NULL", f"{title} known"
    return f"{name} NOT IN ({_listed(outside)})", f"{title} other than {' or '.join(outside)}"


def _of_range(variable: Variable, known: Sequence[int]) -> tuple[str, str]:
    name, title, cuts = variable.trait.name, words(variable.trait.name), variable.cuts
    low = cuts[known[0] - 1] if known[0] > 0 else None
    high = cuts[known[-1]] if known[-1] < len(cuts) else None
    if low is not None and high is not None:
        return f"{name} >= {low!r} AND {name} < {high!r}", f"{title} {figure(low)} to below {figure(high)}"
    if low is not None:
        return f"{name} >= {low!r}", f"{title} {figure(low)} or more"
    return f"{name} < {high!r}", f"{title} below {figure(high or 0.0)}"


def _listed(texts: Sequence[str]) -> str:
    return ", ".join("'" + text.replace("'", "''") + "'" for text in texts)


def _labels(leaves: Sequence[Sequence[_Piece]]) -> list[str]:
    """A short name for each leaf: all that it asks where that is short, else what was asked last; each once."""
    found: list[str] = []
    for number, leaf in enumerate(leaves):
        texts = [piece.label for piece in leaf]
        while len(texts) > 1 and len(", ".join(texts)) > _LONGEST_NAME:
            texts = texts[1:]
        label = ", ".join(texts)
        label = label if len(label) <= _LONGEST_NAME else f"{label[: _LONGEST_NAME - 4]} ..."
        label = label[0].upper() + label[1:]
        found.append(label if label not in found else f"{label[: _LONGEST_NAME - 4]} ({number + 1})")
    return found


def _meaning(mean: Sequence[float], overall: Sequence[float], levels: Sequence[str], told: str) -> str:
    if len(levels) > 1:
        best = int(np.argmax(mean))
        return f"{mean[best]:.0%} of them are {levels[best]} (everybody: {overall[best]:.0%})."
    if told.startswith("who meets"):
        return f"{mean[0]:.0%} of them meet{told.removeprefix('who meets')} (everybody: {overall[0]:.0%})."
    if told.startswith("whose "):
        return f"{told.removeprefix('whose ').capitalize()} for {mean[0]:.0%} of them (everybody: {overall[0]:.0%})."
    return (
        f"{told.removesuffix(' apart').capitalize()}: {figure(mean[0])} on average (everybody: {figure(overall[0])})."
    )


def _is_yes_no(columns: Numbers) -> bool:
    return columns.shape[1] == 1 and bool(np.isin(columns, (0.0, 1.0)).all())


def _doubts(target: _Target, explained: float, lift: float, left_out: Sequence[leakage.Leak]) -> list[str]:
    """What to know before these segments are used."""
    found = []
    if explained < _LITTLE and lift < _TWICE:
        found.append(
            f"The segments hardly tell {target.told}: within them customers differ nearly as much as in all. Other "
            "traits, or a larger sample, may tell more."
        )
    leaks = [leak.trait for leak in left_out if leak.why != leakage.EXCEPTED and leak.trait not in target.read]
    if leaks:
        names = ", ".join(leaks[:_NAMED])
        more = agree(len(leaks) - _NAMED, " and {n} [other|others]") if len(leaks) > _NAMED else ""
        found.append(f"Left out, because they would give it away: {names}{more}.")
    return found


def _named(left_out: Sequence[leakage.Leak]) -> str:
    return "; ".join(f"{leak.trait}: {leak.why}" for leak in left_out[:_NAMED])
