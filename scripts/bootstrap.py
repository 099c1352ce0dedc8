"""Build .venv from requirements.lock, or resolve that lock anew. Needs only Python 3.11 with pip, or with venv.

``bootstrap.py``          make .venv equal to the lock and install Segmentry into it (nothing to do: returns at once)
``bootstrap.py bench``    make .venv-bench: the same, and the peers of the benchmarks (dependency group ``bench``)
``bootstrap.py lock``     resolve pyproject.toml into requirements.lock; ``--upgrade`` lets the pins move

Everything that is installed, uv and the build backend included, is checked against the hashes of the lock. uv does not
read pip's configuration, so the index settings that pip would use are handed to it here.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BENCH = ROOT / ".venv-bench"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / ".segmentry-setup"
OLDEST = (3, 11)

# pip's option -> what uv calls it. Only names and hosts travel: which files may be installed is decided by the hashes.
UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}
OLD_UV_NAMES = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_INDEX": "UV_EXTRA_INDEX_URL"}


def pip_settings(listing: str) -> dict[str, str]:
    """The options in the output of ``pip config list``, the strongest of environment, [install] and [global].

    >>> pip_settings("global.timeout='9'\\n:env:.timeout='60'\\ninstall.find-links='wheels'")
    {'timeout': '60', 'find-links': 'wheels'}
    """
    strength = ("global", "install", ":env:")
    found: dict[str, tuple[int, str]] = {}
    for line in listing.splitlines():
        section, _, rest = line.partition(".")
        option, _, value = rest.partition("=")
        if section not in strength:
            continue
        rank = strength.index(section)
        if option not in found or rank >= found[option][0]:
            found[option] = (rank, str(ast.literal_eval(value)))
    return {option: value for option, (_, value) in found.items()}


def uv_settings(pip: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str]:
    """The environment variables that make uv look where pip looks; what ``env`` says to uv already is left alone.

    >>> uv_settings({"extra-index-url": "file:///a\\nfile:///b"}, {})
    {'UV_INDEX': 'file:///a file:///b', 'UV_INDEX_STRATEGY': 'unsafe-best-match'}
    >>> uv_settings({"extra-index-url": "file:///a", "timeout": "60"}, {"UV_INDEX": "file:///c"})
    {'UV_HTTP_TIMEOUT': '60'}
    """
    settings: dict[str, str] = {}
    for option, name in UV_NAMES.items():
        if option in pip and name not in env and OLD_UV_NAMES.get(name, name) not in env:
            separator = "," if name == "UV_FIND_LINKS" else " "
            settings[name] = separator.join(pip[option].split())
    if "UV_INDEX" in settings and "UV_INDEX_STRATEGY" not in env:
        # pip weighs all indexes alike; uv would stop at the first that knows a name, whatever versions it has.
        settings["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return settings


def run(*command: str | Path, **variables: str) -> None:
    """Run a command; its failure ends this script, after the command's own words."""
    try:
        subprocess.run([str(part) for part in command], check=True, env={**os.environ, **variables})
    except subprocess.CalledProcessError as error:
        sys.exit(f"setup: stopped, because this failed (exit {error.returncode}): {' '.join(map(str, command))}")


def works(*command: str | Path) -> bool:
    """Whether a command can be run and exits with 0; its words are kept back."""
    try:
        return subprocess.run([str(part) for part in command], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def system_certificates() -> dict[str, str]:
    """Let uv trust what this machine trusts, as pip does; where it has no certificates, uv keeps to its own."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile or (paths.capath and any(Path(paths.capath).iterdir())):
        return {"UV_SYSTEM_CERTS": os.environ.get("UV_SYSTEM_CERTS", "1")}
    return {}


def pip_for_uv() -> dict[str, str]:
    """uv's variables, from what the pip of this Python, or else that of .venv, is configured with."""
    for python in (sys.executable, str(PYTHON)):
        asked = subprocess.run([python, "-m", "pip", "config", "list"], check=False, capture_output=True, text=True)
        if asked.returncode == 0:
            return system_certificates() | uv_settings(pip_settings(asked.stdout), os.environ)
    return system_certificates()


def locked_uv() -> str:
    """The lines of requirements.lock that pin uv, as a requirements file; without a lock, just its name."""
    text = LOCK.read_text(encoding="utf-8") if LOCK.exists() else ""
    pinned = re.search(r"^uv==.*?(?=^\S|\Z)", text, flags=re.MULTILINE | re.DOTALL)
    return pinned[0] if pinned else "uv\n"


def make_venv() -> None:
    """Make .venv, with uv in it, unless it is there and sound."""
    sound = f"import sys; sys.exit(sys.prefix != {str(VENV)!r} or sys.version_info < {OLDEST})"
    if works(PYTHON, "-c", sound) and UV.exists():
        return
    shutil.rmtree(VENV, ignore_errors=True)  # absent, half made, moved from elsewhere, or of a Python that is gone
    with tempfile.TemporaryDirectory() as scratch:
        requirements = Path(scratch, "uv.txt")
        requirements.write_text(locked_uv(), encoding="utf-8")
        install = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "-r", str(requirements)]
        if works(sys.executable, "-m", "venv", VENV):
            run(PYTHON, *install)
            return
        shutil.rmtree(VENV, ignore_errors=True)
        if works(sys.executable, "-m", "pip", "--version"):  # Debian splits venv off; uv can stand in for it
            run(sys.executable, *install, "--target", Path(scratch, "uv"))
            uv = Path(scratch, "uv", "bin", "uv")
            run(uv, "venv", "--quiet", "--python", sys.executable, VENV)
            run(uv, "pip", "install", "--quiet", "--python", PYTHON, "--no-deps", "-r", requirements, **pip_for_uv())
            return
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            sys.exit(f"setup: {sys.executable} has neither venv nor pip. Install one of them, then try again.")
        works("apt-get", "update")
        run("apt-get", "install", "-y", "--no-install-recommends", "python3-venv", DEBIAN_FRONTEND="noninteractive")
        run(sys.executable, "-m", "venv", VENV)
        run(PYTHON, *install)


