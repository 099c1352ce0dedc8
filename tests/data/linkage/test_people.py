"""Linking people: who is joined, who is kept apart, and what guards against one cluster of everybody."""

from __future__ import annotations

import json
from typing import Any

import ibis
import pytest
from tests.data.linkage.gathering import clusters, connection, linked_people, table

from segmentry.data.linkage import explain, link_people
from segmentry.errors import DataError, UsageError

ANN: dict[str, Any] = {
    "first_name": "Ann", "last_name": "Przybylski", "email": "ann.p@mail.example", "phone": "+44 7787 420489",
    "address": "12 Long Street", "postcode": "BS7 9OW", "city": "Bristol", "birth_date": "1982-07-09",
}  # fmt: skip


def like(person: dict[str, Any] = ANN, without: str = "", **changed: Any) -> dict[str, Any]:
    return {k: v for k, v in person.items() if k not in without.split()} | changed


# Each in the way of a system that knows less than the shop, or wrote it down differently.
SAME = {
    "e-mail in another spelling": {"email": " ANN.P@Mail.Example ", "first_name": "Ann"},
    "e-mail only": {"email": "ann.p@mail.example"},
    "maiden name": like(without="email address postcode", last_name="Miller"),
    "phone in another spelling": {"name": "Przybylski, Ann", "phone": "(0044) 7787-420489"},
    "phone with a trunk zero": {"name": "Ms. Ann Przybylski", "phone": "07787420489"},
    "typo": like(without="email phone", last_name="Przybilski"),
    "day and month exchanged": like(without="email phone", birth_date="1982-09-07"),
    "first and last name exchanged": like(without="email phone", first_name="Przybylski", last_name="Ann"),
    "initial": like(without="email phone birth_date", first_name="A."),
    "moved": like(without="email phone", address="3 Short Rd", postcode="LS1 4AB", city="Leeds"),
    "accents and capitals": like(without="email", first_name="ANN", last_name="PRZYBYLŚKI"),
    "birthday without the year": {"name": "Ann Przybylski", "birthday": "07/09", "postcode": "bs79ow"},
    "birthday, day first": {"name": "Ann Przybylski", "birthday": "9.7.", "postcode": "BS7 9OW"},
    "address abbreviated": like(without="email phone birth_date", address="Flat 3, 12 Long St.", postcode="bs79ow"),
}


LAST_NAMES = ("Przybylski", "Okonkwo", "Featherstone", "Marchetti", "Vandenberg", "Hollingworth", "Castellanos",
              "Yamaguchi", "Kettleborough", "Dragomirescu", "Szymanska", "Abernathy", "Lindqvist", "Oyelaran",
              "Whitcombe", "Zielinska", "Montalbano", "Ravensdale", "Gustafsson", "Thistlethwaite", "Bhattacharya",
              "Quintanilla", "Eastaugh", "Novotny", "Hargreaves", "Vukovic", "Ferreira", "Blankenship")  # fmt: skip


def _renamed(person: dict[str, Any], i: int) -> dict[str, Any]:
    """The same record of another person: everything that is somebody's own is changed alike."""
    name = LAST_NAMES[i]
    turned = {}
    for field, value in person.items():
        made = value.replace("Przybylski", name).replace("PRZYBYLŚKI", name.upper())
        made = made.replace("Przybilski", name[:4] + name[5] + name[4] + name[6:])
        if field == "email":
            made = made.replace("ann.p", f"ann.p{i}").replace("ANN.P", f"ANN.P{i}")
        if field == "phone":
            made = made.replace("420489", f"42{i + 10}89")
        if field == "postcode":
            made = made.lower().replace("bs7", f"{chr(97 + i)}{chr(122 - i)}7").replace("ls1", f"{chr(122 - i)}n1")
        if field == "address":
            made = made.replace("12", str(i + 12)).replace("Long", f"{name} Long")
        if field == "birth_date":
            made = made.replace("07", f"{1 + i % 6:02}").replace("09", f"{12 - i % 6:02}")
            made = made.replace("1982", str(1960 + i)).replace("1951", str(1920 + i)).replace("1974", str(1980 + i))
        if field == "birthday":
            made = made.replace("07/09", f"{1 + i % 6:02}/{12 - i % 6:02}").replace(
                "9.7.", f"{12 - i % 6}.{1 + i % 6}."
            )
        turned[field] = made
    return turned


DIFFERENT = {
    "twins": like(without="email", first_name="Zoe"),
    "twins with one mailbox": like(first_name="Zoe"),
    "a parent with the same name": like(without="email", birth_date="1951-03-02"),
    "a parent with the same name and mailbox": like(birth_date="1951-03-02"),
    "a spouse": like(without="email birth_date", first_name="George"),
    "a namesake elsewhere": like(
        without="email phone", address="3 Short Rd", postcode="LS1 4AB", city="Leeds", birth_date="1974-01-30"
    ),
    "senior and junior": like(without="email phone birth_date", last_name="Przybylski Jr"),
    "a namesake of whom nothing else is known": {"first_name": "Ann", "last_name": "Przybylski"},
    "a mailbox but for the number": {"name": "Ann Przybylski", "email": "ann.p7@mail.example"},
    "a namesake with another birthday": {"name": "Ann Przybylski", "birthday": "02/28", "city": "Bristol"},
    "a sibling of whom only the birthday is known": {"first_name": "Zoe", "birthday": "07/09", "postcode": "BS7 9OW"},
    "only the home in common": {"last_name": "Przybylski", "phone": "07787420489", "address": "12 Long Street"},
}


