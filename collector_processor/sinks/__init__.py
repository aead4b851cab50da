"""Where counted errors go besides the store: Loki (a line an occurrence) and Prometheus (series read from the store,
and the service's own)."""
