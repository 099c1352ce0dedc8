"""Record linkage: which records of several systems are the same person, or the same organisation.

``people.py`` and ``organisations.py`` say what is compared, as data; ``linking.py`` is the road: text is normalised in
DuckDB (``text.py``, ``words.py``), exact keys come first, pairs that share a block (``candidates.py``) are weighed by
Splink (``model.py``), and clusters that contradict themselves are cut (``clusters.py``). ``explanation.py`` says why.

The records have ``record_key`` (int64, unique), ``source``, and any of the columns that the functions name, as the
systems wrote them; a column that is absent is not known. ``join`` and ``never`` are links and refusals by hand
(left_key, right_key): a refusal wins over everything. The same records and seed give the same links on any number of
threads. The tables of a result stay on the connection until the next call of the same function.
"""

from __future__ import annotations

import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from segmentry.data.linkage.explanation import Link, explain
from segmentry.data.linkage.linking import Asked, Linked, link
from segmentry.data.linkage.organisations import ORGANISATIONS
from segmentry.data.linkage.people import PEOPLE
from segmentry.engine import Progress

__all__ = ["Link", "Linked", "explain", "link_organisations", "link_people"]


def link_people(
    con: Backend, records: ir.Table, *, threshold: float = 0.99, seed: int = 1, join: ir.Table | None = None,
    never: ir.Table | None = None, progress: Progress | None = None,
) -> Linked:  # fmt: skip
    """Which records are the same person, by any of: name, first_name, last_name, email, phone, address, city, postcode,
    birth_date, person_id.

    ``person_id`` is an id that a person has only one of, whichever system writes it down: a customer number, a national
    insurance number. Pairs are linked by exact keys, by hand, or from a probability of ``threshold`` on.

    Raises UsageError when the records have nothing to compare or the threshold is none, DataError when keys repeat.
    """
    return link(con, PEOPLE, records, Asked(threshold, seed, join, never, progress))


def link_organisations(
    con: Backend, records: ir.Table, *, threshold: float = 0.99, seed: int = 1, join: ir.Table | None = None,
    never: ir.Table | None = None, progress: Progress | None = None,
) -> Linked:  # fmt: skip
    """Which records are the same organisation, by any of: account_name, domain (also as URL or e-mail address), phone,
    address, city, postcode; otherwise as :func:`link_people`."""
    return link(con, ORGANISATIONS, records, Asked(threshold, seed, join, never, progress))