CASES = {**SAME, **DIFFERENT}


@pytest.fixture(scope="module")
def found() -> list[list[int]]:
    """One linkage of all cases: for each a person of a name of their own, and the other record."""
    rows = []
    for i, (case, other) in enumerate(CASES.items()):
        first = like(last_name="Przybylski Sr") if case == "senior and junior" else ANN
        rows += [_renamed(first, i), _renamed(other, i)]
    return linked_people(rows)


@pytest.mark.parametrize("case", SAME)
def test_records_of_one_person_are_joined(case: str, found: list[list[int]]):
    i = list(CASES).index(case)
    assert [2 * i + 1, 2 * i + 2] in found


@pytest.mark.parametrize("case", DIFFERENT)
def test_records_of_different_people_are_kept_apart(case: str, found: list[list[int]]):
    i = list(CASES).index(case)
    assert not any({2 * i + 1, 2 * i + 2} & set(cluster) for cluster in found)


def test_a_nickname_is_the_same_name():
    bob = {"first_name": "Robert", "last_name": "Featherstone", "phone": "07911 246813"}
    assert linked_people([bob, bob | {"first_name": "Bob"}]) == [[1, 2]]


def test_duplicates_within_one_system_are_found():
    assert linked_people([ANN, ANN, like(email=None)]) == [[1, 2, 3]]


def test_mailboxes_and_telephones_of_nobody_join_nobody():
    emails = ["info@firm.example", "no-reply@firm.example", "test@test.com", "n/a", "nobody", "@"]
    phones = ["0000000000", "1234567", "0123456789", "n/a", "555", "07777777777"]
    rows = [{"first_name": "Ann", "email": email} for email in emails for _ in range(2)]
    rows += [{"name": f"Ann {name}", "phone": p} for name, p in zip(LAST_NAMES, phones, strict=False) for _ in range(2)]
    assert linked_people(rows) == []


def test_a_default_date_of_birth_is_no_evidence():
    ann = {"first_name": "Ann", "last_name": "Featherstone"}
    assert linked_people([ann | {"birth_date": "1982-07-09"}] * 2) == [[1, 2]]
    assert linked_people([ann | {"birth_date": "1900-01-01"}] * 2) == []


def test_a_date_of_birth_that_very_many_have_is_no_evidence():
    rows = [{"first_name": "Ann", "last_name": f"{name}{other}", "birth_date": "1970-01-01"}
            for name in LAST_NAMES for other in ("by", "son")]  # fmt: skip
    dated = [{"last_name": name, "birth_date": f"{1940 + i}-03-0{1 + j}"}
             for i, name in enumerate(LAST_NAMES) for j in range(9)]  # fmt: skip
    assert linked_people([*rows, *rows, *dated]) == []


def test_gmail_ignores_dots_and_tags():
    rows = [{"email": "ann.lee@gmail.com"}, {"email": "AnnLee+shop@googlemail.com"}, {"email": "ann.lee@mail.example"}]
    assert linked_people(rows) == [[1, 2]]


def test_an_e_mail_that_thousands_share_joins_nobody():
    rows = 500
    con = connection()
    con.raw_sql(f"""
        CREATE TEMP TABLE club AS SELECT i AS record_key, 'shop' AS source, 'club@town.example' AS email,
            chr(97 + (i % 26)::INTEGER) || 'a' || chr(97 + (i // 26 % 26)::INTEGER) || 'b' AS first_name,
            chr(97 + (i // 3 % 26)::INTEGER) || 'olm' || i AS last_name FROM range(1, {rows} + 1) AS t(i)
    """)
    linked = link_people(con, con.table("club", database=("temp", "main")))
    assert clusters(linked) == []
    assert linked.facts["shared_keys"]["mail"] == 1


def test_a_record_without_a_name_joins_no_two_people():
    shared = {"email": "home@family.example", "phone": "07787420489"}
    rows = [shared | {"name": "Ann Lee"}, shared | {"name": "George Lee"}, {"email": "home@family.example"}]
    assert [1, 2, 3] not in linked_people(rows)
    assert not any({1, 2} <= set(cluster) for cluster in linked_people(rows))


def test_a_cluster_that_contradicts_itself_is_cut_and_told():
    rows = [
        {"first_name": "R.", "last_name": "Weber", "phone": "07787420489", "postcode": "BS7 9OW", "city": "Bristol"},
        {"first_name": "Rachel", "last_name": "Weber", "phone": "07787420489", "postcode": "BS7 9OW"},
        {"first_name": "Robert", "last_name": "Weber", "phone": "07787420489", "postcode": "BS7 9OW"},
    ]
    linked = link_people(connection(), table(rows))
    assert not any({2, 3} <= set(cluster) for cluster in clusters(linked))
    assert linked.facts["refused_clusters"]["contradicting"] == 1
    assert linked.facts["cut_links"] == 1


