"""The road of a request, top to bottom: read, find the errors, make them safe and durable, write back, send on, answer.

Errors are durable before the telemetry is forwarded: an outage of the next hop loses no error and delays no alert. The
client is told to send its telemetry again, and its errors are counted once all the same.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Literal, NamedTuple, Protocol

import msgspec

from collector_processor.events import ErrorEvent, RawError
from collector_processor.otlp.carrier_redaction import RequestRedaction, TextRedactor
from collector_processor.otlp.carriers import are_larger
from collector_processor.otlp.codec import BadPayload
from collector_processor.otlp.exchange import Accepted, BadData, Handler, Outcome, Request, Retry, TooLarge
from collector_processor.otlp.in_flight import InFlight
from collector_processor.otlp.opened import Opened, open_request
from collector_processor.otlp.remembered import Remembered
from collector_processor.otlp.splice import learn, splice
from collector_processor.otlp.token_bucket import TokenBuckets
from collector_processor.queue import QueueFull, QueueUnavailable
from collector_processor.stages.fingerprint import group
from collector_processor.stages.grouping_rules import DEFAULT_RULES, GroupingRules
from collector_processor.stages.inbound_filters import InboundFilters
from collector_processor.stages.normalise import normalise, user_identity
from collector_processor.stages.pseudonym import pseudonym
from collector_processor.stages.redact_event import redacted_event
from collector_processor.stages.sampling import without_stack
from collector_processor.stages.title import title
from otel_errors.semconv import FINGERPRINT_CLIENT

THREAD_FROM_BYTES: Final = 1024 * 1024
"""Larger requests are read in a thread: a minute of decoding must not keep the others waiting. Below, the thread would
cost more than it frees. (A request of 512 spans has about 200 KB and takes a millisecond.)"""
CLEAN_ON_LOOP_BYTES: Final = 16 * 1024
"""Of carriers in one request. Grouping and redacting costs up to 5 milliseconds a KB, a thousand times what reading
costs: past that it is done in a thread, whatever the size of the request."""
REMEMBERED_REQUESTS: Final = 4096
NO_FILTERS: Final = InboundFilters()

log = logging.getLogger(__name__)


class PipelineMeter(Protocol):
    """What the road counts; ``sinks.metrics.ServiceMetrics`` does. Called from several threads, must not raise."""

    def received(self, signal: str, service: str, items: int) -> None: ...
    def refused(self, signal: str, reason: str) -> None: ...
    def forwarded(self, signal: str, outcome: str) -> None: ...
    def dropped(self, signal: str, reason: str, items: int = 1) -> None: ...
    def redactions(self, rule: str, service: str, count: int) -> None: ...
    def stage_seconds(self, stage: str, seconds: float) -> None: ...


class _Prepared(NamedTuple):
    errors: list[ErrorEvent]
    request: Request
    """What goes on: the request as it came when it holds nothing of ours, protobuf in any case (if it goes on)."""


class _Read(NamedTuple):
    opened: Opened
    redaction: RequestRedaction


class Pipeline:
    """One road for all requests of a process; ``handle`` is what the servers call.

    ``public_url``: of the pages, without a slash at its end. ``append``: makes errors durable; raises ``QueueFull`` or
    ``QueueUnavailable``. ``forward``: to the next hop; None when the road ends here. ``max_in_flight_bytes``: of all
    requests not yet answered. ``on_full``: ``pass`` forwards the telemetry of errors that the queue has no room for and
    counts them as dropped; where there is no next hop it is ``refuse``. ``max_requests``: not yet answered.
    ``stacks_per_second``: errors of one service that keep their stack and attributes; None for all. ``filters``: which
    errors are left out, counted as dropped.
    """

    def __init__(
        self,
        *,
        redactor: TextRedactor,
        pseudonym_key: bytes,
        public_url: str,
        append: Callable[[Sequence[ErrorEvent]], Awaitable[None]],
        forward: Handler | None,
        max_in_flight_bytes: int,
        meter: PipelineMeter,
        on_full: Literal["refuse", "pass"] = "refuse",
        max_requests: int = 1024,
        stacks_per_second: float | None = None,
        filters: InboundFilters = NO_FILTERS,
        grouping: GroupingRules = DEFAULT_RULES,
    ) -> None:
        self._redactor = Remembered(redactor)
        self._grouping = grouping
        self._filters = filters
        self._pseudonym_key = pseudonym_key
        self._public_url = public_url.rstrip("/")
        self._append = append
        self._forward = forward
        self._meter = meter
        self._pass_when_full = on_full == "pass" and forward is not None
        self._in_flight = InFlight(max_in_flight_bytes, max_requests)
        self._stacks = TokenBuckets(stacks_per_second) if stacks_per_second is not None else None
        self._appended: OrderedDict[tuple[str, int, int], None] = OrderedDict()

    async def handle(self, request: Request) -> Outcome:
        """The road. Never raises: a failure of ours is a ``Retry``, for clients drop what they cannot send again."""
        size = len(request.payload)
        if not self._in_flight.take(size):
            self._meter.refused(request.signal, "overload")
            return Retry("too much is in flight (otlp.max_in_flight_bytes, otlp.limits.requests)")
        try:
            return await self._road(request)
        except Exception as error:
            log.error("a %s request failed inside the service: %s", request.signal, _where(error))
            self._meter.refused(request.signal, "internal")
            return Retry("the service failed on this request")
        finally:
            self._in_flight.give_back(size)

    def process(self, raw: RawError) -> ErrorEvent:
        """An error as it came → an error as it is kept: grouped, then free of what must not be kept. Pure."""
        return self._process(raw, RequestRedaction(self._redactor))

    async def _road(self, request: Request) -> Outcome:
        try:
            prepared = await self._prepare(request)
        except BadPayload as error:
            self._meter.refused(request.signal, "bad_data")
            return BadData(str(error))
        if prepared.errors:
            refusal = await self._make_durable(request, prepared.errors)
            if refusal is not None:
                return refusal
        if self._forward is None:
            return Accepted()
        return await self._send_on(self._forward, prepared.request)

    async def _prepare(self, request: Request) -> _Prepared:
        """Everything that is only computing, on the loop when it is short. Raises ``BadPayload``."""
        size = len(request.payload)
        if size >= THREAD_FROM_BYTES:
            return await self._in_flight.compute(size, lambda: self._clean(request, self._read(request)))
        read = self._read(request)
        if are_larger(read.opened.parts, CLEAN_ON_LOOP_BYTES):
            return await self._in_flight.compute(size, lambda: self._clean(request, read))
        return self._clean(request, read)

    def _read(self, request: Request) -> _Read:
        redaction = RequestRedaction(self._redactor)
        with self._timed("find"):
            opened = open_request(request.signal, request.encoding, request.payload)
            for service, count in opened.items().items():
                self._meter.received(request.signal, redaction.text(service)[0], count)
        return _Read(opened, redaction)

    def _clean(self, request: Request, read: _Read) -> _Prepared:
        opened, redaction = read
        parts = opened.parts
        errors: list[ErrorEvent] = []
        kept: list[ErrorEvent] = []
        if parts:
            with self._timed("process"):
                for part in parts:
                    redaction.service = part.service
                    learn(part, redaction)
                for part in parts:
                    redaction.service = part.service
                    for found in part.errors():
                        redaction.enter(found.record, found.raw.trace_id)
                        event = self._process(found.raw, redaction)
                        errors.append(event)
                        filtered = self._filters(found.raw, event)
                        if filtered is None:
                            kept.append(event)
                        else:
                            self._meter.dropped(request.signal, f"filter_{filtered}")
        if self._forward is not None and (parts or request.encoding != "protobuf"):
            with self._timed("splice"):
                splice(parts, errors, redaction, self._public_url)
                request = msgspec.structs.replace(request, payload=opened.encoded(), encoding="protobuf")
        for (rule, service), count in redaction.counts.items():
            self._meter.redactions(rule, service, count)
        return _Prepared(kept, request)

    def _process(self, raw: RawError, redaction: RequestRedaction) -> ErrorEvent:
        event = normalise(raw)
        # Before redaction: the same error must have the same fingerprint under any redaction policy.
        grouping = group(
            type=event.type,
            message=event.message,
            stacktrace=event.stacktrace,
            language=event.language,
            client=_clients_wish(raw.attributes.get(FINGERPRINT_CLIENT)),
            rules=self._grouping,
        )
        event.fingerprint = grouping.fingerprint
        event.earlier_fingerprints = grouping.earlier_fingerprints
        event.language = grouping.language or event.language
        event.raise_site = grouping.raise_site
        event.culprit = grouping.culprit
        event.user = pseudonym(self._pseudonym_key, user_identity(raw))
        event = redacted_event(event, redaction.text, self._pseudonym_key)
        event.title = title(event.type, event.message)
        return event

    async def _make_durable(self, request: Request, errors: Sequence[ErrorEvent]) -> Outcome | None:
        """None when the errors are in the queue, or when the road goes on without them."""
        # Keyed by the process's own secret: nobody can make two requests look the same.
        digest = (request.signal, len(request.payload), hash(request.payload))
        if digest in self._appended:
            # The client sends again what the next hop did not take. Counting would see that; the queue need not grow.
            self._appended.move_to_end(digest)
            return None
        try:
            with self._timed("append"):
                await self._append(self._sampled(errors))
        except QueueFull:
            if self._pass_when_full:
                self._meter.dropped(request.signal, "queue_full", len(errors))
                return None
            self._meter.refused(request.signal, "queue_full")
            return Retry("the queue is full (queue.max_bytes)")
        except QueueUnavailable:
            self._meter.refused(request.signal, "queue_unavailable")
            return Retry("the queue cannot be written")
        self._appended[digest] = None
        if len(self._appended) > REMEMBERED_REQUESTS:
            self._appended.popitem(last=False)
        return None

    def _sampled(self, errors: Sequence[ErrorEvent]) -> Sequence[ErrorEvent]:
        """All errors; past the limit of its service one has no stack and no attributes, and says so."""
        if self._stacks is None:
            return errors
        spend = self._stacks.spend
        return [error if spend(error.service_name, 1) else without_stack(error) for error in errors]

    async def _send_on(self, forward: Handler, request: Request) -> Outcome:
        with self._timed("forward"):
            outcome = await forward(request)
        self._meter.forwarded(request.signal, _OUTCOME_NAMES[type(outcome)])
        if isinstance(outcome, Accepted):
            if not outcome.message and not outcome.rejected:
                return outcome
            # Exporters ignore a partial success, so it is told here too; the hop may quote what it was sent.
            message = self._redactor.text(outcome.message)[0]
            log.warning("the next hop rejected %d of %s: %.200r", outcome.rejected, request.signal, message)
            if outcome.rejected:
                self._meter.dropped(request.signal, "next_hop", outcome.rejected)
            return msgspec.structs.replace(outcome, message=message)
        self._meter.refused(request.signal, "next_hop")
        return msgspec.structs.replace(outcome, reason=self._redactor.text(outcome.reason)[0])

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self._meter.stage_seconds(stage, time.perf_counter() - start)


_OUTCOME_NAMES: Final[dict[type, str]] = {
    Accepted: "accepted",
    Retry: "retry",
    BadData: "bad_data",
    TooLarge: "too_large",
}


def _clients_wish(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(str(item) for item in value)
    return "" if value is None else str(value)


def _where(error: Exception) -> str:
    """Type and place of an error, never its text: that may quote the request."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    code = trace.tb_frame.f_code
    return f"{type(error).__name__} in {code.co_name} ({code.co_filename}, line {trace.tb_lineno})"
