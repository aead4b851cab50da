from __future__ import annotations

import logging
import os
import sys

from django.core.asgi import get_asgi_application
from django.core.exceptions import PermissionDenied
from django.core.wsgi import get_wsgi_application
from django.http import FileResponse, Http404, HttpResponse, StreamingHttpResponse
from django.urls import path

sys.path.insert(0, os.path.dirname(__file__))
from shop import Sold, error, stream

logging.basicConfig()


def inner(get_response):
    def middleware(request):
        if request.path in ("/inner", "/inner/clerk"):
            raise error(request.path.rpartition("/")[2])
        return get_response(request)

    def process_exception(request, exception):
        if isinstance(exception, Sold):
            return HttpResponse("the application's own", status=409)
        return None

    middleware.process_exception = process_exception
    return middleware


def ready(request):
    return HttpResponse("ready")


def fail(request, case):
    raise error(case)


async def fail_async(request, case):
    raise error(case)


def framework(request, status):
    raise {404: Http404, 403: PermissionDenied}[status]


def streaming(request, case):
    return StreamingHttpResponse(stream(case), content_type="text/plain")


async def streaming_async(request, case):
    async def parts():
        for part in stream(case):
            yield part

    return StreamingHttpResponse(parts(), content_type="text/plain")


def file(request):
    return FileResponse(open(__file__, "rb"))


urlpatterns = [
    path("ready", ready),
    path("error/<case>", fail),
    path("async/<case>", fail_async),
    path("framework/<int:status>", framework),
    path("stream/<case>", streaming),
    path("async-stream/<case>", streaming_async),
    path("file", file),
]

app = get_asgi_application() if os.environ.get("SHOP_SERVES") == "asgi" else get_wsgi_application()
