"""The command line: parse, make the config, call one function, print what it returns. Nothing else.

The flags are generated from the dataclasses of `options`; see there for what each does. Exit codes are those
of `errors`, 0 for success.
"""

from __future__ import annotations

import inspect
import logging
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar, get_args, get_origin

import cyclopts
from cyclopts import App, Group, Parameter

import faceswap
from faceswap import options
from faceswap.config import Options, Pair, described, read_project
from faceswap.errors import FaceswapError, Interrupted, UsageError

T = TypeVar("T")


class Command(NamedTuple):
    """A command: where its function is, what it takes, and the tables of a project file it reads.

    Attributes:
        module: Below `faceswap`; the function there is called like the command, with _ for a space.
        config: Its options.
        tables: Table to the options that may stand in it; empty for a command without project files.
        shows_progress: Whether the function takes a `Progress` too.
        others: Flag to another command, of which only the function's name is given, that it makes of this.
    """

    module: str
    config: type[Options]
    tables: Mapping[str, type[Options]] = {}
    shows_progress: bool = True
    others: Mapping[str, tuple[str, Command]] = {}


# The first of two words is a group; one that is a command too does that where no second word is given.
GROUPS = {
    "faces": "Look at a faceset, sort it, clean it, split it, merge it, draw it, export it.",
    "generate": "Make faces of people who do not exist: learn how, draw some.",
    "verify": "Say whether two pictures show one person, or who of a gallery a picture shows.",
}
COMMANDS = {
    "extract": Command("extraction", options.ExtractConfig, {"extract": options.ExtractConfig}),
    "train": Command(
        "training",
        options.TrainConfig,
        {"train": options.TrainConfig},
        others={"list": ("list_networks", Command("listing", options.ListConfig))},
    ),
    "convert": Command(
        "conversion",
        options.ConvertConfig,
        {"convert": options.ConvertConfig, "consent": options.ConsentOptions},
    ),
    "swap": Command(
        "swapping",
        options.SwapConfig,
        {
            "swap": options.SwapConfig,
            "extract": options.ExtractOptions,
            "train": options.TrainOptions,
            "convert": options.ConvertOptions,
            "consent": options.ConsentOptions,
        },
    ),
    "evaluate": Command("evaluation", options.EvaluateConfig, {"evaluate": options.EvaluateConfig}),
    "export": Command("exporting.delivery", options.ExportConfig),
    "faces info": Command("curation.overview", options.FacesInfoConfig),
    "faces sort": Command("curation.sorting", options.FacesSortConfig),
    "faces clean": Command("curation.cleaning", options.FacesCleanConfig),
    "faces split": Command("curation.splitting", options.FacesSplitConfig),
    "faces merge": Command("curation.merging", options.FacesMergeConfig),
    "faces draw": Command("curation.drawing", options.FacesDrawConfig),
    "faces export": Command("curation.exporting", options.FacesExportConfig),
    "generate train": Command("generation.training", options.GenerateTrainConfig),
    "generate sample": Command("generation.sampling", options.GenerateSampleConfig),
    "verify": Command("verification.comparing", options.VerifyConfig),
    "verify train": Command("verification.learning", options.VerifyTrainConfig),
    "inspect": Command("inspection", options.InspectConfig),
    "stylize": Command("stylization", options.StylizeConfig, {"stylize": options.StylizeConfig}),
    "doctor": Command("diagnosis", options.DoctorConfig, shows_progress=False),
}


def main() -> None:
    """Run the program with the arguments of the process; ends it with an exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command.

    Args:
        arguments: What stands behind the program's name.

    Returns:
        The exit code.
    """
    logging.getLogger("faceswap").handlers = [_Handler()]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        result = _app()(arguments, exit_on_error=False, print_error=False)
        if result is not None:
            print(result)
        return int(getattr(result, "exit_code", 0))
    except cyclopts.CycloptsError as error:
        return _fail(UsageError(str(error).replace("\n", " ")))
    except KeyboardInterrupt:
        return _fail(Interrupted("stopped; run the same command again to go on"))
    except FaceswapError as error:
        return _fail(error)


def _fail(error: FaceswapError) -> int:
    print(f"faceswap: {error}", file=sys.stderr)
    return error.exit_code


def _app() -> App:
    app = App(
        name="faceswap",
        help="Two clips in, a swapped clip out.",
        version=faceswap.__version__,
        help_flags=["--help", "-h"],
        result_action="return_value",
    )
    groups = {name: App(name=name, help=text) for name, text in GROUPS.items()}
    for name, command in COMMANDS.items():
        group, _, last = name.rpartition(" ")
        if group and group not in app:
            app.command(groups[group])
        if name in groups:
            groups[name].default(_command(name, command))
        else:
            (groups[group] if group else app).command(_command(name, command), name=last)
    return app


def _command(name: str, command: Command) -> Callable[..., Any]:
    """A function whose signature has a parameter for each option; its body gets only those given."""

    def run_command(*places: Path, project: Path | None = None, **flags: Any) -> Any:
        for flag, (other, instead) in command.others.items():
            if flags.pop(flag, False):
                return _call(other, instead, _only(flag, instead.config, flags))
        if project is None and command.tables and len(places) == 1 and places[0].suffix == ".toml":
            project, places = places[0], ()
        values = read_project(project, command.tables) if project else {}
        values |= _placed(name, command.config, places) | flags
        _require(name, command.config, values)
        return _call(name.replace(" ", "_"), command, values)

    parameters = _parameters(command)
    run_command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run_command.__annotations__ = {p.name: p.annotation for p in parameters}
    run_command.__doc__ = command.config.__doc__
    return run_command


