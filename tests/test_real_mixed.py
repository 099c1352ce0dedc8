"""Real people by numbers and categories together, from `init` to the report: k-prototypes and mixtures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from segmentry.apps.report import write_report
from segmentry.beginnings import create_workspace
from segmentry.workspace import Workspace, open_workspace

BUYING = ["value", "num_web_purchases", "num_catalog_purchases", "num_store_purchases"]
WHY = "Tried on public data to see what a method finds."
SEGMENTATIONS = {
    "mixed": {"method": "kprototypes", "segments": 3, "traits": [*BUYING, "education", "marital_status", "response"]},
    "clouds": {"method": "mixtures", "segments": 3, "shape": "full", "traits": [*BUYING, "income"]},
}


@pytest.fixture(scope="module")
def people(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("people")
    create_workspace(root, [real_data / "customer_personality" / "marketing_campaign.csv"], name="People").close()
    yaml, path = YAML(), root / "segmentry.yaml"
    config = yaml.load(path)
    config["segmentations"] = {
        "mixed": SEGMENTATIONS["mixed"] | {"allow": {"marital_status": WHY}},
        "clouds": SEGMENTATIONS["clouds"] | {"allow": {"income": WHY}},
    }
    config["primary"] = "mixed"
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(config, file)
    return open_workspace(root)


def test_everybody_is_in_a_segment_that_the_report_tells(people: Workspace, tmp_path: Path) -> None:
    assert people.run() == {}
    overview = people.overview()
    for summary in overview.segmentations:
        sizes = {s.name: s.customers for s in summary.segments}
        assert sum(sizes.values()) == 2_240
        # 24 incomes are not known: not enough to be left out, and no cloud of their own
        assert sum(n for name, n in sizes.items() if name not in ("No data", "No good fit")) > 2_200, sizes
        assert len({name for name in sizes if not name.startswith("No ")}) == 3
    write_report(overview, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    told = re.sub(r"<script.*?</script>|<[^>]+>", " ", page, flags=re.DOTALL)
    assert "Method k-prototypes" in told
    assert not re.search(r"\bnan\b", told)
