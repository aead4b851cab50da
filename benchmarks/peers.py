"""The peers that our figures stand beside: each in a virtual environment of its own, from a lock file with hashes.

``peers/NAME.in`` says what a peer needs, ``scripts/lock`` makes ``peers/NAME.lock`` from it. Nothing of a peer is ever
installed beside the project's own packages.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

LOCKS = Path(__file__).parent / "peers"
ROOT = Path(__file__).parent.parent / ".venv-peers"


class PeerUnavailable(Exception):
    """Why a peer cannot run here, in one sentence for whoever reads the report."""


def python_of(peer: str) -> Path:
    """The Python of ``peer``'s environment, made on the first call. Raises PeerUnavailable with the reason."""
    lock = LOCKS / f"{peer}.lock"
    if not lock.exists():
        raise PeerUnavailable(f"benchmarks/peers/{peer}.lock does not exist")
    environment = ROOT / peer
    python, stamp = environment / "bin" / "python", environment / "installed-from"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest and python.exists():
        return python
    print(f"installing {peer} …", file=sys.stderr, flush=True)
    _run(peer, [sys.executable, "-m", "venv", "--clear", str(environment)])
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--require-hashes"]
    _run(peer, [*pip, "-r", str(lock)])
    stamp.write_text(digest)
    return python


def _run(peer: str, command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise PeerUnavailable(f"{peer} cannot be installed: {lines[-1] if lines else 'no reason given'}")
