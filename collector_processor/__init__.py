"""The OTLP processor service of otel-errors: receive, find errors, group, redact, queue, count, show, alert."""
