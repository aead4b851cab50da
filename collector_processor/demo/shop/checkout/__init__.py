"""Checkout: baskets, payment, refunds, parcels. ASGI (FastAPI on uvicorn)."""
