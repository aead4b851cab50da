"""The stages of the road, each a pure function: normalise, fingerprint, severity, redact, title."""
