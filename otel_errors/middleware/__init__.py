"""Errors of an application that serves requests, answered: the right status, a problem document or a page, the support
reference, each error logged and reported once.

One module for each kind of server or framework; nothing of a framework is imported before its module is.
"""
