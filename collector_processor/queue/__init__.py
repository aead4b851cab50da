"""The durable queue between the receivers and the consumer: a SQLite file for each worker.

A worker appends (``SqliteQueue``), the consumer reads and trims (``QueueReader``), in the same or in another process.
"""

from __future__ import annotations

from collector_processor.queue.file import QueueDepth, QueueFull, QueueUnavailable
from collector_processor.queue.reader import QueueReader
from collector_processor.queue.writer import SqliteQueue

__all__ = ["QueueDepth", "QueueFull", "QueueReader", "QueueUnavailable", "SqliteQueue"]
