"""What the service is told: one YAML file, every value also by environment, one tree of defaults.

Precedence: command line flag > environment (``OTEL_ERRORS_`` + path, nested by ``__``) > file > default. ``*_FILE``
names a file that holds a secret. An unknown key in the file or a bad value anywhere stops the start with the key, the
value and what is allowed; an unknown environment name only warns, because the library inside applications reads
``OTEL_ERRORS_*`` too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from collector_processor.setting_values import (
    AddressField,
    HeaderList,
    HttpUrl,
    PlacesInCode,
    Section,
    TextList,
    address,
    queue_url,
    store_url,
)

ENVIRONMENT_PREFIX = "OTEL_ERRORS_"
NESTING = "__"
VALUE_IN_FILE_SUFFIX = "_FILE"

# Read by the library in an application, not by the service: no warning for these (otel_errors/config.py is their home).
LIBRARY_NAMES = frozenset(
    {
        "OTEL_ERRORS_BEFORE_SEND", "OTEL_ERRORS_CONFIG", "OTEL_ERRORS_ENABLED", "OTEL_ERRORS_LAST_LOG_RECORDS",
        "OTEL_ERRORS_LOCALS", "OTEL_ERRORS_MAX_PER_SECOND", "OTEL_ERRORS_MAX_STACKTRACE_BYTES",
        "OTEL_ERRORS_NOT_ERRORS", "OTEL_ERRORS_SAMPLE_RATE", "OTEL_ERRORS_SEND_USER", "OTEL_ERRORS_SOURCE_LINES",
        "OTEL_ERRORS_USER_KEY",
    }
)  # fmt: skip


class SettingsError(Exception):
    """The settings cannot be used. The text names each key, its value and what is allowed."""


class GrpcSettings(Section):
    bind: AddressField = "127.0.0.1:4317"
    """Where OTLP/gRPC is received, ``host:port``."""
    max_connection_age_seconds: float | None = Field(default=None, ge=1)
    """After which a connection is asked to come again: behind a balancer, perhaps to another process."""


class OtlpHttpSettings(Section):
    bind: AddressField = "127.0.0.1:4318"
    """Where OTLP/HTTP is received (``/v1/traces``, ``/v1/logs``, ``/v1/metrics``; protobuf and JSON)."""
    cors_origins: TextList = ()
    """Exact origins (scheme://host[:port]) whose browsers may send, besides those of browser keys; ``*`` is not among
    them."""


class TlsSettings(Section):
    certificate: Path | None = None
    """PEM, with the chain: both OTLP ports speak TLS. Read again when it changes, like the others."""
    key: Path | None = None
    """PEM."""
    client_ca: Path | None = None
    """PEM: only clients with a certificate that this authority signed get in."""

    @model_validator(mode="after")
    def _belong_together(self) -> TlsSettings:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("otlp.tls: certificate and key belong together: set both or neither")
        if self.client_ca is not None and self.certificate is None:
            raise ValueError("otlp.tls.client_ca: needs otlp.tls.certificate and otlp.tls.key")
        return self


class LimitSettings(Section):
    key_bytes_per_second: int | None = Field(default=None, ge=1024)
    """Of one ingest key, after decompression, with a burst of ten seconds; past that the answer is 429."""
    memory_bytes: int | None = Field(default=None, ge=64 * 1024 * 1024)
    """Of one receiving process; past that the answer is "retry"."""
    requests: int = Field(default=1024, ge=1)
    """Not yet answered, of one receiving process; past that the answer is "retry"."""
    service_stacks_per_second: float | None = Field(default=None, gt=0)
    """Errors of one service that keep stack and attributes, with a burst of ten seconds. All are counted."""


class OtlpSettings(Section):
    grpc: GrpcSettings = GrpcSettings()
    http: OtlpHttpSettings = OtlpHttpSettings()
    auth: Literal["loopback", "none"] = "loopback"
    """``loopback``: without ingest keys only loopback addresses are bound; with them, every request needs one.
    ``none``: whoever reaches the port may send."""
    tls: TlsSettings = TlsSettings()
    limits: LimitSettings = LimitSettings()
    access_log: bool = False
    """A line a request on stderr: who, what, how large, what became of it; nothing of what was sent."""
    max_request_bytes: int = Field(default=64 * 1024 * 1024, ge=1024)
    """Of one request, after decompression."""
    max_in_flight_bytes: int = Field(default=256 * 1024 * 1024, ge=1024)
    """Of all requests not yet answered; past that the answer is "retry"."""


class ApiSettings(Section):
    bind: AddressField = "127.0.0.1:8080"
    """Where the pages, the REST API and ``/metrics`` are served."""
    public_url: HttpUrl | None = None
    """How people reach the pages, for links in alerts, attributes and pages; from ``api.bind`` when unset."""
    auth: Literal["loopback", "none"] = "loopback"
    """``loopback``: only a loopback address is bound. ``none``: whoever reaches the port may read and change issues."""


class ForwardSettings(Section):
    endpoint: HttpUrl | None = None
    """One next hop, OTLP/gRPC: ``http://host:4317`` in the clear, ``https://…`` with TLS."""
    timeout_seconds: float = Field(default=10.0, gt=0, le=300)
    """How long the next hop may take for one request."""
    headers: HeaderList = SecretStr("")
    """Sent with every request, as ``name=value,name2=value2``; values percent-encoded where they hold a comma."""
    compression: Literal["none", "gzip"] = "none"
    """Of what is sent on."""
    ca: Path | None = None
    """PEM: who signs the next hop's certificate; unset: whom the system trusts."""
    certificate: Path | None = None
    """PEM: shown to a next hop that asks for one, with ``forward.key``."""
    key: Path | None = None
    """PEM."""

    @model_validator(mode="after")
    def _belong_together(self) -> ForwardSettings:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("forward: certificate and key belong together: set both or neither")
        return self


class QueueSettings(Section):
    url: Annotated[str, AfterValidator(queue_url)] = "sqlite:"
    """The durable queue: ``sqlite:`` keeps a file a worker in ``data_dir/queue``."""
    on_full: Literal["refuse", "pass"] = "refuse"
    """``refuse``: clients are told to retry. ``pass``: telemetry goes on, the errors that found no room are counted as
    dropped."""
    max_bytes: int = Field(default=1024 * 1024 * 1024, ge=64 * 1024)
    """Of one worker's queue file."""


class StoreSettings(Section):
    url: Annotated[str, AfterValidator(store_url)] | None = None
    """The issue store; unset: a SQLite file in ``data_dir``."""
    occurrences_per_issue: int = Field(default=200, ge=1, le=100_000)
    """How many occurrences of an issue keep their stack and attributes. Counts are kept for all."""
    occurrence_days: int = Field(default=7, ge=1)
    """How long they are kept."""
    counting_window_seconds: int = Field(default=3600, ge=60)
    """How long a record is recognised when it comes again (docs/counting.md)."""


class LokiSettings(Section):
    url: HttpUrl | None = None
    """``http://loki:3100``: one line an occurrence is pushed there; unset: none."""
    tenant: str | None = None
    """Sent as ``X-Scope-OrgID``."""
    bearer_token: SecretStr | None = None
    """Sent as ``Authorization: Bearer …``."""


class LinkSettings(Section):
    trace: str | None = None
    """A template with ``{trace_id}``: ``https://grafana/explore?…{trace_id}``."""
    logs: str | None = None
    """A template of the address of an error's line in Loki, with ``{support_reference}`` or ``{event_id}``,
    ``{trace_id}``, ``{service_name}``, ``{from_ms}``, ``{to_ms}`` (an hour around it): for look-ups by reference."""
    source: str | None = None
    """A template of the address of a frame's line, with ``{file}`` (below the root of the repository), ``{line}``,
    ``{revision}``, ``{repository}``, ``{release}``, ``{service_name}``; unset: from the ``vcs.*`` attributes of the
    error, for GitHub, GitLab, Bitbucket and Gitea."""
    source_roots: TextList = ()
    """Directories that programs are deployed to (``/opt/shop``): what stands below one is a path in the repository."""


class FilterSettings(Section):
    browser_extensions: bool = False
    """Leave out errors whose stack goes through a browser extension."""
    crawlers: bool = False
    """Leave out errors in pages that a crawler renders."""
    known_noise: bool = False
    """Leave out what browsers report for nothing: ``ResizeObserver loop …``, ``Script error.`` without a place."""


class RedactionSettings(Section):
    policy: Path | None = None
    """A YAML file that switches redaction rules on and off and adds some (docs/redaction.md); unset: the defaults."""


class InAppSettings(Section):
    include: PlacesInCode = ()
    """The application's own code, whatever the conventions of its language say: directories (``libs/acme``), beginnings
    of qualified names (``com.acme.kit``), or patterns with ``*`` over the file or the function (docs/grouping.md)."""
    exclude: PlacesInCode = ()
    """Not the application's own: shared platform code, generated code. Stronger than ``include``."""


class GroupingSettings(Section):
    in_app: InAppSettings = InAppSettings()
    group_by_caller: PlacesInCode = ()
    """Functions that only raise (``fail``, ``errors.py:abort_*``) and types whose errors their caller tells apart:
    compared with ``file:function``, the function, the bare type."""


class Settings(Section):
    """The whole tree. Fields without a use in this version are not here: an unknown key is an error, not a wish."""

    data_dir: Path = Path("otel-errors-data")
    """Queue files and store of the embedded default, and the key of the pseudonyms; readable by its owner alone."""
    otlp: OtlpSettings = OtlpSettings()
    api: ApiSettings = ApiSettings()
    forward: ForwardSettings = ForwardSettings()
    queue: QueueSettings = QueueSettings()
    store: StoreSettings = StoreSettings()
    loki: LokiSettings = LokiSettings()
    links: LinkSettings = LinkSettings()
    filters: FilterSettings = FilterSettings()
    redaction: RedactionSettings = RedactionSettings()
    grouping: GroupingSettings = GroupingSettings()
    stop_delay_seconds: float = Field(default=0.0, ge=0, le=300)
    """Between ``/readyz`` saying no and the OTLP ports closing: a balancer needs a while to look."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Of the log on stderr."""

    @model_validator(mode="after")
    def _loopback_unless_asked(self) -> Settings:
        for key, bind, auth, how in (
            (
                "otlp.grpc.bind",
                self.otlp.grpc.bind,
                self.otlp.auth,
                "make one with otel-errors ingest-keys create, or ",
            ),
            (
                "otlp.http.bind",
                self.otlp.http.bind,
                self.otlp.auth,
                "make one with otel-errors ingest-keys create, or ",
            ),
            ("api.bind", self.api.bind, self.api.auth, ""),
        ):
            if auth == "loopback" and not address(bind).is_loopback:
                if how and self.ingest_keys_file.exists():
                    continue  # the receivers refuse to start when there is none in it
                switch = key.split(".", 1)[0] + ".auth"
                raise ValueError(
                    f"{key}: {bind!r} is not a loopback address; without keys only loopback is bound "
                    f"({how}set {switch}: none to open it)"
                )
        return self

    @property
    def ingest_keys_file(self) -> Path:
        """The digests of the ingest keys."""
        return self.data_dir / "ingest-keys.json"

    @property
    def public_url(self) -> str:
        """Where people reach the pages: ``api.public_url``, else from ``api.bind``."""
        return self.api.public_url or f"http://{self.api.bind}"

    @property
    def store_url(self) -> str:
        """SQLAlchemy's URL of the store: ``store.url``, else a SQLite file in ``data_dir``."""
        return self.store.url or f"sqlite:///{self.data_dir / 'issues.sqlite3'}"

    @property
    def queue_dir(self) -> Path:
        """Where the queue files of the workers are."""
        return self.data_dir / "queue"


def load(
    file: Path | None = None, *, flags: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None
) -> tuple[Settings, list[str]]:
    """The effective settings and warnings about environment names that mean nothing.

    ``flags``: dotted path → value, from the command line. Raises ``SettingsError``.
    """
    env = os.environ if environment is None else environment
    tree = _from_file(file) if file is not None else {}
    overrides, warnings = _from_environment(env)
    for path, value in [*overrides.items(), *(flags or {}).items()]:
        _put(tree, path.split("."), value)
    try:
        return Settings.model_validate(tree), warnings
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(error))) from None


