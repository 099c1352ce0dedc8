"""Needs: what answers to surveys say of a customer, with the latest answer, whatever the scale and the language."""

from __future__ import annotations

import json
import tempfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from needs_reference import BENEFITS, CONFIG, DESIGN, SURVEYS, reference, survey, write
from tests.engines import on, on_every_engine
from tests.shops import opened
from trait_reference import customers, table

from segmentry import config, engine
from segmentry.data import survey_designs
from segmentry.errors import ConfigError, DataError
from segmentry.target import needs_report
from segmentry.traits import Facts, Settings, TraitTable, compute, from_json, rated_needs
from segmentry.traits.needs.ratings import points_of

AS_OF = date(2024, 12, 31)


TYPES = {name: pa.string() for name in ("survey", "question", "item", "answer")}
TYPES |= {"customer_key": pa.int64(), "time": pa.timestamp("us")}


def computed(rows: list[dict[str, Any]], as_of: date = AS_OF, surveys: str = SURVEYS) -> dict[str, dict[str, Any]]:
    """The traits of needs of every customer who is known by then, without those that are not known."""
    return by_customer(made(rows, as_of, surveys)[0])


def made(
    rows: list[dict[str, Any]], as_of: date, surveys: str, design: Path | None = None
) -> tuple[list[dict[str, Any]], TraitTable]:
    read = config.parse(CONFIG + surveys, {}).surveys
    design = design or write(Path(tempfile.mkdtemp()), []) / "design.csv"
    designs = survey_designs.designs(design.parent, read)
    people = sorted({row["id"] for row in rows})
    answers = [
        {
            "customer_key": people.index(r["id"]), "survey": r["survey"], "question": r["code"], "item": r["item"],
            "answer": r["answer"], "time": r["at"],
        }
        for r in rows
    ]  # fmt: skip
    with engine.in_memory() as con:
        golden = customers(con, [{"customer_key": i, "customer_id": who} for i, who in enumerate(people)])
        facts = Facts(golden, further={"responses": table(con, "responses", answers, TYPES)})
        found = compute(facts, as_of, Settings(surveys=read, designs=designs))
        return found.table.to_pyarrow().to_pylist(), found


