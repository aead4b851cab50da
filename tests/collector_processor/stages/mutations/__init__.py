"""Mutations of stack traces: each changes a text as a real program would, and says whether it is still the same bug."""
