"""What the figures of lifetime value say, in sentences and rows: for the report and the terminal alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from segmentry.apps import words
from segmentry.config.lifetime import CONTRACTS
from segmentry.overview import LifetimeReport
from segmentry.target.future_value import Quadrant
from segmentry.traits.lifetime.learned import LifetimeModels


@dataclass(frozen=True)
class Row:
    """One forecast of the holdout, ready to read."""

    name: str
    total: str
    off: str
    mae: str
    rmse: str
    chosen: bool = False


def summary(found: LifetimeReport) -> list[str]:
    """The model and why, what it is the value of, how well it forecast, and what a reader should know."""
    models = found.models
    assert models is not None
    lines = [f"{models.title}, learned as of {words.when(models.as_of)} in {models.period}s: {models.because}."]
    lines += _worth(found, models)
    held = models.validation
    if held is not None and "model" in held:
        lines.append(
            f"In the holdout of {held['time']:g} {models.period}s, {held['customers']:,.0f} customers were expected to "
            f"buy {held['model']['total']:,.0f} times and did {held['actual']:,.0f} times"
            f"{_off(held['model']['total_error'])}."
        )
    elif held is not None:
        lines.append(
            f"Fitted on the first {held['calibration']} {models.period}s, it expected {held['expected']:,.0f} "
            f"customers to leave later; {held['left']:,.0f} did (a constant rate of leaving: {held['naive']:,.0f})."
        )
    related = [g for g in models.groups if g.correlation is not None]
    if related:
        told = ", ".join(f"{g.correlation:+.2f}" + (f" ({g.name})" if g.name else "") for g in related)
        lines.append(f"Purchases and spend are taken for independent; their correlation is {told}.")
    return [*lines, *models.notes]


def _worth(found: LifetimeReport, models: LifetimeModels) -> list[str]:
    future = found.future
    if future is None:
        return []
    of = "payments" if models.model == CONTRACTS else "revenue"
    if models.margin is not None:
        of = f"margin ({words.tenths(models.margin)} of the spend)"
    value = words.money(future.value, found.currency)
    line = (
        f"{words.counted(future.customers, 'customers')} will bring {value} of {of} in the next "
        f"{models.horizons[0]} days, at {words.share(models.discount)} interest a year; "
        f"{words.money(future.at_risk, found.currency)} of it is at risk."
    )
    known = [g for g in models.groups if g.value is not None and g.members]
    if models.as_of == found.as_of and len(known) == 1:
        low, high = (_bound(bound, known[0].value) for bound in (known[0].low, known[0].high))
        line += f" The models know the sum to within {low} and {high} (95 %), if they hold."
    return [line]


def _bound(bound: float | None, value: float | None) -> str:
    return words.UNKNOWN if not value or bound is None else f"{100 * (bound / value - 1):+.1f} %"


def _off(error: float | None) -> str:
    return "" if error is None else f" ({words.tenths(abs(error))} too {'many' if error > 0 else 'few'})"


def parameters(models: LifetimeModels) -> list[tuple[str, str, str, float, float, int]]:
    """Model, whose, parameter, value, standard error, customers fitted on."""
    rows = []
    for group in models.groups:
        for model in (group.buying, group.spending):
            if model is not None:
                n, errors = int(model.fitted.customers), model.standard_errors
                whose = group.name or "all customers"
                rows += [(model.kind, whose, name, v, errors[name], n) for name, v in model.parameters.items()]
    return rows


def forecasts(models: LifetimeModels) -> list[Row]:
    """The candidates and the two naive forecasts, and what really happened."""
    held = models.validation
    if held is None or "model" not in held:
        return []
    rows = [
        _row(c.title, c.forecast, chosen=c.model == models.model) for c in models.candidates if c.forecast is not None
    ]
    rows.append(_row("everyone goes on at the same rate", held["rate"]))
    rows.append(_row("nobody buys again", held["nobody"]))
    return [*rows, Row("what happened", f"{held['actual']:,.0f}", "", "", "")]


def _row(name: str, forecast: Any, *, chosen: bool = False) -> Row:
    off = forecast["total_error"]
    return Row(
        name + (" (chosen)" if chosen else ""),
        f"{forecast['total']:,.0f}",
        words.UNKNOWN if off is None else f"{100 * off:+.1f} %",
        f"{forecast['mae']:.3f}",
        f"{forecast['rmse']:.3f}",
        chosen,
    )


def deciles(models: LifetimeModels) -> list[tuple[int, float, float, float]]:
    """Tenths of the customers, most expected first: number, customers, purchases each, expected and actual."""
    held = models.validation or {}
    rows = held.get("deciles", ())
    return [(i, d["customers"], d["expected"], d["actual"]) for i, d in enumerate(rows, start=1)]


def retention(models: LifetimeModels) -> list[tuple[int, float, float, float]]:
    """Periods of contracts: number, customers due, share that renewed, share expected to."""
    held = models.validation or {}
    return [(int(k), n, actual, expected) for k, n, actual, expected in held.get("retention", ())]


def quadrant(q: Quadrant) -> str:
    """Who is in a quadrant, in words."""
    worth = "worth more" if q.valuable else "worth less"
    return f"{worth}, {'cost more' if q.costly else 'cost less'}"


ADVICE = {
    (True, False): "Protect: they pay for themselves many times over.",
    (True, True): "Keep, and make serving them cheaper.",
    (False, False): "Serve by self-service; raise those with potential.",
    (False, True): "Charge for service, or lower its level.",
}
