"""segmentry.yaml: every mistake is named with file, line, key, and what is allowed."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from segmentry import config
from segmentry.errors import ConfigError

GOOD = """\
name: acme
sources:
  shop:
    kind: transactions
    path: orders/*.csv
    columns: {customer: CustomerID, time: Date, amount: Quantity * Price}
    attributes: {payment: {from: PaymentMethod, kind: category}}
segmentations:
  value: {method: value_tiers}
  groups: {method: kmeans, traits: behavioral.*, segments: 4}
"""


def _said(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        config.parse(text, {})
    return str(caught.value)


def test_good_config_is_read() -> None:
    found = config.parse(GOOD, {})
    assert found.sources["shop"].path == ("orders/*.csv",)
    assert found.sources["shop"].attributes["payment"].expression == "PaymentMethod"
    assert found.first == "value"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("name: acme", "nam: acme", "segmentry.yaml:1 nam: this key is not known. Did you mean 'name'?"),
        ("kind: transactions", "kind: transaction", "segmentry.yaml:3 sources.shop: kind: 'transaction'"),
        (
            "amount: Quantity",
            "amont: Quantity",
            "columns.amont: transactions has no such column. Did you mean 'amount' or 'account'?",
        ),
        ("time: Date, ", "", "transactions need time"),
        ("from: PaymentMethod", "form: PaymentMethod", "sources.shop.attributes.payment.form: this key is not known"),
        ("method: value_tiers", "method: value_tier", "segmentry.yaml:9 segmentations.value: method 'value_tier'"),
        ("segments: 4", "segments: 1", "segmentry.yaml:10 segmentations.groups.segments"),
        ("segments: 4", "segment: 4", "segmentations.groups.segment: this key is not known. Did you mean 'segments'?"),
        ("  value:", "  Value:", "segmentations.Value: a name starts with a lower-case letter"),
        ("name: acme", "name: acme\nprimary: vlaue", "no segmentation is called 'vlaue'. Did you mean 'value'?"),
        ("name: acme", "name: acme\nas_of: yesterday", "segmentry.yaml:2 as_of"),
        (
            "  groups:",
            "  grid: {method: crossing, of: [value, value]}\n  groups:",
            "segmentry.yaml:10 segmentations.grid.of: value is named twice",
        ),
        (
            "  groups:",
            "  grid: {method: crossing, of: [value, vlaue]}\n  groups:",
            "segmentry.yaml:10 segmentations.grid.of: no segmentation is called 'vlaue'. Did you mean 'value'?",
        ),
        ("name: acme", "name: acme\nengine: oracle", "segmentry.yaml:2 engine"),
        ("name: acme", "name: [", "segmentry.yaml:"),
    ],
)
def test_mistake_names_line_key_and_what_is_allowed(before: str, after: str, expected: str) -> None:
    assert expected in _said(GOOD.replace(before, after, 1))


def test_all_mistakes_are_told_at_once() -> None:
    said = _said(GOOD.replace("name: acme", "nam: acme").replace("method: value_tiers", "method: x"))
    assert len(said.splitlines()) >= 3


def test_environment_values_are_filled_in_and_missing_ones_named() -> None:
    text = GOOD.replace("orders/*.csv", "${EXPORTS}/*.csv")
    assert config.parse(text, {"EXPORTS": "/data"}).sources["shop"].path == ("/data/*.csv",)
    with pytest.raises(ConfigError, match=r"sources\.shop\.path.*EXPORTS is not set"):
        config.parse(text, {})


def test_no_workspace_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="segmentry init"):
        config.load(tmp_path / "segmentry.yaml", {})


def test_schema_accepts_what_the_program_accepts_and_refuses_unknown_keys() -> None:
    schema = config.json_schema()
    tree = YAML(typ="safe").load(GOOD)
    jsonschema.validate(tree, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**tree, "sorces": {}}, schema)


def test_tier_and_cut_rules() -> None:
    assert "rising shares" in _said(GOOD.replace("value_tiers", "value_tiers, tiers: [{name: A, share: 1}]"))
    assert "falling values" in _said(GOOD.replace("value_tiers", "value_tiers, cuts: [1, 2]"))


def test_two_segments_of_one_name_are_refused() -> None:
    rules = "{method: rules, segments: [{name: A, where: x > 1}, {name: A, where: x > 2}]}"
    assert "'A' is used twice" in _said(GOOD.replace("{method: value_tiers}", rules))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "{method: value_tiers}",
            "{method: value_tiers, n: 5}",
            "value.n: this key is not known. Allowed: allow, cuts, method",
        ),
        ("{method: value_tiers}", "{method: value_tiers, tiers: 5}", "value.tiers: '5': needs a list, such as [a, b]"),
        ("{method: value_tiers}", "5", "value: '5': needs keys with values"),
        (
            "{method: value_tiers}",
            "{trait: value}",
            "value: method is needed. Allowed: bands, crossing, kmeans, kprototypes, latent_classes, mixtures, rfm, "
            "rules, trees, value_tiers",
        ),
        (
            "{method: value_tiers}",
            "{metod: value_tiers}",
            "value: metod: this key is not known. Did you mean 'method'?",
        ),
        ("segments: 4", "segments: many", "groups.segments: 'many': needs a whole number, or 'auto'"),
    ],
)
def test_a_value_of_another_kind_is_told_what_it_has_to_be(old: str, new: str, said: str) -> None:
    assert old in GOOD
    assert said in _said(GOOD.replace(old, new))


SCALES = """\
surveys:
  club:
    scales:
      thrift: {items: [Q1, Q2, Q3], reverse: [Q3]}
  fans:
    scales:
      pride: {items: [F1]}
"""


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("reverse: [Q3]", "reverse: [Q33]", "scales.thrift: reverse: 'Q33' is none of the items. Did you mean 'Q3'?"),
        ("[Q1, Q2, Q3]", "[Q1, Q2, Q1, Q3]", "scales.thrift: items: 'Q1' stands there twice"),
        (
            "reverse: [",
            "revers: [",
            "surveys.club.scales.thrift.revers: this key is not known. Did you mean 'reverse'?",
        ),
        ("[F1]", "[]", "surveys.fans.scales.pride.items"),
        ("pride:", "thrift:", "surveys.fans.scales.thrift: the survey club has a scale of this name"),
        ("pride:", "Pride:", "surveys.fans.scales: Pride: a name starts with a lower-case letter"),
        ("[F1]", "[F1], range: [7, 1]", "range: 7 is not below 1"),
        ("[F1]", "[F1], range: [1, 7], answers: [a, b]", "range and answers both say how answers are read"),
        ("[F1]", "[F1], answers: [Yes, yes]", "at least two steps, each in words of its own"),
        ("[F1]", "[F1], least_answered: 0", "scales.pride.least_answered"),
        ("[F1]", "[F1], model: value", "scales.pride.model"),
    ],
)
def test_mistakes_in_scales_are_told(before: str, after: str, expected: str) -> None:
    assert expected in _said(GOOD + SCALES.replace(before, after, 1))


def test_hours_are_those_of_the_time_zone_that_is_named() -> None:
    found = config.parse(GOOD, {})
    assert found.clock == "UTC"
    london = GOOD.replace("    kind: transactions\n", "    kind: transactions\n    timezone: Europe/London\n")
    assert config.parse(london, {}).clock == "Europe/London"
    assert config.parse(london + "timezone: Asia/Tokyo\n", {}).clock == "Asia/Tokyo"
    web = "  web: {kind: events, path: e.csv, timezone: Asia/Tokyo, columns: {customer: c, time: t, name: n}}\n"
    two = london.replace("segmentations:", web + "segmentations:")
    assert config.parse(two, {}).clock == "UTC"
    assert "'Europe/Londn' is no time zone. Did you mean 'Europe/London'" in _said(GOOD + "timezone: Europe/Londn\n")
