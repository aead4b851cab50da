"""What ``python -m benchmarks ingest`` is made of: requests, a load, a next hop, and the subjects."""
