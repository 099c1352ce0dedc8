"""Who belongs to whom among accounts: from each one's parent to the top of its group, however deep, circles included.

Every round doubles how far each account has looked up, so that a chain of a hundred thousand takes seventeen joins; who
has not arrived by then goes in a circle.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from segmentry.engine import Session


def climbed(session: Session, parents: ir.Table) -> tuple[ir.Table, ir.Table]:
    """From ``parents`` (account_key, parent_key: one row for each account that has one) the way up, and the circles.

    The first table has ``account_key``, ``parent_key``, ``top_key`` (the ultimate parent) and ``level`` (steps below
    it); the second the ``account_key`` of every account whose parents lead back to it. Those have no parent in the
    first table, so that who stands below one of them has it as its ultimate parent.
    """
    known = session.keep("known_parents", parents.select("account_key", "parent_key"))
    ways = _ways(session, known)
    # As many steps as there are accounts lead from anywhere into its circle, and from a circle's member to another.
    circles = session.keep(
        "circles",
        ways.join(known.select(in_it="account_key"), [("above", "in_it")]).select(account_key="above").distinct(),
    )
    if int(circles.count().to_pyarrow().as_py()):
        known = session.keep("known_parents", known.anti_join(circles, "account_key"))
        ways = _ways(session, known)
    return known.join(ways, "account_key").select("account_key", "parent_key", top_key="above", level="steps"), circles


def _ways(session: Session, parents: ir.Table) -> ir.Table:
    """account_key, ``above``: the account at the top, or one in a circle; ``steps``: how far that is."""
    ways = session.keep("ways", parents.select("account_key", above="parent_key", steps=ibis.literal(1, "int64")))
    most = int(ways.count().to_pyarrow().as_py())
    looked = 1
    while looked <= most:
        further = ways.select(at="account_key", then="above", more="steps")
        joined = ways.left_join(further, ways["above"] == further["at"])
        moved = joined["at"].notnull()
        if not int(joined.agg(n=moved.ifelse(1, 0).sum()).to_pyarrow()["n"][0].as_py() or 0):
            break
        ways = session.keep(
            "ways",
            joined.select(
                "account_key",
                above=ibis.coalesce(joined["then"], joined["above"]),
                steps=joined["steps"] + ibis.coalesce(joined["more"], 0),
            ),
        )
        looked *= 2
    return ways
