"""The rules of the house that no linter knows: see docs/TENETS.md and docs/HOW_IT_WORKS.md."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "segmentry"
Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules() -> Iterator[tuple[str, Path]]:
    """Every source file, as (its path below src/segmentry, where it is)."""
    for path in sorted(SOURCE.rglob("*.py")):
        yield path.relative_to(SOURCE).as_posix(), path


# --- start-up and imports ---------------------------------------------------------------------------------------------

HEAVY = {"duckdb", "ibis", "numpy", "pandas", "plotly", "polars", "pyarrow", "scipy", "sklearn", "sqlalchemy"}


# What only single commands need: mathematics, pictures, spreadsheets.
SELDOM = {"scipy", "sklearn", "pandas", "plotly", "polars", "openpyxl", "py3langid", "stopwordsiso", "ua_parser"}


def _imported(module: str) -> set[str]:
    """The top-level packages that come with a module."""
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", f"import {module}"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in ran.stderr.splitlines()}


def test_help_does_not_wait_for_heavy_imports():
    imported = _imported("segmentry.apps.cli")
    assert "typer" in imported, "the importtime output was not understood, or the CLI no longer uses typer"
    assert not imported & HEAVY, "import these inside the commands that need them"


def test_commands_do_not_wait_for_what_only_some_of_them_need():
    imported = _imported("segmentry.apps.terminal, segmentry.workspace")
    assert "ibis" in imported
    assert not imported & SELDOM, "import these where they are used"


def test_imports_follow_the_layers():
    lint_imports = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run([lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


# --- sizes ------------------------------------------------------------------------------------------------------------

MAX_FUNCTION_LINES = 80
USUAL_FUNCTION_LINES = 45  # for 95 % of functions
MAX_PARAMETERS = 8
MAX_FILE_LINES = 700
MANY_PARAMETERS_ALLOWED = {"apps/cli.py"}  # a Typer command has one parameter per option
LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


@dataclass(frozen=True)
class Measured:
    """One function, with its code lines: neither blank nor comment nor docstring."""

    name: str
    lines: int
    parameters: int


def code_lines(text: str, tree: ast.Module) -> set[int]:
    """The numbers of the lines that hold code."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in LAYOUT:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | Function) and ast.get_docstring(node, clean=False) is not None:
            docstring = node.body[0]
            lines.difference_update(range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1))
    return lines


def measure(text: str) -> list[Measured]:
    """Every function of a module; a nested one counts for itself and for the one around it."""
    tree = ast.parse(text)
    code = code_lines(text, tree)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, Function):
            parameters = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            named = [p for p in parameters if p.arg not in ("self", "cls")]
            rest = [p for p in (node.args.vararg, node.args.kwarg) if p is not None]
            size = len(code & set(range(node.lineno, (node.end_lineno or node.lineno) + 1)))
            found.append(Measured(node.name, size, len(named) + len(rest)))
    return found


def test_sizes_are_counted_without_comments_and_docstrings():
    text = 'def f(self, a, *, b):\n    """Doc\n    string."""\n\n    # why\n    return """x\n    y"""\n'
    assert measure(text) == [Measured("f", 3, 2)]


def test_functions_are_short_and_take_few_parameters():
    functions = [(name, function) for name, path in modules() for function in measure(path.read_text(encoding="utf-8"))]
    too_long = [f"{name}: {f.name} has {f.lines} lines" for name, f in functions if f.lines > MAX_FUNCTION_LINES]
    too_many = [
        f"{name}: {f.name} has {f.parameters} parameters"
        for name, f in functions
        if f.parameters > MAX_PARAMETERS and name not in MANY_PARAMETERS_ALLOWED
    ]
    assert not too_long + too_many
    longish = [f"{name}: {f.name} has {f.lines} lines" for name, f in functions if f.lines > USUAL_FUNCTION_LINES]
    assert len(longish) <= 0.05 * len(functions), f"more than 5 % of {len(functions)} functions: {longish}"


def test_files_are_of_readable_length():
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in modules()}
    assert not {name: length for name, length in lengths.items() if length > MAX_FILE_LINES}


# --- tenet 9: the same answer on every engine -------------------------------------------------------------------------

# What these Ibis methods return differs between DuckDB, PostgreSQL and Spark, so engine/ alone spells them.
DIFFERS_BETWEEN_ENGINES = {"delta", "exp", "median", "mode", "hash", "ln", "log", "log2", "log10"}
MAY_SPELL_THEM = {"engine/spelling.py"}
# (file, method) -> why this call is no Ibis expression, or why the engines agree on it here. Keep it short: a helper in
# engine.py is nearly always the better answer.
ALLOWED: dict[tuple[str, str], str] = {}


