"""Linking organisations: legal forms, web sites and addresses in every spelling; branches and groups kept apart."""

from __future__ import annotations

from typing import Any

import pytest
from tests.data.linkage.gathering import clusters, connection, table

from segmentry.data.linkage import explain, link_organisations

ROWS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "legal form and web site": (
        {"account_name": "Brown Tutors Ltd", "domain": "https://www.browntutors.example/about?x=1"},
        {"account_name": "BROWN TUTORS LIMITED", "domain": "hello@browntutors.example"},
    ),
    "and, the and dots": (
        {"account_name": "The Weber & Söhne G.m.b.H.", "postcode": "80331"},
        {"account_name": "Weber und Sohne", "postcode": "80 331"},
    ),
    "a slip, and the same place": (
        {"account_name": "Kettleborough Joinery", "address": "12 Mill Road", "city": "Leeds", "postcode": "LS1 4AB"},
        {"account_name": "Ketleborough Joinery plc", "address": "12 mill rd.", "city": "Leeds", "postcode": "LS14AB"},
    ),
    "telephone": (
        {"account_name": "Dragomirescu SA", "phone": "+40 21 555 1234"},
        {"account_name": "Dragomirescu S.A.", "phone": "021 555 1234"},
    ),
}
APART: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "free mail": (
        {"account_name": "Okonkwo Roofing", "domain": "okonkwo.roofing@gmail.com"},
        {"account_name": "Marchetti Interiors", "domain": "gmail.com"},
    ),
    "two companies of a group": (
        {"account_name": "Abernathy Logistics", "domain": "abernathy.example", "city": "Oslo", "phone": "22334455"},
        {"account_name": "Zenith Insurance", "domain": "abernathy.example", "city": "Oslo", "phone": "22334455"},
    ),
    "the same name in another town": (
        {"account_name": "Castle Bakery", "city": "Cardiff", "postcode": "CF10 1AA"},
        {"account_name": "Castle Bakery", "city": "Norwich", "postcode": "NR1 1AA"},
    ),
}


@pytest.fixture(scope="module")
def linked() -> Any:
    rows = [row for both in (*ROWS.values(), *APART.values()) for row in both]
    return link_organisations(connection(), table(rows))


@pytest.mark.parametrize("case", ROWS)
def test_records_of_one_organisation_are_joined(case: str, linked: Any):
    i = list(ROWS).index(case)
    assert [2 * i + 1, 2 * i + 2] in clusters(linked)


@pytest.mark.parametrize("case", APART)
def test_records_of_different_organisations_are_kept_apart(case: str, linked: Any):
    i = len(ROWS) + list(APART).index(case)
    assert not any({2 * i + 1, 2 * i + 2} & set(cluster) for cluster in clusters(linked))


def test_a_link_of_organisations_is_explained(linked: Any):
    i = list(ROWS).index("a slip, and the same place")
    (link,) = explain(linked, [2 * i + 1, 2 * i + 2])
    assert any(text.startswith("address: the same, +") for text in link.evidence)
