from __future__ import annotations

import os
import sys

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.wsgi import get_wsgi_application
from django.http import Http404, HttpResponse
from django.urls import path

sys.path.insert(0, os.path.dirname(__file__))
from failing import fail

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_settings")


class Wrapped(Exception):
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
        return None


def ready(request):
    return HttpResponse("ready")


def unhandled(request):
    fail("Django, unhandled")


def wrapped(request):
    raise Wrapped("Django, process_exception that answers 500")


def missing(request):
    raise Http404("missing")


def forbidden(request):
    raise PermissionDenied("forbidden")


def suspicious(request):
    raise SuspiciousOperation("suspicious")


urlpatterns = [path(view.__name__, view) for view in (ready, unhandled, wrapped, missing, forbidden, suspicious)]
app = get_wsgi_application()