def pairs(*keys: tuple[int, int]) -> Any:
    return ibis.memtable({"left_key": [a for a, _ in keys], "right_key": [b for _, b in keys]},
                         schema={"left_key": "int64", "right_key": "int64"})  # fmt: skip


def test_links_by_hand_win_over_probability():
    zoe = {"first_name": "Zoe", "last_name": "Okonkwo", "email": "zoe@mail.example"}
    linked = link_people(connection(), table([ANN, zoe, ANN]), join=pairs((2, 1)))
    assert clusters(linked) == [[1, 2, 3]]
    assert linked.facts["pairs"] == {"by hand": 1, "exact: the same in every field": 1}


def test_refusals_by_hand_win_over_everything():
    assert linked_people([ANN, ANN, {"email": ANN["email"]}], never=pairs((2, 1))) in ([[1, 3]], [[2, 3]])
    assert linked_people([ANN, ANN], never=pairs((1, 2)), join=pairs((1, 2))) == []
    apart = linked_people([ANN, like(email=None), like(phone=None)], join=pairs((1, 2), (2, 3)), never=pairs((1, 3)))
    assert apart in ([[1, 2]], [[2, 3]])


@pytest.mark.parametrize("rows", [[], [ANN], [{"name": "Ann"}, {"name": "Bob"}], [{"email": None}, {"email": None}]])
def test_few_records_or_nothing_known_is_no_failure(rows: list[dict[str, Any]]):
    records = table(rows) if rows else table([ANN]).filter(ibis.literal(False))
    linked = link_people(connection(), records)
    assert clusters(linked) == []
    assert linked.clusters.count().execute() == len(rows)
    json.dumps(dict(linked.facts))


def test_every_record_is_in_one_cluster_and_pairs_are_ordered():
    linked = link_people(connection(), table([ANN, ANN, like(phone=None), {"name": "Bob Lee"}]))
    rows = linked.clusters.order_by("record_key").to_pyarrow().to_pylist()
    assert [row["record_key"] for row in rows] == [1, 2, 3, 4]
    assert all(r["left_key"] < r["right_key"] for r in linked.pairs.to_pyarrow().to_pylist())
    types = {name: str(kind) for name, kind in linked.pairs.schema().items()}
    assert types == {"left_key": "int64", "right_key": "int64", "probability": "float64", "how": "string",
                     "weights": "string"}  # fmt: skip


def test_nothing_else_is_left_on_the_connection():
    con = connection()
    link_people(con, table([ANN, like(email=None), {"name": "Bob Lee", "phone": ANN["phone"]}]))
    left = con.raw_sql("SELECT table_name FROM duckdb_tables() ORDER BY ALL").fetchall()
    assert [name for (name,) in left] == ["linked_people_clusters", "linked_people_pairs"]


def test_a_weighed_link_is_explained_in_words():
    linked = link_people(connection(), table([ANN, like(without="email phone", last_name="Przybilski")]))
    (link,) = explain(linked, [1, 2])
    assert (link.left_key, link.right_key, link.how) == (1, 2, "weighed")
    assert link.probability >= 0.99
    assert link.evidence[0].startswith("two records at random: -")
    assert any(text.startswith("birth date: the same, +") and text.endswith(" to 1)") for text in link.evidence)
    assert any(text.startswith("last name: almost the same, +") for text in link.evidence)
    assert not any("email" in text for text in link.evidence), "what one record does not have says nothing"


def test_an_exact_link_needs_no_evidence():
    linked = link_people(connection(), table([ANN, {"email": ANN["email"]}]))
    assert [(link.how, link.probability, link.evidence) for link in explain(linked, [1, 2])] == [
        ("exact: e-mail", 1.0, ())
    ]
    assert explain(linked, [1]) == ()


def test_facts_and_progress():
    seen: list[tuple[int, int]] = []
    linked = link_people(connection(), table([ANN, ANN]), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1]
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert "Przybylski" not in json.dumps(dict(linked.facts))
    assert {"prior", "threshold", "rules", "seconds", "candidates", "refused_clusters"} <= set(linked.facts)


def test_a_key_that_repeats_is_refused():
    twice = table([ANN, ANN]).mutate(record_key=ibis.literal(7, "int64"))
    with pytest.raises(DataError, match="1 repeat the one of another") as error:
        link_people(connection(), twice)
    assert "Number the records" in error.value.fix


def test_records_without_anything_to_compare_are_refused():
    with pytest.raises(UsageError, match="lack anything to compare"):
        link_people(connection(), table([ANN]).select("record_key", "source"))
    with pytest.raises(UsageError, match="lack source"):
        link_people(connection(), table([ANN]).drop("source"))


@pytest.mark.parametrize("threshold", [0.2, 1.0, 99])
def test_a_threshold_that_is_none_is_refused(threshold: float):
    with pytest.raises(UsageError, match="no probability of a link"):
        link_people(connection(), table([ANN]), threshold=threshold)
