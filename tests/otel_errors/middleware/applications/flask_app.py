from __future__ import annotations

import logging
import os
import sys

import flask

from otel_errors.middleware.flask import handle_errors

sys.path.insert(0, os.path.dirname(__file__))
from shop import Sold, error, stream

logging.basicConfig()
app = flask.Flask(__name__)


@app.before_request
def before():
    if flask.request.path == "/inner":
        raise error("inner")


@app.after_request
def after(response):
    if flask.request.path == "/after" and not flask.g.get("failed"):
        flask.g.failed = True
        raise error("after")
    return response


@app.teardown_request
def teardown(_):
    if flask.request.path == "/teardown":
        raise error("teardown")


@app.get("/ready")
@app.get("/after")
@app.get("/teardown")
@app.get("/outer")
def ready():
    return "ready"


@app.get("/error/<case>")
def fail(case):
    raise error(case)


@app.errorhandler(Sold)
def sold(error):
    return "the application's own", 409


@app.get("/framework/<int:status>")
def framework(status):
    flask.abort(status, "the framework's own")


@app.get("/stream/<case>")
def streaming(case):
    return flask.Response(stream(case), mimetype="text/plain")


@app.get("/background")
def background():
    response = flask.make_response("whole")

    @response.call_on_close
    def later():
        raise error("background")

    return response


def wsgi_middleware(inner):
    def middleware(environ, start_response):
        if environ["PATH_INFO"] == "/outer":
            raise error("outer")
        return inner(environ, start_response)

    return middleware


app.wsgi_app = wsgi_middleware(app.wsgi_app)
handle_errors(app)
