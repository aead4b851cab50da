from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector_processor.stacktraces import LANGUAGES
from collector_processor.stacktraces.qualified import module_of


@pytest.mark.parametrize(
    ("language", "function", "module"),
    [
        ("java", "com.shop.Pay.charge", "com.shop.Pay"),
        ("java", "com.shop.Pay$Inner.<init>", "com.shop.Pay$Inner"),
        ("kotlin", "com.shop.PayKt.charge", "com.shop.PayKt"),
        ("scala", "com.shop.Pay$.$anonfun$charge$1", "com.shop.Pay$"),
        ("dotnet", "Shop.Payments.Gateway.<ChargeAsync>d__3.MoveNext", "Shop.Payments.Gateway.<ChargeAsync>d__3"),
        ("dotnet", "Shop.Gateway..ctor", "Shop.Gateway"),
        ("go", "github.com/acme/shop/pay.(*Gateway).Charge", "github.com/acme/shop/pay"),
        ("go", "main.main.func1", "main"),
        ("go", "panic", None),
        ("elixir", "Shop.Gateway.charge/2", "Shop.Gateway"),
        ("elixir", "anonymous fn/1 in Shop.Orders.place/1", "Shop.Orders"),
        ("elixir", ":gen_server.try_dispatch/4", "gen_server"),
        ("rust", "shop::pay::charge::h0123456789abcdef", "shop::pay"),
        ("native", "shop::Gateway::charge(std::string const&)", "shop::Gateway"),
        ("native", "main", None),
        ("php", "Shop\\Orders->place", "Shop\\Orders"),
        ("php", "Shop.Orders.place", "Shop.Orders"),
        ("php", "array_map", None),
        ("ruby", "Shop::Gateway#charge", "Shop::Gateway"),
        ("ruby", "block in Shop::Gateway.charge", "Shop::Gateway"),
        ("ruby", "charge", None),
        ("python", "charge", None),
        ("javascript", "Gateway.charge", None),
        ("java", None, None),
    ],
)
def test_module(language: str, function: str | None, module: str | None) -> None:
    assert module_of(function, language) == module


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(max_size=60), st.sampled_from([language.name for language in LANGUAGES]))
def test_any_name(function: str, language: str) -> None:
    module = module_of(function, language)
    assert module is None or (module and module in function)
