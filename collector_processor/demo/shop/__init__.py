"""A small shop of three services, as teams write them.

It imports nothing of the processor. Imports within it are relative: the demo runs a copy as the package ``shop``.
"""
