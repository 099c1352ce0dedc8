"""What a file is taken for: kinds, mappings, attributes, personal columns. Real files are in test_propose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import ibis
import pytest
from ibis.backends.duckdb import Backend

from segmentry.catalogue import Model
from segmentry.columns import Pii
from segmentry.data.mapping import columns_of, quoted
from segmentry.data.order_lines import find_charges, find_returns, totals_repeat
from segmentry.data.profiling import as_number, is_time, profile, same_meaning
from segmentry.data.recognise import SourceProposal, recognise
from segmentry.data.vocabulary import CONCEPTS, concept_of, name_score
from segmentry.engine import in_memory
from segmentry.errors import DataError
from segmentry.tables import COLLECTABLE

Make = Callable[[int], object]


@pytest.fixture(scope="module")
def con() -> Iterator[Backend]:
    with in_memory() as backend:
        yield backend


def table(con: Backend, columns: Mapping[str, Make], rows: int = 300) -> Any:
    """A table of texts, as a CSV file gives it: one function of the row number for each column."""

    def text(value: object) -> str | None:
        return None if value is None else str(value)

    values = {name: [text(make(i)) for i in range(rows)] for name, make in columns.items()}
    schema = ibis.schema(dict.fromkeys(columns, "string"))
    return con.create_table(ibis.util.gen_name("made"), ibis.memtable(values, schema=schema), temp=True)


def seen(con: Backend, columns: Mapping[str, Make], *, name: str = "export", rows: int = 300) -> SourceProposal:
    return recognise(con, table(con, columns, rows), name=name, paths=(f"{name}.csv",))


def mapping(proposal: SourceProposal) -> dict[str, str]:
    return {target: found.expression for target, found in proposal.columns.items()}


def day(i: int, form: str = "%Y-%m-%d") -> str:
    return (date(2023, 1, 1) + timedelta(days=(i * 7) % 400)).strftime(form)


def buyer(i: int) -> int:
    return 1000 + i % 60


def price(i: int) -> str:
    return f"{(i % 37) * 1.1 + 1:.2f}"


# Names in six languages -----------------------------------------------------------------------------------------------

ORDERS: dict[str, tuple[dict[str, Make], dict[str, str]]] = {
    "english": (
        {
            "Customer ID": buyer,
            "Order No.": lambda i: 50000 + i // 2,
            "order_date": lambda i: day(i // 2),
            "Line Total": price,
        },
        {"customer": "Customer ID", "order": "Order No.", "time": "order_date", "amount": "Line Total"},
    ),
    "german": (
        {
            "Kundennummer": buyer,
            "Bestellnummer": lambda i: 50000 + i // 2,
            "Bestelldatum": lambda i: day(i // 2, "%d.%m.%Y"),
            "Artikelnummer": lambda i: f"A{i % 40:04}",
            "Artikelbezeichnung": lambda i: f"Ware {i % 40}",
            "Menge": lambda i: 1 + i % 5,
            "Einzelpreis": lambda i: price(i).replace(".", ","),
            "Warengruppe": lambda i: "ABCDE"[i % 5],
        },
        {
            "customer": "Kundennummer",
            "order": "Bestellnummer",
            "time": "Bestelldatum",
            "amount": "Menge * Einzelpreis",
            "quantity": "Menge",
            "product": "Artikelnummer",
            "product_name": "Artikelbezeichnung",
            "category": "Warengruppe",
        },
    ),
    "french": (
        {
            "Numéro de client": buyer,
            "N° commande": lambda i: 50000 + i // 2,
            "Date de commande": lambda i: day(i // 2, "%d/%m/%Y"),
            "Montant TTC": lambda i: price(i).replace(".", ",") + " €",
            "Quantité": lambda i: 1 + i % 5,
            "Canal de vente": lambda i: ["web", "magasin"][i % 2],
        },
        {
            "customer": "Numéro de client",
            "order": "N° commande",
            "time": "Date de commande",
            "amount": "Montant TTC",
            "quantity": "Quantité",
            "channel": "Canal de vente",
        },
    ),
    "spanish": (
        {
            "id_cliente": buyer,
            "num_pedido": lambda i: 50000 + i // 2,
            "fecha_pedido": day,
            "importe_total": price,
            "categoría": lambda i: "abc"[i % 3],
        },
        {
            "customer": "id_cliente",
            "order": "num_pedido",
            "time": "fecha_pedido",
            "amount": "importe_total",
            "category": "categoría",
        },
    ),
    "dutch": (
        {
            "Klantnr": buyer,
            "Ordernummer": lambda i: 50000 + i // 2,
            "Besteldatum": lambda i: day(i, "%d-%m-%Y"),
            "Totaalbedrag": price,
        },
        {"customer": "Klantnr", "order": "Ordernummer", "time": "Besteldatum", "amount": "Totaalbedrag"},
    ),
    "italian": (
        {
            "Codice Cliente": buyer,
            "Numero ordine": lambda i: 50000 + i // 2,
            "Data ordine": lambda i: day(i, "%d/%m/%Y"),
            "Importo": price,
            "Negozio": lambda i: "abc"[i % 3],
        },
        {
            "customer": "Codice Cliente",
            "order": "Numero ordine",
            "time": "Data ordine",
            "amount": "Importo",
            "store": "Negozio",
        },
    ),
}


@pytest.mark.parametrize("language", ORDERS)
def test_orders_are_recognised_in_each_language(con: Backend, language: str):
    columns, expected = ORDERS[language]
    found = seen(con, columns)
    assert found.kind == "transactions"
    assert found.confidence >= 0.9
    assert mapping(found) == expected
    assert found.questions == ()


def test_german_customers(con: Backend):
    found = seen(
        con,
        {
            "KundenNr": lambda i: 1000 + i,
            "Anrede": lambda i: ["Herr", "Frau"][i % 2],
            "Vorname": lambda i: "Max",
            "Nachname": lambda i: f"M{i}",
            "E-Mail": lambda i: f"m{i}@example.de",
            "Geburtsdatum": lambda i: day(i, "%d.%m.%Y"),
            "PLZ": lambda i: f"0{1000 + i % 99}",
            "Ort": lambda i: ["Berlin", "Ulm"][i % 2],
            "Kunde seit": lambda i: day(i, "%d.%m.%Y"),
            "Newsletter": lambda i: "ja" if i % 3 else "nein",
        },
    )
    assert found.kind == "customers"
    assert mapping(found) == {
        "customer": "KundenNr",
        "first_name": "Vorname",
        "last_name": "Nachname",
        "email": "E-Mail",
        "joined_at": "Kunde seit",
        "birth_date": "Geburtsdatum",
        "gender": "Anrede",
        "city": "Ort",
        "postcode": "PLZ",
    }
    assert [(a.name, a.kind) for a in found.attributes] == [("newsletter", "boolean")]


@pytest.mark.parametrize(
    ("name", "column"),
    [("CustomerID", "customer"), ("customer_id", "customer"), ("cust_no", "customer"), ("Customer ID", "customer"),
     ("KUNDENNUMMER", "customer"), ("id_client", "customer"), ("UnitPrice", "unit_price"), ("Straße", "address"),
     ("Käufer", "customer"), ("KAEUFER", "customer"), ("Kaeufer", "customer"), ("DateOfBirth", "birth_date")],
)  # fmt: skip
def test_spelling_does_not_matter(name: str, column: str):
    assert name_score(name, column) == 1.0


def test_a_longer_name_says_less_than_the_name_itself():
    assert name_score("master_customer_id", "customer") == 0.85
    assert name_score("customer_id_2019", "customer") == 0.7
    assert name_score("Customer Name", "customer") == 0.0
    assert name_score("product name", "customers.name") == 0.0


def test_every_mappable_column_has_names():
    missing = [(kind, c) for kind in COLLECTABLE for c in columns_of(kind) if concept_of(kind, c) not in CONCEPTS]
    assert not missing


def test_no_name_means_two_columns_of_one_table():
    # Where one does, the order of the contract would decide, which nobody would see.
    for kind in COLLECTABLE:
        owners: dict[str, str] = {}
        for column in columns_of(kind):
            for name in CONCEPTS[concept_of(kind, column)].strong:
                assert owners.setdefault(name, column) == column, f"{kind}: {name} is {owners[name]} and {column}"


# Values ---------------------------------------------------------------------------------------------------------------


def test_an_id_that_repeats_beside_a_date_and_an_amount_makes_transactions(con: Backend):
    found = seen(con, {"ID": buyer, "Datum": day, "Summe": price})
    assert found.kind == "transactions"
    assert mapping(found) == {"customer": "ID", "time": "Datum", "amount": "Summe"}


def test_an_id_that_is_unique_makes_customers(con: Backend):
    found = seen(con, {"ID": lambda i: i + 7, "Plan": lambda i: "AB"[i % 2], "Seats": lambda i: i % 40})
    assert found.kind == "customers"
    assert mapping(found) == {"customer": "ID"}
    assert found.columns["customer"].confidence == 0.75


def test_columns_that_say_nothing_are_told_by_their_values_and_asked_about(con: Backend):
    found = seen(con, {"a": buyer, "b": day, "c": price})
    assert found.kind == "transactions"
    assert mapping(found) == {"customer": "a", "time": "b", "amount": "c"}
    assert found.confidence < 0.6
    assert found.columns["customer"].check


def test_customers_with_one_order_each_are_transactions_only_if_nothing_else_is_told(con: Backend):
    bare: dict[str, Make] = {"customer_id": lambda i: i * 3, "order_date": day, "amount": price}
    assert seen(con, bare).kind == "transactions"
    more: dict[str, Make] = {"age": lambda i: 20 + i % 50, "plan": lambda i: "ab"[i % 2], "visits": lambda i: i % 9}
    assert seen(con, bare | more).kind == "customers"


def test_a_price_without_a_quantity_is_the_amount(con: Backend):
    found = seen(con, {"client": buyer, "order_date": day, "price": price})
    assert mapping(found)["amount"] == "price"


def test_quantity_and_unit_price_with_odd_names_are_quoted(con: Backend):
    found = seen(con, {"Customer ID": buyer, "Date": day, "Qty": lambda i: i % 4 + 1, "Unit Price": price})
    assert mapping(found)["amount"] == 'Qty * "Unit Price"'
    assert quoted('a "b"') == '"a ""b"""'


