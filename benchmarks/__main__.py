"""``python -m benchmarks`` lists the benchmarks; ``python -m benchmarks NAME [options]`` runs one."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from types import ModuleType

import benchmarks


def available() -> dict[str, ModuleType]:
    """Every module of this package that has a ``main(arguments) -> int``, by its name."""
    names = [module.name for module in pkgutil.iter_modules(benchmarks.__path__) if not module.name.startswith("_")]
    modules = {name: importlib.import_module(f"benchmarks.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "main")}


def main(arguments: list[str]) -> int:
    """Run the benchmark that the first argument names. 2: there is no such one."""
    found = available()
    if arguments and arguments[0] in found:
        return int(found[arguments[0]].main(arguments[1:]))
    if arguments and arguments[0] not in ("-h", "--help"):
        sys.stderr.write(f"no benchmark {arguments[0]!r}; there are: {', '.join(found)}\n")
        return 2
    for name, module in found.items():
        print(f"{name:12} {(module.__doc__ or '').splitlines()[0]}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
