"""`segmentry init`: from files to the text of a segmentry.yaml that runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import ibis
import openpyxl
import pytest

from segmentry import config
from segmentry.catalogue import ACCOUNT_TRAITS, Model, lookup
from segmentry.columns import Pii
from segmentry.data.defaults import lifecycle_days
from segmentry.data.order_lines import Rhythm, friendly
from segmentry.data.proposal import Proposal
from segmentry.data.propose import propose, to_yaml
from segmentry.data.recognise import Question, SourceProposal, recognise
from segmentry.engine import in_memory
from segmentry.errors import DataError, UsageError

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def proposed(root: Path, *patterns: str, name: str | None = None) -> Proposal:
    scratch = root / "scratch"
    scratch.mkdir(exist_ok=True)
    with in_memory() as con:
        return propose(con, patterns, root, scratch, name=name, now=NOW)


def read(proposal: Proposal) -> config.Config:
    return config.parse(to_yaml(proposal), {})


def mapping(source: SourceProposal) -> dict[str, str]:
    return {target: found.expression for target, found in source.columns.items()}


def write(path: Path, header: str, rows: Sequence[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def orders(start: int = 0, customers: int = 40) -> list[str]:
    return [
        f"{100 + i % customers},{start + i},2024-{1 + i % 12:02}-{1 + i % 28:02},{i % 17 + 1}.5" for i in range(200)
    ]


ORDERS = "customer_id,order_id,order_date,amount"


# Real files -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Proposal]]:
    """Proposals for the real data sets, each made once."""

    class Made(dict[str, Proposal]):
        def __missing__(self, pattern: str) -> Proposal:
            scratch = tmp_path_factory.mktemp("scratch")
            with in_memory() as con:
                self[pattern] = propose(con, [pattern], real_data, scratch, name="acme", now=NOW)
            return self[pattern]

    return Made()


REAL = (
    "online_retail/*",
    "cdnow/cdnow_master.parquet",
    "cdnow/cdnow_customers_summary.csv",
    "customer_personality/*",
    "crm_sales_opportunities/*",
    "telco_churn/*",
    "fake_people/*",
    "febrl/*",
)


@pytest.mark.parametrize("pattern", REAL)
def test_the_text_is_a_valid_config_with_a_segmentation(real: Mapping[str, Proposal], pattern: str):
    proposal = real[pattern]
    loaded = read(proposal)
    assert list(loaded.sources) == [s.name for s in proposal.sources]
    assert loaded.segmentations
    assert loaded.first == loaded.primary
    for source in proposal.sources:
        assert loaded.sources[source.name].columns == mapping(source)
        assert loaded.sources[source.name].pii == dict(source.pii)
    longest = max(len(line) for line in to_yaml(proposal).splitlines() if not re.match(r" +\w+: [{\"]", line))
    assert longest <= 120


@pytest.mark.parametrize("pattern", REAL)
def test_every_trait_that_a_segmentation_uses_exists(real: Mapping[str, Proposal], pattern: str):
    loaded = read(real[pattern])
    known = {name for source in loaded.sources.values() for name in source.attributes}
    for segmentation in loaded.segmentations.values():
        used = set(segmentation.traits) if isinstance(segmentation, config.KMeans) else set()
        if isinstance(segmentation, config.Rules):
            conditions = " ".join(re.sub(r"'[^']*'", "", s.where) for s in segmentation.segments)
            used = set(re.findall(r"[a-z_]+", conditions)) - {"and", "or"}
        assert not {name for name in used if name not in known and lookup(name) is None and name not in ACCOUNT_TRAITS}


@pytest.mark.parametrize("pattern", REAL)
def test_no_personal_value_is_written_down(real: Mapping[str, Proposal], pattern: str):
    proposal = real[pattern]
    # Words of the text that are not its own: what is in quotes, and comments.
    text = set(re.findall(r"[\w@.\-]+", to_yaml(proposal)))
    names = {word for s in proposal.sources for c in s.table.names for word in re.findall(r"[\w@.\-]+", c)}
    for source in proposal.sources:
        for column, pii in source.pii.items():
            if pii is Pii.DIRECT:
                values = {v for v in source.table[column].values if len(v) > 3 and not v.isdigit()}
                assert not (values & text) - names


def test_online_retail(real: Mapping[str, Proposal]):
    proposal = real["online_retail/*"]
    (source,) = proposal.sources
    assert source.kind == "transactions"
    assert mapping(source) == {
        "customer": "CustomerID",
        "order": "InvoiceNo",
        "time": "InvoiceDate",
        "amount": "Quantity * UnitPrice",
        "quantity": "Quantity",
        "product": "StockCode",
        "product_name": "Description",
        "country": "Country",
    }
    assert source.returns == "InvoiceNo like 'C%'"
    assert source.charges is not None
    codes = re.findall(r"'([^']+)'", source.charges)
    assert set(codes) == {"POST", "DOT", "M", "m", "C2", "D", "S", "BANK CHARGES", "AMAZONFEE", "CRUK", "B"}
    assert proposal.questions == ()
    assert proposal.rhythm is not None
    assert proposal.rhythm.customers > 4_300
    loaded = read(proposal)
    assert loaded.lifecycle_days == config.LifecycleDays(new=30, active=120, lapsed=365)
    assert list(loaded.segmentations) == ["lifecycle", "value", "rfm", "behaviour"]
    assert loaded.primary == "rfm"
    assert "the first 200,000 records" in to_yaml(proposal)


def test_cdnow(real: Mapping[str, Proposal]):
    (orders,) = real["cdnow/cdnow_master.parquet"].sources
    assert mapping(orders) == {
        "customer": "customer_id",
        "time": "date",
        "amount": "dollar_value",
        "quantity": "number_of_cds",
    }
    assert (orders.returns, orders.charges) == (None, None)
    assert real["cdnow/cdnow_master.parquet"].currency == "USD"
    (summary,) = real["cdnow/cdnow_customers_summary.csv"].sources
    assert (summary.kind, mapping(summary)) == ("customers", {"customer": "ID"})
    assert [a.name for a in summary.attributes] == ["frequency_stated", "recency", "t"]


def test_customer_personality(real: Mapping[str, Proposal]):
    (source,) = real["customer_personality/*"].sources
    amounts = ["MntWines", "MntFruits", "MntMeatProducts", "MntFishProducts", "MntSweetProducts", "MntGoldProds"]
    assert mapping(source) == {
        "customer": "ID",
        "joined_at": "Dt_Customer",
        "birth_year": "Year_Birth",
        "income": "Income",
        "education": "Education",
        "marital_status": "Marital_Status",
        "children": "Kidhome + Teenhome",
        "value": " + ".join(amounts),
    }
    assert dict(source.left_out) == {
        "Z_CostContact": "the same in every row",
        "Z_Revenue": "the same in every row",
    }
    loaded = read(real["customer_personality/*"])
    attributes = loaded.sources["marketing_campaign"].attributes
    assert (attributes["recency"].unit, attributes["recency"].model) == ("days", "behavioral")
    assert (attributes["mnt_wines"].unit, attributes["mnt_wines"].model) == ("currency", "value")
    assert attributes["accepted_cmp3"].kind == "boolean"
    assert list(loaded.segmentations) == ["value", "groups", "life_stage"]
    assert loaded.sources["marketing_campaign"].pii["Income"] is Pii.SENSITIVE


def test_telco(real: Mapping[str, Proposal]):
    proposal = real["telco_churn/*"]
    assert [s.kind for s in proposal.sources] == ["customers", "customers", "places", "customers", "customers"]
    assert {s.id_space for s in proposal.sources if s.kind == "customers"} == {"customers"}
    columns = {target: column for s in proposal.sources for target, column in mapping(s).items()}
    assert columns == {
        "customer": "Customer ID",
        "age": "Age",
        "gender": "Gender",
        "country": "Country",
        "region": "State",
        "city": "City",
        "postcode": "Zip Code",
        "latitude": "Latitude",
        "longitude": "Longitude",
        "value": "Total Revenue",
    }
    assert not proposal.left_out
    (population,) = proposal.sources[2].attributes
    assert (population.name, population.model, population.pii) == ("population", Model.GEOGRAPHIC, Pii.QUASI)
    text = to_yaml(proposal)
    assert "Joined to customers by Zip Code of telco_customer_churn_location: 100 %" in " ".join(text.split())
    assert "100 % of the ids are in" in text
    assert "Churn Value (says the same as Churn Label)" in text
    groups = read(proposal).segmentations["groups"]
    assert isinstance(groups, config.KMeans)
    assert "tenure_in_months" in groups.traits
    assert not {"churn_score", "cltv", "total_charges"} & set(groups.traits)


def test_opportunities_stand_for_orders_and_accounts_for_customers(real: Mapping[str, Proposal]):
    proposal = real["crm_sales_opportunities/*"]
    accounts, stand_ins, products, pipeline, deals = proposal.sources
    assert (deals.name, deals.kind) == ("opportunities", "opportunities")
    assert (accounts.kind, mapping(accounts)["parent"], accounts.attributes) == ("accounts", "subsidiary_of", ())
    assert mapping(accounts)["account_name"] == "account"  # its only name
    assert (stand_ins.name, stand_ins.kind) == ("accounts_as_customers", "customers")
    assert mapping(stand_ins) == {"customer": "account", "account": "account", "country": "office_location"}
    assert [a.name for a in stand_ins.attributes] == [
        "industry",
        "employees",
        "annual_revenue",
        "founded_year",
        "parent_account",
    ]
    assert (products.kind, mapping(products)) == (
        "products",
        {"product": "product", "category": "series", "list_price": "sales_price"},
    )
    assert (pipeline.kind, mapping(pipeline)) == (
        "transactions",
        {
            "customer": "account",
            "order": "opportunity_id",
            "time": "close_date",
            "amount": "close_value",
            "product": "product",
        },
    )
    assert accounts.id_space == stand_ins.id_space == pipeline.id_space == "customers"
    assert pipeline.charges is None
    assert [left.path for left in proposal.left_out] == ["crm_sales_opportunities/sales_teams.csv"]
    assert "missing in 24 % of the rows: these rows go to quarantine" in to_yaml(proposal)


def test_people_with_direct_identifiers(real: Mapping[str, Proposal]):
    (fake,) = real["fake_people/*"].sources
    assert mapping(fake) == {
        "customer": "unique_id",
        "first_name": "first_name",
        "last_name": "surname",
        "email": "email",
        "birth_date": "dob",
        "city": "city",
    }
    (febrl,) = real["febrl/*"].sources
    assert mapping(febrl) == {
        "customer": "rec_id",
        "person_id": "soc_sec_id",
        "first_name": "given_name",
        "last_name": "surname",
        "address": "concat(street_number, ' ', address_1)",
        "birth_date": "date_of_birth",
        "region": "state",
        "city": "suburb",
        "postcode": "postcode",
    }
    assert febrl.paths == ("febrl/*",)
    direct = {column for column, pii in febrl.pii.items() if pii is Pii.DIRECT}
    assert direct == {"rec_id", "given_name", "surname", "street_number", "address_1", "address_2", "soc_sec_id"}
    assert list(read(real["febrl/*"]).segmentations) == ["age_groups"]


def test_the_only_file_with_rows_about_somebody_makes_each_row_a_customer(
    real: Mapping[str, Proposal], real_data: Path, tmp_path: Path
) -> None:
    proposal = real["hillstrom/*"]
    (source,) = proposal.sources
    assert (source.kind, source.columns["customer"].expression) == ("customers", "_row")
    assert next(a.unit for a in source.attributes if a.name == "recency") == ""  # of months, from 1 to 12
    # Its zip_code says Urban, Surburban or Rural.
    assert (source.columns["area_type"].expression, "postcode" in source.columns) == ("zip_code", False)
    assert {"visit", "conversion", "spend"} <= {a.name for a in source.attributes}
    assert source.left_out == (("history_segment", "bands of history"),)
    text = to_yaml(proposal)
    assert "layout: customers_in_rows" in text
    assert "please check" in text
    assert {s.name for s in proposal.segmentations} >= {"value", "groups"}
    assert not proposal.questions
    # Beside a file with customers, rows that name nobody are left out.
    with_orders = real["crm_sales_opportunities/*"]
    assert [Path(left_out.path).name for left_out in with_orders.left_out] == ["sales_teams.csv"]


@pytest.mark.parametrize("name", ["crm_sales_opportunities/sales_teams.csv", "amazon_app_reviews/*"])
def test_a_file_without_a_customer_column_says_what_to_do(real_data: Path, tmp_path: Path, name: str):
    with in_memory() as con, pytest.raises(DataError, match="no column identifies the customer") as caught:
        propose(con, [name], real_data, tmp_path, now=NOW)
    assert "The columns are: " in caught.value.why
    assert "add a column that numbers the rows" in caught.value.fix


def test_a_category_by_which_a_file_is_in_order_is_no_band_of_the_numbers_of_its_rows(tmp_path: Path):
    rows = [f"{7000 + 3 * i},c{i}@example.org,{20 + i * 7 % 60},{i},{'abcd'[i // 100]}" for i in range(400)]
    write(tmp_path / "customers.csv", "customer_number,email,age,place,desk", rows)
    (source,) = proposed(tmp_path, "customers.csv").sources
    assert "desk" in {a.name for a in source.attributes}


def test_a_folder_means_the_data_files_in_it_and_takes_in_new_ones(tmp_path: Path):
    for year in (2022, 2023):
        write(tmp_path / f"ex[p]orts/{year}.csv", ORDERS, orders(1000 * year))
    write(tmp_path / "ex[p]orts/deeper/2024.csv", ORDERS, orders(7))
    write(tmp_path / "ex[p]orts/README.md", "Exports of the shop", [])
    found = proposed(tmp_path, str(tmp_path / "ex[p]orts"))
    assert [s.paths for s in found.sources] == [("ex[[]p]orts/*.csv",)]
    assert not found.left_out
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty holds no data file.*\*\*/\*\.csv"):
        proposed(tmp_path, str(tmp_path / "empty"))


# Several files --------------------------------------------------------------------------------------------------------


def test_files_of_the_same_columns_are_one_source_with_a_pattern(tmp_path: Path):
    for year in (2022, 2023):
        write(tmp_path / f"orders/orders_{year}.csv", ORDERS, orders(1000 * year))
    by_name = proposed(tmp_path, str(tmp_path / "orders/orders_2022.csv"), str(tmp_path / "orders/orders_2023.csv"))
    assert [(s.name, s.paths) for s in by_name.sources] == [("orders", ("orders/orders_*.csv",))]
    by_pattern = proposed(tmp_path, str(tmp_path / "orders" / "*.csv"))
    assert by_pattern.sources[0].paths == ("orders/*.csv",)
    write(tmp_path / "orders/orders_old.csv", "a,b", ["1,2"])
    listed = proposed(tmp_path, "orders/orders_2022.csv", "orders/orders_2023.csv")
    assert listed.sources[0].paths == ("orders/orders_2022.csv", "orders/orders_2023.csv")
    assert read(listed).sources["orders"].path == listed.sources[0].paths


def test_each_sheet_of_a_workbook_is_a_source(tmp_path: Path):
    book = openpyxl.Workbook()
    people, bought = book.active, book.create_sheet("Bestellungen")
    assert people is not None
    people.title = "Kunden"
    people.append(["Kundennummer", "Tarif"])
    bought.append(["Kundennummer", "Bestelldatum", "Betrag"])
    book.create_sheet("Notizen")
    for i in range(60):
        people.append([1000 + i, "AB"[i % 2]])
        bought.append([1000 + i % 30, datetime(2024, 1 + i % 12, 1 + i % 28), i * 1.5 + 1])
    book.save(tmp_path / "firma.xlsx")
    loaded = read(proposed(tmp_path, "firma.xlsx"))
    assert {name: (s.kind, s.sheet) for name, s in loaded.sources.items()} == {
        "kunden": ("customers", "Kunden"),
        "bestellungen": ("transactions", "Bestellungen"),
    }


def test_paths_start_at_the_workspace(tmp_path: Path):
    write(tmp_path / "exports/orders.csv", ORDERS, orders())
    (tmp_path / "acme").mkdir()
    proposal = proposed(tmp_path / "acme", str(tmp_path / "exports/orders.csv"))
    assert proposal.sources[0].paths == ("../exports/orders.csv",)
    assert "    path: ../exports/orders.csv\n" in to_yaml(proposal)
    assert proposal.name == "acme"


def test_ids_that_do_not_meet_get_a_space_each(tmp_path: Path):
    write(tmp_path / "orders.csv", ORDERS, orders())
    write(
        tmp_path / "members.csv",
        "member_no,plan,joined",
        [f"M{i},{'AB'[i % 2]},2024-01-{1 + i % 28:02}" for i in range(90)],
    )
    proposal = proposed(tmp_path, "*.csv")
    assert {s.name: s.id_space for s in proposal.sources} == {"members": "members", "orders": "orders"}
    assert "fewer than 5 % of its ids are in another source" in re.sub(r"\s+# ", " ", to_yaml(proposal))


def test_ids_that_meet_share_a_space(tmp_path: Path):
    write(tmp_path / "orders.csv", ORDERS, orders())
    write(tmp_path / "clients.csv", "customer_id,plan", [f"{100 + i},{'AB'[i % 2]}" for i in range(90)])
    proposal = proposed(tmp_path, "*.csv")
    assert {s.id_space for s in proposal.sources} == {"customers"}
    assert proposal.sources[0].id_space_note == "100 % of the ids are in orders, too"


def test_two_systems_that_number_from_one_are_marked_for_a_look(tmp_path: Path):
    write(tmp_path / "orders.csv", ORDERS, orders())
    write(tmp_path / "members.csv", "member_no,plan", [f"{i},{'AB'[i % 2]}" for i in range(150)])
    proposal = proposed(tmp_path, "*.csv")
    assert all(s.id_space_note.endswith("both are plain numbers: please check") for s in proposal.sources)


def test_the_same_people_under_two_ids_of_one_system_are_looked_for(tmp_path: Path):
    header = "customer_id,first_name,email,ssn,dob"
    people = [f"C{i},{'ABCDEFGH'[i % 8]}nn,p{i}@mail.example,{900_000_000 + 7 * i},{1 + i % 12:02}/{1 + i % 28:02}"
              for i in range(60)]  # fmt: skip
    write(tmp_path / "one.csv", header, people)
    assert read(proposed(tmp_path, "one.csv")).identity.link == "auto"
    again = [f"D{row[1:]}".replace("p1", "P1") for row in people[10:15]]
    write(tmp_path / "two.csv", header, [*people, *again])
    proposal = proposed(tmp_path, "two.csv")
    assert read(proposal).identity.link == "always"
    assert "15 % of the ids in two share their email with another" in to_yaml(proposal)
    found = mapping(proposal.sources[0])
    assert (found["person_id"], found["birthday"], "birth_date" in found) == ("ssn", "dob", False)


def test_birthdays_that_begin_with_the_day_are_turned(tmp_path: Path):
    rows = [f"C{i},Ann,{1 + i % 28:02}.{1 + i % 12:02}" for i in range(60)]
    (source,) = proposed(tmp_path, str(write(tmp_path / "c.csv", "customer_id,first_name,birthday", rows))).sources
    assert mapping(source)["birthday"] == "concat(substring(birthday, 4, 2), '-', left(birthday, 2))"


@pytest.mark.parametrize("header", ["ccy", "Currency", "Währung"])
def test_a_column_of_one_currency_beside_amounts_names_the_currency(tmp_path: Path, header: str):
    rows = [f"{row},CHF" for row in orders()]
    proposal = proposed(tmp_path, str(write(tmp_path / "orders.csv", f"{ORDERS},{header}", rows)))
    assert proposal.currency == "CHF"
    assert not proposal.sources[0].doubts


def test_amounts_in_several_currencies_are_told_and_none_is_chosen(tmp_path: Path):
    rows = [f"{row},{'EUR' if i % 3 else 'USD'}" for i, row in enumerate(orders())]
    proposal = proposed(tmp_path, str(write(tmp_path / "orders.csv", f"{ORDERS},order currency", rows)))
    assert proposal.currency == ""
    (doubt,) = proposal.sources[0].doubts
    assert "2 currencies (EUR, USD)" in doubt
    # What it says can be pasted below the source.
    pasted = to_yaml(proposal).replace("    columns:", f"    {doubt[doubt.index('set_aside') :]}\n    columns:", 1)
    (source,) = config.parse(pasted, {}).sources.values()
    assert source.set_aside == {"in another currency": "\"order currency\" <> 'EUR'"}


def test_a_column_of_codes_that_is_called_otherwise_names_no_currency(tmp_path: Path):
    rows = [f"{row},ALL" for row in orders()]
    assert proposed(tmp_path, str(write(tmp_path / "orders.csv", f"{ORDERS},region_code", rows))).currency == ""


def test_one_attribute_name_of_two_kinds_becomes_two_traits(tmp_path: Path):
    write(tmp_path / "a.csv", "customer_id,tier", [f"{i},{'xyz'[i % 3]}" for i in range(50)])
    write(tmp_path / "b.csv", "customer_id,tier,rank", [f"{i},{i % 7 + 0.5},{i % 3}" for i in range(50)])
    proposal = proposed(tmp_path, "*.csv")
    assert [[a.name for a in s.attributes] for s in proposal.sources] == [["tier"], ["tier_2", "rank"]]


def test_an_unusable_file_does_not_stop_the_others(tmp_path: Path):
    write(tmp_path / "orders.csv", ORDERS, orders())
    write(tmp_path / "returns.csv", ORDERS, [])
    (tmp_path / "zero.csv").write_bytes(b"")
    proposal = proposed(tmp_path, "*.csv")
    assert [s.name for s in proposal.sources] == ["orders"]
    assert {left.path for left in proposal.left_out} == {"zero.csv"} | (
        {"returns.csv"} if len(proposal.left_out) == 2 else set()
    )
    assert "zero.csv" in to_yaml(proposal)


# Answers --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def doubtful(tmp_path: Path) -> Proposal:
    header = "client,created_at,shipped_at,amount"
    rows = [f"{i % 40},2024-01-{1 + i % 28:02},2024-03-{1 + i % 28:02},{i % 9 + 0.5}" for i in range(200)]
    write(tmp_path / "sales.csv", header, rows)
    return proposed(tmp_path, "sales.csv")


def test_a_doubtful_guess_is_asked_about_and_marked(doubtful: Proposal):
    (question,) = doubtful.questions
    assert question == Question(
        "sales", "time", ("created_at", "shipped_at"), "Which column of sales is the date of the record?"
    )
    text = to_yaml(doubtful)
    assert re.search(r"time: created_at +# 0.80; or shipped_at\?; please check", text)
    assert "Search for 'please check': 1 guess may be wrong." in text


def test_an_answer_is_worked_in(doubtful: Proposal):
    answered = doubtful.answer(doubtful.questions[0], "shipped_at")
    assert answered.questions == ()
    assert mapping(answered.sources[0])["time"] == "shipped_at"
    assert "created_at" in dict(answered.sources[0].left_out)
    assert "please check" not in to_yaml(answered)
    assert read(answered).lifecycle_days == config.LifecycleDays()
    assert mapping(doubtful.sources[0])["time"] == "created_at"


def test_a_wrong_answer_is_refused(doubtful: Proposal):
    with pytest.raises(UsageError, match="Did you mean 'shipped_at'"):
        doubtful.answer(doubtful.questions[0], "shiped_at")
    with pytest.raises(UsageError, match="There is no source 'shop'"):
        doubtful.answer(Question("shop", "time", (), ""), "shipped_at")
    with pytest.raises(UsageError, match="sales cannot be responses: it has no column for question"):
        doubtful.answer(Question("sales", "kind", (), ""), "responses")


def test_columns_without_speaking_names_are_asked_about(tmp_path: Path):
    write(tmp_path / "x.csv", "a,b,c", [f"{i % 40},2024-01-{1 + i % 28:02},{i % 9 + 0.5}" for i in range(200)])
    proposal = proposed(tmp_path, "x.csv")
    assert proposal.sources[0].confidence < 0.6
    assert "please check" in to_yaml(proposal)
    assert [q.column for q in proposal.questions] == ["amount"]
    while proposal.questions:
        proposal = proposal.answer(proposal.questions[0], proposal.questions[0].candidates[0])
    assert mapping(proposal.sources[0]) == {"customer": "a", "time": "b", "amount": "c"}
    assert read(proposal).sources["x"].kind == "transactions"


def test_days_and_months_that_nothing_tells_apart_are_asked_about(tmp_path: Path):
    rows = [f"{i % 40},{1 + i % 12:02}/{1 + i % 7:02}/2024,{i % 9 + 0.5}" for i in range(200)]
    write(tmp_path / "sales.csv", "customer_id,order_date,amount", rows)
    proposal = proposed(tmp_path, "sales.csv")
    (question,) = proposal.questions
    assert question == Question(
        "sales",
        "day_first",
        ("day first", "month first"),
        "Is 01/02/2024 in order_date of sales 1 February (day first) or 2 January?",
    )
    assert "01/02/2024 is 1 February; order_date does not tell: please check" in to_yaml(proposal)
    answered = proposal.answer(question, "month first")
    assert answered.questions == ()
    assert read(answered).sources["sales"].day_first is False
    with pytest.raises(UsageError, match="is no answer"):
        proposal.answer(question, "year first")


def test_one_day_above_twelve_tells(tmp_path: Path):
    rows = [f"{i % 40},{1 + i % 13:02}/{1 + i % 7:02}/2024,{i % 9 + 0.5}" for i in range(200)]
    write(tmp_path / "sales.csv", "customer_id,order_date,amount", rows)
    proposal = proposed(tmp_path, "sales.csv")
    assert proposal.questions == ()
    assert read(proposal).sources["sales"].day_first is None


# Rhythm and segmentations ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gap", "expected"), [(7, (30, 30, 90)), (48, (30, 90, 270)), (83, (60, 180, 540)), (400, (90, 365, 1095))]
)
def test_life_cycle_days_follow_the_gap_between_orders(gap: int, expected: tuple[int, int, int]):
    days = lifecycle_days(Rhythm(repeaters=50, customers=90, gap=gap))
    assert days is not None
    assert (days.new, days.active, days.lapsed) == expected


def test_a_shop_without_repeat_customers_gets_the_usual_days(tmp_path: Path):
    rows = [f"{i},{i},2024-01-{1 + i % 28:02},5.5" for i in range(60)]
    write(tmp_path / "orders.csv", ORDERS, rows)
    proposal = proposed(tmp_path, "orders.csv")
    assert proposal.rhythm == Rhythm(repeaters=0, customers=60, gap=None)
    assert read(proposal).lifecycle_days == config.LifecycleDays(new=30, active=90, lapsed=365)
    assert friendly(100, 30, 365) == 90


def test_customers_who_differ_in_one_category_only_get_a_segment_for_each(tmp_path: Path):
    write(tmp_path / "c.csv", "customer_id,Plan,Owner", [f"{i * 7},{'ABB'[i % 3]},Ann Lee" for i in range(60)])
    proposal = proposed(tmp_path, "c.csv")
    (rules,) = read(proposal).segmentations.values()
    assert isinstance(rules, config.Rules)
    assert [s.where for s in rules.segments] == ["plan = 'B'", "plan = 'A'"]


# Writing --------------------------------------------------------------------------------------------------------------


def test_odd_names_survive_the_writing(tmp_path: Path):
    header = '"customer id","say ""hi""","a: b # c","it\'s","No","half"'
    rows = [f"{i * 3},{'xy'[i % 2]},{i % 7},{i * 1.5},{'pq'[i // 2 % 2]},{i * 0.7}" for i in range(60)]
    write(tmp_path / "odd: # file.csv", header, rows)
    proposal = proposed(tmp_path, "*.csv", name="Müller & Söhne: 50% # no")
    loaded = read(proposal)
    (source,) = loaded.sources.values()
    assert loaded.name == "Müller & Söhne: 50% # no"
    assert source.path == ("odd: # file.csv",)
    assert source.columns == {"customer": "customer id"}
    assert {a.expression for a in source.attributes.values()} == {'say "hi"', "a: b # c", "it's", "No", "half"}


