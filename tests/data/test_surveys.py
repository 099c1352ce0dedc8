"""Surveys as their tools export them: one row per respondent in the file, one row per answer in the table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from tests.shops import opened

from segmentry import config
from segmentry.data.manifest import Entry
from segmentry.data.propose import propose, to_yaml
from segmentry.data.reconcile import reconcile
from segmentry.engine import in_memory
from segmentry.errors import ConfigError, DataError
from segmentry.workspace import Workspace

NOW = datetime(2026, 7, 1, tzinfo=UTC)

AGREE = ("Strongly disagree", "Disagree", "Neither agree nor disagree", "Agree", "Strongly agree")
QUALTRICS = [
    "StartDate",
    "EndDate",
    "Status",
    "IPAddress",
    "Progress",
    "Finished",
    "RecordedDate",
    "ResponseId",
    "RecipientEmail",
    "ExternalReference",
]


def csv(rows: Sequence[Sequence[object]]) -> str:
    def cell(value: object) -> str:
        text = "" if value is None else str(value)
        return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n') else text

    return "".join(",".join(map(cell, row)) + "\n" for row in rows)


def qualtrics(responses: Sequence[Sequence[object]], zone: str = "America/Denver") -> str:
    """A Qualtrics export: codes, wording (one with a line feed in it), import ids."""
    codes = [*QUALTRICS, "Duration (in seconds)", "Q1_1", "Q1_2", "Q2", "Q2_4_TEXT"]
    wording = [*QUALTRICS, "Duration (in seconds)", "How much do you agree? - Prices\nare fair", "How much do you "
               "agree? - Staff is kind", "Which do you own?", "Which do you own? - Other - Text"]  # fmt: skip
    ids = [json.dumps({"ImportId": f"QID{i}", **({"timeZone": zone} if i == 0 else {})}) for i in range(len(codes))]
    return csv([codes, wording, ids, *responses])


def response(n: int, *, status: str = "IP Address", answers: Sequence[object] | None = None, **known: str) -> list[Any]:
    day = f"2026-03-{1 + n % 28:02}"
    given = (
        answers
        if answers is not None
        else [AGREE[n % 5], AGREE[(n + 2) % 5], ("Phone,Laptop", "Phone", "Other")[n % 3], None]
    )
    head = [f"{day} 10:00:00", f"{day} 10:05:00", status, "10.0.0.1", 100, "True", f"{day} 10:05:01", f"R_{n:04}"]
    return [*head, known.get("email"), known.get("id"), 300 + n, *given]


def made(root: Path, name: str, text: str | bytes) -> tuple[Workspace, str]:
    """A workspace that `init` makes of one file, collected."""
    root.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(text.encode() if isinstance(text, str) else text)
    scratch = root / "scratch"
    scratch.mkdir(exist_ok=True)
    with in_memory() as con:
        written = to_yaml(propose(con, [name], root, scratch, now=NOW))
    (root / "segmentry.yaml").write_text(written, encoding="utf-8")
    space = opened(root)
    space.collect()
    return space, written


def answers(space: Workspace) -> pd.DataFrame:
    with space.reading() as reading:
        return reading.find("responses").order_by("line", "question", "answer").to_pandas()


def quarantined(space: Workspace) -> dict[int, str]:
    with space.reading() as reading:
        rows = reading.find("quarantine").to_pandas()
    return dict(zip(rows["line"], rows["reason"], strict=True))


def last(space: Workspace, source: str = "") -> Entry:
    entry = [e for e in space.manifest().entries if source in ("", e.source)][-1]
    assert entry.rows == entry.kept + entry.duplicates + entry.quarantined + entry.reread
    return entry


# Qualtrics ------------------------------------------------------------------------------------------------------------


def test_qualtrics_with_three_header_rows_becomes_answers(tmp_path: Path) -> None:
    rows = [response(n, id=f"C-{n:03}") for n in range(8)]
    rows += [response(8, email="ann@mail.example"), response(9), response(10, id="C-001")]
    rows += [response(11, status="Survey Preview", id="C-011"), response(12, id="C-012", answers=[None] * 4)]
    space, written = made(tmp_path, "attitudes.csv", qualtrics(rows))
    source = config.parse(written, {}).sources["attitudes"]
    assert (source.kind, source.layout, source.timezone) == ("responses", "answers_in_columns", "America/Denver")
    assert source.columns["customer"] == "coalesce(ExternalReference, RecipientEmail)"
    assert source.answers.several == {"Q2": ","}
    found = answers(space)
    entry = last(space)
    assert (entry.rows, entry.kept, entry.quarantined, entry.made) == (13, 11, 2, len(found))
    # The header goes over four lines, so the first response stands on the fifth.
    assert quarantined(space) == {16: "a preview or a test, no response", 17: "no question is answered"}
    first = found[found["line"] == 5]
    assert first["question"].tolist() == ["Q1_1", "Q1_2", "Q2", "Q2", "_duration", "_progress"]
    assert first["answer"].tolist() == [AGREE[0], AGREE[2], "Laptop", "Phone", "300", "100"]
    assert first["item"].tolist()[0] == "How much do you agree? - Prices are fair"
    assert first["customer"].unique().tolist() == ["C-000"]
    assert first["time"].astype(str).unique().tolist() == ["2026-03-01 17:05:01"]  # Denver is seven hours behind
    assert found[found["line"] == 13]["customer"].unique().tolist() == ["ann@mail.example"]
    assert found[found["line"] == 14]["customer"].isna().all()
    assert "1 response comes from customers who had answered before" in " ".join(entry.caveats)
    assert "10.0.0.1" not in found["answer"].tolist()


def test_a_grown_survey_adds_only_its_new_respondents(tmp_path: Path) -> None:
    rows = [response(n, id=f"C-{n:03}") for n in range(6)]
    rows[5] = rows[4]  # somebody's answers twice in one file: both count
    space, _ = made(tmp_path, "s.csv", qualtrics(rows))
    before = answers(space)
    assert (last(space).kept, last(space).made) == (6, len(before))
    more = [*rows, response(9, id="C-009"), response(10, status="Survey Test", id="C-010")]
    (tmp_path / "s.csv").write_text(qualtrics(more))
    space.collect()
    entry = last(space)
    assert (entry.rows, entry.kept, entry.reread, entry.quarantined, entry.made) == (8, 1, 6, 1, 6)
    assert len(answers(space)) == len(before) + 6
    assert not answers(space).duplicated(["line", "question", "item", "answer"]).any()
    (tmp_path / "s.csv").write_text(qualtrics([*more, response(11, id="C-011", answers=["Agree", *[None] * 3])]))
    space.collect()
    entry = last(space)
    assert (entry.kept, entry.reread, entry.quarantined, entry.made) == (1, 8, 0, 3)
    steps = {s.label: s.rows for s in reconcile(space.manifest(), {})[0].steps}
    assert steps["rows read"] == 9
    assert steps["kept"] == 8
    assert steps["in quarantine"] == 1
    assert steps["responses that they became"] == len(answers(space))


def test_a_respondent_who_answers_more_later_brings_only_the_new_answers(tmp_path: Path) -> None:
    part = response(1, id="C-001", answers=["Agree", None, None, None])
    space, _ = made(tmp_path, "s.csv", qualtrics([part, *(response(n, id=f"C-{n:03}") for n in range(2, 7))]))
    whole = [*part[:-4], "Agree", "Disagree", None, None]
    rows = [whole, *(response(n, id=f"C-{n:03}") for n in range(2, 7))]
    (tmp_path / "s.csv").write_text(qualtrics(rows))
    space.collect()
    entry = last(space)
    assert (entry.rows, entry.kept, entry.reread, entry.made) == (6, 1, 5, 1)


def test_qualtrics_as_a_workbook_reads_the_same(tmp_path: Path) -> None:
    rows = [response(n, id=f"C-{n:03}") for n in range(6)]
    text, _ = made(tmp_path / "csv", "s.csv", qualtrics(rows))
    book = openpyxl.Workbook()
    for row in pd.read_csv(tmp_path / "csv" / "s.csv", header=None, dtype=str).itertuples(index=False):
        book.active.append([None if pd.isna(cell) else cell for cell in row])
    (tmp_path / "xlsx").mkdir()
    book.save(tmp_path / "xlsx" / "s.xlsx")
    sheet, written = made(tmp_path / "xlsx", "s.xlsx", (tmp_path / "xlsx" / "s.xlsx").read_bytes())
    assert config.parse(written, {}).sources["s"].layout == "answers_in_columns"
    columns = ["customer", "question", "item", "answer", "time"]
    pd.testing.assert_frame_equal(answers(sheet)[columns], answers(text)[columns])


def test_anonymous_qualtrics_responses_are_respondents_of_their_own(tmp_path: Path) -> None:
    space, written = made(tmp_path, "s.csv", qualtrics([response(n) for n in range(6)]))
    assert config.parse(written, {}).sources["s"].columns["customer"] == "ResponseId"
    assert answers(space)["customer"].nunique() == 6


# Other tools ----------------------------------------------------------------------------------------------------------

MONKEY = [
    ["Respondent ID", "Collector ID", "Start Date", "End Date", "IP Address", "Email Address", "Custom Data 1",
     "How important are these?", "", "", "What do you use?", "", "", "Anything else?"],
    ["", "", "", "", "", "", "", "Price", "Speed", "Advice", "Phone", "Laptop", "Other (please specify)",
     "Open-Ended Response"],
]  # fmt: skip


def test_surveymonkey_with_two_header_rows(tmp_path: Path) -> None:
    rows = [
        [1180 + n, 7, "04/13/2026 07:00:00 AM", "04/13/2026 07:02:30 AM", "10.0.0.1", f"p{n}@mail.example", None,
         n % 5 + 1, 5, None, "Phone" if n % 2 else None, "Laptop", "a tablet" if n == 3 else None, "no, thanks"]
        for n in range(8)
    ]  # fmt: skip
    space, written = made(tmp_path, "needs.csv", csv([*MONKEY, *rows]))
    source = config.parse(written, {}).sources["needs"]
    assert source.columns["customer"] == "Email Address"
    assert source.answers.duration == ("Start Date", "End Date")
    found = answers(space)
    one = found[found["line"] == 6]
    assert dict(zip(one["question"], one["answer"], strict=True)) == {
        "Q1_1": "4", "Q1_2": "5", "Q2_1": "Phone", "Q2_2": "Laptop", "Q2_3": "a tablet", "Q3": "no, thanks",
        "_duration": "150",
    }  # fmt: skip
    assert one[one["question"] == "Q2_3"]["item"].item() == "What do you use? - Other (please specify)"
    assert one[one["question"] == "Q3"]["item"].item() == "Anything else?"
    assert (last(space).rows, last(space).kept) == (8, 8)


def test_typeform_with_hidden_fields(tmp_path: Path) -> None:
    header = ["#", "How likely are you to recommend us?", "Why?", "email", "customer_id", "Start Date (UTC)",
              "Submit Date (UTC)", "Network ID", "Tags"]  # fmt: skip
    rows = [
        [f"8f{n:04}", n % 11, f"Reason {n}, really", f"p{n}@mail.example" if n % 3 else None,
         f"C-{n}" if n % 2 else None, "2026-04-01 10:00:00", "2026-04-01 10:01:30", f"aa{n}", None]
        for n in range(12)
    ]  # fmt: skip
    space, written = made(tmp_path, "nps.csv", csv([header, *rows]))
    source = config.parse(written, {}).sources["nps"]
    assert source.columns["customer"] == "coalesce(customer_id, email)"
    assert source.timezone == "UTC"
    found = answers(space)
    assert sorted(found["question"].unique()) == ["Q1", "Q2", "_duration"]
    assert found[found["question"] == "Q1"]["item"].unique().tolist() == ["How likely are you to recommend us?"]
    assert set(found[found["question"] == "_duration"]["answer"]) == {"90"}
    assert found["customer"].isna().sum() == 2 * 3  # two respondents gave neither id nor address


def test_google_forms_with_matrix_and_checkboxes(tmp_path: Path) -> None:
    header = ["Timestamp", "Email Address", "How good is our [Price]", "How good is our [Service]",
              "Which of these do you own?"]  # fmt: skip
    owns = ("Phone;Laptop", "Phone", "Laptop;Tablet", "Tablet")
    rows = [[f"4/{1 + n}/2026 10:00:00", f"p{n}@mail.example", n % 5 + 1, 3, owns[n % 4]] for n in range(20)]
    space, written = made(tmp_path, "form.csv", csv([header, *rows]))
    assert config.parse(written, {}).sources["form"].answers.several == {"Which of these do you own?": ";"}
    found = answers(space)
    assert sorted(found["question"].unique()) == ["Q1_1", "Q1_2", "Q2"]
    assert found[(found["line"] == 2) & (found["question"] == "Q2")]["answer"].tolist() == ["Laptop", "Phone"]


def test_long_form_needs_no_layout(tmp_path: Path) -> None:
    rows = [[f"C-{n}", f"Q{q}", AGREE[(n + q) % 5], "2026-04-01"] for n in range(10) for q in range(4)]
    space, written = made(tmp_path, "answers.csv", csv([["customer_id", "question_id", "answer", "date"], *rows]))
    assert config.parse(written, {}).sources["answers"].layout is None
    assert len(answers(space)) == 40


def test_people_without_an_id_are_respondents_of_their_own(real_data: Path, tmp_path: Path) -> None:
    text = (real_data / "mcdonalds" / "mcdonalds.csv").read_bytes()
    space, written = made(tmp_path, "mcdonalds.csv", text)
    source = config.parse(written, {}).sources["mcdonalds"]
    assert (source.columns["customer"], source.id_space) == ("_respondent", "mcdonalds")
    found = answers(space)
    read = last(space, "mcdonalds")
    assert (read.rows, read.kept, read.made) == (1_453, 1_453, 1_453 * 13)
    assert found["customer"].nunique() == 1_453
    assert found[found["question"] == "yummy"]["answer"].value_counts().to_dict() == {"Yes": 803, "No": 650}
    # Who they are is no answer: it describes the same people. What they answered by yes or no forms the segments.
    people = config.parse(written, {}).sources["mcdonalds_people"]
    assert (source.answers.leave_out, people.id_space) == (("Age", "Gender"), "mcdonalds")
    assert (set(people.attributes), {"age", "gender"} < set(people.columns)) == ({"like", "visit_frequency"}, True)
    space.resolve()
    with space.reading() as reading:
        assert reading.table("resolve", "golden_customers").count().to_pyarrow().as_py() == 1_453
    (first, _) = config.parse(written, {}).segmentations.values()
    assert (first.method, first.traits) == ("latent_classes", ("chooses_*",))
    (tmp_path / "mcdonalds.csv").write_bytes(
        text + b"No,Yes,No,Yes,No,Yes,Yes,No,Yes,No,No,-3,61,Every three months,Female\n"
    )
    space.collect()
    again = last(space, "mcdonalds")
    assert (again.kept, again.reread, again.made) == (1, 1_453, 13)


# Mistakes -------------------------------------------------------------------------------------------------------------

WIDE = """\
name: Survey
sources:
  survey:
    kind: responses
    path: s.csv
    layout: answers_in_columns
    answers: {ANSWERS}
    columns: {customer: id, question: _question, answer: _answer}