def raw_forms(text: str) -> list[tuple[int, str]]:
    """(line, method) of calls to the methods above, in a module that imports Ibis.

    A call on a name that another import bound (``np.log(x)``, ``math.log(x)``, ``engine.median(x)``) is a function of
    that module, not a method of an expression.
    """
    tree = ast.parse(text)
    from_ibis: set[str] = set()
    from_elsewhere: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                package = alias.name.partition(".")[0]
                (from_ibis if package == "ibis" else from_elsewhere).add(alias.asname or package)
        elif isinstance(node, ast.ImportFrom):
            package = (node.module or "").partition(".")[0]
            names = from_ibis if package == "ibis" and not node.level else from_elsewhere
            names.update(alias.asname or alias.name for alias in node.names)
    if not from_ibis:
        return []
    return [
        (node.lineno, node.func.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in DIFFERS_BETWEEN_ENGINES
        and not (isinstance(node.func.value, ast.Name) and node.func.value.id in from_elsewhere)
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import ibis\nt.amount.median()", [(2, "median")]),
        ("from ibis import _\n_.amount.log()", [(2, "log")]),
        ("import ibis.expr.types as ir\ndef f(t: ir.Table): return t.a.delta(t.b)", [(2, "delta")]),
        ("import ibis\nimport numpy as np\nfrom segmentry import engine\nnp.log(2) + engine.median(t.a)", []),
        ("import pandas as pd\nframe.a.median()", []),
    ],
)
def test_raw_forms_are_recognised(text: str, found: list[tuple[int, str]]):
    assert raw_forms(text) == found


def test_only_engine_spells_what_differs_between_engines():
    offences = [
        f"src/segmentry/{name}:{line} .{method}()"
        for name, path in modules()
        if name not in MAY_SPELL_THEM
        for line, method in raw_forms(path.read_text(encoding="utf-8"))
        if (name, method) not in ALLOWED
    ]
    assert not offences, "use the helper of segmentry.engine instead"


# --- the repository ---------------------------------------------------------------------------------------------------

# In brackets so that this file does not match itself.
PRIVATE = re.compile(
    r"(?<![\w./~-])/(?:wor[k]|roo[t]|hom[e]/\w+|User[s]/\w+|opt/pyp[i]|opt/wheel[s])\b"  # somebody's machine
    r"|/tm[p]/v\b"
    r"|pyp[i]\.org|pythonhoste[d]\.org|debia[n]\.org|registr[y]\.npmjs|npmj[s]\.(?:org|com)|nodesourc[e]\.com"
)


def repository_files() -> list[Path]:
    """The files that are, or are about to be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("this is not a git checkout, so there is no list of committed files")
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def test_private_words_are_recognised():
    for text in ("see /wor" + "k/main", "https://pyp" + "i.org/simple", "cd /tm" + "p/v"):
        assert PRIVATE.search(text)
    for text in ("../shared/data", "docs/work/x", "/workspace/acme", "/api/v1/root/x"):
        assert not PRIVATE.search(text)


def test_no_file_names_a_machine_path_or_a_package_registry():
    found = []
    for path in repository_files():
        text = path.read_bytes().decode("utf-8", errors="ignore")
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in PRIVATE.finditer(text)]
    assert not found


def pinned_versions() -> dict[str, list[str]]:
    """Package -> versions in requirements.lock; there are several where Python versions need different ones."""
    pins: dict[str, list[str]] = {}
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([a-z0-9._-]+)==(\S+)", line):
            pins.setdefault(canonicalize_name(match[1]), []).append(match[2])
    return pins


def test_the_lock_holds_what_pyproject_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *project["dependency-groups"]["dev"],
        *(line for extra in project["project"].get("optional-dependencies", {}).values() for line in extra),
    ]
    pins = pinned_versions()
    stale = []
    for requirement in map(Requirement, asked):
        versions = pins.get(canonicalize_name(requirement.name), [])
        if not versions or not all(requirement.specifier.contains(version) for version in versions):
            stale.append(f"{requirement} is pinned to {versions or 'nothing'}")
    assert not stale, "run `make lock` and commit requirements.lock"


def test_the_lock_has_a_hash_for_everything_and_no_address():
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"[a-z0-9._-]+==\S+( ; [^/]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line), line
