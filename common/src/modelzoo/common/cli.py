"""Command lines: sub-commands, flag spellings, error lines and exit codes, shared by all packages; and `modelzoo`."""

from __future__ import annotations

import argparse
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from modelzoo.common.errors import UsageError, ZooError
from modelzoo.common.files import reason
from modelzoo.common.text import printable
from modelzoo.common.work import ON_ERROR, available_cores

INTERRUPTED = 130
SHELLS = ("bash", "zsh", "tcsh")

Handler = Callable[[argparse.Namespace], int]


@dataclass(frozen=True)
class Command:
    """A sub-command.

    Args:
        name: Its name.
        summary: One line for `--help`.
        add_arguments: Adds its flags to a parser.
        handler: Does the work and returns the exit code.
        abbreviations: Whether flags may be cut short, as the guide's script of this step allows.
        passthrough: Whether what the parser does not know is for another program; it is `arguments.rest` then.
    """

    name: str
    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    handler: Handler
    abbreviations: bool = False
    passthrough: bool = False

    @classmethod
    def of(cls, module: ModuleType, handler: Handler | None = None, **options: bool) -> Command:
        """The command in a module of a folder `commands/`, by the module's name.

        Args:
            module: Holds `SUMMARY`, `add_arguments` and `handle`.
            handler: What does the work in place of its `handle`.
            options: `abbreviations` or `passthrough`.
        """
        name = module.__name__.rpartition(".")[2].replace("_", "-")
        return cls(name, module.SUMMARY, module.add_arguments, handler or module.handle, **options)


class PrintCompletion(argparse.Action):
    """Prints what makes a shell complete the program's commands and flags."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: Any, values: Any, option_string: Any = None) -> None:
        """Print it and end."""
        import shtab

        print(shtab.complete(parser, shell=values))
        parser.exit()


class Parser(argparse.ArgumentParser):
    """An argument parser that takes every flag with underscores or hyphens, and values that begin with a minus."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._negative_number_matcher = re.compile(r"-\.?[0-9]")  # what follows a minus in a value such as -1..1

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Parse, after bringing the flags into the spelling that is known."""
        words = sys.argv[1:] if args is None else args
        return super().parse_known_args([self._known_spelling(word) for word in words], namespace)

    def error(self, message: str) -> NoReturn:
        """End with the error line and hint of every other failure."""
        self.exit(UsageError.exit_code, f"error: {message}\nhint: {self.prog} --help\n")

    def _known_spelling(self, word: str) -> str:
        flag, equals, value = word.partition("=")
        if not flag.startswith("--") or flag in self._option_string_actions:
            return word
        for spelling in (flag.replace("-", "_"), flag.replace("_", "-")):
            spelled = "--" + spelling[2:]
            if any(known == spelled or (self.allow_abbrev and known.startswith(spelled)) for known in self._flags()):
                return spelled + equals + value
        return word

    def _flags(self) -> list[str]:
        return list(self._option_string_actions)


def run_program(name: str, summary: str, version: str, commands: Sequence[Command]) -> int:
    """Run the command that `sys.argv` names: `<name> <command> ...`, or `<name>-<command> ...` by the script itself.

    Args:
        name: The program's name.
        summary: One line for `--help`.
        version: What `--version` prints.
        commands: Its sub-commands.

    Returns:
        The exit code.
    """
    script = Path(sys.argv[0]).stem
    words = sys.argv[1:]
    if script.startswith(f"{name}-"):
        words = [script.removeprefix(f"{name}-"), *words]
    parser = build_parser(name, summary, version, commands)
    try:
        arguments, rest = parser.parse_known_args(words)
        if rest and not arguments.passthrough:
            arguments.parser.error(f"unrecognized arguments: {' '.join(rest)}")
        arguments.rest = rest
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else UsageError.exit_code
    return guarded(arguments.handler, arguments)


def build_parser(name: str, summary: str, version: str, commands: Sequence[Command]) -> Parser:
    """The parser of a program with sub-commands."""
    from rich_argparse import RichHelpFormatter

    parser = Parser(prog=name, description=summary, formatter_class=RichHelpFormatter, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"{name} {version}")
    parser.add_argument(
        "--print-completion", action=PrintCompletion, choices=SHELLS, help="for your shell's start-up file"
    )
    parsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    for command in commands:
        sub = parsers.add_parser(
            command.name,
            help=command.summary,
            description=command.summary,
            formatter_class=RichHelpFormatter,
            allow_abbrev=command.abbreviations,
        )
        command.add_arguments(sub)
        sub.add_argument("--debug", action="store_true", help="show the traceback of an error")
        sub.set_defaults(handler=command.handler, passthrough=command.passthrough, parser=sub)
    return parser


def guarded(handler: Handler, arguments: argparse.Namespace) -> int:
    """Call a handler; print what it raises as one line and a hint.

    Returns:
        The exit code.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="PIL")  # about formats; what cannot be read is an error
            code = handler(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        return _quiet_end()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except ZooError as error:
        return _fail(str(error), error.hint, error.exit_code, arguments.debug)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _fail(where + reason(error), None, ZooError.exit_code, arguments.debug)
    except Exception as error:
        text = f"unexpected {type(error).__name__}: {error}"
        return _fail(text, "this is a fault of the program; --debug shows where", ZooError.exit_code, arguments.debug)


def _quiet_end() -> int:
    """End when nobody reads standard output any more (`| head`), without a second error when it is flushed."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ZooError.exit_code


def _fail(message: str, hint: str | None, code: int, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exc()
    print("error:", printable(" ".join(message.split())), file=sys.stderr)
    if hint:
        print("hint:", printable(" ".join(hint.split())), file=sys.stderr)
    return code


def add_preprocess_flags(parser: argparse.ArgumentParser) -> None:
    """The flags that every preprocess command and `run` share."""
    parser.add_argument(
        "--workers", type=positive, default=available_cores(), metavar="N", help="threads (default: one per core)"
    )
    parser.add_argument(
        "--on-error", choices=ON_ERROR, default="fail", help="what a bad input does (default: %(default)s)"
    )


def add_overwrite_flag(parser: argparse.ArgumentParser, what: str) -> None:
    """`--overwrite`, with what it replaces."""
    parser.add_argument("--overwrite", action="store_true", help=f"replace {what}")


def named(text: str) -> str:
    """An argparse type: a path, which is never empty (an empty one is a variable that was not set)."""
    if not text:
        raise argparse.ArgumentTypeError("must not be empty")
    return text


def path(text: str) -> Path:
    """An argparse type: a path, which is never empty."""
    return Path(named(text))


def positive(text: str) -> int:
    """An argparse type: a whole number from 1."""
    return _at_least(text, 1)


def positive_list(text: str) -> list[int]:
    """An argparse type: whole numbers from 1, separated by commas."""
    return [positive(part) for part in text.split(",")]


def natural(text: str) -> int:
    """An argparse type: a whole number from 0."""
    return _at_least(text, 0)


def _at_least(text: str, least: int) -> int:
    number = int(text) if text.lstrip("-").isdigit() else None
    if number is None or number < least:
        raise argparse.ArgumentTypeError(f"must be a whole number from {least}, got '{text}'")
    return number


def main() -> int:
    """The `modelzoo` command: what works on any model file."""
    from modelzoo.common import __version__
    from modelzoo.common.commands import benchmark, convert, doctor, infer

    commands = [
        Command.of(infer),
        Command.of(convert, passthrough=True),
        Command.of(benchmark),
        Command("doctor", doctor.SUMMARY, lambda parser: None, doctor.handle),
    ]
    return run_program("modelzoo", "Run exported models of any package.", __version__, commands)