def test_a_line_break_in_a_column_name_does_not_leave_its_comment():
    columns = {"customer_id": range(60), "left out\nprimary: hacked": ["same"] * 60, "kept\u2028one": [1, 2, 3, 4] * 15}
    with in_memory() as con:
        table = con.create_table("made", ibis.memtable({name: list(values) for name, values in columns.items()}))
        source = recognise(con, table, name="c", paths=("c.parquet",))
    text = to_yaml(Proposal("acme", (source,)))
    loaded = config.parse(text, {})
    assert "left out primary: hacked (the same in every row)" in text
    assert loaded.primary is None
    assert [a.expression for a in loaded.sources["c"].attributes.values()] == ["kept\u2028one"]


def test_progress_ends_with_everything(tmp_path: Path):
    write(tmp_path / "orders.csv", ORDERS, orders())
    told: list[tuple[int, int]] = []
    with in_memory() as con:
        propose(
            con, ["orders.csv"], tmp_path, tmp_path, now=NOW, progress=lambda done, total: told.append((done, total))
        )
    assert told
    assert told[-1][0] == told[-1][1] == (tmp_path / "orders.csv").stat().st_size


# Bad input ------------------------------------------------------------------------------------------------------------


def test_an_empty_file(tmp_path: Path):
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        proposed(tmp_path, "empty.csv")
    assert "empty.csv" in str(caught.value)


