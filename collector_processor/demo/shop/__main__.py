"""``python -m shop SERVICE``: one service of the shop, on the listening socket that it was given."""

from __future__ import annotations

import sys

from .process import finish, prepare


def main() -> None:
    """Serve until SIGTERM, then finish what was taken on."""
    service = sys.argv[1] if len(sys.argv) == 2 else ""
    if service not in ("checkout", "catalogue", "worker"):
        raise SystemExit(f"shop: {service!r} is no service of the shop: checkout, catalogue or worker is needed")
    listening = prepare()
    if service == "checkout":
        from .checkout.app import serve
    elif service == "catalogue":
        from .catalogue.app import serve
    else:
        from .worker.app import serve
    try:
        serve(listening)
    finally:
        finish()


if __name__ == "__main__":
    main()
