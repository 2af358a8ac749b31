"""What the result of an attack can depend on: the code that invents, publishes, attacks and judges, and its libraries.

What belongs here: finding those files, and their digest. What does not: keeping results by it (`kept`, `record`).
"""

import ast
import hashlib
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
ROOTS = (TESTS, ROOT / "src")
"""Where modules are looked for."""
START = "prove.judge"
PACKAGE = "survey_pipeline"
"""Its front door opens every room, of which a result enters few, so what it imports does not count by itself."""
BESIDE = ("schemas", "requirements.lock")
"""Instruments and policies, and the versions of libraries."""


@cache
def code_digest() -> str:
    """Of everything that a result can depend on, with the names of the files."""
    return digest([*sorted(closure(START)), *data_files()], ROOT)


def digest(files: Iterable[Path], root: Path) -> str:
    """Of files with their names below a folder. Words about code and settings change no result, and do not count."""
    found = hashlib.sha256()
    for file in files:
        content = MEANT.get(file.suffix, Path.read_bytes)(file)
        found.update(f"{file.relative_to(root).as_posix()}\n{len(content)}\n".encode())
        found.update(content)
    return found.hexdigest()[:16]


def _code(file: Path) -> bytes:
    return ast.unparse(_Wordless().visit(ast.parse(file.read_text(encoding="utf-8")))).encode()


def _settings(file: Path) -> bytes:
    return repr(tomllib.loads(file.read_text(encoding="utf-8"))).encode()


MEANT = {".py": _code, ".toml": _settings}
"""What of a file counts, by its ending; of all others, everything."""


class _Wordless(ast.NodeTransformer):
    """Leaves out docstrings; comments are left out by reading already."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_text else node


def data_files() -> Iterator[Path]:
    """Files that are read and not imported."""
    for place in (ROOT / name for name in BESIDE):
        yield from [place] if place.is_file() else sorted(place.rglob("*.toml"))
    yield from sorted((ROOT / "src").rglob("*.toml"))


def closure(start: str, roots: Iterable[Path] = ROOTS) -> set[Path]:
    """The files of a module and of all modules of ours that it imports, however far away."""
    found: set[Path] = set()
    todo = [start]
    while todo:
        file = file_of(todo.pop(), roots)
        if file is not None and file not in found:
            found.add(file)
            todo += imports(file, roots)
    return found


def file_of(module: str, roots: Iterable[Path] = ROOTS) -> Path | None:
    """The file of a module of ours; None where it is somebody else's."""
    places = (root.joinpath(*module.split(".")) for root in roots)
    files = (file for place in places for file in (place.with_suffix(".py"), place / "__init__.py"))
    return next((file for file in files if file.is_file()), None)


def imports(file: Path, roots: Iterable[Path] = ROOTS) -> Iterator[str]:
    """The modules that a file names in its imports, the packages around them, and names that may be modules themselves."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_packages(alias.name)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (module for module in _with_packages(node.module) if module != PACKAGE)
            yield from (_module_or_package(node.module, alias.name, roots) for alias in node.names)


def _module_or_package(package: str, name: str, roots: Iterable[Path]) -> str:
    """The module of that name in a package, or the package, whose own name it then is."""
    module = f"{package}.{name}"
    return module if file_of(module, roots) else package


def _with_packages(module: str) -> Iterator[str]:
    parts = module.split(".")
    yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))
