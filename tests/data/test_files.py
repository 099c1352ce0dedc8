"""Files as they come: every encoding, delimiter and accident ends as records on the right lines, or as a clear word."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import hashlib
import io
import json
import re
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import ibis
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segmentry.data import byte_pass, csv_records, files
from segmentry.data.records import Bench
from segmentry.errors import DataError

SOME = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def con() -> Iterator[Any]:
    backend = ibis.duckdb.connect()
    backend.raw_sql("SET threads = 2")
    yield backend
    backend.disconnect()


@pytest.fixture
def read(con: Any, tmp_path: Path) -> Callable[..., files.Records]:
    """Scan, look and open a file that holds these bytes."""

    def reader(content: bytes | str | Path, name: str = "file.csv", **look: Any) -> files.Records:
        path = content if isinstance(content, Path) else tmp_path / name
        if not isinstance(content, Path):
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return files.open_records(con, path, files.look(path, **look), files.scan(path), tmp_path)

    return reader


def rows(records: files.Records) -> list[tuple[Any, ...]]:
    """All records in the order of the file, each with its line first."""
    return [tuple(row.values()) for row in records.table.order_by("_line").to_pyarrow().to_pylist()]


def rejected(records: files.Records) -> list[tuple[int, str]]:
    return [(r["_line"], r["reason"]) for r in records.rejected.order_by("_line").to_pyarrow().to_pylist()]


# --- finding files ----------------------------------------------------------------------------------------------------


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    for name in ("orders/b.csv", "orders/a.csv", "orders/2024/c.csv", "orders/[1].csv", "crm.xlsx"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_patterns_find_files_sorted_and_once(exports: Path) -> None:
    def names(patterns: str | list[str]) -> list[str]:
        return [p.relative_to(exports).as_posix() for p in files.expand(patterns, exports)]

    assert names("orders/*.csv") == ["orders/[1].csv", "orders/a.csv", "orders/b.csv"]
    assert names("orders/**/*.csv") == ["orders/2024/c.csv", "orders/[1].csv", "orders/a.csv", "orders/b.csv"]
    assert names(["crm.xlsx", "orders/a.csv", "orders/?.csv"]) == ["crm.xlsx", "orders/a.csv", "orders/b.csv"]
    assert names("orders/[1].csv") == ["orders/[1].csv"]
    assert names(str(exports / "crm.xlsx")) == ["crm.xlsx"]


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("order/*.csv", r"order/\*\.csv matches no file.*Did you mean 'orders/'"),
        ("orders/aa.csv", "aa.csv does not exist.*Did you mean 'a.csv'"),
        ("nowhere/deep/x.csv", "does not exist.*In .* there are: crm.xlsx, orders/"),
        ("orders", r"orders is a folder.*orders/\*\.csv"),
    ],
)
def test_a_path_without_file_is_answered_with_what_is_near(exports: Path, pattern: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        files.expand(pattern, exports)


# --- the pass over the bytes ------------------------------------------------------------------------------------------


def test_scan_gives_hash_size_lines_and_progress(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"a,b\n1,2\n\n333,4")
    seen: list[tuple[int, int]] = []
    found = files.scan(path, lambda done, total: seen.append((done, total)))
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (found.size, found.lines, found.longest_line, found.blank_lines) == (14, 4, 5, 1)
    assert (found.format, found.compression, found.encoding, found.newline) == ("csv", "none", "utf-8", "lf")
    assert seen[-1] == (14, 14)


TEXT = "id;name;city\r\n1;Zoë;Köln\r\n2;5 €;Łódź\r\n"


@pytest.mark.parametrize(
    ("stored", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8"),
        (TEXT.encode("utf-16"), "utf-16-le"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "utf-16-be"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
        (TEXT.encode("utf-32"), "utf-32-le"),
        (b"\x00\x00\xfe\xff" + TEXT.encode("utf-32-be"), "utf-32-be"),
        (TEXT.replace("Łódź", "Lodz").encode("cp1252"), "cp1252"),
    ],
)
def test_every_encoding_gives_the_same_records(read: Any, tmp_path: Path, stored: bytes, encoding: str) -> None:
    records = read(stored)
    assert files.scan(tmp_path / "file.csv").encoding == encoding
    last = "Lodz" if encoding == "cp1252" else "Łódź"
    assert rows(records) == [(2, "1", "Zoë", "Köln"), (3, "2", "5 €", last)]
    assert records.columns == ("id", "name", "city")


def test_a_few_broken_bytes_leave_a_file_utf8_and_are_counted(read: Any, tmp_path: Path) -> None:
    records = read("id,name\n1,Zoë\n2,Jürgen\n3,".encode() + b"Ren\xe9\n4,\xe4\xf6\n" + "5,ß€é\n".encode())
    found = files.scan(tmp_path / "file.csv")
    assert (found.encoding, found.broken_bytes, found.broken_lines) == ("utf-8", 3, (4, 5))
    assert [row[2] for row in rows(records)] == ["Zoë", "Jürgen", "Ren\ufffd", "\ufffd\ufffd", "ß€é"]


def python_scan(data: bytes) -> tuple[Any, ...]:
    """What a scan should find, the slow and simple way."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd") - data.decode("utf-8", "ignore").count("\ufffd")
    lines = data.split(b"\n")
    bare = lines[:-1] if lines[-1] == b"" else lines
    ended = lines[:-1]
    blank = [line in (b"", b"\r") for line in ended]
    at_end = 0 if lines[-1] else next((i for i, b in enumerate(reversed(blank)) if not b), len(blank))
    return len(bare), max(map(len, lines)), sum(blank), at_end, data.count(b"\r\n"), broken


