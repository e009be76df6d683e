"""All cases, by kind. A case file has CASES (and may have ADMIN_CASES, CLI_CASES)."""

import importlib
import pkgutil

CASES, ADMIN_CASES, CLI_CASES = [], [], []
for found in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
    module = importlib.import_module(f"{__name__}.{found.name}")
    CASES += getattr(module, "CASES", [])
    ADMIN_CASES += getattr(module, "ADMIN_CASES", [])
    CLI_CASES += getattr(module, "CLI_CASES", [])

IDS = [c.id for c in CASES + ADMIN_CASES + CLI_CASES]
assert len(IDS) == len(set(IDS)), "two cases have the same id"
