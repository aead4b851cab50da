"""Telling partners about orders. A partner that does not answer is asked three times, within one span."""

from __future__ import annotations

import logging

from opentelemetry import trace

logger = logging.getLogger("shop.worker.webhooks")
tracer = trace.get_tracer("shop.worker")

ATTEMPTS = 3


class WebhookTimeout(TimeoutError):
    """The partner's endpoint did not answer."""


def post_to_partner(partner: str, order_id: int, attempt: int) -> None:
    """Send the order once."""
    if partner.startswith("slow-"):
        raise WebhookTimeout(f"partner {partner} did not take order {order_id}, attempt {attempt} of {ATTEMPTS}")


def deliver(partner: str, order_id: int) -> bool:
    """Whether the partner took the order at last."""
    with tracer.start_as_current_span("deliver webhook") as span:
        span.set_attribute("shop.partner", partner)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                post_to_partner(partner, order_id, attempt)
            except WebhookTimeout:
                logger.exception("attempt %d to reach %s failed", attempt, partner)
            else:
                return True
        return False
