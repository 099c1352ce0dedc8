"""Which columns are personal, and how: by their names and their values; and which only look so."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import ibis
import pytest
from ibis.backends.duckdb import Backend

from segmentry.columns import Pii
from segmentry.data import files, personal_values, profiling
from segmentry.data.personal import Personal, personal
from segmentry.data.propose import propose, to_yaml
from segmentry.data.source_files import grouped, open_group
from segmentry.engine import in_memory


@pytest.fixture(scope="module")
def con() -> Iterator[Backend]:
    with in_memory() as backend:
        yield backend


def judged(con: Backend, name: str, make: Callable[[int], object], rows: int = 200) -> Personal | None:
    """What a column of that name and those values is taken for."""
    table = ibis.memtable({"other": list(range(rows)), name: [make(i) for i in range(rows)]})
    return personal(profiling.profile(con, con.create_table("column", table.to_pyarrow(), overwrite=True))[name])


def with_check(pattern: str, seed: int, test: Callable[[str], bool], letters: str = "0123456789") -> str:
    """A made-up number that passes its check: the ``#`` drawn, the final ``?`` searched."""
    rng = random.Random(seed)
    while True:
        drawn = "".join(str(rng.randint(0, 9)) if c == "#" else c for c in pattern)
        for last in letters:
            if test(drawn.replace("?", last)):
                return drawn.replace("?", last)


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def german(i: int) -> str:
    rng = random.Random(i)
    while True:
        digits = rng.sample("123456789", 9)
        digits.insert(rng.randint(1, 9), rng.choice(digits))
        for check in "0123456789":
            if personal_values.is_german_tax_id("".join(digits) + check):
                return "".join(digits) + check


def nir(i: int) -> str:
    number = f"{1 + i % 2}{50 + i % 49:02}{1 + i % 12:02}75{100 + i:03}{200 + i:03}"
    return f"{number}{97 - int(number) % 97:02}"


def cpf(i: int) -> str:
    stem = f"{123_456_780 + 7 * i}"
    return next(f"{stem}{n:02}" for n in range(100) if personal_values.is_cpf(f"{stem}{n:02}"))


NATIONAL: dict[str, Callable[[int], object]] = {
    "US social security numbers": lambda i: f"{100 + i}-{10 + i % 80}-{1000 + i}",
    "UK National Insurance numbers": lambda i: f"AB {100000 + i} {'ABCD'[i % 4]}",
    "German tax ids": german,
    "French NIR numbers": nir,
    "Spanish DNI numbers": lambda i: with_check("########?", i, personal_values.is_dni, LETTERS),
    "Italian tax codes": lambda i: with_check("RSSMRA##A41H###?", i, personal_values.is_codice_fiscale, LETTERS),
    "Dutch BSN numbers": lambda i: with_check("########?", i, personal_values.is_bsn),
    "Swiss AHV numbers": lambda i: with_check("756.####.####.#?", i, personal_values.is_ahv),
    "Polish PESEL numbers": lambda i: with_check("##0115####?", i, personal_values.is_pesel),
    "Swedish personal numbers": lambda i: with_check("##0115-###?", i, personal_values.is_personnummer),
    "Brazilian CPF numbers": cpf,
}


@pytest.mark.parametrize("holds", NATIONAL)
def test_national_ids_are_told_by_their_values_alone(con: Backend, holds: str) -> None:
    assert {name for name, _, _ in personal_values.NATIONAL} == set(NATIONAL)
    assert judged(con, "field_7", NATIONAL[holds]) == Personal(Pii.DIRECT, holds, "100 % of its values")