def test_a_header_and_nothing_else(tmp_path: Path):
    write(tmp_path / "orders.csv", ORDERS, [])
    with pytest.raises(DataError, match=r"orders\.csv"):
        proposed(tmp_path, "orders.csv")


def test_only_products(tmp_path: Path):
    write(tmp_path / "products.csv", "sku,product name,list price", [f"S{i},Thing {i},{i}.5" for i in range(40)])
    with pytest.raises(DataError, match="None of the files tells of customers") as caught:
        proposed(tmp_path, "products.csv")
    assert caught.value.why == "products.csv: products."


# Tables of places -----------------------------------------------------------------------------------------------------


def places(root: Path) -> None:
    write(root / "areas.csv", "zip,city,households,median_income", [
        f"{10_000 + i},Town {i % 7},{500 + i % 9},{30_000 + i % 40}" for i in range(60)
    ])  # fmt: skip


def test_a_table_of_places_is_joined_to_customers_by_their_postal_code(tmp_path: Path):
    places(tmp_path)
    write(tmp_path / "people.csv", "customer_id,age,zip", [f"{i},{20 + i % 50},{10_030 + i % 60}" for i in range(90)])
    proposal = proposed(tmp_path, "*.csv")
    areas, people = proposal.sources
    assert (areas.kind, people.kind) == ("places", "customers")
    assert [(a.name, a.model, a.pii) for a in areas.attributes] == [
        ("households", Model.GEOGRAPHIC, Pii.NONE),
        ("median_income", Model.GEOGRAPHIC, Pii.QUASI),
    ]
    assert areas.left_out == (("city", "names the place: town"),)
    loaded = read(proposal)
    assert loaded.sources["areas"].columns == {"postcode": "zip"}
    assert not loaded.sources["areas"].pii  # no person stands in the file
    assert "67 % of its postal codes are here" in areas.notes[0]