def _call(name: str, command: Command, values: Mapping[str, Any]) -> Any:
    """Make the config and call the function."""
    config = command.config(**values)
    function = getattr(import_module(f"faceswap.{command.module}"), name)
    return function(config, bar) if command.shows_progress else function(config)


def _only(flag: str, config: type[Options], flags: Mapping[str, Any]) -> Mapping[str, Any]:
    """The flags, if all are of `config`."""
    for name in flags:
        if name not in described(config):
            raise UsageError(f"--{flag} does not take --{name.replace('_', '-')}")
    return flags


def _parameters(command: Command) -> list[inspect.Parameter]:
    """What the command line takes: the places first, then a flag for each option."""
    parameters = []
    places = {k: about.help for k, (_, about) in described(command.config).items() if about.positional}
    texts = [", then ".join(places.values())] if places else []
    if texts or command.tables:
        texts += ["a TOML project file"] if command.tables else []
        name = next(iter(places), "project_file")
        hint = Annotated[Path, Parameter(help=", or ".join(texts))]
        parameters.append(inspect.Parameter(name, inspect.Parameter.VAR_POSITIONAL, annotation=hint))
    for cls, names in _by_class(command.config).items():
        title = "Options" if cls is command.config else (cls.__doc__ or "").splitlines()[0].rstrip(".")
        group = Group(title, sort_key=len(parameters))
        parameters += [_flag(command.config, name, group) for name in names]
    for flag, (_, instead) in command.others.items():
        parameters += _switch(flag, instead.config, {p.name for p in parameters})
    if command.tables:
        text = "TOML project file with a table per stage; flags given here override it"
        parameters.append(
            inspect.Parameter(
                "project",
                inspect.Parameter.KEYWORD_ONLY,
                default=None,
                annotation=Annotated[Path | None, Parameter(help=text, group="Options")],
            )
        )
    return parameters


def _switch(flag: str, config: type[Options], known: set[str]) -> list[inspect.Parameter]:
    """The flag that makes another command of one, and the flags which only that has."""
    kind, text = inspect.Parameter.KEYWORD_ONLY, inspect.cleandoc(config.__doc__ or "")
    note = Parameter(help=text, group="Options", negative="", show_default=False)
    switch = inspect.Parameter(flag, kind, default=False, annotation=Annotated[bool, note])
    return [switch, *(_flag(config, name, "Options") for name in described(config) if name not in known)]


def _by_class(config: type[Options]) -> dict[type[Options], list[str]]:
    """The options by flag, grouped by the dataclass that states them; the command's own come first."""
    fields = {name for name, (_, about) in described(config).items() if not about.positional}
    groups = {}
    for cls in inspect.getmro(config):
        own = [name for name in inspect.get_annotations(cls) if name in fields]
        if own:
            groups[cls] = own
    return groups


def _flag(config: type[Options], name: str, group: Group | str) -> inspect.Parameter:
    hint, about = described(config)[name]
    default = _default(config, name)
    required = default is inspect.Parameter.empty
    parts = [about.help]
    if about.choices is not None:
        parts.append(f"({', '.join(about.choices)})")
    if required:
        parts.append("[required]")
    elif default not in (None, False, True, ()):
        parts.append(f"[default: {default}]")
    several = get_origin(hint) is tuple  # --name one two three
    note = Parameter(
        help=" ".join(parts),
        alias=about.short,
        group=group,
        negative=f"--no-{name.replace('_', '-')}" if default is True else "",
        show_default=False,
        required=False,
        consume_multiple=several,
    )
    kind = inspect.Parameter.KEYWORD_ONLY
    shown = None if required else default
    hint = tuple[str, ...] if Pair in get_args(hint) else hint  # the config reads them
    return inspect.Parameter(name, kind, default=shown, annotation=Annotated[hint | None, note])


def _default(config: type[Options], name: str) -> Any:
    default = config.__dataclass_fields__[name].default
    return inspect.Parameter.empty if default is MISSING else default


def _placed(name: str, config: type[Options], places: tuple[Path, ...]) -> dict[str, Any]:
    """The positional options with what was given for them, in their order."""
    wanted = {key: hint for key, (hint, about) in described(config).items() if about.positional}
    for key, hint in wanted.items():
        if places and get_origin(hint) is tuple:
            return {key: places}
    if len(places) <= len(wanted):
        return dict(zip(wanted, places, strict=False))
    raise UsageError(f"{name} does not take '{places[-1]}'; see 'faceswap {name} --help'")


def _require(name: str, config: type[Options], values: Mapping[str, Any]) -> None:
    for key, (_, about) in described(config).items():
        if key not in values and _default(config, key) is inspect.Parameter.empty:
            word = key.upper() if about.positional else f"--{key.replace('_', '-')}"
            raise UsageError(f"{name} needs {word} ({about.help}); see 'faceswap {name} --help'")


def bar(
    iterable: Iterable[T],
    *,
    total: float | None = None,
    desc: str = "",
    unit: str = "it",
    note: Callable[[], str] | None = None,
) -> Iterator[T]:
    """A `Progress` that draws a bar on stderr."""
    from tqdm import tqdm

    with tqdm(iterable, total=total, desc=desc, unit=unit, dynamic_ncols=True, mininterval=0.25) as shown:
        for count, item in enumerate(shown):
            if note is not None and count % 10 == 0:
                shown.set_postfix_str(note(), refresh=False)
            yield item


class _Handler(logging.Handler):
    """Writes log lines above the bar instead of through it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        from tqdm import tqdm

        tqdm.write(f"{record.levelname.lower()}: {self.format(record)}", file=sys.stderr)
