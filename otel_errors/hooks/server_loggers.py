"""Servers and executors that only log what nobody handled: their loggers tell us, whatever handlers they have.

A filter, which changes nothing: it is called for what is logged at this logger itself, also where its records reach
neither the root logger nor an exporter (uvicorn's and gunicorn's do not).
"""

from __future__ import annotations

import logging
from typing import Any, Final

import wrapt

from otel_errors.guard import guarded
from otel_errors.hooks.framework import failed

LOGGERS: Final = {
    # Module that makes the logger, its name, the mechanism. Made by us earlier, a logger would be switched off by
    # ``dictConfig(disable_existing_loggers=True)``, which spares those that do not exist yet.
    ("concurrent.futures._base", "concurrent.futures"): "concurrent.futures",
    ("uvicorn.config", "uvicorn.error"): "uvicorn",
    ("gunicorn.glogging", "gunicorn.error"): "gunicorn",
    ("aiohttp.log", "aiohttp.server"): "aiohttp",
    ("grpc._server", "grpc._server"): "grpc",
    ("grpc.aio._server", "grpc._cython.cygrpc"): "grpc",
}


def install() -> None:
    for one in _watched:
        one.install()


def uninstall() -> None:
    for one in _watched:
        one.uninstall()


class WatchedLogger:
    def __init__(self, module: str, name: str, mechanism: str) -> None:
        self._module = module
        self._name = name
        self._mechanism = mechanism
        self._wanted = False
        self._registered = False
        self._logger: logging.Logger | None = None

    def install(self) -> None:
        self._wanted = True
        if not self._registered:
            self._registered = True
            wrapt.register_post_import_hook(self._on_import, self._module)
        elif self._logger is not None:
            self._logger.addFilter(self)

    def uninstall(self) -> None:
        self._wanted = False
        if self._logger is not None:
            self._logger.removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        info = record.exc_info
        if record.levelno >= logging.ERROR and isinstance(info, tuple) and len(info) == 3:
            failed(self._mechanism, info[1])
        return True

    def _on_import(self, module: Any) -> None:
        with guarded(f"watching the logger {self._name}"):
            self._logger = logging.getLogger(self._name)
            if self._wanted:
                self._logger.addFilter(self)


_watched = tuple(WatchedLogger(module, name, mechanism) for (module, name), mechanism in LOGGERS.items())