def masked(settings: Settings) -> str:
    """The effective settings as YAML, secrets as ``**********`` (``--print-config``)."""
    return without_passwords(yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False))


def without_passwords(text: str) -> str:
    """The text with the password of every URL in it masked."""
    return re.sub(r"(://[^/@\s:]*:)[^/@\s]+@", r"\1**********@", text)


def _from_file(file: Path) -> dict[str, Any]:
    try:
        tree = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: not UTF-8: {error}") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{file}: not YAML: {error}") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise SettingsError(f"{file}: a mapping of settings is needed, got {type(tree).__name__}")
    return tree


def _from_environment(env: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    known = {ENVIRONMENT_PREFIX + path.upper().replace(".", NESTING): path for path in _paths(Settings)}
    values: dict[str, str] = {}
    warnings: list[str] = []
    for name in sorted(env):
        if not name.startswith(ENVIRONMENT_PREFIX):
            continue
        bare = name.removesuffix(VALUE_IN_FILE_SUFFIX)
        if name in known:
            values[known[name]] = env[name]
        elif bare != name and bare in known:
            try:
                values[known[bare]] = Path(env[name]).read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                reason = (error.strerror if isinstance(error, OSError) else "") or error
                raise SettingsError(f"{name}: {env[name]!r} cannot be read: {reason}") from None
        elif name not in LIBRARY_NAMES:
            warnings.append(f"{name}: no such setting; it is ignored")
    return values, warnings


def _paths(section: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _paths(field.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name


def _put(tree: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        child = tree.setdefault(part, {})
        if not isinstance(child, dict):
            raise SettingsError(f"{part}: {child!r} is not a mapping of settings")
        tree = child
    tree[path[-1]] = value


_SECRET = frozenset({"forward.headers", "loki.bearer_token"})


def _explain(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        key = ".".join(str(part) for part in problem["loc"])
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            yield f"{key}: no such setting; {_known_beside(key)}"
        elif key:
            value = "**********" if key in _SECRET else f"{problem['input']!r:.200}"
            yield without_passwords(f"{key}: {value}: {message}")
        else:
            yield message


def _known_beside(key: str) -> str:
    """What an unknown key might have been: the keys of the section that it stands in."""
    section: type[BaseModel] = Settings
    *above, _ = key.split(".")
    for part in above:
        annotation = section.model_fields[part].annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            section = annotation
    return f"{'.'.join(above) or 'the file'} may have {', '.join(section.model_fields)}"