FIRST = ("Emma", "Oliver", "Hannah", "Pierre")
PERSONAL: dict[str, tuple[Pii, str, Callable[[int], object]]] = {
    "e-mail": (Pii.DIRECT, "e-mail addresses", lambda i: f"p{i}@mail.example"),
    "phone": (Pii.DIRECT, "phone numbers", lambda i: f"+44 20 7946 {i:04}"),
    "card": (
        Pii.DIRECT,
        "payment card numbers",
        lambda i: with_check("4111##########" + "#?", i, personal_values.is_issued_card),
    ),
    "iban": (
        Pii.DIRECT,
        "bank account numbers (IBAN)",
        lambda i: ["DE89370400440532013000", "GB82WEST12345698765432"][i % 2],
    ),
    "address": (Pii.DIRECT, "street addresses", lambda i: f"{i + 1} {'Old Mill'} {['Lane', 'Road', 'Street'][i % 3]}"),
    "German address": (Pii.DIRECT, "street addresses", lambda i: f"Lange Straße {i + 1}"),
    "name": (Pii.DIRECT, "names of people", lambda i: f"{FIRST[i % 4]} {'ABCDEFG'[i % 7]}lder{'abcdef'[i % 6]}"),
    "ip": (Pii.QUASI, "network (IP) addresses", lambda i: f"192.168.{i % 250}.7"),
    "ipv6": (Pii.QUASI, "network (IP) addresses", lambda i: f"2001:db8:0:0:1:2:3:{i:x}"),
    "births": (Pii.QUASI, "dates of birth", lambda i: f"{1940 + i % 60}-0{1 + i % 9}-1{i % 9}"),
    "coordinates": (Pii.QUASI, "coordinates", lambda i: f"51.{5000 + i}, -0.{1000 + i}"),
    "e-mail inside": (
        Pii.DIRECT,
        "texts that may contain e-mail addresses",
        lambda i: f"please write to p{i}@mail.example" if i % 20 == 0 else f"all is well, thank you, number {i}",
    ),
    "phone inside": (
        Pii.DIRECT,
        "texts that may contain phone numbers",
        lambda i: f"please call 0171 234 5{i:03} today" if i % 20 == 0 else f"all is well, thank you, number {i}",
    ),
    "religion": (Pii.SENSITIVE, "religion", lambda i: ["Catholic", "Muslim", "Jewish", "None"][i % 4]),
    "politics": (Pii.SENSITIVE, "politics", lambda i: ["Republican", "Democrat", "Other"][i % 3]),
    "origin": (Pii.SENSITIVE, "ethnic origin", lambda i: ["White", "Black", "Asian", "Hispanic"][i % 4]),
    "illness": (Pii.SENSITIVE, "health", lambda i: ["Diabetes", "Asthma", "None"][i % 3]),
}


@pytest.mark.parametrize("what", PERSONAL)
def test_values_tell_under_a_name_that_says_nothing(con: Backend, what: str) -> None:
    pii, holds, make = PERSONAL[what]
    found = judged(con, "field_7", make)
    assert found is not None
    assert (found.pii, found.holds) == (pii, holds)


@pytest.mark.parametrize(
    ("name", "pii"),
    [
        ("customer_ssn", Pii.DIRECT),
        ("Steuer-ID", Pii.DIRECT),
        ("religious_affiliation_religion", Pii.SENSITIVE),
        ("ethnicity", Pii.SENSITIVE),
        ("political_party", Pii.SENSITIVE),
        ("blood type", Pii.SENSITIVE),
        ("trade_union_member", Pii.SENSITIVE),
        ("ip_address", Pii.QUASI),
        ("device_id", Pii.QUASI),
        ("IMEI", Pii.QUASI),
        ("nationality", Pii.QUASI),
    ],
)
def test_names_tell_whatever_the_values(con: Backend, name: str, pii: Pii) -> None:
    found = judged(con, name, lambda i: f"x{i % 7}")
    assert found is not None
    assert (found.pii, found.why) == (pii, "by its name")


INNOCENT: dict[str, Callable[[int], object]] = {
    "order number of 16 digits": lambda i: 4_000_000_000_000_000 + 37 * i,
    "order number that counts up": lambda i: f"{5_500_000_000_000_000 + i}",
    "product code of 9 digits": lambda i: f"{536_221_874 + 13 * i}",
    "product code with hyphens of other lengths": lambda i: f"{100 + i}-{1000 + i}-{i:02}",
    "serials of 15 digits": lambda i: with_check("49015420#####" + "#?", i, personal_values.luhn),
    "barcode": lambda i: f"{4_006_381_300_000 + 7 * i}",
    "article with a letter": lambda i: f"{10_000_000 + i}{LETTERS[i % 26]}",
    "two letters and six digits": lambda i: f"AB{100000 + i}{LETTERS[i % 26]}",
    "tracking number of 11 digits": lambda i: f"{12_345_678_900 + 3 * i}",
    "app version": lambda i: f"{i % 9}.{i % 7}.{i % 5}.{i}",
    "order day": lambda i: f"202{i % 5}-0{1 + i % 9}-1{i % 9}",
    "founded": lambda i: f"{1940 + i % 60}-01-0{1 + i % 9}",
    "colour": lambda i: ["Black", "White", "Red", "Blue"][i % 4],
    "department": lambda i: ["Health", "Beauty", "Grocery", "Wine"][i % 4],
    "description": lambda i: f"SET OF {i} PENCILS, 12 WAY BOX",
    "product name": lambda i: f"Jumbo bag {['red', 'blue'][i % 2]} {i}",
    "comment": lambda i: f"order 0171 234 5{i:03} came late but all is well",
    "share": lambda i: f"0.{i:03}",
    "campaign": lambda i: ["Spring sale", "Summer sale"][i % 2],
}


