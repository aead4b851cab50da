"""Checkout's HTTP interface."""

from __future__ import annotations

import itertools
import os
import socket
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, Header

import otel_errors

from ..calls import Service  # noqa: TID252
from . import coupons, gifts, parcels, payments, pricing, validation
from .models import Basket, Order, Refund


async def signed_in(x_customer: Annotated[str, Header()]) -> None:
    """The customer of the session. A coroutine, so that it runs in the request's own context and not in a thread's."""
    otel_errors.set_user(x_customer)


def create_app(catalogue: Service, worker: Service) -> FastAPI:
    """The application; plain functions run in threads, as they call other services."""
    app = FastAPI(title="checkout")
    gateway = payments.AcquirerGateway()
    numbers = itertools.count(1000)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/baskets/quote")
    def quote(basket: Basket) -> dict[str, Any]:
        return {"total": pricing.price_basket(basket, catalogue), "currency": basket.currency}

    @app.post("/orders", status_code=201, dependencies=[Depends(signed_in)])
    def place(order: Order) -> dict[str, Any]:
        validation.validate(order)
        greeting = gifts.typeset(order.greeting)
        total = pricing.price_basket(order, catalogue)
        total -= coupons.discount(order.coupon, total)
        authorisation = payments.charge(order, total, gateway)
        order_id = next(numbers)
        worker.post("/jobs/receipt", {"order_id": order_id, "email": order.email, "total": total})
        return {"order_id": order_id, "total": total, "authorisation": authorisation, "greeting": greeting}

    @app.post("/orders/{order_id}/refund")
    async def refund(order_id: int, request: Refund) -> dict[str, Any]:
        payments.refund(order_id, request)
        return {"order_id": order_id, "refunded": request.amount}

    @app.post("/orders/{order_id}/parcel")
    def parcel(order_id: int) -> dict[str, Any]:
        return {"order_id": order_id, "parcel": parcels.book(order_id)}

    @app.post("/back-office/jobs/{kind}", status_code=202)
    def start_job(kind: str, details: dict[str, Any]) -> dict[str, Any]:
        worker.post(f"/jobs/{kind}", details)
        return {"started": kind}

    return app


def serve(listening: socket.socket) -> None:
    """Serve on ``listening`` until SIGTERM."""
    app = create_app(
        Service("catalogue", os.environ["SHOP_CATALOGUE_URL"]),
        Service("worker", os.environ["SHOP_WORKER_URL"]),
    )
    # log_config=None: uvicorn's records go the way of all others, so an error is logged by it and recorded by the span.
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5)
    uvicorn.Server(config).run(sockets=[listening])
