"""The one place of the version number (read by the build)."""

__version__ = "0.1.0"
