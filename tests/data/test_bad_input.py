"""What goes wrong overnight: every one is told in words, nothing is lost, and the former result stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.data.test_collect import _collected, _lines, _quarantine
from tests.shops import CONFIG, opened

from segmentry.errors import DataError
from segmentry.workspace import Workspace

HEAD = "customer,order,date,amount\n"


def test_column_that_is_gone_or_renamed_overnight_is_named_and_the_former_result_stays(tmp_path: Path) -> None:
    space = _collected(tmp_path, HEAD + "A,1,2026-01-01,5\n")
    changes = (
        ("customer,order,date\nB,2,2026-01-02\n", "no column 'amount'"),
        ("customer,order,date,Amount_EUR\nB,2,2026-01-02,7\n", "Did you mean 'Amount_EUR'"),
    )
    for text, said in changes:
        (tmp_path / "orders-2.csv").write_text(text)
        with pytest.raises(DataError, match=rf"sources\.orders\.columns\.amount.*orders-2\.csv.*{said}"):
            space.collect()
    assert _lines(space)["amount"].tolist() == [5]
    (tmp_path / "orders-2.csv").write_text("customer,order,date,amount,new\nB,2,2026-01-02,7,x\n")
    space.collect()
    assert sorted(_lines(space)["amount"]) == [5, 7], "a further column is no reason to stop"


def test_column_whose_type_changes_overnight_keeps_what_can_be_read(tmp_path: Path) -> None:
    space = _collected(tmp_path, HEAD + "A,1,2026-01-01,5\n")
    (tmp_path / "orders-2.csv").write_text(HEAD + 'B,2,2026-01-02,"EUR 7,50"\nC,3,2026-01-03,on request\n')
    space.collect()
    assert sorted(_lines(space)["amount"]) == [5, 7.5]
    assert _quarantine(space) == {3: "amount cannot be read"}


ZONED = CONFIG.replace("    columns:", "    timezone: ZONE\n    columns:")


@pytest.mark.parametrize(
    ("zone", "skipped", "twice"),
    [
        ("Europe/Berlin", ("2026-03-29 02:30", "01:30"), ("2025-10-26 02:30", "01:30")),
        ("Europe/London", ("2026-03-29 01:30", "01:30"), ("2025-10-26 01:30", "01:30")),
        ("America/New_York", ("2026-03-08 02:30", "07:30"), ("2025-11-02 01:30", "06:30")),
    ],
)
def test_local_times_that_clocks_show_twice_or_never_are_read_by_one_rule_and_told(
    tmp_path: Path, zone: str, skipped: tuple[str, str], twice: tuple[str, str]
) -> None:
    rows = [f"A,1,{skipped[0]}:00,1", f"A,2,{twice[0]}:00,1", "A,3,2026-01-05 12:00:00,1", f"A,4,{twice[0]}:00Z,1"]
    space = _collected(tmp_path, HEAD + "\n".join(rows) + "\n", ZONED.replace("ZONE", zone))
    times = _lines(space)["time"].astype(str).tolist()
    assert times[:2] == [f"{skipped[0][:10]} {skipped[1]}:00", f"{twice[0][:10]} {twice[1]}:00"]
    assert times[3] == f"{twice[0]}:00", "a time with its offset means one moment"
    (told,) = (c for c in space.manifest().entries[0].caveats if "clocks" in c)
    assert told.startswith("time lies in an hour that clocks show twice in autumn")
    assert told.endswith("2 rows")


def test_times_of_several_zones_in_one_column_are_the_same_moments(tmp_path: Path) -> None:
    same = ["2026-01-05T12:00:00Z", "2026-01-05T13:00:00+01:00", "2026-01-05T07:00:00-05:00", "2026-01-05 13:00:00"]
    rows = "".join(f"A,{n},{time},1\n" for n, time in enumerate(same))
    space = _collected(tmp_path, HEAD + rows, ZONED.replace("ZONE", "Europe/Berlin"))
    assert set(_lines(space)["time"].astype(str)) == {"2026-01-05 12:00:00"}


SURVEY = CONFIG.replace("primary: rfm\n", "").partition("segmentations:")[0] + (
    "  survey:\n    kind: responses\n    path: survey.csv\n    layout: answers_in_columns\n"
    "    columns: {customer: id, question: _question, item: _item, answer: _answer}\n"
    "segmentations:\n  value: {method: value_tiers}\n"
)


def _surveyed(root: Path, rows: list[str]) -> Workspace:
    root.mkdir(parents=True, exist_ok=True)
    (root / "segmentry.yaml").write_text(SURVEY)
    (root / "orders.csv").write_text(HEAD + "A,1,2026-01-01,5\n")
    (root / "survey.csv").write_text("id,fair,fast\n" + "".join(row + "\n" for row in rows))
    space = opened(root)
    space.collect()
    return space


def test_survey_answered_in_two_languages_loses_no_answer_and_is_told(tmp_path: Path) -> None:
    english = [f"E{n},{('Agree', 'Disagree', 'Strongly agree')[n % 3]},Agree" for n in range(12)]
    german = [f"G{n},{('Stimme voll zu', 'Stimme nicht zu')[n % 2]},Agree" for n in range(6)]
    space = _surveyed(tmp_path, [*english, *german])
    space.check()
    with space.reading() as reading:
        assert reading.find("responses").count().to_pyarrow().as_py() == 36
        (found,) = (f for f in reading.checked().findings if f.check == "several_languages")
    assert (found.rows, found.text) == (
        18,
        "1 questions are answered in English, German: equal steps of the scales count as one",
    )


def test_respondent_whose_id_comes_twice_keeps_both_responses_and_is_told(tmp_path: Path) -> None:
    space = _surveyed(tmp_path, ["E1,Agree,Agree", "E2,Agree,Disagree", "E1,Disagree,Disagree"])
    entry = next(e for e in space.manifest().entries if e.source == "survey")
    assert (entry.rows, entry.kept, entry.made) == (3, 3, 6)
    assert "1 response comes from customers who had answered before; each counts with its time" in entry.caveats
