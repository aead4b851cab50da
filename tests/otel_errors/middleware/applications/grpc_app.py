"""A synchronous and an asyncio server in one process; a service without generated code. Prints both ports and serves
until its standard input ends."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc

from otel_errors.middleware import grpc as sync_errors
from otel_errors.middleware import grpc_aio as aio_errors

sys.path.insert(0, os.path.dirname(__file__))
from shop import error

logging.basicConfig()


def unary_unary(request, context):
    case = request.decode()
    if case == "abort":
        context.abort(grpc.StatusCode.NOT_FOUND, "the framework's own")
    if case == "trailers":
        context.set_trailing_metadata([("shop", "open")])
    raise error(case)


def unary_stream(request, context):
    yield b"first"
    unary_unary(request, context)


def stream_unary(requests, context):
    unary_unary(b"".join(requests), context)


def stream_stream(requests, context):
    for request in requests:
        yield b"first"
        unary_unary(request, context)


async def aio_unary_unary(request, context):
    case = request.decode()
    if case == "abort":
        await context.abort(grpc.StatusCode.NOT_FOUND, "the framework's own")
    if case == "trailers":
        context.set_trailing_metadata([("shop", "open")])
    raise error(case)


async def aio_unary_stream(request, context):
    yield b"first"
    await aio_unary_unary(request, context)


async def aio_stream_unary(requests, context):
    await aio_unary_unary(b"".join([request async for request in requests]), context)


async def aio_stream_stream(requests, context):
    async for request in requests:
        yield b"first"
        await aio_unary_unary(request, context)


def service(*behaviours):
    calls = {}
    for behaviour in behaviours:
        shape = behaviour.__name__.removeprefix("aio_")
        calls[shape] = getattr(grpc, f"{shape}_rpc_method_handler")(behaviour)
    return grpc.method_handlers_generic_handler("shop.Shop", calls)


class Closed(grpc.ServerInterceptor):
    """An interceptor inside of ours that fails."""

    def intercept_service(self, continuation, details):
        if details.method.endswith("/closed"):

            def behaviour(request, context):
                raise error("closed")

            return grpc.unary_unary_rpc_method_handler(behaviour)
        return continuation(details)


async def main():
    server = grpc.server(ThreadPoolExecutor(2), interceptors=[sync_errors.ErrorInterceptor(domain="shop"), Closed()])
    server.add_generic_rpc_handlers([service(unary_unary, unary_stream, stream_unary, stream_stream)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    aio = grpc.aio.server(interceptors=[aio_errors.ErrorInterceptor(domain="shop")])
    aio.add_generic_rpc_handlers([service(aio_unary_unary, aio_unary_stream, aio_stream_unary, aio_stream_stream)])
    aio_port = aio.add_insecure_port("127.0.0.1:0")
    await aio.start()
    print(port, aio_port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await aio.stop(5)
    server.stop(5).wait()


if __name__ == "__main__":
    asyncio.run(main())
