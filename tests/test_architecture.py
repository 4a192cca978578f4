"""The four floors: imports only go down, parts never meet, and the door opens fast."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "faceswap"
GROUND = {
    "durable",
    "errors",
    "types",
    "config",
    "options",
    "registry",
    "progress",
    "threads",
    "png",
    "warping",
    "laying",
    "figures",
    "",
}
PARTS = {"video", "faces", "networks", "blending", "quality", "provenance", "portable"}
DOORS = {"cli", "__main__"}


def imports(path: Path) -> set[str]:
    """The modules of this package that a file imports, below `faceswap.`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "faceswap":
            below = node.module.partition(".")[2]
            found |= {f"{below}.{name.name}".strip(".") for name in node.names} if not below else {below}
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.split(".")[0] == "faceswap"]
            found |= {name.partition(".")[2] for name in names}
    return found


def floor(module: str) -> int:
    head = module.split(".")[0]
    if head in GROUND:
        return 1
    if head in PARTS:
        return 2
    return 4 if head in DOORS else 3


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_only_go_down(path: Path):
    module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").strip(".")
    if not module:
        return  # the package itself names its public functions, and imports them when they are asked for
    for other in imports(path):
        assert floor(other) <= floor(module), f"{module} imports {other}, which is on a higher floor"
        if floor(module) == floor(other) == 2:
            assert module.split(".")[0] == other.split(".")[0], f"parts meet: {module} imports {other}"


def test_no_module_is_named_like_its_function():
    import faceswap

    for name in faceswap.__all__:
        assert faceswap._HOMES[name] != name


def test_every_public_name_is_there():
    import faceswap

    for name in faceswap.__all__:
        assert getattr(faceswap, name).__name__ == name
    with pytest.raises(AttributeError):
        _ = faceswap.nothing


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from faceswap.cli import run; run(['--help']); run(['swap', '--help']);"
        "print(sorted({'numpy', 'cv2', 'dlib', 'keras', 'tensorflow', 'av'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_nothing_is_pickled():
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text()
        if path.name == "array_pickle.py":  # reads what others pickled, and lets it call nothing
            text = text.replace("import pickle", "")
        assert "pickle.dump" not in text and "pickle.load" not in text, path
        assert "import pickle" not in text and "allow_pickle=True" not in text, path
