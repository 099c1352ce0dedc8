"""Learn models of buying and spending from purchase histories, and choose between them by a holdout.

Of the models that can be fitted, those count whose error per customer in the holdout (RMSE) is within ``_CLOSE`` of the
least; of these the one whose total is nearest is chosen. Without a holdout the likelihood decides, and a note says so.
The models are then fitted anew on all histories, overall and, if asked for, apart for each group that is large enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from math import isnan
from typing import Any

import ibis.expr.types as ir

from segmentry.config.lifetime import Lifetime
from segmentry.errors import FitError
from segmentry.stats.lifetime import GammaGamma, Terms, correlation, lifetime_value, purchase_cells, track, validate
from segmentry.stats.lifetime.buying import BuyingModel
from segmentry.stats.lifetime.holdout import Validation
from segmentry.traits import margin
from segmentry.traits.known import Known
from segmentry.traits.lifetime import histories
from segmentry.traits.lifetime.histories import DAYS, GROUP, Counted, Histories
from segmentry.traits.lifetime.learned import BUYING, LEVEL, Candidate, Group, LifetimeModels, title_of

_CLOSE = 1.01  # times the least RMSE
_MOST_DAILY_CELLS = 200_000  # beyond, `grain: auto` counts in weeks
_MOST_CELLS = 500_000  # that a model is fitted on; beyond, on so many customers, evenly drawn
_MOST_COMPARED = 100_000  # customers whose holdout the models are compared on
_MOST_SPENDS = 50_000  # customers that the spend model is fitted on
_LEAST_CUSTOMERS, _LEAST_RETURNING = 500, 100  # of a group with models of its own
_MOST_GROUPS = 50
_DEPENDENT = 0.3  # correlation of purchases and spend from which on a note warns


def learn(known: Known, settings: Lifetime, seed: int) -> LifetimeModels:
    """The models of all who have bought until ``known.as_of``.

    Raises :class:`FitError` where no model of buying can be fitted: it says why of each.
    """
    cut_day = _cut_day(known, settings)
    made = _counted(known, settings, cut_day)
    customers = made.customers
    if not customers:
        raise FitError("Nobody has bought anything for more than came back.", fix="Check the amounts of the orders.")
    sample = histories.sampled(made.table, _MOST_COMPARED, customers, seed)
    compared = _Holdout.of(made, sample, _over(known, settings, made.days))
    order, candidates, because = _choose(settings, compared)
    everybody = histories.cells(made.table)
    buying, chosen, candidates = _first_that_fits(order, candidates, everybody)
    held = _held(compared, chosen)
    notes = _holdout_notes(held, chosen)
    base = LifetimeModels(
        model=chosen,
        as_of=known.as_of,
        period="day" if made.days == 1 else "week",
        days=made.days,
        horizons=settings.horizon,
        discount=settings.discount,
        groups=(),
        margin=_margin(known, notes),
        by=settings.by,
        candidates=tuple(candidates),
        because=because,
        validation=None if held is None else {**asdict(held), "better_than_naive": held.better_than_naive},
        tracking=_tracking(made, sample, compared, chosen),
    )
    paid = known.counts["paid_sales"] > 0
    if not paid:
        notes.append("No values: no order has an amount above 0, so there are only orders to come.")
    groups = _Fitting(base, made, seed, notes, paid).groups(buying, everybody)
    return replace(base, groups=tuple(groups), notes=tuple(notes))


def _cut_day(known: Known, settings: Lifetime) -> date:
    """The last day of the calibration: as set, or where the last third of the history begins."""
    if settings.calibration_until is not None:
        return min(settings.calibration_until, known.as_of)
    assert known.sales is not None
    first = known.sales["day"].min().to_pyarrow().as_py()
    return known.as_of - timedelta(days=(known.as_of - first).days // 3)


def _over(known: Known, settings: Lifetime, days: int) -> int:
    """How many periods lie between the end of the holdout and the as-of date."""
    until = settings.holdout_until
    return 0 if until is None or until >= known.as_of else (known.as_of - until).days // days


def _counted(known: Known, settings: Lifetime, cut_day: date) -> Histories:
    grain = "day" if settings.grain == "auto" else settings.grain
    after = settings.holdout_until
    made = histories.histories(known, DAYS[grain], cut_day=cut_day, over_day=after, by=settings.by)
    if settings.grain == "auto" and histories.distinct_cells(made.table) > _MOST_DAILY_CELLS:
        return histories.histories(known, DAYS["week"], cut_day=cut_day, over_day=after, by=settings.by)
    return made


def _margin(known: Known, notes: list[str]) -> float | None:
    """The share of the spend that is profit; raises :class:`FitError` where the goods cost more than they bring."""
    share = margin.rate(known)
    if share is None:
        notes.append("Costs of the goods are not known: values are revenue, not margin.")
    elif share <= 0:
        raise FitError(
            f"The goods cost more than they bring: the margin of all orders is {100 * share:.1f} % of what was paid.",
            why="A customer who buys more would be worth less.",
            fix="Check the costs of the goods, or leave them out of the sources to have values in revenue.",
        )
    return None if share is None else min(share, 1.0)


# The choice -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Holdout:
    """Customers of the calibration with what they bought after it, ``time`` periods long; ``over`` periods follow."""

    columns: tuple[Any, ...]
    time: int
    over: int
    fitted: dict[str, BuyingModel] = field(default_factory=dict)  # on the calibration

    @classmethod
    def of(cls, made: Histories, sample: ir.Table, over: int) -> _Holdout | None:
        """None where there is no holdout: it would be empty, or nobody bought before it."""
        time = made.cut - over
        columns = histories.before(sample) if time > 0 else ()
        return cls(columns, time, over) if time > 0 and len(columns[0]) else None

    def hold(self, name: str) -> Validation:
        """Fit a model on the calibration and hold it against what came after."""
        x, t_x, age, bought, n = self.columns
        self.fitted[name] = BUYING[name].fit_cells(purchase_cells(x, t_x, age, n).thinned(_MOST_CELLS))
        return validate(self.fitted[name], x, t_x, age, bought, self.time, n)


def _choose(settings: Lifetime, holdout: _Holdout | None) -> tuple[list[str], list[Candidate], str]:
    """The models in the order in which to try them, what was found of each, and why the first is the first."""
    names: list[str] = list(BUYING) if settings.model == "auto" else [settings.model]
    if holdout is None:
        why = "there is no holdout to choose by" if len(names) > 1 else "segmentry.yaml says so"
        return names, [Candidate(name) for name in names], why
    found = []
    for name in names:
        try:
            found.append(Candidate(name, asdict(holdout.hold(name).model)))
        except FitError as error:
            found.append(Candidate(name, None, str(error)))
    told: dict[str, Mapping[str, float]] = {c.model: c.forecast for c in found if c.forecast}
    if len(names) == 1:
        return names, found, "segmentry.yaml says so"
    if not told:
        return names, found, "no model could be fitted on the calibration alone"
    least = min(f["rmse"] for f in told.values())

    def place(name: str) -> tuple[bool, float, float]:
        off = told[name]["total_error"]
        return told[name]["rmse"] > _CLOSE * least, 0.0 if isnan(off) else abs(off), told[name]["rmse"]

    order = sorted(told, key=place)
    close = sum(not place(name)[0] for name in told)
    why = f"its error per customer in the holdout is the least (RMSE {told[order[0]]['rmse']:.3f})"
    if close > 1:
        why = (
            f"of {close} models whose error per customer is within {100 * (_CLOSE - 1):.0f} % of the least, its total "
            f"of the holdout is nearest ({100 * told[order[0]]['total_error']:+.1f} %)"
        )
    return [*order, *(n for n in names if n not in told)], found, why


def _first_that_fits(
    order: list[str], candidates: list[Candidate], cells: Counted
) -> tuple[BuyingModel, str, list[Candidate]]:
    """Fit on everybody; without a holdout, all are fitted and the least AIC wins (Akaike 1974)."""
    by_likelihood = len(order) > 1 and not any(c.forecast or c.verdict for c in candidates)
    fitted: dict[str, BuyingModel] = {}
    verdicts: dict[str, str] = {}
    for name in order:
        try:
            fitted[name] = _fit(BUYING[name], cells)
        except FitError as error:
            verdicts[name] = str(error)
            continue
        if not by_likelihood:
            break
    told = [replace(c, verdict=verdicts.get(c.model, c.verdict)) for c in candidates]
    if not fitted:
        raise FitError("\n".join(dict.fromkeys(verdicts[name] for name in order)))
    best = min(fitted, key=lambda name: 2 * (len(fitted[name].parameters) - fitted[name].fitted.log_likelihood))
    return fitted[best], best, told


def _fit(kind: type[BuyingModel], cells: Counted) -> BuyingModel:
    return kind.fit_cells(purchase_cells(cells.x, cells.t_x, cells.age, cells.customers).thinned(_MOST_CELLS))


def _held(holdout: _Holdout | None, chosen: str) -> Validation | None:
    return holdout.hold(chosen) if holdout is not None and chosen in holdout.fitted else None


def _holdout_notes(held: Validation | None, chosen: str) -> list[str]:
    if held is None:
        return ["No holdout: there is no telling how well this forecasts. A longer history would have one."]
    if not held.better_than_naive:
        return [
            f"In the holdout {title_of(chosen)} was not better in every respect than both naive forecasts (everyone "
            "goes on at the same rate; nobody buys again): trust the order of the customers more than the sums."
        ]
    return []


def _tracking(made: Histories, sample: ir.Table, holdout: _Holdout | None, chosen: str) -> dict[str, Any] | None:
    if holdout is None or chosen not in holdout.fitted:
        return None
    counts = histories.repeats(made, sample)
    counts = counts[: len(counts) - holdout.over]
    _, _, age, _, n = holdout.columns
    found = track(holdout.fitted[chosen], age, counts, n)
    weekly = 7 // made.days
    # whole weeks that end with the holdout, so that the days of the week do not draw a saw
    first = len(counts) % weekly
    expected, actual = (c[first:].reshape(-1, weekly).sum(axis=1) for c in (found.expected, found.actual))
    return {
        "expected": [float(v) for v in expected],
        "actual": [float(v) for v in actual],
        "holdout": round(holdout.time / weekly),
    }


# The models -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Fitting:
    """What the models of all groups share."""

    base: LifetimeModels
    made: Histories
    seed: int
    notes: list[str]
    paid: bool

    def groups(self, buying: BuyingModel, everybody: Counted) -> list[Group]:
        """The models of everybody first, for those who are in no group of their own; then those of the groups."""
        overall = self._group(None, buying, everybody)
        if self.base.by is None:
            return [self._valued(overall, everybody)]
        table = self.made.table
        sizes = table.group_by(GROUP).agg(
            n=table.count(), again=table.count(where=table["x"] > 0)
        ).to_pyarrow().to_pylist()  # fmt: skip
        large = [s for s in sizes if s[GROUP] is not None and s["n"] >= _LEAST_CUSTOMERS]
        large = sorted((s for s in large if s["again"] >= _LEAST_RETURNING), key=lambda s: (-s["n"], s[GROUP]))
        found = []
        for size in large[:_MOST_GROUPS]:
            cells = histories.cells(table, size[GROUP])
            try:
                made = self._group(size[GROUP], _fit(type(buying), cells), cells)
                made = replace(made, spending=made.spending or overall.spending)
            except FitError as error:
                self.notes.append(f"{self.base.by} {size[GROUP]} has no models of its own: {error}")
                continue
            found.append(self._valued(made, cells))
        own = [g.name for g in found]
        rest = table.filter(table[GROUP].isnull() | table[GROUP].notin(own)) if own else table
        left = sum(s["n"] for s in sizes if s[GROUP] not in own)
        if left:
            self.notes.append(
                f"{left:,} customers are in no {self.base.by} with {_LEAST_CUSTOMERS} customers of whom "
                f"{_LEAST_RETURNING} bought again: the models of all customers are used for them."
            )
        others = self._valued(overall, histories.cells(rest)) if left else replace(overall, members=0)
        return [others, *found]

    def _group(self, name: str | None, buying: BuyingModel, cells: Counted) -> Group:
        spending, related = self._spending(name) if self.paid else (None, None)
        customers, again = cells.customers.sum(), cells.customers[cells.x > 0].sum()
        return Group(name, int(customers), int(again), 0, buying, spending, related)

    def _spending(self, name: str | None) -> tuple[GammaGamma | None, float | None]:
        """The spend model and the correlation that it takes for 0; no model where the data do not determine one."""
        table = self.made.table if name is None else self.made.table.filter(self.made.table[GROUP] == name)
        count = int(table.count().to_pyarrow().as_py())
        purchases, spend = histories.spends(histories.sampled(table, _MOST_SPENDS, count, self.seed))
        of = "" if name is None else f" of {self.base.by} {name}"
        again = purchases > 1
        if not len(purchases):
            self.notes.append(f"No values{of}: everything that was bought came back.")
            return None, None
        related = correlation(purchases[again], spend[again]) if again.any() else float("nan")
        if abs(related) >= _DEPENDENT:
            self.notes.append(
                f"Those{of} who buy more often spend {'more' if related > 0 else 'less'} on each purchase (correlation "
                f"{related:+.2f}); the spend model takes the two for independent, so values of frequent buyers are "
                f"too {'low' if related > 0 else 'high'}."
            )
        try:
            spending = GammaGamma.fit(purchases, spend)
            if spending.p + spending.q <= 1:
                spending.expected_spend([1], [spend.mean()])  # says what is wrong
        except FitError as error:
            self.notes.append(f"No values{of}: {error}")
            return None, None if isnan(related) else related
        return spending, None if isnan(related) else related

    def _valued(self, group: Group, cells: Counted) -> Group:
        """The group with what its members will bring within the first horizon."""
        group = replace(group, members=int(cells.customers.sum()))
        if group.spending is None:
            return group
        terms = Terms(self.base.horizons[0] / self.base.days, self.base.per_period, self.base.margin or 1.0, LEVEL)
        found = lifetime_value(
            _buying(group), _AllPurchases.of(group.spending), cells.x, cells.t_x, cells.age, cells.mean_spend, terms,
            cells.customers,
        )  # fmt: skip
        low, high = found.total_interval or (found.total, found.total)
        return replace(group, value=found.total, low=low, high=high)


def _buying(group: Group) -> BuyingModel:
    assert isinstance(group.buying, BuyingModel)
    return group.buying


class _AllPurchases(GammaGamma):
    """The spend model with the mean of all x + 1 purchases, the first included, as this package has it."""

    @classmethod
    def of(cls, model: GammaGamma) -> _AllPurchases:
        return cls(model.p, model.q, model.v, estimate=model.estimate)

    def expected_spend(self, frequency: Any, monetary: Any) -> Any:
        return self.p * (self.v + (frequency + 1) * monetary) / (self.p * (frequency + 1) + self.q - 1)