@given(
    pieces=st.lists(
        st.sampled_from(
            [b"a", b"1,2", b"\n", b"\r\n", b"\n\n", b'"', "é".encode(), "€uro".encode(), b"\xe9", b"\xf0\x9f"]
        )
    ),
    size=st.integers(1, 9),
)
@SOME
def test_a_scan_does_not_depend_on_where_chunks_end(tmp_path: Path, pieces: list[bytes], size: int) -> None:
    data = b"x," + b"".join(pieces) + "ü€ä".encode() * 30
    path = tmp_path / "x.csv"
    path.write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(byte_pass, "CHUNK", size)
        found = files.scan(path)
    assert found.encoding == "utf-8"
    crlf = found.newline in ("crlf", "mixed")
    assert (found.lines, found.longest_line, found.blank_lines, found.blank_at_end) == python_scan(data)[:4]
    assert (crlf, found.broken_bytes) == (python_scan(data)[4] > 0, python_scan(data)[5])


# --- CSV: what it looks like ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", ":"])
def test_delimiters_are_found_also_beside_decimal_commas(read: Any, delimiter: str) -> None:
    number = "1.5" if delimiter in ",:" else "1,5"
    content = "\n".join(delimiter.join(r) for r in (["id", "price", "note"], ["1", number, "a b"], ["2", number, "c"]))
    records = read(content)
    assert rows(records) == [(2, "1", number, "a b"), (3, "2", number, "c")]


@pytest.mark.parametrize(
    ("content", "columns", "first"),
    [
        ("a,b,c\n1,2,3\n", ("a", "b", "c"), (2, "1", "2", "3")),
        (" id , Total,total,\n1,2,3,4\n", ("id", "Total", "total_2", "column_4"), (2, "1", "2", "3", "4")),
        ("1,2.5,x\n2,3.5,y\n", ("column_1", "column_2", "column_3"), (1, "1", "2.5", "x")),
        ("Ann,Rome\nBob,Oslo\nAnn,Rome\n", ("column_1", "column_2"), (1, "Ann", "Rome")),
        ("Sales report 2024\n\nid,day,sum\n1,x,2\n2,y,3\n", ("id", "day", "sum"), (4, "1", "x", "2")),
        ("Report,,\n,,\nid,day,sum\n1,x,2\n2,y,3\n", ("id", "day", "sum"), (4, "1", "x", "2")),
        ("sep=|\nid|name\n1|a,b\n", ("id", "name"), (3, "1", "a,b")),
        ("a,b\n1,2,\n3,4,\n", ("a", "b"), (2, "1", "2")),
        ("a,b\nr1,1,2\nr2,3,4\n", ("column_1", "a", "b"), (2, "r1", "1", "2")),
        ('id,"long\nname"\n1,2\n', ("id", "long name"), (3, "1", "2")),
        ("customer,2023,2024\nA,10,20\n", ("customer", "2023", "2024"), (2, "A", "10", "20")),
        ("_line,ID,id\n5,6,7\n", ("_line_2", "ID", "id_2"), (2, "5", "6", "7")),
        ("'a','b'\n'1,5','x'\n'2','y'\n", ("a", "b"), (2, "1,5", "x")),
        ('a,b\n"say \\"hi\\" now",2\n', ("a", "b"), (2, 'say "hi" now', "2")),
        ("name\nAnn\nBob\n", ("name",), (2, "Ann")),
    ],
)
def test_header_and_names_are_found(read: Any, content: str, columns: tuple[str, ...], first: tuple[Any, ...]) -> None:
    records = read(content)
    assert records.columns == columns
    assert rows(records)[0] == first


