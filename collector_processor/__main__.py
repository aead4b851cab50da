"""The console script. Imports lazily: without the ``processor`` extra it says how to install it, not a traceback."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the ``otel-errors`` command line."""
    try:
        from collector_processor.cli import app
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == __package__:
            raise
        sys.stderr.write(
            f"otel-errors: {error.name} is not installed; the service and its commands need: "
            "pip install 'otel-errors[processor]'\n"
        )
        raise SystemExit(1) from None
    app()


if __name__ == "__main__":
    main()
