"""The command line as a user meets it: real processes, exit codes, what it prints."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from segmentry.apps.report import render
from tests.processes import segmentry
from tests.shops import CONFIG, opened, orders, shop
from tests.traits.needs_reference import SURVEYS, survey, write


def installed(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """The command line by its own start, which the processes that most tests fork leave out."""
    command = [sys.executable, "-m", "segmentry", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = shop(tmp_path_factory.mktemp("cli") / "w")
    done = installed("run", "-w", root)
    assert done.returncode == 0, done.stderr
    assert "Champions" in done.stdout
    assert (root / "report.html").stat().st_size > 100_000
    return root


def test_segments_as_json_add_up(space: Path) -> None:
    found = json.loads(segmentry("segments", "-w", space, "--json").stdout)
    assert sum(s["customers"] for s in found) == 200
    assert sum(s["share"] for s in found) == pytest.approx(1)
    assert all(s["action"] for s in found)


def test_describe_explain_show_and_sql_answer(space: Path) -> None:
    described = segmentry("describe", "value", "--segment", "high", "-w", space).stdout
    assert "effect (sd)" in described
    assert "Low" not in described.split("effect")[0]
    explained = json.loads(segmentry("explain", "C00001", "-w", space, "--json").stdout)
    assert [e["segmentation"] for e in explained] == ["lifecycle", "rfm", "value"]
    assert all(e["reasons"] for e in explained)
    assert "recency_days" in segmentry("show", "traits", "-w", space).stdout
    assert json.loads(segmentry("show", "-w", space, "--json").stdout)
    assert "SELECT" in segmentry("show", "memberships", "--sql", "-w", space).stdout
    assert "SELECT" in segmentry("sql", "rfm", "--dialect", "snowflake", "-w", space).stdout


def test_check_shows_findings_and_its_exit_code_is_that_of_the_gate(tmp_path: Path) -> None:
    frame = orders(80)
    frame.loc[0, "customer"] = None
    frame.loc[1, "date"] = "someday"
    root = shop(tmp_path / "w", frame)
    found = json.loads(segmentry("check", "-w", root, "--json").stdout)
    assert {c["finding"]["check"] for c in found["concerns"]} >= {"no_customer", "unusable_records"}
    assert all(c["fix"] for c in found["concerns"])
    (root / "segmentry.yaml").write_text(CONFIG + "quality: {severity: {no_customer: blocking}}\n", encoding="utf-8")
    done = segmentry("check", "-w", root)
    assert done.returncode == 1
    assert "no_customer" in done.stdout
    stopped = segmentry("run", "-w", root)
    assert stopped.returncode == 1
    assert "quality gate" in stopped.stderr
    shown = segmentry("quarantine", "-w", root).stdout
    assert "time cannot be read" in shown
    assert "C0000" not in shown
    assert "a 9 stands for any digit" in shown
    assert segmentry("quarantine", "--export", root / "bad.csv", "-w", root).returncode == 0
    text = (root / "bad.csv").read_text(encoding="utf-8").replace("someday", "2026-01-01")
    (root / "good.csv").write_text(text, encoding="utf-8")
    done = segmentry("quarantine", "--repaired", root / "good.csv", "-w", root)
    assert "1 record has left" in done.stdout, done.stderr
    assert "empty" in segmentry("quarantine", "-w", root).stdout


def test_members_as_csv_are_all_of_the_segment_and_harmless(space: Path, tmp_path: Path) -> None:
    frame = orders(60, seed=4)
    frame["customer"] = "=cmd|' /C calc'!A" + frame["customer"]
    root = shop(
        tmp_path / "evil",
        frame,
        CONFIG.replace("  rfm: {method: rfm}\n", "").replace(
            "primary: rfm", "describe_by: [lifecycle_stage, monetary]"
        ),
    )
    assert segmentry("run", "-w", root, "-q").returncode == 0
    listed = 0
    for segment in ("High", "Medium", "Low"):
        target = tmp_path / f"{segment}.csv"
        done = segmentry("members", segment, "--in", "value", "--csv", target, "-w", root)
        assert done.returncode == 0, done.stderr
        with target.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        listed += len(rows)
        assert all(row["customer_id"].startswith("'=cmd") for row in rows)
        assert {row["segment"] for row in rows} <= {segment}
    assert listed == 60


def test_run_again_does_nothing_and_says_so_quickly(space: Path) -> None:
    done = segmentry("run", "-w", space)
    assert done.returncode == 0
    assert "collect" not in done.stderr
    assert "Nothing was due" in done.stdout


def test_needs_are_told_by_segment_and_product(tmp_path: Path) -> None:
    settings = "segmentations: {fans: {method: rules, segments: [{name: Fans, where: nps >= 7}], rest: Others}}\n"
    root = write(tmp_path / "w", survey(customers=120), SURVEYS + settings)
    opening = opened(root)
    opening.run()
    page = render(opening.overview())
    opening.close()
    assert "Benefits sought (MaxDiff)" in page
    assert "The need with the largest opportunity is" in page
    found = json.loads(segmentry("needs", "-w", root, "--json").stdout)
    assert {n["segment"] for n in found["needs"]} == {"all customers", "Fans", "Others"}
    everybody = [n for n in found["needs"] if n["segment"] == "all customers"]
    assert len(everybody) == 3
    assert all(n["low"] <= n["opportunity"] <= n["high"] for n in everybody)
    assert {s["measure"] for s in found["scores"]} == {"nps", "csat", "ces"}
    assert next(b["name"] for b in found["benefits"]) in segmentry("needs", "-w", root).stdout
    wrong = segmentry("needs", "--product", "Tea", "-w", root)
    assert (wrong.returncode, "for a product 'Tea'" in wrong.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("segments", "nosuch"), 2, "no segmentation 'nosuch'"),
        (("members", "Champion"), 2, "Did you mean 'Champions'"),
        (("explain", "nobody"), 1, "no customer 'nobody'"),
        (("show", "trait"), 2, "Did you mean 'traits'"),
        (("sql", "rfm", "--dialect", "oracle"), 2, "no SQL dialect 'oracle'"),
        (("fit", "rfm", "--segments", "4"), 2, "kmeans"),
        (("needs",), 1, "No survey says what customers need"),
        (("frobnicate",), 2, "No such command"),
    ],
)
def test_wrong_use_is_told_clearly(space: Path, words: tuple[str, ...], code: int, said: str) -> None:
    done = segmentry(*words, *(() if words[0] == "frobnicate" else ("-w", space)))
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_plan_begins_before_there_is_data_and_keeps_decisions(tmp_path: Path) -> None:
    shown = segmentry("plan", "-w", tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "Cheapest first step" in shown.stdout
    decide = ("plan", "--field", "needs.nps", "--status", "to collect", "--owner", "ana", "--due", "2027-01-31")
    done = segmentry(*decide, "-w", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "to collect, ana, by 2027-01-31" in done.stdout
    assert "owner: ana" in (tmp_path / "plan.yaml").read_text()
    assert segmentry("plan", "--survey", tmp_path / "q.md", "-w", tmp_path).returncode == 0
    assert "recommend us" in (tmp_path / "q.md").read_text()
    found = json.loads(segmentry("plan", "needs", "--json", "-w", tmp_path).stdout)
    nps = next(f for f in found["models"][0]["fields"] if f["id"] == "needs.nps")
    assert nps["decision"]["due"] == "2027-01-31"
    assert nps["question"]["options"] == [str(n) for n in range(11)]
    wrong = segmentry("plan", "--status", "asked", "-w", tmp_path)
    assert wrong.returncode == 2
    assert "--field" in wrong.stderr


def test_plan_of_a_workspace_is_measured_and_in_the_report(space: Path) -> None:
    found = json.loads(segmentry("plan", "-w", space, "--json").stdout)
    assert found["measured"]
    assert {m["model"]: m["verdict"] for m in found["models"]}["psychographic"] == "not possible"
    assert "Which data each model has and lacks" in (space / "report.html").read_text(encoding="utf-8")


def test_broken_config_names_line_and_key(tmp_path: Path) -> None:
    root = shop(tmp_path / "w", config=CONFIG.replace("method: rfm", "method: rmf"))
    done = segmentry("run", "-w", root)
    assert done.returncode == 2
    assert "segmentry.yaml:16 segmentations.rfm: method 'rmf' is not known. Did you mean 'rfm'" in done.stderr


def test_no_workspace_says_what_to_do(tmp_path: Path) -> None:
    done = installed("run", "-w", tmp_path)
    assert done.returncode == 2
    assert "segmentry init" in done.stderr


def test_before_the_first_run_every_question_is_answered_with_what_to_do(tmp_path: Path) -> None:
    root = shop(tmp_path / "w", orders(20))
    for words in (("explain", "C00001"), ("members", "Champions"), ("traits",), ("resolve",), ("quarantine",)):
        done = segmentry(*words, "-w", root)
        assert (done.returncode, done.stdout) == (1, ""), words
        assert "yet." in done.stderr
        assert "`segmentry run`" in done.stderr
    assert "There are no tables yet" in segmentry("show", "-w", root).stdout


def test_init_says_which_files_are_left_out_and_which_segmentations_it_proposes(tmp_path: Path) -> None:
    orders(50).to_csv(tmp_path / "sales.csv", index=False)
    (tmp_path / "empty.csv").touch()
    (tmp_path / "staff.csv").write_text("agent,office\nAnn,York\nBob,Hull\n")
    done = segmentry("init", "sales.csv", "empty.csv", "staff.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Left out: empty.csv: " in done.stderr
    assert "Left out: staff.csv: no column identifies the customer." in done.stderr
    assert "Segmentations to begin with: lifecycle, value, rfm, behaviour." in done.stdout


def test_init_then_run_needs_no_edit_and_init_never_overwrites(tmp_path: Path) -> None:
    orders(150).to_csv(tmp_path / "sales.csv", index=False, sep=";", decimal=",")
    done = segmentry("init", "sales.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    written = (tmp_path / "segmentry.yaml").read_text()
    assert "C00001" not in written
    done = segmentry("run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    again = segmentry("init", "sales.csv", cwd=tmp_path)
    assert again.returncode == 2
    assert "--force" in again.stderr
    assert (tmp_path / "segmentry.yaml").read_text() == written


def test_as_of_before_the_first_order_gives_everybody_no_data_or_nobody(tmp_path: Path, ran_shop: Path) -> None:
    root = shutil.copytree(ran_shop, tmp_path / "w")
    done = segmentry("run", "-w", root, "--as-of", "2019-01-01")
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr
    assert segmentry("run", "-w", root, "-q").returncode == 0


def test_schema_is_json() -> None:
    assert json.loads(installed("schema").stdout)["title"] == "Config"


def test_version_is_printed() -> None:
    assert installed("--version").stdout.startswith("segmentry ")