def test_renamed_columns_are_reported(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,Total,total,\n1,2,3,4\n")
    assert files.look(tmp_path / "x.csv").renamed == (("total", "total_2"), ("", "column_4"))


def test_a_header_alone_is_an_empty_table(read: Any, tmp_path: Path) -> None:
    records = read("id,name\n")
    assert files.look(tmp_path / "file.csv").empty
    assert (records.columns, rows(records), records.counts.header) == (("id", "name"), [], 1)


# --- CSV: records and lines -------------------------------------------------------------------------------------------

ACCIDENTS = textwrap.dedent('''\
    id,note,n
    1,plain,1
    2,"two
    lines, and ""quotes""",2

    3,5" pipe,3
    4,short
    5,far,too,long
    6,"never closed,6
    7,"closed" badly,7
    8, "spaced" ,8
    9,,9,
       \t
    10,"  ",10
    ''')


def test_accidents_are_rejected_with_line_and_reason_and_every_line_is_accounted_for(read: Any) -> None:
    records = read(ACCIDENTS)
    assert rows(records) == [
        (2, "1", "plain", "1"),
        (3, "2", 'two\nlines, and "quotes"', "2"),
        (6, "3", '5" pipe', "3"),
        (11, "8", "spaced", "8"),
        (12, "9", None, "9"),
        (14, "10", None, "10"),
    ]
    assert rejected(records) == [
        (7, "2 fields instead of 3"),
        (8, "4 fields instead of 3"),
        (9, "text follows a closing quote"),
        (10, "text follows a closing quote"),
    ]
    assert records.counts == files.Counts(unit="lines", total=14, header=1, records=6, continued=1, rejected=4, blank=2)
    assert records.counts.balanced


def test_a_quote_that_never_closes_costs_its_line_only(read: Any) -> None:
    records = read('a,b\n1,x\n2,"open\n3,y\n4,z\n')
    assert [row[1] for row in rows(records)] == ["1", "3", "4"]
    assert rejected(records) == [(3, "a quote is opened and never closed")]


@pytest.mark.parametrize(
    "content",
    [
        "a,b\r\n1,x\n2,y\r\n",
        "a,b\r1,x\r2,y\r",
        "a,b\n1,x\n2,y\n\x00\x00\x00",
        "a,b\n1,\x00x\n2,y",
        "a,b\n1,x\n2,y\n\n\n",
        "a,b\n1,x\n2,y\n\x1a",
    ],
)
def test_line_ends_and_zero_bytes_do_no_harm(read: Any, content: str) -> None:
    records = read(content)
    assert rows(records) == [(2, "1", "x"), (3, "2", "y")]
    assert records.counts.balanced


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
@pytest.mark.parametrize("content", ["a,b\n1,x\n2,y\n", 'a,b\n1,"x\nx"\n2,y\n'])
def test_packed_files_are_read(read: Any, tmp_path: Path, pack: Any, content: str) -> None:
    # Two members one after the other are one file to gzip and zstd.
    half = len(content) // 2
    records = read(pack(content[:half].encode()) + pack(content[half:].encode()), "x.csv.packed")
    assert rows(records) == rows(read(content))
    assert files.scan(tmp_path / "x.csv.packed").compression in ("gzip", "zstd")


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_packed_file_cut_short_is_an_error(tmp_path: Path, pack: Any) -> None:
    path = tmp_path / "x.csv.gz"
    path.write_bytes(pack("".join(f"{i},{hash(str(i))}\n" for i in range(50_000)).encode())[:-200])
    with pytest.raises(DataError, match=r"cannot be unpacked to its end.*cut short.*again"):
        files.scan(path)


def test_a_file_whose_name_is_a_pattern_is_read(read: Any) -> None:
    assert rows(read("a,b\n1,2\n", "it's [a] *.csv")) == [(2, "1", "2")]


def test_a_file_that_changes_meanwhile_is_noticed(con: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    found = files.scan(path)
    path.write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(DataError, match="has changed while"):
        files.open_records(con, path, files.look(path), found, tmp_path)


def test_closing_removes_scratch_files_and_views(con: Any, tmp_path: Path) -> None:
    path, scratch = tmp_path / "x.csv", tmp_path / "scratch"
    scratch.mkdir()
    path.write_text(ACCIDENTS)
    before = con.list_tables()
    records = files.open_records(con, path, files.look(path), files.scan(path), scratch)
    assert list(scratch.iterdir())
    records.close()
    assert (list(scratch.iterdir()), con.list_tables()) == ([], before)


CELLS = st.text(alphabet="ab1 é,\"\n;'", max_size=5)


@given(table=st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=6), blanks=st.lists(st.booleans()))
@SOME
def test_what_the_csv_module_writes_comes_back_with_its_lines(
    read: Any, table: list[list[str]], blanks: list[bool]
) -> None:
    out, expected, line = io.StringIO(), [], 2
    out.write("id,name,note\n")
    for i, record in enumerate(table):
        start = out.tell()
        if i < len(blanks) and blanks[i]:
            out.write("\n")
            line += 1
        # Nothing is written bare that begins with a space: the readers take quotes behind spaces as quotes.
        csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(record)
        expected.append((line, *(cell if cell.strip() else None for cell in record)))
        line += out.getvalue()[start:].count("\n") - (i < len(blanks) and blanks[i])
    records = read(out.getvalue())
    assert rows(records) == expected
    assert records.counts.balanced


FIELDS = st.one_of(
    st.text(alphabet="ab1 é", max_size=4),
    st.text(alphabet='ab,"', max_size=4).map(lambda t: '"' + t.replace('"', '""') + '"'),
    st.text(alphabet='ab"', max_size=4).map(lambda t: "a" + t),
    st.sampled_from(['"a" ', ' "a"', "", "\\", '"open', "  "]),
)


@given(
    lines=st.lists(st.lists(FIELDS, min_size=1, max_size=3).map(",".join), min_size=1, max_size=4),
    end=st.integers(0, 2),
)
@SOME
def test_reading_in_place_and_reading_exactly_agree(con: Any, tmp_path: Path, lines: list[str], end: int) -> None:
    path = tmp_path / "x.csv"
    path.write_text("\n".join(["a,b", *lines]) + "\n" * end)
    found, shape = files.scan(path), files.FileShape(format="csv", columns=("a", "b"), header_lines=1)
    quick, direct, exact = (Bench(con, tmp_path) for _ in range(3))
    if not csv_records._may_be_read_in_place(shape, found):
        return
    one = csv_records.read_in_place(quick, path, shape, found)
    two = csv_records.read_in_place(direct, path, shape, found, few_passes=True)
    other = csv_records.read_exactly(exact, path, shape, found)
    assert (one is None) == (two is None)
    if one is not None and two is not None:
        assert rows(one) == rows(two) == rows(other)
    assert other.counts.balanced
    for bench in (quick, direct, exact):
        bench.clear()


def test_long_files_keep_line_numbers_across_blocks(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byte_pass, "CHUNK", 1000)
    lines = ["id,note"]
    for i in range(2000):
        lines.append(f"{i},short" if i % 3 else f'{i},"two\nlines é"')
        if i % 100 == 7:
            lines.append(f"{i},one,too,many")
    content = "\n".join(lines) + "\n"
    records = read(content)
    physical = content.split("\n")
    assert all(physical[line - 1].startswith(f"{number},") for line, number, _ in rows(records))
    assert (records.counts.records, records.counts.rejected, records.counts.continued) == (2000, 20, 667)


def test_a_line_of_200_mb_is_cut_out_in_bounded_memory(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import resource, sys
        from pathlib import Path
        import ibis
        from segmentry.data import files

        folder = Path(sys.argv[1])
        path = folder / "long.csv"
        with path.open("wb") as out:
            out.write(b"id,note\\n1,a\\n2,")
            for _ in range(200):
                out.write(b"x" * 1_000_000)
            out.write(b"\\n3,c\\n")
        con = ibis.duckdb.connect()
        con.raw_sql("SET threads = 2")
        con.raw_sql("SET memory_limit = '500MB'")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        records = files.open_records(con, path, files.look(path), files.scan(path), folder)
        bad = records.rejected.to_pyarrow().to_pylist()
        assert [(r["_line"], r["reason"], len(r["text"])) for r in bad] == [(3, "longer than 8 MB", 500)], bad
        assert records.table.order_by("_line")["id"].to_pyarrow().to_pylist() == ["1", "3"]
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
    """)
    ran = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) < 160, "megabytes more than before: a line of 200 MB must not be held"


# --- JSON -------------------------------------------------------------------------------------------------------------


def test_ndjson_becomes_columns_with_late_and_nested_keys(read: Any) -> None:
    lines = [
        '{"id": 1, "name": "Zoë", "home": {"city": "Rome", "geo": {"lat": 41.9}}, "tags": ["a", {"b": 1}]}',
        '{"id": 12345678901234567890, "vip": true, "name": null}',
        "",
        '{"id": 3, "name": ',
        "[1, 2]",
        *(f'{{"id": {i}}}' for i in range(5000)),
        '{"id": "x", "late": "yes", "ID": 7, "home": {"zip": "00100"}}',
    ]
    records = read("\n".join(lines), "x.ndjson")
    assert records.columns == ("id", "name", "home.city", "home.geo.lat", "home.zip", "tags", "vip", "late", "ID_2")
    found = rows(records)
    assert found[0] == (1, "1", "Zoë", "Rome", "41.9", None, '["a",{"b":1}]', None, None, None)
    assert found[1] == (2, "12345678901234567890", None, None, None, None, None, "true", None, None)
    assert found[-1] == (5006, "x", None, None, None, "00100", None, None, "yes", "7")
    assert rejected(records) == [(4, "not valid JSON"), (5, "not a JSON object")]
    assert records.counts == files.Counts(unit="lines", total=5006, records=5003, rejected=2, blank=1)


@pytest.mark.parametrize("content", ['[{"id": 1, "a": {"b": 2}},{"id": 2}]', '{"id": 1, "a": {"b": 2}}\n{"id": 2}'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_json_in_any_form_gives_the_same_records(read: Any, content: str, encoding: str) -> None:
    pretty = json.dumps([{"id": 1, "a": {"b": 2}}, {"id": 2}], indent=2)
    for text in (content, pretty):
        assert rows(read(text.encode(encoding), "x.json")) == [(1, "1", "2"), (2, "2", None)]


def test_a_json_list_with_a_broken_element_and_no_end_loses_only_these(read: Any) -> None:
    records = read('[{"id": 1},\n {"id": 2 "x": 3},\n {"id": 4},\n {"id": 5, "na', "x.json")
    assert rows(records) == [(1, "1"), (3, "4")]
    assert rejected(records) == [(2, "not valid JSON"), (4, "the file ends inside this element")]
    assert records.counts.balanced


def test_a_list_wrapped_in_an_object_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for text in ('{"count": 2, "data": [{"id": 1}]}', json.dumps({"count": 2, "data": [{"id": 1}] * 90_000}, indent=1)):
        path.write_text(text)
        with pytest.raises(DataError, match=r"seem to stand under 'data'.*as a file of its own"):
            files.look(path)


def test_an_object_whose_keys_are_values_stays_json(read: Any) -> None:
    lines = [json.dumps({"id": i, "days": {f"2024-{i:04}": 1}}) for i in range(300)]
    records = read("\n".join(lines), "x.jsonl")
    assert records.columns == ("id", "days")
    assert rows(records)[0] == (1, "0", '{"2024-0000":1}')
    assert "days has more than 200 different keys" in records.warnings[0]


# --- Excel and Parquet ------------------------------------------------------------------------------------------------


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    book.active.title = "Cover"
    page = book.create_sheet("Orders")
    page.append(["Orders of 2024"])
    page.merge_cells("A1:D1")
    page.append([])
    page.append(["id", "day", "amount", "note"])
    page.append([1, dt.datetime(2024, 1, 31), 0.000012, "a"])
    page.append([2.0, dt.datetime(2024, 2, 1, 8, 26), 1234.5, True])
    page.append([])
    page.append(["007", None, "#N/A", " "])
    page.append([3, None, None, None, "beside"])
    book.save(tmp_path / "book.xlsx")
    return tmp_path / "book.xlsx"


def test_excel_is_read_as_text_from_the_first_sheet_that_holds_something(read: Any, workbook: Path) -> None:
    shape = files.look(workbook)
    assert (shape.sheet, shape.sheets, shape.header_lines) == ("Orders", ("Cover", "Orders"), 3)
    shape_columns = ("id", "day", "amount", "note", "column_5")
    records = read(workbook)
    assert records.columns == shape_columns
    assert rows(records) == [
        (4, "1", "2024-01-31", "0.000012", "a", None),
        (5, "2", "2024-02-01 08:26:00", "1234.5", "true", None),
        (7, "007", None, None, None, None),
        (8, "3", None, None, None, "beside"),
    ]
    assert records.counts == files.Counts(unit="rows", total=8, header=3, records=4, blank=1)


def test_a_cell_far_beside_an_excel_table_is_rejected(con: Any, tmp_path: Path, workbook: Path) -> None:
    shape = replace(files.look(workbook), columns=("id", "day", "amount", "note"))
    records = files.open_records(con, workbook, shape, files.scan(workbook), tmp_path)
    assert rejected(records) == [(8, "a cell beyond the 4 columns of the header")]
    assert records.counts.balanced


def test_formulas_count_as_their_last_values(read: Any, workbook: Path) -> None:
    book = openpyxl.load_workbook(workbook)
    book["Orders"]["C4"] = "=1+2"
    book.save(workbook)
    # openpyxl does not compute; Excel stores the value beside the formula, as here.
    with zipfile.ZipFile(workbook) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    page = "xl/worksheets/sheet2.xml"
    parts[page] = re.sub(rb"<f>1\+2</f>(<v ?/>|<v></v>)", b"<f>1+2</f><v>3</v>", parts[page])
    with zipfile.ZipFile(workbook, "w") as new:
        for name, content in parts.items():
            new.writestr(name, content)
    assert rows(read(workbook))[0][3] == "3"


def test_a_wrong_sheet_is_answered_with_the_right_one(workbook: Path) -> None:
    assert files.look(workbook, sheet="Orders").columns[0] == "id"
    with pytest.raises(DataError, match=r"no sheet 'Order'.*Did you mean 'Orders'"):
        files.look(workbook, sheet="Order")
    with pytest.raises(DataError, match=r"'Cover'.*is empty.*Orders"):
        files.look(workbook, sheet="Cover")


def test_parquet_keeps_its_types_and_nested_columns_become_json(read: Any, tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": [1, 2],
            "ID": ["a", None],
            "at": [dt.datetime(2024, 1, 31, 8), None],
            "tags": [["x", "y"], None],
            "home": [{"city": "Rome"}, None],
        }
    )
    pq.write_table(table, tmp_path / "x.parquet")
    records = read(tmp_path / "x.parquet")
    assert records.columns == ("id", "ID_2", "at", "tags", "home")
    assert [str(records.table[c].type()) for c in ("id", "ID_2", "at")] == ["int64", "string", "timestamp(6)"]
    assert rows(records) == [
        (1, 1, "a", dt.datetime(2024, 1, 31, 8), '["x","y"]', '{"city":"Rome"}'),
        (2, 2, None, None, None, None),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("'POINT (1 2)'::GEOMETRY", "POINT (1 2)"),
        ("union_value(age := 30)", '{"":0,"age":30}'),
        ("TIME '08:30:00'", "08:30:00"),
        ("'6f5e4d3c-2b1a-4c8d-9e0f-1a2b3c4d5e6f'::UUID", "6f5e4d3c-2b1a-4c8d-9e0f-1a2b3c4d5e6f"),
        ("INTERVAL 3 DAY", "3 days"),
        ("[{'at': TIME '08:30:00'}]", '[{"at":"08:30:00"}]'),
    ],
)
def test_parquet_of_unusual_types_becomes_text(read: Any, tmp_path: Path, value: str, text: str) -> None:
    duckdb.sql(f"COPY (SELECT 7 AS id, {value} AS given) TO '{tmp_path}/x.parquet'")
    records = read(tmp_path / "x.parquet")
    assert records.table.schema()["given"].is_string()
    assert rows(records) == [(1, 7, text)]


def test_parquet_cut_short_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"id": list(range(1000))}), path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="damaged or cut short"):
        files.look(path)


# --- what is no table -------------------------------------------------------------------------------------------------


def zipped(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, "x")
    return out.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \r\n\n", "is empty"),
        (gzip.compress(b""), "is empty"),
        (bytes(range(256)) * 20, "not a text file"),
        (b"%PDF-1.7 ...", "is a PDF.*Export"),
        (zipped("orders.csv"), r"is a zip archive \(1 files: orders.csv\).*Unpack"),
        (zipped("word/document.xml"), "is a Word document"),
        (zipped("xl/workbook.bin"), "xlsb.*save it as .xlsx"),
        (zipped("xl/workbook.xml")[:60], "damaged or cut short"),
        (zipped("xl/workbook.xml"), "cannot be read as an Excel file"),
        (OLE, r"old Office version \(.xls\).*save it as .xlsx"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "protected by a password.*remove the password"),
        (b"<html><table><tr><td>1</td></tr></table>", "web page or XML.*save it as .xlsx"),
        (gzip.compress(b"PAR1 and so on"), "packed Parquet.*Unpack"),
        (b"[]", "no JSON objects"),
        (b"a" * 3_000_000, "first line .* longer than 1 MB"),
    ],
    ids=range(16),  # packed bytes hold the time of day: no names for tests
)
def test_what_cannot_be_read_says_what_it_is_and_what_to_do(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said) as caught:
        files.look(path)
    assert caught.value.what
    assert caught.value.why
    assert caught.value.fix


def test_a_missing_file_is_answered_with_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("a,b\n")
    with pytest.raises(DataError, match=r"does not exist.*Did you mean 'orders.csv'"):
        files.scan(tmp_path / "order.csv")
    with pytest.raises(DataError, match="is a folder"):
        files.look(tmp_path)


# --- real files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "records", "columns", "first"),
    [
        ("customer_personality/marketing_campaign.csv", 2_240, 29, "ID"),
        ("hillstrom/hillstrom.csv", 64_000, 12, "recency"),
        ("mcdonalds/mcdonalds.csv", 1_453, 15, "yummy"),
        ("febrl/dataset4a.csv", 5_000, 11, "rec_id"),
        ("crm_sales_opportunities/sales_pipeline.csv", 8_800, 8, "opportunity_id"),
        ("cdnow/cdnow_master.parquet", 69_659, 4, "customer_id"),
        ("online_retail/online_retail.parquet", 541_909, 8, "InvoiceNo"),
    ],
)
def test_real_files_are_read_in_full(
    read: Any, real_data: Path, name: str, records: int, columns: int, first: str
) -> None:
    found = read(real_data / name)
    assert (found.counts.records, found.counts.rejected, len(found.columns)) == (records, 0, columns)
    assert found.columns[0] == first
    assert int(found.table["_line"].nunique().execute()) == records
