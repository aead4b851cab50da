"""Grafana dashboards of otel-errors: ``config`` → pure functions → the JSON files that ``build`` writes beside them."""