def test_a_line_total_wins_over_quantity_times_price(con: Backend):
    columns: dict[str, Make] = {"customer": buyer, "date": day, "qty": lambda i: i % 4, "unit price": price}
    found = seen(con, columns | {"line total": lambda i: i * 1.5})
    assert mapping(found)["amount"] == "line total"


def test_a_discount_as_a_share_is_not_an_amount_of_money(con: Backend):
    columns: dict[str, Make] = {"customer": buyer, "date": day, "sales": price, "discount": lambda i: [0, 0.2][i % 2]}
    assert "discount" not in seen(con, columns).columns


def test_several_dates_are_asked_about_and_a_unique_name_is_not(con: Backend):
    columns: dict[str, Make] = {"client": buyer, "created_at": day, "shipped_at": lambda i: day(i + 1), "amount": price}
    asked = seen(con, columns)
    assert [(q.column, q.candidates) for q in asked.questions] == [("time", ("created_at", "shipped_at"))]
    assert asked.columns["time"].rivals == ("shipped_at",)
    assert seen(con, columns | {"order_date": day}).questions == ()


def test_the_same_people_several_times_are_orders_even_with_an_id_per_row(con: Backend):
    found = seen(
        con,
        {
            "Id": lambda i: 900_000 + i,
            "Email": lambda i: f"a{i % 70}@example.com",
            "Paid at": lambda i: day(i) + " 10:00:00 +0100",
            "Total": price,
            "Lineitem name": lambda i: f"Shirt {i % 9}",
        },
    )
    assert found.kind == "transactions"
    assert mapping(found)["customer"] == "Email"