def test_a_table_of_places_is_left_out_where_no_customer_has_a_postal_code(tmp_path: Path):
    places(tmp_path)
    write(tmp_path / "people.csv", "customer_id,age", [f"{i},{20 + i % 50}" for i in range(90)])
    proposal = proposed(tmp_path, "*.csv")
    assert [s.name for s in proposal.sources] == ["people"]
    assert proposal.left_out[0].reason.endswith("places, not customers, and no file of customers has a postal code")


# Repeats --------------------------------------------------------------------------------------------------------------


def test_a_sample_beside_the_whole_is_left_out_and_said_so(tmp_path: Path):
    write(tmp_path / "all.csv", ORDERS, orders())
    sample = [f"{n:03},{line}" for n, line in enumerate(orders()[40:80], 1)]
    write(tmp_path / "sample.csv", "id,master_customer_id,order_id,order_date,amount", sample)
    write(tmp_path / "later.csv", "customer_id,order_id,order_date,amount,store", [f"{o},a" for o in orders(500)[::-1]])
    proposal = proposed(tmp_path, "*.csv")
    assert [s.name for s in proposal.sources] == ["all"]
    told = {Path(left.path).name: left.reason for left in proposal.left_out}
    assert told["sample.csv"].startswith("repeats all: 100 % of its rows are there, too, with the same")
    assert "master_customer_id as customer_id" in told["sample.csv"]
    assert "by hand" in told["later.csv"]
    assert "# Left out: sample.csv (repeats all" in to_yaml(proposal)


