"""What single settings may say: addresses, URLs, lists; each refuses what it is not with what is needed."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated
from urllib.parse import unquote

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr


class Address(str):
    """``host:port``; ``[::1]:4317`` for IPv6; port 0 lets the system choose (tests)."""

    @property
    def host(self) -> str:
        return self.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.rpartition(":")[2])

    @property
    def is_loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def address(value: str) -> Address:
    host, separator, port = value.rpartition(":")
    if not separator or not host or not port.isdigit() or int(port) > 65535:
        raise ValueError("not an address: host:port is needed, such as 127.0.0.1:4317 or [::1]:4317")
    return Address(value)


def http_url(value: str) -> str:
    if not value.startswith(("http://", "https://")) or len(value.split("://", 1)[1].strip("/")) == 0:
        raise ValueError("not a URL: http://host[:port] or https://host[:port] is needed")
    return value.rstrip("/")


def queue_url(value: str) -> str:
    if value != "sqlite:":
        raise ValueError("not a queue of this version: sqlite: is needed, a file a worker in data_dir")
    return value


def store_url(value: str) -> str:
    if not value.startswith(("sqlite:", "postgresql")):
        raise ValueError("not a store: sqlite:///path or postgresql+psycopg://user:password@host/database is needed")
    return value


def listed(value: object) -> object:
    """One text is a list with commas: that is how the environment says it."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def place_in_code(value: str) -> str:
    if not value.strip("*?./\\: ") or value != value.strip():
        raise ValueError(
            "not a place in the code: a directory (acme_platform), the beginning of a qualified name "
            "(com.acme.platform) or a pattern with * (*/generated/*) is needed, and not one that matches everything"
        )
    return value


TextList = Annotated[tuple[str, ...], BeforeValidator(listed)]
PlacesInCode = Annotated[
    tuple[Annotated[str, Field(max_length=256), AfterValidator(place_in_code)], ...],
    BeforeValidator(listed),
    Field(max_length=200),
]
AddressField = Annotated[str, AfterValidator(address)]
HttpUrl = Annotated[str, AfterValidator(http_url)]


def header_pairs(text: str) -> tuple[tuple[str, str], ...]:
    """Of ``name=value,name2=value2``, names in lower case. Raises ``ValueError``."""
    pairs = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, separator, value = part.partition("=")
        name, value = name.strip().lower(), unquote(value.strip())
        if (
            not separator
            or not _HEADER_NAME.match(name)
            or name.endswith("-bin")
            or not value.isprintable()
            or not value.isascii()
        ):
            raise ValueError("not headers: name=value,name2=value2 is needed, in ASCII")
        pairs.append((name, value))
    return tuple(pairs)


def _headers(value: SecretStr) -> SecretStr:
    header_pairs(value.get_secret_value())
    return value


_HEADER_NAME = re.compile(r"[a-z0-9_.-]+\Z")
HeaderList = Annotated[SecretStr, AfterValidator(_headers)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, use_attribute_docstrings=True)
