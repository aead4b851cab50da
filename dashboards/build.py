"""Write the dashboards: ``python -m dashboards.build [--check]`` writes ``json/*.json`` beside this file."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from . import issue, overview

FOLDER = Path(__file__).resolve().parent / "json"


def render() -> dict[str, str]:
    """File name → JSON of every dashboard, the same bytes for the same builders."""
    built = (overview.build(), issue.build())
    return {f"{one['uid']}.json": json.dumps(one, indent=2, ensure_ascii=False) + "\n" for one in built}


def stale(files: dict[str, str], folder: Path = FOLDER) -> list[str]:
    """Names of files in ``folder`` that are absent, different, or built by nothing any more."""
    old = [
        name
        for name, content in files.items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != content
    ]
    return sorted([*old, *(path.name for path in folder.glob("*.json") if path.name not in files)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 done or current, 1 not current (``--check``)."""
    parser = argparse.ArgumentParser(prog="python -m dashboards.build", description="Write the dashboards' JSON.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the files are not current")
    parser.add_argument(
        "--out", type=Path, default=FOLDER, help="folder to write to (default: json beside the builders)"
    )
    options = parser.parse_args(arguments)
    files = render()
    old = stale(files, options.out)
    if options.check:
        for name in old:
            sys.stderr.write(f"{options.out / name}: not current; run python -m dashboards.build\n")
        return 1 if old else 0
    options.out.mkdir(parents=True, exist_ok=True)
    for name in old:
        if name in files:
            (options.out / name).write_text(files[name], encoding="utf-8")
        elif options.out == FOLDER:
            (options.out / name).unlink()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
