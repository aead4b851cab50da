"""Makes ``.venv`` from ``requirements.lock``, once: a second call with the same lock does nothing.

Runs under whatever Python 3.10+ the user has, with the standard library alone. What is missing is said in one sentence.
"""

from __future__ import annotations

import fcntl
import hashlib
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed-from"
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"


def main() -> int:
    """Bring ``.venv`` up to date; 0 when it is, else 1 after one sentence on stderr."""
    with (ROOT / "requirements.lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # scripts/demo and scripts/test may be started at the same time
        wanted = _digest()
        if STAMP.exists() and STAMP.read_text() == wanted and _works():
            return 0
        try:
            _make(wanted)
        except Missing as missing:
            sys.stderr.write(f"otel-errors: {missing}\n")
            return 1
        except KeyboardInterrupt:  # Ctrl-C: the next call goes on where this one was
            return 130
    return 0


class Missing(Exception):
    """What the machine lacks, in one sentence."""


def _make(wanted: str) -> None:
    try:
        STAMP.unlink(missing_ok=True)
    except OSError as error:
        raise Missing(f"{VENV} cannot be written: {error.strerror}") from None
    if not _works():
        print("otel-errors: making .venv …", file=sys.stderr, flush=True)
        made = _run([sys.executable, "-m", "venv", "--clear", str(VENV)])
        if made is not None:
            raise Missing(_why_no_venv(made))
    print("otel-errors: installing the locked packages …", file=sys.stderr, flush=True)
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    packages = _run([*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(ROOT / "requirements.lock")])
    if packages is not None:
        raise Missing(_why_no_packages(packages))
    project = _run([*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
    if project is not None:
        raise Missing(f"this checkout could not be installed into .venv: {_reason(project)}")
    STAMP.write_text(wanted)


def _run(command: list[str]) -> str | None:
    """None when it went well, else what the command said."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.stdout if done.returncode != 0 else None


def _why_no_venv(said: str) -> str:
    if "ensurepip" in said or "No module named" in said:
        return (
            "this Python cannot make a virtual environment; install its venv module "
            f"(Debian, Ubuntu: apt-get install python{VERSION}-venv)."
        )
    return f"the virtual environment {VENV} could not be made: {_reason(said)}"


def _why_no_packages(said: str) -> str:
    if "No matching distribution found" not in said:
        return f"the locked packages could not be installed: {_reason(said)}"
    # pip says the same of an index that does not answer and of one that has no such file.
    return (
        "the package index does not answer, or has no wheel of a locked package for this machine "
        f"(Python {VERSION}, {platform.system()} {platform.machine()}); behind a proxy, or with an index of your own, "
        f"set pip's PIP_PROXY or PIP_INDEX_URL: {_reason(said)}"
    )


def _reason(said: str) -> str:
    """The line that says most: pip's last ERROR, else what is no advice on where to read on."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    telling = errors or [line for line in lines if not line.startswith(("hint:", "note:", "WARNING"))] or lines
    return telling[-1] if telling else "no reason was given"


def _works() -> bool:
    return (
        PYTHON.exists()
        and subprocess.run([str(PYTHON), "-c", "import pip"], capture_output=True, check=False).returncode == 0
    )


def _digest() -> str:
    digest = hashlib.sha256(str(ROOT).encode())
    for name in ("requirements.lock", "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    raise SystemExit(main())
