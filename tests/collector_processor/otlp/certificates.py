"""Certificates of loopback, made by openssl for one test."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest


class Pair(NamedTuple):
    """PEM files."""

    key: Path
    certificate: Path


def made(folder: Path, name: str, *, signed_by: Pair | None = None) -> Pair:
    """Self-signed without ``signed_by``, and then fit to sign others. Skips the test where there is no openssl."""
    folder.mkdir(parents=True, exist_ok=True)
    pair = Pair(folder / f"{name}.key.pem", folder / f"{name}.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command += ["-keyout", str(pair.key), "-out", str(pair.certificate)]
    if signed_by is not None:
        command += ["-CA", str(signed_by.certificate), "-CAkey", str(signed_by.key)]
        command += ["-addext", "basicConstraints=critical,CA:FALSE"]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    return pair
