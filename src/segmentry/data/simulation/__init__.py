"""A simulated company: what its systems export, with the usual mess, and apart from it the truth that was planted.

:func:`simulate` writes what shop, CRM, newsletter tool, web analytics, survey tools, help desk and finance of an
electronics and office retailer would export, and under ``truth/`` who everybody really is, so that a segmentation can
be held against what is there. Assumptions are data in the ``plan*.py`` files; chance and the calendar are in
``chance.py``; every other file is one system, each of its tables a named SQL step that DuckDB runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import resources
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from segmentry.data.simulation import (
    activity,
    books,
    campaign,
    crm,
    newsletter,
    people,
    recommendation,
    shop,
    support,
    surveys,
    technologies,
    truth,
    value,
)
from segmentry.data.simulation.chance import Company, clean, months_later, vocabulary
from segmentry.data.simulation.plan import PLAN
from segmentry.errors import UsageError

if TYPE_CHECKING:
    import duckdb

Progress = Callable[[int, int], None]  # customers' worth of work done, customers in all

CUSTOMERS_MOST = 50_000_000
SEED_MOST = 2**32 - 1
FOLDERS = (
    "shop", "crm", "newsletter", "web", "surveys", "support", "finance", "consents", "market", "truth",
)  # fmt: skip


@dataclass(frozen=True)
class Simulation:
    """The files of a simulated company.

    ``files`` gives their paths by name, the name being the path within ``folder`` (``shop/orders.csv``). ``counts`` has
    the rows of every file by the same name, and of parts of shop/orders.csv: ``orders`` (numbers without returns),
    ``return_lines``, ``fee_lines``, ``guest_lines``. What lies under ``truth/`` is never an input.
    """

    folder: Path
    files: Mapping[str, Path]
    counts: Mapping[str, int]


def simulate(
    folder: Path,
    *,
    customers: int = 20_000,
    seed: int = 1,
    until: date = date(2026, 6, 30),
    answer_noise: float = 1.0,
    connection: duckdb.DuckDBPyConnection,
    progress: Progress | None = None,
) -> Simulation:
    """Write the exports of a simulated retailer for the 24 months that end with ``until`` (included).

    ``customers`` are registered with the shop, some of whom never ordered; guests without a customer id come on top. A
    line of shop/orders.csv is worth ``quantity * unit_price - discount``; on a return both the quantity and the
    discount are negative. Times are the shop's local ones. Same arguments, same bytes. The work is done on
    ``connection``, in temporary tables, views and macros (``sim_*``, ``draw*``) that are gone afterwards.

    ``answer_noise`` (0 to 1) is how much of the usual chance there is in answers to surveys. At 0 everybody says
    exactly what they want and think, and nobody rushes through: people still differ, and some still give up.

    Raises UsageError for impossible arguments, and when ``folder`` holds exports that this function has not written.
    """
    _check_arguments(customers, seed, until, answer_noise)
    _check_folder(folder)
    start = months_later(until + timedelta(days=1), -PLAN.months)
    company = Company(connection, PLAN, customers, seed, start, until, answer_noise)
    counts: dict[str, int] = {}
    (keeps_order,) = company.run("SELECT current_setting('preserve_insertion_order')")
    company.run("SET preserve_insertion_order = true")  # what was sorted is written in that order
    try:
        steps = _steps(company, folder)
        done = list(accumulate(work for work, _ in steps))
        for so_far, (_, step) in zip(done, steps, strict=True):
            counts.update(step() or {})
            if progress is not None:
                progress(round(customers * so_far / done[-1]), customers)
    finally:
        clean(connection)
        company.run(f"SET preserve_insertion_order = {keeps_order}")
    files = {name: folder / name for name in counts if "/" in name}
    return Simulation(folder, files, counts)


def workspace_file() -> str:
    """The segmentry.yaml of the company: its exports mapped by hand, as they lie under ``exports/``."""
    return resources.files("segmentry.data.simulation").joinpath("segmentry.yaml").read_text(encoding="utf-8")


Step = Callable[[], dict[str, int] | None]  # gives the rows of the files it wrote


def _steps(company: Company, folder: Path) -> tuple[tuple[float, Step], ...]:
    """(seconds of processor time at 1,000,000 customers; what to do), in order.

    The mark goes first: it says that the folder is ours, so that a simulation that was cut off can be run again.
    """
    return (
        (1, lambda: vocabulary(company)),
        (1, lambda: truth.mark(company, folder)),
        (8, lambda: people.make(company)),
        (1, lambda: crm.make(company)),
        (1, lambda: technologies.make(company)),
        (1, lambda: shop.products(company)),
        (1, lambda: campaign.make(company)),
        (10, lambda: shop.orders(company)),
        (2, lambda: value.make(company)),
        (1, lambda: campaign.effects(company)),
        (20, lambda: shop.lines(company)),
        (9, lambda: shop.bill(company)),
        (5, lambda: people.names(company)),
        (26, lambda: shop.export(company, folder)),
        (8, lambda: crm.export(company, folder)),
        (3, lambda: newsletter.make(company)),
        (22, lambda: newsletter.export(company, folder)),
        (1, lambda: campaign.export(company, folder)),
        (45, lambda: activity.export(company, folder)),
        (9, lambda: surveys.export(company, folder)),
        (2, lambda: recommendation.export(company, folder)),
        (13, lambda: support.export(company, folder)),
        (12, lambda: books.export(company, folder)),
        (10, lambda: truth.export(company, folder)),
    )


def _check_arguments(customers: int, seed: int, until: date, answer_noise: float) -> None:
    if not 1 <= customers <= CUSTOMERS_MOST:
        raise UsageError(
            f"customers is {customers}.",
            why=f"A simulated company has 1 to {CUSTOMERS_MOST:,} customers.",
            fix="Choose a number in between; 20,000 is a good start.",
        )
    if not 0 <= seed <= SEED_MOST:
        raise UsageError(f"seed is {seed}.", why=f"Allowed: 0 to {SEED_MOST}.", fix="Choose a number in between.")
    if not 2000 <= until.year <= 2100:
        raise UsageError(f"until is {until}.", why="Allowed: a day from 2000 to 2100.", fix="Choose such a day.")
    if not 0 <= answer_noise <= 1:
        raise UsageError(f"answer_noise is {answer_noise}.", why="Allowed: 0 to 1.", fix="1 is how people answer.")


def _check_folder(folder: Path) -> None:
    """Somebody else's exports are not overwritten."""
    foreign = [name for name in FOLDERS if (folder / name).exists()]
    if foreign and not (folder / truth.MARK).exists():
        raise UsageError(
            f"{folder} already holds {' and '.join(foreign)}.",
            why=f"No {truth.MARK} is beside them, so no simulation wrote them; they would be overwritten.",
            fix="Choose an empty folder.",
        )
