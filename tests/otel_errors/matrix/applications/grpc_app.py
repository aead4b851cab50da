"""Both kinds of server in one process, called from here; a service without generated code."""

from __future__ import annotations

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc

sys.path.insert(0, os.path.dirname(__file__))
from failing import fail


def unhandled(request, context):
    fail("gRPC, unhandled")


def abort(request, context):
    context.abort(grpc.StatusCode.NOT_FOUND, "no such article")


def stream(request, context):
    yield b"one"
    fail("gRPC, unhandled in a stream")


class Listed(Exception):
    pass


def listed(request, context):
    raise Listed("gRPC, of a class of its own")


async def aio_stream(request, context):
    yield b"one"
    fail("gRPC aio, unhandled in a stream")


async def aio_unhandled(request, context):
    fail("gRPC aio, unhandled")


async def aio_abort(request, context):
    await context.abort(grpc.StatusCode.NOT_FOUND, "no such article")


def handlers(unary, streams=()):
    calls = {one.__name__: grpc.unary_unary_rpc_method_handler(one) for one in unary}
    calls.update({one.__name__: grpc.unary_stream_rpc_method_handler(one) for one in streams})
    return grpc.method_handlers_generic_handler("shop.Shop", calls)


def call(channel, name, stream=False):
    make = channel.unary_stream if stream else channel.unary_unary
    try:
        answer = make(f"/shop.Shop/{name}")(b"", timeout=20)
        print(name, list(answer) if stream else answer)
    except grpc.RpcError as error:
        print(name, error.code(), error.details()[:200].partition("0x")[0])


def synchronous():
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers([handlers([unhandled, abort, listed], [stream])])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call(channel, "unhandled")
        call(channel, "abort")
        call(channel, "listed")
        call(channel, "stream", stream=True)
    server.stop(5).wait()


async def asynchronous():
    server = grpc.aio.server()
    server.add_generic_rpc_handlers([handlers([aio_unhandled, aio_abort], [aio_stream])])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()

    def calls():
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            call(channel, "aio_unhandled")
            call(channel, "aio_abort")
            call(channel, "aio_stream", stream=True)

    await asyncio.to_thread(calls)
    await server.stop(5)


if __name__ == "__main__":
    synchronous()
    asyncio.run(asynchronous())
