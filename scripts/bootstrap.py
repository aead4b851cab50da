"""Makes ``.venv`` from ``requirements.lock``, once: a second call with the same lock does nothing.

Runs under whatever Python 3.10+ the user has, with the standard library alone. What is missing is said in one sentence.
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed-from"


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
    return 0


class Missing(Exception):
    """What the machine lacks, in one sentence."""


def _make(wanted: str) -> None:
    STAMP.unlink(missing_ok=True)
    if not _works():
        print("otel-errors: making .venv …", file=sys.stderr, flush=True)
        made = subprocess.run(
            [sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True, check=False
        )
        if made.returncode != 0:
            raise Missing(
                "this Python cannot make a virtual environment; install its venv module "
                f"(Debian, Ubuntu: apt-get install python{sys.version_info[0]}.{sys.version_info[1]}-venv)."
            )
    print("otel-errors: installing the locked packages …", file=sys.stderr, flush=True)
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    _run([*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(ROOT / "requirements.lock")])
    _run([*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
    STAMP.write_text(wanted)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdout=sys.stderr, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        reason = next(
            (line for line in reversed(lines) if line.startswith("ERROR")), lines[-1] if lines else "no reason given"
        )
        raise Missing(f"the locked packages could not be installed (is the package index reachable?): {reason}")


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
