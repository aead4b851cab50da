"""OTLP: receive over gRPC and HTTP, find the errors, write back what was computed, forward to one next hop."""