def test_sources_of_the_same_customers_with_orders_of_their_own_stay(tmp_path: Path):
    write(tmp_path / "web.csv", ORDERS, orders())
    shop = [f"{100 + i % 40},{900 + i},2025-{1 + i % 12:02}-{1 + i % 28:02},{i % 17 + 1}.5,x" for i in range(100)]
    write(tmp_path / "shop.csv", f"{ORDERS},till", shop)
    assert {s.name for s in proposed(tmp_path, "*.csv").sources} == {"web", "shop"}


def test_cdnow_sample_repeats_the_master(real_data: Path, tmp_path: Path):
    files = [str(real_data / "cdnow" / f"cdnow_{n}.parquet") for n in ("master", "sample")]
    proposal = proposed(tmp_path, *files)
    assert [s.name for s in proposal.sources] == ["cdnow_master"]
    assert "100 % of its rows are there, too, with the same master_customer_id as customer_id" in (
        proposal.left_out[0].reason
    )


# Lost zeros -----------------------------------------------------------------------------------------------------------


def test_postal_codes_that_may_have_lost_a_zero_are_told_and_not_changed(tmp_path: Path):
    codes = ["2134", "90210", "10001", "60601", "94105"]
    rows = [f"C{i},{codes[i % 5]},{'US' if i % 9 else 'AT'}" for i in range(100)]
    write(tmp_path / "people.csv", "customer_id,zip,country", rows)
    proposal = proposed(tmp_path, "people.csv")
    (doubt,) = proposal.sources[0].doubts
    assert doubt.startswith("19 % of zip have 4 digits, most have 5: leading zeros may be lost. Nothing is changed.")
    loaded = read(proposal)
    assert loaded.sources["people"].columns["postcode"] == "zip"
    # What it says to do can be done.
    written = to_yaml(proposal).replace("postcode: zip ", f'postcode: "{doubt.split("map postcode: ")[1]}" ')
    assert config.parse(written, {}).sources["people"].columns["postcode"].startswith("case when length(zip) = 4")


