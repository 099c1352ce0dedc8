"""Lifetime value at the terminal: the models, how well they forecast, and what the customers will bring."""

from __future__ import annotations

from rich.text import Text

from segmentry.apps import lifetime_findings as findings
from segmentry.apps import terminal, words
from segmentry.overview import LifetimeReport
from segmentry.target.future_value import FutureValue
from segmentry.traits.lifetime.learned import LifetimeModels

NOTHING = (
    "There is no lifetime value: it needs orders with amounts, or contracts (`lifetime` in segmentry.yaml), "
    "and a finished `segmentry run`."
)


def show(found: LifetimeReport | None) -> None:
    """The same as the report shows, as text."""
    if found is None:
        terminal.plain(NOTHING)
        return
    if found.models is None:
        terminal.warn(f"No lifetime value: {found.refused}")
        return
    for line in findings.summary(found):
        terminal.plain(line)
    _parameters(found.models)
    _forecasts(found.models)
    _deciles(found.models)
    _retention(found.models)
    if found.future is not None:
        _future(found.future, found.currency)


def _parameters(models: LifetimeModels) -> None:
    right = ("value", "standard error", "customers")
    table = terminal.table_of("model", "customers of", "parameter", *right, title="Parameters", right=right)
    for model, name, parameter, value, error, customers in findings.parameters(models):
        table.add_row(model, Text(name), parameter, f"{value:,.4g}", f"{error:,.2g}", f"{customers:,}")
    terminal.out.print(table)


def _forecasts(models: LifetimeModels) -> None:
    rows = findings.forecasts(models)
    if not rows:
        return
    right = ("purchases", "off by", "MAE", "RMSE")
    table = terminal.table_of("forecast of the holdout", *right, title="Holdout", right=right)
    for row in rows:
        table.add_row(Text(row.name), row.total, row.off, row.mae, row.rmse)
    terminal.out.print(table)
    for candidate in models.candidates:
        if candidate.verdict:
            terminal.plain(f"{candidate.title}: {candidate.verdict}")


def _deciles(models: LifetimeModels) -> None:
    deciles = findings.deciles(models)
    if not deciles:
        return
    right = ("tenth", "customers", "expected", "actual")
    table = terminal.table_of(*right, title="Purchases per customer in the holdout, by what was expected", right=right)
    for number, customers, expected, actual in deciles:
        table.add_row(str(number), f"{customers:,.0f}", f"{expected:.3f}", f"{actual:.3f}")
    terminal.out.print(table)


def _retention(models: LifetimeModels) -> None:
    rows = findings.retention(models)
    if not rows:
        return
    right = (models.period, "due", "renewed", "expected")
    table = terminal.table_of(*right, title="Renewals; from the holdout on expected is a forecast", right=right)
    for number, due, actual, expected in rows:
        table.add_row(str(number), f"{due:,.0f}", words.tenths(actual), words.tenths(expected))
    terminal.out.print(table)


def _future(future: FutureValue, currency: str) -> None:
    right = ("customers", "future value", "at risk", "churn risk")
    table = terminal.table_of(
        "segment", *right, title=f"Future value by segment of {future.of}" if future.of else "Future value", right=right
    )
    for s in future.segments:
        money = (words.money(s.value, currency), words.money(s.at_risk, currency))
        table.add_row(Text(s.name), words.count(s.customers), *money, words.share(s.churn_risk))
    everybody = (words.money(future.value, currency), words.money(future.at_risk, currency))
    table.add_row("all customers", words.count(future.customers), *everybody, words.share(future.churn_risk))
    terminal.out.print(table)
    if future.quadrants:
        numbers = ("customers", "future value", "cost to serve so far")
        table = terminal.table_of("who", *numbers, title="Future value against cost to serve", right=numbers)
        for q in future.quadrants:
            value, cost = words.money(q.value, currency), words.money(q.cost, currency)
            table.add_row(findings.quadrant(q), words.count(q.customers), value, cost)
        terminal.out.print(table)
