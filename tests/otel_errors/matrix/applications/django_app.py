from __future__ import annotations

import os
import sys

from django.core.asgi import get_asgi_application
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.wsgi import get_wsgi_application
from django.http import Http404, HttpResponse
from django.urls import path

sys.path.insert(0, os.path.dirname(__file__))
from failing import fail

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_settings")


class Wrapped(Exception):
    pass


class Expected(Exception):
    pass


class Middleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path == "/middleware":
            fail("Django, error in a middleware")
        return self.get_response(request)

    def process_exception(self, request, exception):
        if isinstance(exception, Wrapped):
            return HttpResponse("sorry", status=500)
        if isinstance(exception, Expected):
            return HttpResponse("sold out", status=409)
        return None


def ready(request):
    return HttpResponse("ready")


def unhandled(request):
    fail("Django, unhandled")


def wrapped(request):
    raise Wrapped("Django, process_exception that answers 500")


async def asynchronous(request):
    fail("Django, async view")


def expected(request):
    raise Expected("process_exception that answers 409")


def missing(request):
    raise Http404("Django, Http404")


def forbidden(request):
    raise PermissionDenied("forbidden")


def suspicious(request):
    raise SuspiciousOperation("suspicious")


views = (ready, unhandled, wrapped, asynchronous, expected, missing, forbidden, suspicious)
urlpatterns = [path(view.__name__, view) for view in views]
app = get_wsgi_application()
asgi = get_asgi_application()