def test_seconds_since_1970_are_times_where_the_name_says_so(con: Backend):
    columns: dict[str, Make] = {"user_id": buyer, "event": lambda i: "ab"[i % 2]}
    found = seen(con, columns | {"timestamp": lambda i: 1_700_000_000 + i * 77})
    assert (found.kind, mapping(found)["time"]) == ("events", "timestamp")
    assert "time" not in seen(con, columns | {"number": lambda i: 1_700_000_000 + i * 77}).columns


def test_other_kinds(con: Backend):
    kinds = {
        "events": {"user_id": buyer, "event_name": lambda i: ["view", "cart"][i % 2], "timestamp": day},
        "responses": {"respondent_id": buyer, "question_id": lambda i: f"Q{i % 9}", "answer": lambda i: i % 5},
        "products": {"sku": lambda i: f"S{i}", "product name": lambda i: f"Thing {i}", "list price": price},
        "consents": {"customer_id": buyer, "channel": lambda i: ["email", "phone"][i % 2],
                     "consent": lambda i: ["granted", "denied"][i % 3 == 0], "date": day},
        "costs": {"cost_type": lambda i: ["service", "retention"][i % 2], "cost": price, "month": day},
        "accounts": {"company": lambda i: f"Firm {i}", "industry": lambda i: "AB"[i % 2], "employees": lambda i: i},
        "market": {"cell": lambda i: f"age = {i}", "measure": lambda i: "population", "value": price},
        "places": {"zip": lambda i: 90_000 + i, "ID": lambda i: i, "population": lambda i: i * 17},
    }  # fmt: skip
    for kind, columns in kinds.items():
        assert seen(con, columns).kind == kind


