"""The rows of an Excel sheet as text: dates in ISO form, numbers without exponents, formulas as their last values."""

from __future__ import annotations

import datetime as dt
import warnings
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any

from segmentry.errors import DataError, did_you_mean

# What Excel shows where a formula has no value (ECMA-376, 18.17.3).
_ERRORS = frozenset({"#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#GETTING_DATA"})


class Workbook:
    """An Excel file, open for streaming."""

    def __init__(self, path: Path) -> None:
        # Importing it takes a quarter of a second, which only workbooks are worth.
        import openpyxl  # noqa: PLC0415
        from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

        self._path = path
        try:
            with warnings.catch_warnings():
                # Charts, styles and validation that openpyxl does not keep do not matter for values.
                warnings.simplefilter("ignore")
                self._book: Any = openpyxl.load_workbook(path, read_only=True, data_only=True)
        except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
            raise DataError(
                f"{path.name} cannot be read as an Excel file.",
                why=f"Its contents are damaged ({error}).",
                fix="Open it in Excel and save it again, or export the sheet as CSV.",
            ) from error

    def __enter__(self) -> Workbook:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._book.close()

    @property
    def sheets(self) -> tuple[str, ...]:
        """The names of all sheets."""
        return tuple(sheet.title for sheet in self._book.worksheets)

    def choose(self, wanted: str | None) -> str:
        """The sheet of that name; without one the first visible sheet that holds something, else any that does."""
        if wanted is not None:
            if wanted in self.sheets:
                return wanted
            raise DataError(
                f"{self._path.name} has no sheet '{wanted}'.",
                why=did_you_mean(wanted, self.sheets),
                fix="Correct `sheet`, or leave it out to take the first sheet that holds something.",
            )
        visible = [s.title for s in self._book.worksheets if s.sheet_state == "visible"]
        for name in dict.fromkeys([*visible, *self.sheets]):
            if any(any(cell for cell in row) for row in self.rows(name)):
                return str(name)
        raise DataError(
            f"{self._path.name} is empty.",
            why=f"None of its sheets ({', '.join(self.sheets)}) holds a record.",
            fix="Export it again, or leave it out.",
        )

    def rows(self, sheet: str) -> Iterator[list[str]]:
        """The rows of a sheet from the first one on, empty ones included; an empty cell is the empty text."""
        page = self._book[sheet]
        # Some programs write a wrong size into the sheet; without it openpyxl reads what is really there.
        page.reset_dimensions()
        for row in page.iter_rows(values_only=True):
            yield [cell_text(value) for value in row]


def cell_text(value: object) -> str:
    """A cell as text.

    >>> import datetime
    >>> [cell_text(v) for v in (None, 3.0, 1.5e-7, 10**16 * 1.0, True, datetime.datetime(2024, 1, 31), "#N/A")]
    ['', '3', '0.00000015', '10000000000000000', 'true', '2024-01-31', '']
    """
    if value is None or value in _ERRORS:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time(0) else value.replace(tzinfo=None).isoformat(" ")
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)
