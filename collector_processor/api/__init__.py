"""The HTTP face: REST API, ``/metrics``, health, and the app that the pages are mounted in."""
