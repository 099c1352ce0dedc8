"""How the exports that are no plain table are written: CSV under other headers, and ready-made lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from segmentry.data.simulation.chance import Company


def export_headed(
    company: Company, query: str, path: Path, headers: Sequence[Sequence[str | None]], **values: object
) -> int:
    """Write a query to a CSV file under one or more header rows of its own; returns its rows without those.

    All columns of ``query`` are texts, ``line`` excepted, which comes first, starts at 1 and orders the rows.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    names = [f"header_{no}" for no in range(len(headers))]
    width = len(headers[0])
    above = [
        f"SELECT {no - len(headers)}, " + ", ".join(f"(${name}::VARCHAR[])[{column + 1}]" for column in range(width))
        for no, name in enumerate(names)
    ]
    union = " UNION ALL ".join([*above, f"SELECT * FROM ({query})"])
    rows = company.run(
        f"COPY (SELECT * EXCLUDE line FROM ({union}) AS t(line) ORDER BY line) TO '{_quoted(path)}' "
        "(FORMAT csv, HEADER false)",
        **{name: list(header) for name, header in zip(names, headers, strict=True)},
        **values,
    )
    return int(rows[0]) - len(headers)


def export_lines(company: Company, query: str, path: Path, **values: object) -> int:
    """Write the only column of a query as it is, one text a line; returns its rows.

    A text must not hold line breaks. It is several times quicker than letting DuckDB write JSON from columns.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    form = "FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01'"
    return int(company.run(f"COPY ({query}) TO '{_quoted(path)}' ({form})", **values)[0])


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