"""


def collected(root: Path, settings: str) -> Workspace:
    (root / "s.csv").write_text("id,Q1,Q2,note\nA,5,4,x\nB,,,\n,3,2,\n")
    (root / "segmentry.yaml").write_text(WIDE.replace("ANSWERS", settings))
    space = opened(root)
    space.collect()
    return space


def test_columns_left_out_hold_no_answers(tmp_path: Path) -> None:
    space = collected(tmp_path, "leave_out: [note]")
    assert answers(space)["question"].tolist() == ["Q1", "Q2", "Q1", "Q2"]
    assert quarantined(space) == {3: "no question is answered"}
    assert last(space).made == 4


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        collected(tmp_path, "leave_out: [notes]")
    assert "sources.survey.answers.leave_out: the file s.csv has no column 'notes'. Did you mean 'note'?" in str(
        caught.value
    )


def test_all_columns_left_out_leave_no_answers(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no column of s\.csv is left that could hold answers"):
        collected(tmp_path, "leave_out: [Q1, Q2, note]")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("answers_in_columns", "answers_in_column", "Did you mean 'answers_in_columns' or 'measures_in_columns'?"),
        ("kind: responses", "kind: events", "layout: answers_in_columns is for responses, not for events"),
        ("    layout: answers_in_columns\n", "", "answers belongs to layout: answers_in_columns"),
        ("leave_out", "leave_ot", "Did you mean 'leave_out'?"),
        ("answers: {", "measures: [a]\n    answers: {", "measures and layout: measures_in_columns belong together"),
        ("answers: {", "set_aside: {'': a}\n    answers: {", "a condition needs a reason in words"),
    ],
)
def test_a_wrong_layout_says_what_is_allowed(old: str, new: str, message: str) -> None:
    text = WIDE.replace("{ANSWERS}", "{leave_out: [note]}").replace(old, new)
    text = text.replace("question: _question, answer: _answer", "time: a, name: b") if "kind: events" in new else text
    with pytest.raises(ConfigError, match=message.replace("?", r"\?")):
        config.parse(text, {})