@pytest.mark.parametrize(
    "columns",
    [
        {"text": lambda i: f"a longer text number {i}", "positive": lambda i: i % 2},
        {"manager": lambda i: "abc"[i % 3], "office": lambda i: "xy"[i % 2]},
        {"yummy": lambda i: ["Yes", "No"][i % 2], "Age": lambda i: 20 + i % 50},
    ],
    ids=["reviews", "teams", "anonymous survey"],
)
def test_files_without_customers_are_no_source(con: Backend, columns: dict[str, Make]):
    found = seen(con, columns)
    assert found.kind is None
    assert found.reasons[0]


def test_numbers_and_dates_are_read_as_people_write_them():
    assert as_number("£1,234.50") == 1234.5
    assert as_number("1.234,50") == 1234.5
    assert as_number("1 234,50 €") == 1234.5
    assert as_number("12-03") is None
    assert is_time("31/12/2024")
    assert is_time("2024-02-29T10:00:00Z")
    assert is_time("2024-02")
    assert not is_time("2023-02-29")
    assert not is_time("12.5")


def test_counts_are_exact_and_placeholders_are_nothing(con: Backend):
    columns: dict[str, Make] = {"a": lambda i: "n/a" if i % 4 == 0 else i % 10, "b": lambda i: "  x  "}
    found = profile(con, table(con, columns, 1000))
    assert (found["a"].filled, found["a"].distinct) == (750, 10)
    assert (found["b"].distinct, found["b"].max_length, found["b"].constant) == (1, 1, True)


def test_a_long_file_is_recognised_from_its_beginning(con: Backend):
    columns: dict[str, Make] = {"a": lambda i: i}
    found = profile(con, table(con, columns, 500), limit=400)
    assert (found.rows, found.complete) == (400, False)
    assert found["a"].row_number


def test_values_appear_in_no_representation(con: Backend):
    found = seen(con, {"customer_id": lambda i: f"secret-{i}", "email": lambda i: f"secret{i}@example.com"})
    assert "secret" not in repr(found)


# Attributes and what is left out --------------------------------------------------------------------------------------


