"""Collect: bad input gets a clear answer, nothing is lost, nothing is counted twice."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from tests.shops import CONFIG, ONE_SEGMENTATION, opened, orders, shop

from segmentry.beginnings import create_workspace
from segmentry.errors import DataError, SegmentryError
from segmentry.workspace import Workspace


def _collected(root: Path, text: str | bytes, config: str = CONFIG) -> Workspace:
    root.mkdir(parents=True, exist_ok=True)
    (root / "segmentry.yaml").write_text(config, encoding="utf-8")
    data = text.encode() if isinstance(text, str) else text
    (root / "orders.csv").write_bytes(data)
    space = opened(root)
    space.collect()
    return space


def _lines(space: Workspace) -> pd.DataFrame:
    with space.reading() as reading:
        return reading.find("transactions").order_by("line").to_pandas()


def _quarantine(space: Workspace) -> dict[int, str]:
    with space.reading() as reading:
        rows = reading.find("quarantine").to_pandas()
    return dict(zip(rows["line"], rows["reason"], strict=True))


def test_ids_written_in_three_ways_are_one_customer(tmp_path: Path) -> None:
    text = 'customer,order,date,amount\n12345.0,1,2026-01-01,5\n12345,2,2026-01-02,5\n" 12345 ",3,2026-01-03,5\n'
    space = _collected(tmp_path, text)
    space.resolve()
    with space.reading() as reading:
        assert reading.find("identities").to_pandas()["source_id"].tolist() == ["12345"]


def test_three_date_formats_and_the_year_2207(tmp_path: Path) -> None:
    text = (
        "customer,order,date,amount\nA,1,2026-01-31,1\nA,2,31/01/2026,1\nA,3,31 Jan 2026,1\n"
        "A,4,2207-01-01,1\nA,5,not a date,1\nA,6,,1\n"
    )
    space = _collected(tmp_path, text)
    assert _lines(space)["time"].dt.date.astype(str).tolist() == ["2026-01-31"] * 3
    found = _quarantine(space)
    assert found == {5: "time lies in the future", 6: "time cannot be read", 7: "time is missing"}


def test_german_money_and_encoding(tmp_path: Path) -> None:
    text = "customer;order;date;amount\nMüller;1;31.01.2026;1.234,56 €\nMüller;2;01.02.2026;12,50 €\n"
    for encoding in ("cp1252", "utf-16", "utf-8-sig"):
        space = _collected(tmp_path / encoding, text.encode(encoding))
        lines = _lines(space)
        assert lines["amount"].tolist() == [1234.56, 12.5]
        assert lines["customer"].tolist() == ["Müller", "Müller"]


def test_identical_lines_of_one_file_all_count_and_another_file_with_them_adds_nothing(tmp_path: Path) -> None:
    line = "A,1,2026-01-01,5\n"
    space = _collected(tmp_path, "customer,order,date,amount\n" + line * 3)
    assert len(_lines(space)) == 3
    (tmp_path / "orders-again.csv").write_text("customer,order,date,amount\n" + line * 4)
    space.collect()
    entry = space.manifest().entries[-1]
    assert (entry.rows, entry.kept, entry.duplicates) == (4, 1, 3)


def test_long_csv_read_by_several_threads_keeps_its_line_numbers(tmp_path: Path) -> None:
    count = 300_000  # more than one thread takes at once
    rows = "".join(f"C{i % 977},{i},2026-01-01 10:00:00,{i / 100}\n" for i in range(2, count + 2))
    lines = _lines(_collected(tmp_path, "customer,order,date,amount\n" + rows))
    assert len(lines) == count
    assert (lines["order"].astype(int) == lines["line"]).all()


def test_grown_file_with_equal_lines_is_counted_line_by_line(tmp_path: Path) -> None:
    head, a, b = "customer,order,date,amount\n", "A,1,2026-01-01,5\n", "B,2,2026-01-02,6\n"
    space = _collected(tmp_path, head + a * 2 + b)
    (tmp_path / "orders-other.csv").write_text(head + a * 3)
    space.collect()
    (tmp_path / "orders.csv").write_text(head + b + a * 4 + "C,3,2026-01-03,7\n" + "C,3,,\n" * 2)
    space.collect()
    first, other, grown = space.manifest().entries
    assert (first.kept, first.repeated) == (3, 1)
    assert (other.kept, other.duplicates, other.repeated) == (1, 2, 2)
    assert (grown.rows, grown.kept, grown.reread, grown.duplicates, grown.quarantined) == (8, 2, 3, 1, 2)
    assert _lines(space)["customer"].value_counts().to_dict() == {"A": 4, "B": 1, "C": 1}
    (tmp_path / "orders.csv").write_text(head + b + a * 4 + "C,3,,\n" * 3)
    space.collect()
    assert (space.manifest().entries[-1].kept, space.manifest().entries[-1].quarantined) == (0, 1)


def test_parts_of_a_version_that_gave_every_row_an_id_are_still_compared(tmp_path: Path) -> None:
    line = "A,1,2026-01-01,5\n"
    space = _collected(tmp_path, "customer,order,date,amount\n" + line * 2)
    (part,) = (tmp_path / "warehouse" / "parts").glob("transactions*.parquet")
    rows = pd.read_parquet(part)
    assert "row_id" not in rows.columns
    rows.assign(row_id=["0" * 32, "1" * 32]).to_parquet(part)
    (tmp_path / "orders-again.csv").write_text("customer,order,date,amount\n" + line * 3)
    space.collect()
    entry = space.manifest().entries[-1]
    assert (entry.rows, entry.kept, entry.duplicates) == (3, 1, 2)


def test_rows_read_are_kept_duplicates_or_quarantined(tmp_path: Path) -> None:
    frame = orders(50)
    frame.loc[::10, "amount"] = None
    space = opened(shop(tmp_path, frame))
    space.collect()
    frame.to_csv(tmp_path / "orders-copy.csv", index=False)
    space.collect()
    for entry in space.manifest().entries:
        assert entry.rows == entry.kept + entry.duplicates + entry.quarantined + entry.reread == len(frame)
    assert sum(space.manifest().entries[0].reasons.values()) == frame["amount"].isna().sum()


def test_returns_are_returns_and_anonymous_sales_are_kept_apart(tmp_path: Path) -> None:
    text = "customer,order,date,amount\nA,1,2026-01-01,50\nA,2,2026-01-02,-20\n,3,2026-01-03,30\n"
    space = _collected(tmp_path, text)
    lines = _lines(space)
    assert lines["line_kind"].tolist() == ["sale", "return", "sale"]
    assert lines["customer_key"].isna().tolist() == [False, False, True]
    space.resolve()
    space.traits()
    with space.reading() as reading:
        found = reading.find("traits").to_pandas()
    assert found["monetary"].tolist() == [30.0]
    assert found["frequency"].tolist() == [1]


def test_broken_utf8_byte_keeps_the_row_unless_it_is_in_the_id(tmp_path: Path) -> None:
    head = "customer,order,date,amount\nMüller,1,2026-01-01,5\nZoë,2,2026-01-01,5\n".encode()
    space = _collected(tmp_path, head + b"Sm\xffth,3,2026-01-01,5\n")
    assert len(_lines(space)) == 2
    assert _quarantine(space) == {4: "customer has a broken character"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("customer,order,date\nA,1,2026-01-01\n", "no column 'amount'"),
        ("customer,order,date,Amount_EUR\nA,1,2026-01-01,5\n", "Did you mean 'Amount_EUR'"),
    ],
)
def test_file_that_cannot_be_used_says_why(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SegmentryError, match=said):
        _collected(tmp_path, text)


def test_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "segmentry.yaml").write_text(CONFIG)
    (tmp_path / "order.csv").write_text("x")
    with pytest.raises(DataError, match=r"orders\*\.csv"):
        opened(tmp_path).collect()


def test_header_only_file_has_no_customers_and_says_so(tmp_path: Path) -> None:
    space = _collected(tmp_path, "customer,order,date,amount\n")
    with pytest.raises(DataError, match="No record of any source names a customer"):
        space.resolve()


def test_parquet_cut_short_is_named(tmp_path: Path) -> None:
    orders(500).to_parquet(tmp_path / "orders.parquet")
    whole = (tmp_path / "orders.parquet").read_bytes()
    (tmp_path / "orders.parquet").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "segmentry.yaml").write_text(CONFIG.replace("orders*.csv", "orders.parquet"))
    with pytest.raises(DataError, match=r"orders\.parquet"):
        opened(tmp_path).collect()


def test_one_customer_and_identical_customers_run_through(tmp_path: Path) -> None:
    one = pd.DataFrame({"customer": ["A"], "order": ["1"], "date": ["2026-01-01"], "amount": [5.0]})
    same = pd.DataFrame(
        {"customer": [f"C{i}" for i in range(40)], "order": range(40), "date": "2026-01-01", "amount": 5.0}
    )
    config = CONFIG + "  groups: {method: kmeans}\n"
    for name, frame in (("one", one), ("same", same)):
        space = opened(shop(tmp_path / name, frame, config))
        not_fitted = space.run()
        assert set(not_fitted) == {"groups"}
        overview = space.overview()
        assert overview.customers == frame["customer"].nunique()
        assert [n for n, _ in overview.not_fitted] == ["groups"]
        for summary in overview.segmentations:
            assert sum(s.customers for s in summary.segments) == overview.customers


def test_as_of_before_the_first_order_leaves_nobody_lost(tmp_path: Path, ran_shop: Path) -> None:
    space = opened(shutil.copytree(ran_shop, tmp_path / "w"))
    latest = space.overview().customers
    space.run(as_of=date(2019, 1, 1))
    assert space.overview().customers == 0
    space.run()
    assert space.overview().customers == latest


def test_changed_mapping_reads_the_source_anew(tmp_path: Path, ran_shop: Path) -> None:
    root = shutil.copytree(ran_shop, tmp_path / "w")
    before = opened(root).overview().revenue
    (root / "segmentry.yaml").write_text(ONE_SEGMENTATION.replace("amount: amount", "amount: amount * 2"))
    space = opened(root)
    space.run()
    assert space.overview().revenue == pytest.approx(2 * before)


def test_init_without_a_customer_column_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("height,width\n1,2\n3,4\n")
    with pytest.raises(SegmentryError, match=r"x\.csv"):
        create_workspace(tmp_path / "w", [tmp_path / "x.csv"])


KEYED = CONFIG.replace("path: orders*.csv", "path: orders*.csv\n    key: order")


def test_record_of_a_key_that_comes_again_replaces_the_former(tmp_path: Path) -> None:
    head = "customer,order,date,amount\n"
    space = _collected(
        tmp_path, head + "A,1,2026-01-01,5\nB,2,2026-01-02,5\nB,2,2026-01-02,6\nC,3,2026-01-03,7\n", KEYED
    )
    assert _lines(space)[["order", "amount"]].to_numpy().tolist() == [["1", 5], ["2", 6], ["3", 7]]
    (tmp_path / "orders-2.csv").write_text(head + "A,1,2026-01-01,50\nC,3,2026-01-03,7\nD,4,2026-01-04,8\nC,3,,\n")
    space.collect()
    lines = _lines(space).sort_values("order")
    assert lines["order"].tolist() == ["1", "2", "3", "4"]
    assert lines["amount"].tolist() == [50, 6, 7, 8]
    assert lines["known_from"].isna().tolist() == [False, True, True, False], "a version is known since it came"
    first, second = space.manifest().entries
    assert (first.rows, first.kept, first.replaced) == (4, 2, 2)
    assert (second.rows, second.kept, second.duplicates, second.quarantined) == (4, 2, 1, 1)
    assert sum(k["amount"] for e in (first, second) for k in e.kinds) == lines["amount"].sum()
    (tmp_path / "orders-3.csv").write_text(head + "B,2,2026-01-02,1\nC,3,2026-01-03,1\n")
    space.collect()
    assert _lines(space)["amount"].sum() == 50 + 1 + 1 + 8
    assert space.manifest().entries[0].part is None


def test_key_that_the_file_does_not_have_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"sources\.orders\.key.*no column 'orderr'.*Did you mean 'order'"):
        _collected(tmp_path, "customer,order,date,amount\n", KEYED.replace("key: order", "key: orderr"))
