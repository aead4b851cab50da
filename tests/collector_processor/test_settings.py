"""Settings: precedence, the words of every refusal, secrets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collector_processor.otlp.ingest_keys import KeyFile
from collector_processor.setting_values import Address, header_pairs
from collector_processor.settings import LIBRARY_NAMES, SettingsError, load, masked


def test_a_flag_wins_over_environment_over_file_over_default(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("otlp: {grpc: {bind: '127.0.0.1:1'}, http: {bind: '127.0.0.1:2'}}\napi: {bind: '127.0.0.1:3'}\n")
    settings, warnings = load(
        file,
        environment={"OTEL_ERRORS_OTLP__GRPC__BIND": "127.0.0.1:11", "OTEL_ERRORS_OTLP__HTTP__BIND": "127.0.0.1:12"},
        flags={"otlp.grpc.bind": "127.0.0.1:111"},
    )
    assert (settings.otlp.grpc.bind, settings.otlp.http.bind, settings.api.bind) == (
        "127.0.0.1:111",
        "127.0.0.1:12",
        "127.0.0.1:3",
    )
    assert settings.log_level == "info"
    assert warnings == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("otlp: {grpc: {bnd: x}}", ["otlp.grpc.bnd", "no such setting", "otlp.grpc may have bind"]),
        ("lokki: {url: x}", ["lokki", "no such setting", "data_dir", "loki"]),
        ("otlp: {grpc: {bind: here}}", ["otlp.grpc.bind", "'here'", "host:port"]),
        ("otlp: {grpc: {bind: '127.0.0.1:70000'}}", ["otlp.grpc.bind", "70000", "host:port"]),
        ("otlp: {max_request_bytes: many}", ["otlp.max_request_bytes", "'many'", "integer"]),
        ("forward: {endpoint: 'tempo:4317'}", ["forward.endpoint", "'tempo:4317'", "http://"]),
        ("queue: {on_full: drop}", ["queue.on_full", "'drop'", "refuse", "pass"]),
        ("store: {url: 'mysql://x'}", ["store.url", "'mysql://x'", "postgresql"]),
        ("queue: {url: 'kafka://k:9092/errors'}", ["queue.url", "kafka://k:9092/errors", "sqlite:"]),
        ("otlp: 7", ["otlp", "7"]),
        ("[1, 2]", ["mapping of settings"]),
        ("a: [", ["not YAML"]),
        ("api: {bind: '0.0.0.0:8080'}", ["api.bind", "0.0.0.0:8080", "loopback", "api.auth: none"]),
        ("otlp: {http: {bind: '[::]:4318'}}", ["otlp.http.bind", "loopback", "otlp.auth: none"]),
    ],
)
def test_what_is_wrong_is_named_with_key_value_and_what_is_allowed(tmp_path: Path, text: str, words: list[str]) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError) as refused:
        load(file, environment={})
    for word in words:
        assert word in str(refused.value)


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("log_level: loud\notlp: {auth: maybe}\n")
    with pytest.raises(SettingsError) as refused:
        load(file, environment={})
    assert "log_level" in str(refused.value)
    assert "otlp.auth" in str(refused.value)


def test_a_bad_environment_value_stops_and_an_unknown_name_only_warns() -> None:
    with pytest.raises(SettingsError, match=r"queue\.max_bytes: 'big'"):
        load(environment={"OTEL_ERRORS_QUEUE__MAX_BYTES": "big"})
    _, warnings = load(environment={"OTEL_ERRORS_QUEUE__SIZE": "1", **dict.fromkeys(LIBRARY_NAMES, "1")})
    assert warnings == ["OTEL_ERRORS_QUEUE__SIZE: no such setting; it is ignored"]


def test_a_secret_may_stand_in_a_file_and_is_never_printed(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("s3cr3t-token\n")
    settings, _ = load(environment={"OTEL_ERRORS_LOKI__BEARER_TOKEN_FILE": str(secret)})
    assert settings.loki.bearer_token is not None
    assert settings.loki.bearer_token.get_secret_value() == "s3cr3t-token"
    assert "s3cr3t" not in masked(settings)
    with pytest.raises(SettingsError, match="OTEL_ERRORS_LOKI__BEARER_TOKEN_FILE"):
        load(environment={"OTEL_ERRORS_LOKI__BEARER_TOKEN_FILE": str(tmp_path / "absent")})


def test_the_password_of_a_store_is_masked() -> None:
    settings, _ = load(environment={"OTEL_ERRORS_STORE__URL": "postgresql+psycopg://app:hunter2@db/errors"})
    assert "hunter2" not in masked(settings)
    assert "hunter2" in settings.store_url


def test_an_open_address_needs_a_word_that_says_so() -> None:
    settings, _ = load(environment={"OTEL_ERRORS_API__BIND": "0.0.0.0:8080", "OTEL_ERRORS_API__AUTH": "none"})
    assert settings.api.bind == "0.0.0.0:8080"


@pytest.mark.parametrize(
    ("address", "loopback"),
    [("127.0.0.1:1", True), ("127.8.8.8:1", True), ("[::1]:1", True), ("localhost:1", True), ("10.0.0.1:1", False)],
)
def test_loopback(address: str, loopback: bool) -> None:
    assert Address(address).is_loopback is loopback


def test_places_in_code_are_lists_in_the_file_and_text_with_commas_in_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("grouping: {in_app: {include: [libs/acme], exclude: ['*/generated/*']}}")
    environment = {"OTEL_ERRORS_GROUPING__GROUP_BY_CALLER": "fail, errors.py:abort_*,"}
    settings, warnings = load(file, environment=environment)
    assert settings.grouping.in_app.include == ("libs/acme",)
    assert settings.grouping.in_app.exclude == ("*/generated/*",)
    assert settings.grouping.group_by_caller == ("fail", "errors.py:abort_*")
    assert warnings == []


@pytest.mark.parametrize("value", ["*", "**/*", " ", "/", "?", "x" * 257])
def test_a_place_that_would_match_everything_is_refused(tmp_path: Path, value: str) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(json.dumps({"grouping": {"in_app": {"exclude": [value]}}}))
    with pytest.raises(SettingsError, match=r"grouping\.in_app\.exclude\.0: ") as raised:
        load(file, environment={})
    assert repr(value)[:100] in str(raised.value)


def test_ingest_keys_open_other_addresses_than_loopback(tmp_path: Path) -> None:
    tree = {"OTEL_ERRORS_DATA_DIR": str(tmp_path), "OTEL_ERRORS_OTLP__GRPC__BIND": "0.0.0.0:4317"}
    with pytest.raises(SettingsError, match="ingest-keys create"):
        load(environment=tree)
    KeyFile(tmp_path / "ingest-keys.json").create("first", "server", [], 0)
    assert load(environment=tree)[0].otlp.grpc.bind == "0.0.0.0:4317"


@pytest.mark.parametrize(
    ("tls", "problem"), [({"CERTIFICATE": "a.pem"}, "belong together"), ({"CLIENT_CA": "a.pem"}, "otlp.tls.client_ca")]
)
def test_parts_of_tls_need_each_other(tls: dict[str, str], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        load(environment={f"OTEL_ERRORS_OTLP__TLS__{name}": value for name, value in tls.items()})


def test_headers_of_the_next_hop_are_read_like_those_of_exporters_and_never_shown() -> None:
    name = "OTEL_ERRORS_FORWARD__HEADERS"
    loaded, _ = load(environment={name: "Authorization=Bearer%20a%2Cb, x-scope-orgid=shop"})
    assert header_pairs(loaded.forward.headers.get_secret_value()) == (
        ("authorization", "Bearer a,b"),
        ("x-scope-orgid", "shop"),
    )
    assert "Bearer" not in masked(loaded)
    for wrong in ("authorization", "a b=c", "trace-bin=x", "a=b%0Ac", "a=\u00e9", "authorization=Bearer hunter2,x"):
        with pytest.raises(SettingsError, match=r"forward\.headers") as refused:
            load(environment={name: wrong})
        assert "hunter2" not in str(refused.value)
