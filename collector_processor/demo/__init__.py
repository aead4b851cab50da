"""The demo: the main job with nothing else installed.

``run`` does all of it. Its parts can be used alone: ``Shop`` (three real services), ``Driver`` and ``bounded`` (what
is done to them), ``Ledger`` (what must come of it), ``Api`` (what came of it). ``SECRETS`` is every personal or secret
text that the shop sends.
"""

from __future__ import annotations

from collector_processor.demo.bugs import BUGS
from collector_processor.demo.customers import SECRETS
from collector_processor.demo.driver import Driver
from collector_processor.demo.ledger import Ledger
from collector_processor.demo.processor_process import Endpoints, start_processor
from collector_processor.demo.rest import Api, Issue
from collector_processor.demo.run import run, wait_until_counted
from collector_processor.demo.script import bounded, gentle
from collector_processor.demo.shop_processes import Shop

__all__ = [
    "BUGS",
    "SECRETS",
    "Api",
    "Driver",
    "Endpoints",
    "Issue",
    "Ledger",
    "Shop",
    "bounded",
    "gentle",
    "run",
    "start_processor",
    "wait_until_counted",
]
