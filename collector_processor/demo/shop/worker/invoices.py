"""Invoices, typeset in a thread each."""

from __future__ import annotations


class InvoiceTotalMismatch(ArithmeticError):
    """The lines of an invoice do not add up to its total."""


class InvoicePrinter:
    """Typesets one invoice."""

    def __init__(self, number: str, lines: list[int], total: int) -> None:
        self.number = number
        self.lines = lines
        self.total = total

    def add_up(self) -> int:
        """The total, proven by the lines."""
        if sum(self.lines) != self.total:
            raise InvoiceTotalMismatch(
                f"invoice {self.number}: lines add up to {sum(self.lines)}, the total says {self.total}"
            )
        return self.total

    def print(self) -> str:
        """The invoice's text."""
        return f"Invoice {self.number}\n" + "\n".join(map(str, self.lines)) + f"\nTotal {self.add_up()}"
