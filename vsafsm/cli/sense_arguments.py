"""Flags that the subcommands of ``vsafsm sense`` share, and what they ask for."""

from __future__ import annotations

import argparse
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from vsafsm.backend_options import read_options
from vsafsm.discovery import find
from vsafsm.errors import UsageError
from vsafsm.options import parse_assignments

if TYPE_CHECKING:
    from vsafsm.sense.arrays import ArrayBackend
    from vsafsm.sense.train import Recipe

ARRAYS = "memristor"
"""The backend whose arrays are drawn, unless another is named."""
LABELLED = "labelled frames: a folder with a sub-folder per label, or a .npz"
NUMBERS = {
    "weight_bits": "width of a weight, 2 to 8 (default 4)",
    "activation_bits": "width of an activation, 1 to 8 (default 4)",
    "input_bits": "width of an input, 1 to 8 (default 4)",
    "epochs": "passes over the frames (default 60)",
    "batch": "frames per step (default 64)",
}
SHARES = {
    "clip": "full scale of a layer, in root mean squares of its weights (default 2)",
    "rate": "learning rate of the first epoch (default 0.01)",
    "validation": "share of the frames that the margin is chosen on (default 0.15)",
    "most_wrong": "share of these that may be wrong where the classifier is sure (default 0.01)",
}


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """Add how a classifier is built and trained."""
    parser.add_argument(
        "--hidden", metavar="N,...", help="neurons of each hidden layer (default 256; - for none)"
    )
    parser.add_argument(
        "--convolution",
        metavar="N:SIZE[:STRIDE]",
        action="append",
        help="channels, window and stride of a convolution before them; may be repeated",
    )
    parser.add_argument(
        "--dropout",
        metavar="ZERO:HALF,...",
        help="shares of inputs times 0 and times 1/2 in training, for all layers or one for each",
    )
    for kind, texts in ((int, NUMBERS), (float, SHARES)):
        for name, text in texts.items():
            flag = f"--{name.replace('_', '-')}"
            parser.add_argument(flag, type=kind, metavar=name.upper(), help=text)
    parser.add_argument(
        "--seed", type=int, default=0, metavar="SEED", help="seed of every random draw (default 0)"
    )


def add_arrays(parser: argparse.ArgumentParser, flag: str = "--backend") -> None:
    """Add whose arrays are drawn, by a flag."""
    text = f"whose arrays (default {ARRAYS})"
    parser.add_argument(flag, dest="backend", metavar="BACKEND", help=text)
    parser.add_argument("--device", metavar="DEVICE", help="a preset, or a .csv of measurements")
    parser.add_argument(
        "-O",
        dest="assign",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an option of the backend; may be repeated",
    )


def arrays_of(args: argparse.Namespace) -> tuple[ArrayBackend, dict[str, Any]]:
    """The backend, and its options.

    Raises
    ------
    BackendError, OptionError, SenseError
        If it cannot be used, has no arrays, or an option is wrong.
    """
    from vsafsm.sense.arrays import array_backend

    backend = find(ARRAYS if args.backend is None else args.backend)
    texts = dict(parse_assignments(args.assign))
    if args.device is not None:
        texts["device"] = args.device
    return array_backend(backend), read_options(backend, texts)


def recipe_of(args: argparse.Namespace, **more: Any) -> Recipe:
    """How to train. Raises `UsageError` and `SenseError`."""
    from vsafsm.sense.train import Convolution, Recipe

    chosen: dict[str, Any] = {
        field.name: getattr(args, field.name)
        for field in fields(Recipe)
        if field.name in (*NUMBERS, *SHARES) and getattr(args, field.name) is not None
    }
    if args.hidden is not None:
        chosen["hidden"] = () if args.hidden == "-" else _all("--hidden", args.hidden, int)
    if args.dropout is not None:
        chosen["dropout"] = tuple(
            _parts("--dropout", each, float, (2,)) for each in args.dropout.split(",")
        )
    if args.convolution:
        chosen["convolutions"] = tuple(
            Convolution(*_parts("--convolution", each, int, (2, 3))) for each in args.convolution
        )
    return Recipe(**chosen, **more)


def shares_of(flag: str, text: str) -> tuple[float, ...]:
    """Numbers between commas. Raises `UsageError`."""
    return _all(flag, text, float)


def check_seed(args: argparse.Namespace) -> None:
    """Raise `UsageError` for a seed below 0."""
    if args.seed < 0:
        raise UsageError(f"seed is {args.seed}; expected 0 or more")


def _all(flag: str, text: str, kind: type) -> tuple[Any, ...]:
    try:
        return tuple(kind(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f'{flag} is "{text}"; expected numbers between commas') from None


def _parts(flag: str, text: str, kind: type, counts: tuple[int, ...]) -> tuple[Any, ...]:
    try:
        found = tuple(kind(part) for part in text.split(":"))
    except ValueError:
        found = ()
    if len(found) not in counts:
        raise UsageError(
            f'{flag} is "{text}"; expected {" or ".join(map(str, counts))} numbers between colons'
        )
    return found
