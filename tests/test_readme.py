"""The README is true as far as a test can tell; its commands are tried by hand on a new machine."""

import re
from pathlib import Path

from faceswap import errors
from faceswap.cli import COMMANDS
from faceswap.config import described
from faceswap.video.encoders import SOFTWARE
from faceswap.video.joining import CONTAINERS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def below(cls):
    return [cls, *(leaf for sub in cls.__subclasses__() for leaf in below(sub))]


def test_ci_runs_the_test_command_to_the_letter():
    blocks = re.findall(r"```bash\n(.*?)\n```", README, re.S)
    assert len(blocks[0].splitlines()) == len(blocks[1].splitlines()) == 1
    assert blocks[1] in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_exit_codes_are_in_the_readme_and_in_the_tree():
    for cls in below(errors.FaceswapError):
        assert f"| {cls.exit_code} |" in README
        tree = [line.split() for line in (errors.__doc__ or "").splitlines() if cls.__name__ in line.split()]
        assert tree and str(cls.exit_code) in tree[0], cls


def test_files_and_commands_that_are_named_exist():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
    for path in set(re.findall(r"scripts/\w+\.py", README)):
        assert (ROOT / path).exists(), path
    for name in COMMANDS:
        assert f"faceswap {name}" in README
    for name in (*CONTAINERS, *SOFTWARE):
        assert f"`{name}`" in README


def test_flags_that_are_named_exist():
    names = {name for command in COMMANDS.values() for name in described(command.config)}
    known = {f"--{name.strip('_').replace('_', '-')}" for name in names}
    known |= {f"--no-{flag[2:]}" for flag in known}
    for flag in re.findall(r"`(--[a-z0-9-]+)", README):
        assert flag in known | {"--help"}, flag