@pytest.mark.parametrize("what", INNOCENT)
def test_what_only_looks_personal_is_not(con: Backend, what: str) -> None:
    assert judged(con, "app_version" if "version" in what else what.replace(" ", "_"), INNOCENT[what]) is None


def test_a_few_codes_that_pass_a_check_by_chance_are_none(con: Backend) -> None:
    bsn = [with_check("########?", i, personal_values.is_bsn) for i in range(4)]
    assert judged(con, "code", lambda i: bsn[i % 4]) is None


# Real files -----------------------------------------------------------------------------------------------------------

DIRECT, QUASI, SENSITIVE = Pii.DIRECT, Pii.QUASI, Pii.SENSITIVE
FEBRL = {
    "given_name": DIRECT, "surname": DIRECT, "street_number": DIRECT, "address_1": DIRECT, "address_2": DIRECT,
    "suburb": QUASI, "postcode": QUASI, "state": QUASI, "date_of_birth": QUASI, "soc_sec_id": DIRECT,
}  # fmt: skip
REAL: dict[str, dict[str, Pii]] = {
    "online_retail/online_retail.parquet": {},
    "cdnow/cdnow_master.parquet": {},
    "cdnow/cdnow_sample.parquet": {},
    "cdnow/cdnow_customers_summary.csv": {},
    "customer_personality/marketing_campaign.csv": {
        "Year_Birth": QUASI, "Education": QUASI, "Marital_Status": QUASI, "Income": SENSITIVE,
    },
    "mcdonalds/mcdonalds.csv": {"Age": QUASI, "Gender": QUASI},
    "hillstrom/hillstrom.csv": {"zip_code": QUASI},
    "crm_sales_opportunities/accounts.csv": {},
    "crm_sales_opportunities/products.csv": {},
    "crm_sales_opportunities/sales_pipeline.csv": {"sales_agent": DIRECT},
    "crm_sales_opportunities/sales_teams.csv": {"sales_agent": DIRECT, "manager": DIRECT},
    "telco_churn/Telco_customer_churn_demographics.parquet": dict.fromkeys(
        ("Gender", "Age", "Senior Citizen", "Married", "Dependents", "Number of Dependents"), QUASI
    ),
    "telco_churn/Telco_customer_churn_location.parquet": dict.fromkeys(
        ("State", "City", "Zip Code", "Lat Long", "Latitude", "Longitude"), QUASI
    ),
    "telco_churn/Telco_customer_churn_population.parquet": {"Zip Code": QUASI},
    "telco_churn/Telco_customer_churn_services.parquet": {},
    "telco_churn/Telco_customer_churn_status.parquet": {},
    "amazon_app_reviews/amazon.parquet": {"reviewText": DIRECT},
    "fake_people/fake_1000.csv": {
        "first_name": DIRECT, "surname": DIRECT, "dob": QUASI, "city": QUASI, "email": DIRECT,
    },
    "fake_people/fake_1000_labels.csv": {},
    "febrl/dataset4a.csv": FEBRL,
    "febrl/dataset4b.csv": FEBRL,
}  # fmt: skip


def test_every_real_file_is_asserted(real_data: Path) -> None:
    there = {str(p.relative_to(real_data)) for p in real_data.glob("*/*") if p.is_file()}
    assert there == set(REAL)


@pytest.mark.parametrize("path", REAL)
def test_classes_of_real_files(con: Backend, real_data: Path, tmp_path: Path, path: str) -> None:
    groups, left_out = grouped(files.expand([path], real_data), real_data)
    assert not left_out
    opened = open_group(con, groups[0], tmp_path, None)
    profile = profiling.profile(con, opened.first)
    found = {c.name: judged.pii for c in profile.columns if (judged := personal(c)) is not None}
    opened.close()
    assert found == REAL[path]


def test_the_config_says_why_and_names_no_value(real_data: Path, tmp_path: Path) -> None:
    with in_memory() as con:
        text = to_yaml(propose(con, ["fake_people/fake_1000.csv"], real_data, tmp_path, name="acme"))
    lines = {line.split(":")[0].strip(): line for line in text.partition("    pii:")[2].splitlines()}
    assert lines["email"].endswith("# e-mail addresses: 96 % of its values")
    assert "robert" not in text.lower()
    assert all("#" in lines[name] for name in ("first_name", "surname", "dob", "city", "email"))
