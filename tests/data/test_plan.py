"""The data plan: readiness, coverage, decisions, questionnaires; before any data, and of a workspace."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
from tests.shops import CONFIG, opened, orders, shop

from segmentry.catalogue import ACCOUNT_TRAITS, TRAITS, Model
from segmentry.data.plan import Plan, decisions, make_plan, questionnaire
from segmentry.data.plan.fields import BY_ID, FIELDS, NAMED_TABLES
from segmentry.errors import ConfigError, UsageError
from segmentry.tables import TABLES
from segmentry.workspace import Workspace

SURVEYED = """\
name: Surveyed
sources:
  people:
    kind: customers
    path: people.csv
    columns: {customer: id, birth_year: born, email: email, updated_at: changed}
    attributes:
      csat_score: {from: score, model: needs, kind: number}
      shoe_size: {from: shoes, model: behavioral, kind: number}
  answers:
    kind: responses
    path: answers.csv
    columns: {customer: id, question: code, item: item, answer: answer, time: at}
  clicks:
    kind: events
    path: clicks.csv
    columns: {customer: id, time: at, name: name}
"""


def _surveyed(root: Path) -> Workspace:
    """200 customers: a year of birth of every second, 30 respondents, one product view of each of 120."""
    root.mkdir()
    (root / "segmentry.yaml").write_text(SURVEYED, encoding="utf-8")
    people = [
        f"C{i},{1960 + i % 40 if i % 2 else ''},c{i}@mail.example,2026-06-01,{i % 10},{40 + i % 5}" for i in range(200)
    ]
    (root / "people.csv").write_text("id,born,email,changed,score,shoes\n" + "\n".join(people))
    asked = [("Q1", "How likely are you to recommend us to a friend?"), ("Q2", "I compare prices in several shops.")]
    answers = [f"C{i},{code},{text},{i % 11},2026-05-{1 + i % 28:02}" for i in range(30) for code, text in asked]
    (root / "answers.csv").write_text("id,code,item,answer,at\n" + "\n".join(answers))
    clicks = [f"C{i},2024-01-{1 + i % 28:02},Product Viewed" for i in range(120)]
    (root / "clicks.csv").write_text("id,at,name\n" + "\n".join(clicks))
    return opened(root)


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    space = _surveyed(tmp_path_factory.mktemp("plan") / "w")
    space.run(date(2026, 6, 30))
    return space.plan()


# What is declared -----------------------------------------------------------------------------------------------------


def test_every_need_of_every_trait_is_a_field_of_the_plan() -> None:
    covered = {need for field in FIELDS for need in field.needs}
    for trait in (*TRAITS.values(), *ACCOUNT_TRAITS.values()):
        for need in trait.needs:
            options = need.split(" or ")
            required = all(TABLES[t][c].required for t, c in (o.split(".") for o in options))
            assert required or covered & set(options), f"{trait.name} needs {need}: declare a field that gives it"


def test_every_field_can_be_gathered_and_every_model_begins_somewhere() -> None:
    assert len(BY_ID) == len(FIELDS)
    for field in FIELDS:
        for need in field.needs:
            table, _, column = need.partition(".")
            assert (column in TABLES[table]) if column else (table in NAMED_TABLES and field.words), need
        assert field.why.endswith("."), field.id
        assert field.columns or field.event or field.question or "costs" in field.needs, field.id
    for model in Model:
        assert sum(f.strength for f in FIELDS if f.model is model) >= 5
        assert any(f.strength == 3 for f in FIELDS if f.model is model)


def test_questions_are_ready_to_be_asked() -> None:
    asked = [f.question for f in FIELDS if f.question is not None]
    for question in asked:
        assert question.form in ("text", "number") or len(question.options) >= 2, question.wording
        assert all(1 <= i <= len(question.items) for i in question.reverse)
        if question.private and question.form == "one":
            assert question.options[-1] == "Prefer not to say"
    for name in ("psychographic.attitudes", "technographic.adoption", "psychographic.personality"):
        assert BY_ID[name].question.reverse, f"{name} has no item worded the other way round"
    assert BY_ID["needs.nps"].question.options == tuple(str(n) for n in range(11))
    assert BY_ID["needs.benefits"].question.form == "best and worst"


# Before any data ------------------------------------------------------------------------------------------------------


def test_without_a_config_the_plan_is_a_checklist() -> None:
    people, firms = make_plan(None, None, {}), make_plan(None, None, {}, b2b=True)
    assert [m.model for m in people.models] == list(Model)
    assert {m.verdict for m in people.models} == {"not possible", "not needed"}
    assert people.of("firmographic").verdict == "not needed"
    assert [f.id for f in people.of("demographic").missing[:1]] == ["demographic.age"]
    assert "Cheapest" not in people.of("needs").because
    assert people.of("needs-based").first_step.startswith("Benefits sought")
    assert people.of("value").first_step.startswith("Revenue")
    assert firms.of("firmographic").verdict == "not possible"
    assert "demographic.income" not in {f.id for f in firms.of("demographic").fields}


def test_unknown_model_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no model 'demografic'\. Did you mean 'demographic'"):
        make_plan(None, None, {}).of("demografic")


def test_from_the_config_alone_fields_are_mapped_and_not_measured(tmp_path: Path) -> None:
    space = opened(shop(tmp_path / "w"))
    plan = space.plan()
    assert not plan.measured
    purchases = plan.field("behavioral.purchases")
    assert (purchases.state, purchases.fill) == ("mapped", None)
    assert plan.field("demographic.age").lack.startswith("no age groups, weighting to the population, age, age band")


# Measured -------------------------------------------------------------------------------------------------------------


def test_fill_customers_and_age_are_measured(surveyed: Plan) -> None:
    age = surveyed.field("demographic.age")
    assert (age.customers, age.fill, age.newest, age.age_days) == (100, 0.5, date(2026, 6, 1), 29)
    assert (age.state, age.problem) == ("thin", "known for 50 % of the customers only")
    nps = surveyed.field("needs.nps")
    assert (nps.customers, nps.fill, nps.given_by) == (30, 0.15, ("responses (Q1)",))
    assert nps.problem == "answered by 30 known customers; 100 are enough for segments"
    assert surveyed.field("psychographic.attitudes").given_by == ("responses (Q2)",)
    views = surveyed.field("behavioral.visits")
    assert (views.customers, views.fill, views.state) == (120, 0.6, "thin")
    assert views.problem == f"the newest record is {views.age_days:,} days old"
    assert surveyed.field("needs.csat").given_by == ("customers (csat_score)",)
    assert surveyed.field("needs.csat").state == "good"
    assert surveyed.of("behavioral").also == ("shoe_size",)


def test_verdicts_say_what_is_thin_and_where_to_begin(surveyed: Plan) -> None:
    assert surveyed.of("demographic").verdict == "thin"
    assert "age: known for 50 % of the customers only" in surveyed.of("demographic").because
    assert surveyed.of("geographic").verdict == "not possible"
    assert surveyed.of("geographic").first_step.startswith("Postcode: export it from: shipping or billing address")
    assert surveyed.of("geographic").missing[0].worth == max(f.worth for f in surveyed.of("geographic").fields)


def test_orders_make_the_behavioural_model_and_no_data_is_read_twice(tmp_path: Path) -> None:
    space = opened(
        shop(tmp_path / "w", orders(80), CONFIG.partition("segmentations:")[0].replace("primary: rfm\n", ""))
    )
    space.run()
    first = space.state.current()["plan"]
    plan = space.plan()
    assert plan.measured
    assert plan.field("behavioral.purchases").fill == 1.0
    assert plan.of("psychographic").verdict == "not possible"
    space.run()
    assert space.state.current()["plan"] == first
    assert space.overview().plan == plan


def test_no_value_of_a_customer_is_in_the_facts(tmp_path: Path) -> None:
    space = _surveyed(tmp_path / "w")
    space.collect()
    space.cover()
    assert "mail.example" not in str(space.state.current()["plan"].facts)


# Decisions ------------------------------------------------------------------------------------------------------------


def test_a_decision_is_kept_with_the_comments_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("# ours\nfields:\n  # talk to finance first\n  demographic.income:\n    owner: ben  # until May\n")
    made = decisions.decide(
        tmp_path, "demographic.income", {"status": "to collect", "owner": "ana", "due": date(2027, 1, 31)}
    )
    assert (made.status, made.owner, made.due) == ("to collect", "ana", date(2027, 1, 31))
    decisions.decide(tmp_path, "needs.nps", {"status": "asked"})
    text = path.read_text()
    assert "# ours" in text
    assert "# talk to finance first" in text
    assert "# until May" in text
    assert decisions.load(tmp_path)["needs.nps"].status == "asked"
    plan = make_plan(None, None, decisions.load(tmp_path))
    assert plan.field("demographic.income").decision.owner == "ana"


def test_what_is_decided_against_is_no_longer_missing() -> None:
    out = {"demographic.age": decisions.Decision(status="refused")}
    assert "demographic.age" not in [f.id for f in make_plan(None, None, out).of("demographic").missing]
    all_out = {f.id: decisions.Decision(status="not needed") for f in FIELDS if f.model is Model.NEEDS}
    assert make_plan(None, None, all_out).of("needs").verdict == "not needed"


def test_having_a_field_that_is_not_mapped_is_told() -> None:
    plan = make_plan(None, None, {"demographic.age": decisions.Decision(status="have")})
    assert "map it in segmentry.yaml" in plan.field("demographic.age").problem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "fields:\n  demografic.age: {status: asked}\n",
            "plan.yaml:2 fields.demografic.age: there is no such field. Did you mean 'demographic.age'",
        ),
        (
            "fields:\n  needs.nps:\n    statsu: asked\n",
            "plan.yaml:3 fields.needs.nps.statsu: this key is not known. Did you mean 'status'",
        ),
        (
            "fields:\n  needs.nps:\n    status: collect\n",
            "plan.yaml:3 fields.needs.nps.status: 'collect' is not allowed. Did you mean 'to collect'",
        ),
        (
            "fields:\n  needs.nps:\n    owner: a\n    due: soon\n",
            "plan.yaml:4 fields.needs.nps.due: 'soon' is no date. Write it as 2027-01-31",
        ),
        ("fields:\n  needs.nps: asked\n", "plan.yaml:2 fields.needs.nps: must be a mapping"),
        ("felds: {}\n", "plan.yaml:1 felds: this key is not known. Allowed: fields"),
        ("fields: [\n", "plan.yaml:2 is not YAML"),
        ("- a\n", "plan.yaml:1 must be a mapping"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_line_and_the_file_stays(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "plan.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        decisions.load(tmp_path)
    assert said in str(caught.value)
    with pytest.raises(ConfigError):
        decisions.decide(tmp_path, "needs.nps", {"owner": "ana"})
    assert (tmp_path / "plan.yaml").read_text() == text


def test_a_wrong_decision_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no field 'value\.income'\. Did you mean 'demographic\.income'"):
        decisions.decide(tmp_path, "value.income", {"status": "asked"})
    with pytest.raises(UsageError, match=r"'done' is no status\. Allowed: asked, have"):
        decisions.decide(tmp_path, "needs.nps", {"status": "done"})
    assert not list(tmp_path.iterdir())


# Questionnaires -------------------------------------------------------------------------------------------------------


def _decided(*fields: str, source: str = "survey") -> Plan:
    return make_plan(None, None, {f: decisions.Decision(status="to collect", source=source) for f in fields})


def test_a_questionnaire_asks_what_is_to_be_collected_by_survey(tmp_path: Path) -> None:
    plan = _decided("demographic.income", "psychographic.attitudes", "needs.nps")
    assert questionnaire.write(plan, tmp_path / "q.md") == 3
    text = (tmp_path / "q.md").read_text()
    assert "Prefer not to say" in text
    assert "(reverse)" in text
    assert "recommend us to a friend" in text
    assert text.index("needs_nps") < text.index("demographic_income"), "what is private comes last"
    questionnaire.write(plan, tmp_path / "q.csv")
    with (tmp_path / "q.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    battery = [r for r in rows if r["field"] == "psychographic.attitudes"]
    assert [r["code"] for r in battery][:2] == ["psychographic_attitudes_1", "psychographic_attitudes_2"]
    assert [r["reverse"] for r in battery].count("yes") == 3


def test_nothing_to_ask_says_how_to_decide(tmp_path: Path) -> None:
    for plan in (_decided(), _decided("demographic.income", source="CRM")):
        with pytest.raises(UsageError, match="No missing field is decided to be collected by survey"):
            questionnaire.write(plan, tmp_path / "q.md")
    with pytest.raises(UsageError, match=r"FILE\.md or FILE\.csv"):
        questionnaire.write(_decided("needs.nps"), tmp_path / "q.pdf")
    assert not list(tmp_path.iterdir())


def test_answers_to_the_questionnaire_fill_their_fields(tmp_path: Path) -> None:
    plan = _decided("demographic.income", "needs.importance", "value.share_of_wallet")
    codes = [line.split(",")[0] for line in questionnaire.table(questionnaire.chosen(plan)).splitlines()[1:]]
    root = shop(tmp_path / "w", orders(20), CONFIG.partition("segmentations:")[0] + """\
  answers: {kind: responses, path: answers.csv, columns: {customer: id, question: code, answer: answer}}
""")  # fmt: skip
    config = (root / "segmentry.yaml").read_text().replace("primary: rfm\n", "")
    (root / "segmentry.yaml").write_text(config)
    answers = [f"C{i:05d},{code},7" for i in range(20) for code in codes]
    (root / "answers.csv").write_text("id,code,answer\n" + "\n".join(answers))
    space = opened(root)
    space.collect()
    found = space.plan()
    for name in ("demographic.income", "needs.importance", "value.share_of_wallet"):
        assert found.field(name).customers == 20, name
