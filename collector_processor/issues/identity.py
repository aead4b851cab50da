"""What makes two records the same error. Pure; ``docs/counting.md`` says it for people.

- With an event id: one error, however many records carry the id.
- With a trace: records of one (trace id, span id, bare type, raise site) form a group. A signal shows each error of the
  group once, at a (time, ordinal) of its own, and may show fewer than there were, never more: so the group counts the
  *largest over signals* of the distinct (time, ordinal).
- With neither: each record counts; a repeated request is recognised by (resource instance, time, ordinal, content).

Copies can disagree on fingerprint, environment, hour. What a group counts *for* is therefore a function of the set of
its records, never of their order: the places of the signal that shows most, of span events at a tie; for an event id
the place of the first record by (signal, time, ordinal), span events first. A later record can so move a count.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Literal

import msgspec

from collector_processor.events import ErrorEvent, bare_type

Kind = Literal["event", "trace", "record"]
Place = tuple[int, int]
"""(series id, hour): where one error is counted."""
Moment = tuple[int, int, int]
"""(signal, time, ordinal), signal 0 for span events and 1 for log records."""

SIGNAL_RANK: Mapping[str, int] = {"span_event": 0, "log": 1}
MAX_INLINE = 64
"""Moments kept in the tally itself; a group with more keeps the rest as rows of their own (``overflow_key``)."""

_encoder = msgspec.msgpack.Encoder()


def identity(event: ErrorEvent) -> tuple[Kind, bytes]:
    """The kind of identity and a 16-byte key, equal for records of one group."""
    if event.event_id:
        return "event", _digest("event", event.event_id)
    if event.trace_id:
        return "trace", _digest("trace", event.trace_id, event.span_id, bare_type(event.type), event.raise_site)
    # texts cannot hold NUL, so joining by it is unambiguous; dictionaries are sorted, their order is the sender's whim
    content = _encoder.encode((sorted(event.tags.items()), sorted(event.attributes.items())))
    digest = blake2b(
        "\0".join(
            (
                "record",
                event.resource_instance,
                str(event.time_unix_nano),
                str(event.ordinal),
                event.signal,
                event.service_namespace,
                event.service_name,
                event.type,
                event.message,
                event.stacktrace,
                event.error_code,
                event.user,
            )
        ).encode("utf-8", "replace"),
        digest_size=16,
    )
    digest.update(content)
    return "record", digest.digest()


def overflow_key(group: bytes, moment: Moment) -> bytes:
    """The key of one moment of a group whose tally is full."""
    return _digest("moment", group.hex(), *map(str, moment))


def _digest(*parts: str) -> bytes:
    return blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=16).digest()


class Tally(msgspec.Struct, array_like=True):
    """What is known of one group: its moments and, per signal, how many errors they put into which place."""

    moments: list[Moment] = []
    overflows: bool = False
    places: list[tuple[int, int, int, int]] = []
    """(signal, series id, hour, errors)"""

    def knows(self, moment: Moment) -> bool:
        return moment in self.moments

    def add(self, moment: Moment, place: Place) -> None:
        """Note a moment that is not known yet (also not as an overflow row)."""
        if len(self.moments) < MAX_INLINE:
            self.moments.append(moment)
        else:
            self.overflows = True
        signal = moment[0]
        for index, (of, series_id, hour, errors) in enumerate(self.places):
            if of == signal and (series_id, hour) == place:
                self.places[index] = (of, series_id, hour, errors + 1)
                return
        self.places.append((signal, *place, 1))

    def keep_first(self, moment: Moment, place: Place) -> bool:
        """For an event id: hold only the first record by (signal, time, ordinal). True when ``moment`` is now it."""
        if self.moments and self.moments[0] <= moment:
            return False
        self.moments = [moment]
        self.places = [(moment[0], *place, 1)]
        return True

    def counted(self) -> dict[Place, int]:
        """The errors of the group and where they count: the places of the signal that shows most."""
        if len(self.places) == 1:  # nearly always
            _, series_id, hour, errors = self.places[0]
            return {(series_id, hour): errors}
        shown = [0, 0]
        for signal, _, _, errors in self.places:
            shown[signal] += errors
        winner = 1 if shown[1] > shown[0] else 0
        return {(series_id, hour): errors for signal, series_id, hour, errors in self.places if signal == winner}