def test_postal_codes_of_a_country_with_four_digits_are_whole(tmp_path: Path):
    rows = [f"C{i},{1010 + i % 90 if i % 3 else 10115 + i},{'AT' if i % 3 else 'DE'}" for i in range(200)]
    write(tmp_path / "people.csv", "customer_id,zip,country", rows)
    assert not proposed(tmp_path, "people.csv").sources[0].doubts


@pytest.mark.parametrize(("ids", "told"), [(range(1, 3_000), False), (range(37, 99_990, 331), True)])
def test_ids_that_may_have_lost_zeros_are_told_and_counted_ones_are_not(tmp_path: Path, ids: range, told: bool):
    write(tmp_path / "people.csv", "customer_id,age", [f"{i},{20 + i % 50}" for i in ids])
    doubts = proposed(tmp_path, "people.csv").sources[0].doubts
    assert bool(doubts) is told
    assert all("customer_id have fewer than 5 digits" in d for d in doubts)


def test_ids_that_are_those_of_another_file_but_for_zeros_are_told(tmp_path: Path):
    write(tmp_path / "orders.csv", ORDERS, [f"{i % 40:05},{i},2024-{1 + i % 12:02}-11,{i}.5" for i in range(200)])
    write(tmp_path / "people.csv", "customer_id,age", [f"{i},{20 + i}" for i in range(40)])
    people = next(s for s in proposed(tmp_path, "*.csv").sources if s.name == "people")
    assert people.doubts[0].startswith("100 % of its ids are those of orders without the zeros in front, 0 % as they")


