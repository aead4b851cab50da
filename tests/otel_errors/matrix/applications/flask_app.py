from __future__ import annotations

import os
import sys

import flask
from opentelemetry import trace

sys.path.insert(0, os.path.dirname(__file__))
from failing import fail

app = flask.Flask(__name__)


class Expected(Exception):
    pass


class Wrapped(Exception):
    pass


@app.get("/ready")
def ready():
    return "ready"


@app.get("/unhandled")
def unhandled():
    fail("Flask, unhandled")


@app.get("/span")
def span():
    with trace.get_tracer("shop").start_as_current_span("load"):
        fail("Flask, unhandled in a span")


@app.get("/errorhandler")
def errorhandler():
    raise Wrapped("Flask, errorhandler that answers 500")


@app.errorhandler(Wrapped)
def wrapped(error):
    return "sorry", 500


@app.errorhandler(Expected)
def expected(error):
    return {"error": "sold out"}, 409


@app.get("/expected")
def sold_out():
    raise Expected("errorhandler that answers 409")


@app.get("/missing")
def missing():
    flask.abort(404)


@app.get("/unavailable")
def unavailable():
    flask.abort(503, "Flask, abort(503)")
