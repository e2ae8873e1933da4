"""A module imports only what stands above it: read from the syntax trees of every file."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# One line per level; what shares a line is one package or does not know of its neighbours.
LAW = (
    "errors",
    "limits",
    "params",
    "graph",
    "stems",
    "changes",
    "silence",
    "stamps",
    "source",
    "spool",
    "groups",
    "block_filters",
    "lag",
    "placing",
    "session",
    "excerpt",
    "eta",
    "progress",
    "dsp",
    "processors",
    "amount",
    "selection",
    "console",
    "controls",
    "level",
    "play",
    "mixdown",
    "reopen",
    "loss",
    "search.effort",
    "search.settings",
    "search",
    "explain",
    "cost",
    "compare",
    "check",
    "intake",
    "exporters",
    "reference",
    "output",
    "result",
    "export",
    "render",
    "report",
    "verify",
    "recover",
    "dry_run",
    "synthetic",
    "collection",
    "experiments",
    "terminal",
    "overview",
    "cli",
    "__main__",
)
EXPORTERS_MAY = frozenset({"errors", "params", "graph", "stems", "source", "spool", "exporters"})
# Libraries that decide how heavy a module is: who may load them.
TORCH_FREE = frozenset(
    {"errors", "graph", "stems", "source", "eta", "progress", "exporters", "output", "result", "report"}
)
FILES = sorted([*(ROOT / "mix2daw").rglob("*.py"), *(ROOT / "exporters").rglob("*.py")])


def module_of(file: Path) -> str:
    """`mix2daw/search/fit.py` as `mix2daw.search.fit`, `exporters/names.py` as `mix2daw.exporters.names`."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    if parts[0] == "exporters":
        parts = ("mix2daw", *parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(file: Path) -> set[str]:
    """Absolute names of the modules that a file imports anywhere in it, also inside functions."""
    modules = {module_of(path) for path in FILES}
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            base = node.module or ""
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                found.add(inner if inner in modules else base)
    return found


def level_of(module: str) -> str:
    """The line of the law that a module of ours stands on."""
    name = module.removeprefix("mix2daw.")
    return name if name in LAW else name.split(".")[0]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_only_from_above(file: Path) -> None:
    module = module_of(file)
    if module == "mix2daw":  # the contents page names everything
        return
    own = level_of(module)
    assert own in LAW, f"{module} has no place in the import law"
    for other in imports_of(file):
        if not other.startswith("mix2daw."):
            continue
        above = level_of(other)
        assert above in LAW, f"{module} imports {other}, which has no place in the import law"
        assert LAW.index(above) <= LAW.index(own), f"{module} imports {other}, which stands below it"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_exporters_know_little_and_light_modules_stay_light(file: Path) -> None:
    own = level_of(module_of(file))
    imports = imports_of(file)
    if own == "exporters":
        ours = {level_of(name) for name in imports if name.startswith("mix2daw.")}
        assert ours <= EXPORTERS_MAY
    if own in TORCH_FREE:
        assert "torch" not in {name.split(".")[0] for name in imports}


@pytest.mark.parametrize(
    "module", ["mix2daw", "mix2daw.graph", "mix2daw.cli", "mix2daw.exporters.dawproject", "mix2daw.report"]
)
def test_torch_is_not_loaded_for_what_does_not_need_it(module: str) -> None:
    code = f"import {module}, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_name_on_the_contents_page_exists() -> None:
    code = "import mix2daw; [getattr(mix2daw, name) for name in (*mix2daw.__all__, '__version__')]"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_installer_knows_every_package() -> None:
    import tomllib

    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = {module_of(file) for file in FILES if file.name == "__init__.py"}
    assert packages == set(settings["tool"]["setuptools"]["packages"])
