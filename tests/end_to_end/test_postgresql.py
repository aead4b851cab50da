"""The service on PostgreSQL, both killed under load: what was acknowledged is counted, once."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.processor import Processor, running
from tests.end_to_end.test_kill import BUGS, Client, counts_by_type
from tests.postgresql import URL_PASSWORD, postgresql_running
from tests.waiting import PATIENCE_SECONDS, wait_until


@pytest.mark.timeout(600)
def test_what_was_acknowledged_is_counted_once_after_kills_of_service_and_database(tmp_path: Path) -> None:
    with postgresql_running() as database:
        processor = Processor(tmp_path, OTEL_ERRORS_STORE__URL=database.url(database.create()))
        stop = threading.Event()
        clients = [Client(processor.grpc, seed) for seed in range(1, 3)]
        threads = [threading.Thread(target=client.send_until, args=(stop,)) for client in clients]

        def acknowledged() -> int:
            return sum(client.acknowledged.total() for client in clients)

        def more(number: int) -> None:
            upto = acknowledged() + number
            wait_until(lambda: acknowledged() >= upto, what=f"{number} more errors to be acknowledged")

        with running(processor):
            for thread in threads:
                thread.start()
            try:
                more(50)
                wait_until(lambda: processor.total() > 0, what="the first errors to be counted")
                database.kill()
                more(50)  # taken into the queue: an outage of the store loses nothing and delays no client
                wait_until(lambda: _readiness(processor).status_code == 503, what="/readyz to say that counting waits")
                assert URL_PASSWORD not in _readiness(processor).text
                database.start()
                more(50)
                database.kill()
                processor.kill()  # what was appended meanwhile stands in the queue file
                database.start()
                processor.start()
                more(50)
            finally:
                stop.set()
                for thread in threads:
                    thread.join(PATIENCE_SECONDS)
            assert not any(thread.is_alive() for thread in threads)
            expected = sum((client.acknowledged for client in clients), Counter())
            wait_until(lambda: processor.total() >= expected.total(), what="all to be counted")
            assert counts_by_type(processor) == expected
            assert len(processor.issues()) == len(BUGS)
            assert processor.stop() == 0
        assert URL_PASSWORD not in processor.log.read_text() + processor.output.read_text()


def _readiness(processor: Processor) -> httpx.Response:
    return httpx.get(f"{processor.api}/readyz", timeout=PATIENCE_SECONDS)