# Whose records --------------------------------------------------------------------------------------------------------


def people(n: int = 60) -> list[str]:
    return [f"K{i:03},Anna Berg{i},anna{i}@home.example,{20 + i % 50}" for i in range(n)]


def test_facts_that_name_an_address_are_joined_by_it(tmp_path: Path):
    write(tmp_path / "people.csv", "customer_id,name,email,age", people())
    clicks = [
        f"anna{i % 60}@home.example,2024-01-{1 + i % 28:02} 10:00:00,open,+44 20 7946 0{i % 60:03}" for i in range(200)
    ]
    write(tmp_path / "clicks.csv", "email,time,event,phone", clicks)
    bought = [
        f"{f'K{i % 60:03}' if i % 4 else ''},{i},2024-01-{1 + i % 28:02},{i}.5,anna{i % 60}@home.example"
        for i in range(200)
    ]
    write(tmp_path / "orders.csv", f"{ORDERS},email", bought)
    proposal = proposed(tmp_path, "*.csv")
    found = {s.name: mapping(s) for s in proposal.sources}
    assert (found["clicks"]["contact_email"], found["clicks"]["contact_phone"]) == ("email", "phone")
    assert "customer" not in found["clicks"]
    assert (found["orders"]["customer"], found["orders"]["contact_email"]) == ("customer_id", "email")
    assert read(proposal).sources["clicks"].columns == found["clicks"]


