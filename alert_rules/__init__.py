"""Prometheus rules and Alertmanager configuration for otel-errors: what pages, whom, and when it stops.

``config`` holds every threshold and public name, ``rules`` and ``alertmanager_config`` build, ``build`` writes the
files beside it. Imports here are relative, so that the wheel can carry the builders next to the files (``otel-errors
assets export`` uses them).
"""
