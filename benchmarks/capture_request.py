"""What the library costs a request that does not fail: instructions, with it and without, counted by valgrind."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

BAR = 1.01
_COLLECTED = re.compile(r"Collected : (\d+)")


def instructions(requests: int, instrumentor: str) -> int:
    """Of a whole process that answers so many requests. They are the same on every machine, however busy it is."""
    with TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={Path(folder) / 'out'}", sys.executable]
        done = subprocess.run(
            [*command, "-m", "benchmarks.request_application", str(requests), instrumentor],
            env={**os.environ, "PYTHONHASHSEED": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
    found = _COLLECTED.search(done.stderr)
    if done.returncode or found is None:
        raise RuntimeError(f"valgrind failed: {done.stderr[-2000:]}")
    return int(found.group(1))


def per_request(few: int, many: int) -> dict[str, float]:
    """What more requests need more: imports and the first request of each process are left out."""
    with ThreadPoolExecutor(2) as pool:
        counts = {
            (name, requests): pool.submit(instructions, requests, name)
            for name in ("without", "with")
            for requests in (few, many)
        }
        return {
            name: (counts[name, many].result() - counts[name, few].result()) / (many - few)
            for name in ("without", "with")
        }


def main(arguments: list[str]) -> int:
    """0 when the bar is met; 2 without valgrind."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks capture_request", description=__doc__)
    parser.add_argument("--few", type=int, default=50, help="requests of the shorter process")
    parser.add_argument("--many", type=int, default=350, help="requests of the longer process")
    options = parser.parse_args(arguments)
    if not shutil.which("valgrind"):
        sys.stderr.write("valgrind is needed\n")
        return 2
    found = per_request(options.few, options.many)
    share = found["with"] / found["without"]
    print(f"instructions of a request: {found['without']:.0f} without, {found['with']:.0f} with: {share:.4f} x", end="")
    print(f"  bar {BAR}: {'met' if share <= BAR else 'NOT MET'}")
    return 0 if share <= BAR else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