def test_an_address_is_the_id_where_no_file_of_customers_has_addresses(tmp_path: Path):
    clicks = [f"anna{i % 60}@home.example,2024-01-{1 + i % 28:02} 10:00:00,open" for i in range(200)]
    write(tmp_path / "clicks.csv", "email,time,event", clicks)
    assert mapping(proposed(tmp_path, "clicks.csv").sources[0])["customer"] == "email"


def test_an_id_of_another_system_that_some_records_have_is_stated_by_them(tmp_path: Path):
    write(tmp_path / "shop.csv", ORDERS, [f"S{i % 50:03},{i},2024-01-{1 + i % 28:02},{i}.5" for i in range(200)])
    contacts = [f"P{i:04},{f'S{i:03}' if i < 40 else ''},anna{i}@home.example,{20 + i % 50}" for i in range(90)]
    write(tmp_path / "crm.csv", "contact_id,customer_number,email,age", contacts)
    crm = next(s for s in proposed(tmp_path, "*.csv").sources if s.name == "crm")
    assert (mapping(crm)["customer"], mapping(crm)["known_as"], crm.id_space) == (
        "contact_id",
        "customer_number",
        "crm",
    )
    loaded = read(proposed(tmp_path, "*.csv"))
    assert loaded.sources["shop"].id_space == "customers"
