"""Stack texts of one error in two languages, with every part a parameter."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple


class Call(NamedTuple):
    function: str
    file: str
    line: int


@dataclass(frozen=True)
class Failure:
    """An error and the calls that led to it, outermost first."""

    language: str
    type: str = "CardDeclined"
    message: str = "card of order 4711 declined"
    calls: tuple[Call, ...] = (
        Call("handle", "/app/shop/web.py", 10),
        Call("checkout", "/app/shop/cart.py", 20),
        Call("charge_card", "/app/shop/payments.py", 42),
    )
    cause: Failure | None = None
    header_twice: bool = False
    packages: tuple[str, ...] = field(default=())

    def but(self, **changes: object) -> Failure:
        return replace(self, **changes)  # type: ignore[arg-type]

    def moved(self, prefix: str, separator: str = "/") -> Failure:
        """As deployed somewhere else."""
        calls = tuple(
            call._replace(file=(prefix + call.file.removeprefix("/app/")).replace("/", separator))
            if call.file.startswith("/app/")
            else call
            for call in self.calls
        )
        return self.but(calls=calls, cause=self.cause.moved(prefix, separator) if self.cause else None)

    def shifted(self, lines: int) -> Failure:
        calls = tuple(call._replace(line=call.line + lines) for call in self.calls)
        return self.but(calls=calls, cause=self.cause.shifted(lines) if self.cause else None)

    def text(self) -> str:
        return self._python() if self.language == "python" else self._javascript()

    def _python(self) -> str:
        before = ""
        if self.cause is not None:
            said = "The above exception was the direct cause of the following exception:"
            before = f"{self.cause._python()}\n\n{said}\n\n"
        frames = "".join(f'  File "{file}", line {line}, in {name}\n    x()\n' for name, file, line in self.calls)
        header = "Traceback (most recent call last):\n"
        return f"{before}{header * (2 if self.header_twice else 1)}{frames}{self.type}: {self.message}"

    def _javascript(self, indent: str = "") -> str:
        headline = f"{self.type}: {self.message}\n"
        frames = "\n".join(
            f"{indent}    at {name} ({file.replace('.py', '.js')}:{line}:{line % 37 + 1})"
            for name, file, line in reversed(self.calls)
        )
        text = (headline + indent) * (1 if self.header_twice else 0) + headline + frames
        if self.cause is not None:
            inner = self.cause._javascript(indent + "  ")
            text += f" {{\n{indent}  [cause]: {inner}\n{indent}}}"
        return text


FAILURES = [
    Failure("python", type="shop.payments.CardDeclined"),
    Failure("nodejs", type="CardDeclined"),
]
LOOKUP = (Call("lookup", "/app/shop/accounts.py", 7),)


def library(language: str, *functions: str) -> tuple[Call, ...]:
    where = "/app/.venv/lib/python3.11/site-packages/bank/" if language == "python" else "/app/node_modules/bank/"
    return tuple(Call(function, where + "client.py", 100 + index) for index, function in enumerate(functions))
