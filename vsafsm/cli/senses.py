"""What ``vsafsm run`` sees: frames from files, and the classifier that turns them into inputs."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vsafsm.cli.arguments import Choices
from vsafsm.errors import UsageError, did_you_mean
from vsafsm.machine import Machine

if TYPE_CHECKING:
    from vsafsm.sense.data import Frames
    from vsafsm.sense.model import Model


@dataclass(frozen=True)
class Sense:
    """A classifier, and the frames that it is to see in order."""

    model: Model
    frames: Frames


def add_senses(parser: argparse.ArgumentParser) -> None:
    """Add ``--sense`` and ``--frames``."""
    parser.add_argument(
        "--sense",
        metavar="CLASSIFIER",
        help="a file of `vsafsm sense train`: each frame of --frames becomes an input, or unsure",
    )
    parser.add_argument(
        "--frames",
        metavar="FRAMES",
        help="a folder of .npy or .png files, or a .npz: what --sense sees, in order",
    )


def sense_of(args: argparse.Namespace) -> Sense:
    """The classifier and the frames.

    Raises
    ------
    UsageError
        If one of them is missing.
    FileError, SenseError
        If one cannot be read, or they do not fit each other.
    """
    from vsafsm.sense.artefact import load_model
    from vsafsm.sense.data import load_sequence

    if args.sense is None or args.frames is None:
        there, missing = ("--frames", "--sense") if args.sense is None else ("--sense", "--frames")
        raise UsageError(f"{there} is given without {missing}; expected both")
    found = Sense(load_model(args.sense), load_sequence(args.frames))
    found.model.inputs(found.frames)
    return found


def _check_inputs(model: Model, machine: Machine) -> None:
    """Raise `UsageError` where the classifier may give what is no input of the machine."""
    from vsafsm.sense.data import UNSURE

    may_be = (*model.classes, UNSURE) if model.may_be_unsure else model.classes
    for name in may_be:
        if name not in machine.inputs:
            raise UsageError(
                f'the classifier may give "{name}", which is no input of machine'
                f' "{machine.name}"; expected one of: {", ".join(machine.inputs)}'
                f"{did_you_mean(name, machine.inputs)}"
            )


def seen_by(sense: Sense, machine: Machine, chosen: Choices) -> tuple[str, ...]:
    """The input of a machine that each frame stands for. On a backend with arrays for layers the
    classifier is on drawn arrays as well, with the backend's options.

    Raises
    ------
    UsageError
        If the classifier may give what is no input of the machine.
    """
    _check_inputs(sense.model, machine)
    products: Any = None
    if callable(getattr(chosen.backend, "draw_layers", None)):
        import numpy as np

        from vsafsm.sense.arrays import array_backend, matrices_of

        seed = int(str(chosen.of_target.get("device_seed", 0)))
        rng = np.random.default_rng([seed, 1])
        arrays = array_backend(chosen.backend)
        products = arrays.draw_layers(matrices_of(sense.model), rng, **chosen.of_target)
    return sense.model.labels(sense.frames, products)