def by_customer(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    other = ("customer_key", "customer_id")
    return {r["customer_id"]: {n: v for n, v in r.items() if v is not None and n not in other} for r in rows}


def traits_of(root: Path, as_of: date = AS_OF) -> dict[str, dict[str, Any]]:
    """The same through a workspace."""
    space = opened(root)
    try:
        space.run(as_of)
        with space.reading() as reading:
            names = {t.name for t in from_json(reading.run("traits").facts["traits"]) if t.model == "needs"}
            rows = reading.find("traits").to_pyarrow().to_pylist()
    finally:
        space.close()
    return {r["customer_id"]: {n: r[n] for n in names if r[n] is not None} for r in rows}


def rounded(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Shares like 1/3 to the last bit but one."""
    return {
        who: {n: round(v, 12) if isinstance(v, float) else v for n, v in row.items()}
        for who, row in rows.items()
        if row
    }


@on_every_engine
def test_every_trait_is_what_plain_python_makes_of_the_latest_answers(engine: str, tmp_path: Path) -> None:
    rows = survey()
    root = write(tmp_path / "w", rows, SURVEYS)
    text = (root / "segmentry.yaml").read_text(encoding="utf-8")
    (root / "segmentry.yaml").write_text(on(engine, text), encoding="utf-8")
    found = traits_of(root)
    assert found["P999"] == {}  # was never asked
    assert rounded(found) == rounded(reference(rows, AS_OF))
    assert len({who for who, row in found.items() if "benefit_of_easy_set_up" in row}) > 40


@pytest.mark.parametrize("as_of", [date(2024, 2, 10), date(2024, 6, 1)])
def test_later_answers_have_no_influence(as_of: date) -> None:
    rows = survey(seed=3)
    by_then = [row for row in rows if row["at"].date() <= as_of]
    assert 100 < len(by_then) < len(rows)
    everything, alone = computed(rows, as_of), computed(by_then, as_of)
    assert rounded(everything) == rounded(alone) == rounded(reference(rows, as_of))


def test_items_answered_by_yes_or_no_are_traits_unless_they_are_no_items() -> None:
    given = {"a": ("Yes", "No", "Red", "9"), "b": ("no", "Yes", "Yes", "8"), "c": (None, "Nein", "No", "7")}
    later = {"a": ("No", None, None, None)}
    rows = [
        {"id": who, "survey": "s", "code": code, "item": item, "answer": answer, "at": datetime(2024, month, 1)}
        for month, answers in ((1, given), (2, later))
        for who, said in answers.items()
        for (code, item), answer in zip(
            {"Q1": "How do you see us? - cheap", "Q2": "fast", "Q3": "colour", "Q4": "likes"}.items(), said, strict=True
        )
        if answer is not None
    ]
    found = computed(rows, surveys="")
    # a's latest completion says nothing of fast; the answers to Q3 and Q4 are more than yes and no
    assert found == {
        "a": {"chooses_cheap": False},
        "b": {"chooses_cheap": False, "chooses_fast": True},
        "c": {"chooses_fast": False},
    }
    of_january = computed(rows, date(2024, 1, 31), surveys="")
    assert of_january["a"] == {"chooses_cheap": True, "chooses_fast": False}


def test_a_need_may_be_asked_of_products_and_a_scale_be_upside_down() -> None:
    rows = survey(seed=5)
    settings = """\
surveys:
  voices:
    importance: {Cheap: {Phones: I_1, Tablets: I_2}, Service: I_3}
    satisfaction: {Cheap: {Phones: S_1, Tablets: S_2}, Service: S_3}
    nps: none
    csat: EASE
    ranges: {importance: [1, 5], csat: [7, 1]}
"""
    _, table_ = made(rows, AS_OF, settings)
    names = [trait.name for trait in table_.traits]
    assert {"importance_of_cheap_for_phones", "opportunity_in_cheap_for_tablets", "satisfaction_with_service"} <= {
        *names
    }
    assert not {"nps", "main_benefit"} & {*names}
    rated = rated_needs(table_.traits, config.parse(CONFIG + settings, {}).surveys)
    assert [(r.name, r.product) for r in rated] == [("Cheap", "Phones"), ("Cheap", "Tablets"), ("Service", "")]
    found, want = computed(rows, AS_OF, settings), reference(rows, AS_OF)
    assert found
    for who, row in found.items():
        assert row.get("satisfaction_with_cheap_for_phones") == want[who].get("satisfaction_with_low_prices")
        ease = want[who].get("ces")
        assert row.get("csat") == (None if ease is None else pytest.approx(10 - ease))  # 7 is the worst answer here


def test_what_does_not_count_is_told() -> None:
    _, found = made(survey(), AS_OF, SURVEYS.replace("Q9", "Q99"))
    notes = " ".join(found.notes)
    assert "answers to NPS (nps) are on no scale" in notes
    assert "23 of 199 tasks do not count: 11 are of no version of the design" in notes
    assert "surveys.voices.choices: nobody has answered 'Q99'. Answered are:" in notes
    assert "answers to EASE" not in notes


def test_a_question_cannot_ask_two_things() -> None:
    with pytest.raises(ConfigError, match="EASE is both csat and ces"):
        computed(survey(customers=5), AS_OF, "surveys: {voices: {csat: EASE, ces: EASE}}\n")


def test_a_pattern_names_needs_by_their_wording_and_none_names_nothing() -> None:
    settings = "surveys: {voices: {importance: 'I_*', satisfaction: none, nps: none, csat: none, ces: none}}\n"
    found = computed(survey(), AS_OF, settings)
    names = {name for row in found.values() for name in row}
    assert names == {"importance_of_low_prices", "importance_of_fast_delivery", "importance_of_good_advice"}


def test_benefits_are_learned_with_their_standard_errors() -> None:
    _, found = made(survey(seed=2, customers=200), AS_OF, SURVEYS)
    model = found.learned["benefits"].model
    benefits = model["voices"]["benefits"]
    assert set(benefits) == set(BENEFITS)
    assert sum(b["utility"] for b in benefits.values()) == pytest.approx(0, abs=1e-9)
    assert sum(b["share"] for b in benefits.values()) == pytest.approx(1)
    assert all(0 < b["standard_error"] < 0.3 for b in benefits.values())
    assert [b.utility for b in needs_report.benefits(model)] == sorted(b["utility"] for b in benefits.values())[::-1]
    assert "P0" not in json.dumps(dict(model))


# Bad input ------------------------------------------------------------------------------------------------------------


def refused(tmp_path: Path, design: str | None) -> str:
    root = write(tmp_path, [])
    if design is None:
        (root / "design.csv").unlink()
    else:
        (root / "design.csv").write_text(design, encoding="utf-8")
    with pytest.raises(DataError) as told:
        made(survey(), AS_OF, SURVEYS, root / "design.csv")
    return str(told.value)


def test_a_design_that_lacks_a_task_is_named(tmp_path: Path) -> None:
    lines = [f"{v},{t},{BENEFITS[i]}" for (v, t), shown in DESIGN.items() if (v, t) != ("B", "3") for i in shown]
    said = refused(tmp_path, "\n".join(["version,task,item", *lines]))
    assert "surveys.voices.best_worst: the design design.csv has no task 3 of version B" in said
    assert "Complete the file" in said


def test_a_design_of_other_answers_is_refused(tmp_path: Path) -> None:
    lines = [f"{v},{t},{BENEFITS[(i + 2) % 5]}" for (v, t), shown in DESIGN.items() for i in shown[:2]]
    assert "choices are impossible" in refused(tmp_path, "\n".join(["version,task,item", *lines]))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "there is no file design.csv"),
        ("version,benefit\n1,a\n", "has no column task"),
        ("version,task,item\n", "is empty"),
        ("version,task,item\n1,1,Low prices\n", "task 1 of version 1 shows Low prices"),
        ("task,item_1,item_2\n1,Low prices,Low prices\n", "each once"),
    ],
)
def test_a_file_that_is_no_design_is_told(tmp_path: Path, text: str | None, said: str) -> None:
    assert said in refused(tmp_path, text)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("best_worst: {best: B_best, worst: 'B{task}', design: d.csv}", "needs {task} once"),
        ("best_worst: {best: 'A{task}', worst: 'B{task}'}", "without a design they have to be named"),
        ("best_worst: {best: 'A{task}', worst: 'B{task}', design: d, shown: 'C{task}'}", "Keep one"),
        ("ranges: {nps: [1, 5]}", "has no range to set"),
        ("ranges: {csat: [5, 5]}", "are both 5"),
        ("choices: {Why Us: Q1}", "lower-case letter"),
        ("csta: Q1", "Did you mean 'csat'"),
    ],
)
def test_settings_that_cannot_be_are_told_with_their_place(settings: str, said: str) -> None:
    with pytest.raises(ConfigError) as told:
        config.parse(f"{CONFIG}surveys:\n  voices:\n    {settings}\n", {})
    assert "segmentry.yaml:" in str(told.value)
    assert said in str(told.value)


def test_answers_outside_the_scale_have_no_points() -> None:
    assert points_of(["0", "10", "11", "99", "?"], (0, 10)) == {"0": 0.0, "10": 10.0}
    assert points_of(["1", "3", "5", "99"], None) == {"1": 0.0, "3": 5.0, "5": 10.0}
    assert points_of(["7 - easy", "1 - hard"], (7, 1)) == {"7 - easy": 0.0, "1 - hard": 10.0}


def test_what_was_shown_may_stand_among_the_answers() -> None:
    rows = [row for row in survey(seed=9) if row["code"] != "version"]
    versions = {(r["id"], r["at"]): r["answer"] for r in survey(seed=9) if r["code"] == "version"}
    shown = [
        {"id": who, "survey": "voices", "code": f"SHOWN{task}", "item": "", "answer": BENEFITS[i], "at": at}
        for (who, at), version in versions.items()
        for task in "1234"
        for i in DESIGN[version, task]
    ]
    named = ", ".join(BENEFITS)
    settings = (
        "surveys:\n  voices:\n    best_worst:\n      best: BW{task}_most\n      worst: BW{task}_least\n"
        f"      shown: SHOWN{{task}}\n      benefits: {{{', '.join(f'{name}: []' for name in named.split(', '))}}}\n"
    )
    found = computed(rows + shown, AS_OF, settings)
    want = reference([r for r in survey(seed=9) if r["code"] == "version" or r["code"].startswith("BW")], AS_OF)
    known = {who: row for who, row in want.items() if row}
    kept = {w: {n: v for n, v in r.items() if "benefit" in n} for w, r in found.items() if "main_benefit" in r}
    assert rounded(kept) == rounded(known)