def test_attributes_have_model_kind_and_unit(con: Backend):
    found = seen(
        con,
        {
            "customer_id": lambda i: i + 10,
            "MntWines": lambda i: i * 3,
            "Tenure in Months": lambda i: i % 72,
            "Streaming TV": lambda i: ["Yes", "No"][i % 2],
            "Satisfaction Score": lambda i: i % 5,
            "Payment Method": lambda i: ["Card", "Bank", "Mail"][i % 3],
            "Region code": lambda i: i % 7,
            "NumSalesCalls": lambda i: i % 9,
            "Homeowner": lambda i: "YN"[i // 2 % 2],
        },
    )
    assert {a.name: (a.model, a.kind, a.unit) for a in found.attributes} == {
        "mnt_wines": (Model.VALUE, "number", "currency"),
        "tenure_in_months": (Model.BEHAVIORAL, "number", "months"),
        "streaming_tv": (Model.TECHNOGRAPHIC, "boolean", ""),
        "satisfaction_score": (Model.NEEDS, "number", ""),
        "payment_method": (Model.BEHAVIORAL, "category", ""),
        "region_code": (Model.GEOGRAPHIC, "category", ""),
        "num_sales_calls": (Model.VALUE, "number", ""),
        "homeowner": (Model.DEMOGRAPHIC, "boolean", ""),
    }


def test_what_is_left_out_has_its_reason(con: Backend):
    found = seen(
        con,
        {
            "row": lambda i: i,
            "customer_id": lambda i: (i * 7919) % 100_003,
            "source system": lambda i: "crm",
            "unused": lambda i: None,
            "remarks": lambda i: f"talked about {i} things",
            "churned": lambda i: ["Yes", "No"][i % 2],
            "churn flag": lambda i: [1, 0][i % 2],
            "last login": day,
        },
    )
    assert dict(found.left_out) == {
        "row": "numbers the rows",
        "source system": "the same in every row",
        "unused": "empty",
        "remarks": "300 different values in 300 rows: a code or free text",
        "churn flag": "says the same as churned",
        "last login": "a date; an attribute is a number, a category or yes/no",
    }
    assert [a.name for a in found.attributes] == ["churned"]


def test_an_attribute_never_takes_the_name_of_a_trait_or_column(con: Backend):
    columns: dict[str, Make] = {"ID": lambda i: i + 3, "frequency": lambda i: i % 9, "segment": lambda i: "AB"[i % 2]}
    found = seen(con, columns | {"amount": price, "Amount ": lambda i: i * 3})
    assert [a.name for a in found.attributes] == ["frequency_stated", "segment_stated", "amount", "amount_stated"]


def test_transactions_keep_only_categories_that_describe_a_customer(con: Backend):
    columns: dict[str, Make] = {"customer": buyer, "date": day, "amount": price, "order": lambda i: i}
    more: dict[str, Make] = {
        "payment method": lambda i: "abc"[i % 3],
        "profit": lambda i: i * 1.3,
        "batch": lambda i: f"b{i}",
    }
    found = seen(con, columns | more)
    assert [a.name for a in found.attributes] == ["payment_method"]
    assert [name for name, _ in found.left_out] == ["profit", "batch"]


# Personal columns -----------------------------------------------------------------------------------------------------

CARDS = ("4111111111111111", "5500005555555559", "340000000000009", "6011000000000004")


def test_personal_columns_are_told_by_name_and_by_value(con: Backend):
    found = seen(
        con,
        {
            "customer_id": lambda i: i + 10,
            "contact": lambda i: f"a{i}@example.com",
            "number": lambda i: CARDS[i % 4],
            "konto": lambda i: ["DE89370400440532013000", "GB82 WEST 1234 5698 7654 32"][i % 2],
            "reachable at": lambda i: f"+49 30 1234{i:04}",
            "last seen from": lambda i: f"10.0.{i % 256}.{i % 200}",
            "notes": lambda i: f"wants mail to z{i}@example.com" if i % 50 == 0 else f"note {i}",
            "soc_sec_id": lambda i: 5_000_000 + i,
            "religion": lambda i: "abc"[i % 3],
            "salary": lambda i: 1000 * i,
            "married": lambda i: ["Yes", "No"][i % 2],
            "visits": lambda i: i % 20,
        },
    )
    assert found.pii == {
        "customer_id": Pii.DIRECT,
        "contact": Pii.DIRECT,
        "number": Pii.DIRECT,
        "konto": Pii.DIRECT,
        "reachable at": Pii.DIRECT,
        "last seen from": Pii.QUASI,
        "notes": Pii.DIRECT,
        "soc_sec_id": Pii.DIRECT,
        "religion": Pii.SENSITIVE,
        "salary": Pii.SENSITIVE,
        "married": Pii.QUASI,
    }
    assert {a.name: a.pii for a in found.attributes} == {
        "religion": Pii.SENSITIVE,
        "married": Pii.QUASI,
        "visits": Pii.NONE,
    }


def test_numbers_that_only_look_like_cards_are_none(con: Backend):
    found = seen(con, {"customer_id": lambda i: i, "ean": lambda i: 4_000_000_000_000 + i * 37})
    assert "ean" not in found.pii


# Order lines ----------------------------------------------------------------------------------------------------------

LINES: dict[str, Make] = {
    "customer": buyer,
    "order": lambda i: f"C{i}" if i % 20 == 0 else f"{500 + i // 3}",
    "date": day,
    "product code": lambda i: f"{10_000 + i % 90}{'A' if i % 4 == 0 else ''}",
    "description": lambda i: f"SAMPLE BOX {i % 90}",
    "amount": lambda i: -5 if i % 20 == 0 else 5 + i % 3,
}


def test_returns_by_the_letter_before_the_order_number(con: Backend):
    found = seen(con, LINES)
    returns = find_returns(table(con, LINES), found.table, found.columns)
    assert returns is not None
    assert returns.where == "\"order\" like 'C%'"
    plain = LINES | {"order": lambda i: 500 + i // 3}
    assert find_returns(table(con, plain), seen(con, plain).table, seen(con, plain).columns) is None


def test_returns_by_a_column_that_says_so(con: Backend):
    base = {**LINES, "order": lambda i: 500 + i}
    kind = base | {"type": lambda i: ["Sale", "Refund"][i % 10 == 0]}
    found = find_returns(table(con, kind), seen(con, kind).table, seen(con, kind).columns)
    assert found is not None
    assert found.where == "type in ('Refund')"
    flag = base | {"Retoure": lambda i: ["nein", "ja"][i % 10 == 0]}
    found = find_returns(table(con, flag), seen(con, flag).table, seen(con, flag).columns)
    assert found is not None
    assert found.where == "Retoure in ('ja')"


def test_charges_are_codes_of_another_pattern_that_say_what_they_are(con: Backend):
    names = {7: ("POST", "Versandkosten"), 9: ("GIFT", "Gift card"), 11: ("O'FEE", "Handling fee")}
    lines = LINES | {
        "product code": lambda i: names.get(i, (LINES["product code"](i), ""))[0],
        "description": lambda i: names.get(i, ("", LINES["description"](i)))[1],
    }
    charges = find_charges(table(con, lines), seen(con, lines).columns)
    assert charges is not None
    assert charges.where == "\"product code\" in ('O''FEE', 'POST')"


def test_products_called_sample_are_no_charges(con: Backend):
    assert find_charges(table(con, LINES), seen(con, LINES).columns) is None


def test_charges_by_name_where_there_is_no_code(con: Backend):
    lines = {k: v for k, v in LINES.items() if k != "product code"}
    lines["description"] = lambda i: "Shipping" if i % 9 == 0 else f"Fee free delivery van {i % 90}"
    charges = find_charges(table(con, lines), seen(con, lines).columns)
    assert charges is not None
    assert charges.where == "description in ('Shipping')"


def test_an_order_total_on_each_line_is_noticed(con: Backend):
    total = LINES | {"order": lambda i: 500 + i // 3, "amount": lambda i: 10 + i // 3}
    assert totals_repeat(table(con, total), seen(con, total).columns)
    assert not totals_repeat(table(con, LINES), seen(con, LINES).columns)


# Bad input ------------------------------------------------------------------------------------------------------------


def test_a_header_without_records_is_an_error(con: Backend):
    with pytest.raises(DataError, match=r"empty.csv: has column names but no records") as caught:
        seen(con, {"customer_id": lambda i: i}, name="empty", rows=0)
    assert caught.value.why
    assert caught.value.fix


def test_a_record_in_place_of_the_header_is_an_error_that_does_not_repeat_it(con: Backend):
    columns: dict[str, Make] = {"4711": lambda i: i, "jane@example.com": lambda i: i, "2024-01-31": day}
    with pytest.raises(DataError, match="first line seems to be a record") as caught:
        seen(con, columns)
    assert "jane" not in str(caught.value)


def test_columns_of_few_values_that_mean_the_same_are_told_from_those_that_do_not(con: Backend):
    columns: dict[str, Make] = {"a": lambda i: i % 3, "b": lambda i: "xyz"[i % 3], "c": lambda i: "xyz"[(i // 3) % 3]}
    found = profile(con, table(con, columns))
    assert same_meaning(found["a"], found["b"])
    assert not same_meaning(found["a"], found["c"])
