"""Catalogue: products, prices, stock, categories, search. WSGI (the standard library's server)."""
