from __future__ import annotations

import os
import sys

import flask
from opentelemetry import trace

sys.path.insert(0, os.path.dirname(__file__))
from failing import fail

app = flask.Flask(__name__)
part = flask.Blueprint("part", __name__, url_prefix="/any")


class Expected(Exception):
    pass


class Wrapped(Exception):
    pass


@app.before_request
def before():
    if flask.request.path == "/before":
        fail("Flask, unhandled in before_request")


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


@part.errorhandler(Exception)
def anything(error):
    return ("sold out", 409) if isinstance(error, Expected) else ("sorry", 500)


@part.get("/failing")
def failing():
    fail("Flask, errorhandler(Exception) that answers 500")


@part.get("/expected")
def expected_of_the_part():
    raise Expected("errorhandler(Exception) that answers 409")


@app.get("/stream")
def stream():
    def lines():
        yield "one\n"
        fail("Flask, a stream that fails")

    return lines()


@app.get("/before")
def never():
    return "never"


@app.get("/missing")
def missing():
    flask.abort(404, "Flask, abort(404)")


@app.get("/unavailable")
def unavailable():
    flask.abort(503, "Flask, abort(503)")


app.register_blueprint(part)
