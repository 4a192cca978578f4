"""How an option is stated: once, as a field of a frozen dataclass, with its help line and its bounds.

Flags, project-file keys and forms are generated from these fields; a value is checked when the dataclass
is made, before anything heavy is loaded.
"""

from __future__ import annotations

import dataclasses
import math
import os
import tomllib
import types
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from faceswap.errors import InputError, UsageError

C = TypeVar("C", bound="Options")


@dataclass(frozen=True)
class Pair:
    """Two paths that belong together, written ONE=OTHER.

    Attributes:
        one: The path before the sign.
        other: The path after it.
    """

    one: Path
    other: Path

    @classmethod
    def read(cls, text: str) -> Pair | None:
        """The pair that a text stands for; None if it has not one sign with a path on either side."""
        one, _, other = text.partition("=")
        if not one or not other or "=" in other:
            return None
        return cls(Path(one).expanduser(), Path(other).expanduser())


@dataclass(frozen=True)
class Option:
    """What is known of one option besides its name, type and default.

    Attributes:
        help: One line for people.
        short: A one-letter flag such as `-o`.
        low: Smallest value allowed.
        high: Largest value allowed.
        choices: The names allowed.
        positional: Given by place instead of by flag.
    """

    help: str
    short: str | None = None
    low: float | None = None
    high: float | None = None
    choices: Collection[str] | None = None
    positional: bool = False

    def check(self, name: str, value: object) -> None:
        """Raise `UsageError` unless `value` lies within the bounds."""
        if isinstance(value, float) and not math.isfinite(value):
            raise UsageError(f"{name} must be a finite number, not {value}")
        if isinstance(value, int | float) and not isinstance(value, bool):
            if self.low is not None and value < self.low:
                raise UsageError(f"{name} must be {self.low:g} or more, not {value:g}")
            if self.high is not None and value > self.high:
                raise UsageError(f"{name} must be {self.high:g} or less, not {value:g}")
        if self.choices is not None and value is not None and value not in self.choices:
            raise UsageError(f"{name} must be one of {', '.join(self.choices)}; not '{value}'")


def option(default: Any = dataclasses.MISSING, /, help: str = "", **about: Any) -> Any:
    """A dataclass field that is an option; `about` are the other attributes of `Option`."""
    return field(default=default, metadata={"option": Option(help, **about)})


@dataclass(frozen=True, kw_only=True)
class Options:
    """Base of every options dataclass: converts and checks its fields when it is made."""

    def __post_init__(self) -> None:
        """Convert each value to its field's type and check its bounds."""
        for name, (hint, about) in described(type(self)).items():
            value = _convert(name, hint, getattr(self, name))
            about.check(name, value)
            object.__setattr__(self, name, value)


def described(cls: type[Options]) -> dict[str, tuple[Any, Option]]:
    """The fields of `cls`: name to (type, `Option`)."""
    hints = get_type_hints(cls)
    return {f.name: (hints[f.name], f.metadata["option"]) for f in dataclasses.fields(cls)}


def pick(config: Options, cls: type[C]) -> dict[str, Any]:
    """The values in `config` of the fields that `cls` has."""
    return {f.name: getattr(config, f.name) for f in dataclasses.fields(cls)}


def _convert(name: str, hint: Any, value: Any) -> Any:
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in parts:
            return None
        return _convert(name, next(p for p in parts if p is not type(None)), value)
    if origin is tuple:
        items = value if isinstance(value, tuple | list) else (value,)
        return tuple(_convert(name, parts[0], item) for item in items)
    if hint is Path and isinstance(value, str | os.PathLike) and os.fspath(value):
        return Path(value)
    if hint is Pair and isinstance(value, str):
        value = Pair.read(value) or value
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return value
    raise UsageError(f"{name.rstrip('_')} takes {_noun(hint)}, not {value!r}")


def _noun(hint: Any) -> str:
    nouns = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", Path: "a path"}
    nouns[Pair] = "two paths with one '=' between them"
    return nouns.get(hint, str(hint))


def read_project(path: Path, tables: Mapping[str, type[Options]]) -> dict[str, Any]:
    """Read a TOML project file into option values.

    Args:
        path: The file; relative paths in it are relative to its folder.
        tables: The tables allowed, each with the dataclass whose fields may stand in it.

    Returns:
        Option name (with underscores) to value, over all tables.

    Raises:
        InputError: The file is missing or is not TOML.
        UsageError: An unknown table or key; the text names it.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read the project file {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a valid TOML project file: {error}") from error
    values: dict[str, Any] = {}
    for table, entries in content.items():
        if table not in tables or not isinstance(entries, dict):
            raise UsageError(f"{path}: '{table}' is not a table of a project file{_like(table, tables)}")
        known = described(tables[table])
        for key, value in entries.items():
            name = key.replace("-", "_")
            name = name if name in known else f"{name}_"  # options named like a word of Python end in _
            if name not in known:
                raise UsageError(f"{path}: [{table}] has no option '{key}'{_like(key, known)}")
            values[name] = _beside(path.parent, known[name][0], value)
    return values


def _like(word: str, words: Collection[str]) -> str:
    near = get_close_matches(word, words, 1)
    return f"; did you mean '{near[0]}'?" if near else f"; there are {', '.join(words)}"


def _beside(folder: Path, hint: Any, value: Any) -> Any:
    if hint is str and isinstance(value, date):
        return value.isoformat()  # TOML knows days, options are texts
    kinds = {hint, *get_args(hint)}
    if not kinds & {Path, Pair}:
        return value
    if isinstance(value, list):
        return tuple(_beside(folder, hint, item) for item in value)
    if Pair in kinds:
        pair = Pair.read(value) if isinstance(value, str) else None
        return Pair(folder / pair.one, folder / pair.other) if pair else value
    return folder / Path(value).expanduser() if isinstance(value, str) and value else value