def setup() -> None:
    """Make .venv equal to requirements.lock, with this checkout installed in it; do nothing if it is already."""
    inputs = [LOCK, ROOT / "pyproject.toml", Path(__file__)]
    if not LOCK.exists():
        sys.exit("setup: requirements.lock is missing. Take it from the repository, or make it with `make lock`.")
    wanted = hashlib.sha256(b"\0".join([str(ROOT).encode(), *(path.read_bytes() for path in inputs)])).hexdigest()
    if STAMP.exists() and STAMP.read_text() == wanted and works(PYTHON, "-c", "pass"):
        return
    print("setup: building .venv from requirements.lock", flush=True)
    STAMP.unlink(missing_ok=True)
    make_venv()
    settings = pip_for_uv()
    run(UV, "pip", "sync", "--quiet", "--python", PYTHON, "--require-hashes", LOCK, **settings)
    editable = ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]  # hatchling comes from the lock
    run(UV, "pip", "install", "--quiet", "--python", PYTHON, *editable, **settings)
    STAMP.write_text(wanted)
    print("setup: done", flush=True)


def bench() -> None:
    """Make .venv-bench: what is in .venv, and the peers of the benchmarks beside it. Needs .venv.

    The lock knows nothing of the peers; their versions are those of pyproject.toml, resolved so that everything else
    stays as the lock pins it. A peer that cannot be installed is left out, and its benchmark says so.
    """
    python, stamp = BENCH / "bin" / "python", BENCH / ".segmentry-bench"
    peers = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]["bench"]
    wanted = hashlib.sha256(b"\0".join([str(ROOT).encode(), LOCK.read_bytes(), repr(peers).encode()])).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted and works(python, "-c", "import segmentry"):
        return
    print("bench: building .venv-bench from requirements.lock and the group `bench`", flush=True)
    settings = pip_for_uv()
    install = [UV, "pip", "install", "--quiet", "--compile-bytecode", "--python", python]
    run(UV, "venv", "--quiet", "--clear", "--python", PYTHON, BENCH)
    run(*install, "--requirement", LOCK, **settings)
    run(*install, "--no-deps", "--no-build-isolation", "--editable", ROOT, **settings)
    for peer in peers:
        ran = subprocess.run([*install, "--constraint", LOCK, peer], check=False, env={**os.environ, **settings})
        if ran.returncode:
            print(f"bench: {peer} could not be installed; its benchmark goes without it", flush=True)
    stamp.write_text(wanted)
    print("bench: done", flush=True)


def lock(*, upgrade: bool) -> None:
    """Resolve pyproject.toml, all extras and the dev group, for every platform and Python it allows."""
    make_venv()
    # Only the main index: the hashes of a private extra index would be of no use to anyone else.
    extra = ("UV_INDEX", "UV_FIND_LINKS", "UV_INDEX_STRATEGY")
    settings = {name: value for name, value in pip_for_uv().items() if name not in extra}
    options = ["--universal", "--generate-hashes", "--all-extras", "--group", "dev", "--no-emit-index-url"]
    quiet = ["--quiet", "--no-header", "--no-annotate", "--python-version", ".".join(map(str, OLDEST))]
    source = ["--output-file", LOCK.name, "pyproject.toml"]
    os.chdir(ROOT)
    run(UV, "pip", "compile", *options, *quiet, *(["--upgrade"] if upgrade else []), *source, **settings)
    print(f"lock: requirements.lock pins {len(re.findall('^[a-z]', LOCK.read_text(), flags=re.MULTILINE))} packages")


def main(arguments: list[str]) -> None:
    if sys.version_info < OLDEST:
        sys.exit(f"setup: Python 3.11 or newer is needed, {sys.executable} is older. Try: make PYTHON=python3.12 ...")
    os.environ.pop("VIRTUAL_ENV", None)
    os.environ["UV_PYTHON_DOWNLOADS"] = "never"
    if arguments[:1] == ["lock"] and set(arguments[1:]) <= {"--upgrade"}:
        lock(upgrade="--upgrade" in arguments)
    elif arguments == ["bench"]:
        bench()
    elif not arguments:
        setup()
    else:
        sys.exit("usage: bootstrap.py [bench | lock [--upgrade]]")


if __name__ == "__main__":
    main(sys.argv[1:])
