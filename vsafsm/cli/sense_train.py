"""``vsafsm sense train``: a folder of labelled frames to a classifier."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from vsafsm.cli.arguments import add_json, add_output
from vsafsm.cli.exits import OK
from vsafsm.cli.progress import ProgressBar
from vsafsm.cli.sense_arguments import LABELLED, add_recipe, check_seed, recipe_of, shares_of
from vsafsm.cli.terminal import print_json, print_line
from vsafsm.errors import UsageError
from vsafsm.overwriting import check_output

if TYPE_CHECKING:
    from vsafsm.sense.data import Frames
    from vsafsm.sense.model import Model
    from vsafsm.sense.prototypes import PrototypeRecipe

SUFFIX = ".npz"
OF_BOTH = ("input_bits", "weight_bits", "validation", "most_wrong")
OF_TRAINING = (
    *(
        "noise",
        "hidden",
        "convolution",
        "dropout",
        "activation_bits",
        "epochs",
        "batch",
        "rate",
        "clip",
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Frames, where to write, and how to train."""
    parser.add_argument("frames", metavar="FRAMES", help=LABELLED)
    add_output(parser, "CLASSIFIER", "the file to write (.npz)")
    parser.add_argument(
        "--noise",
        metavar="SHARE,...",
        help="deviation of the weights in training, as a share of the largest of a layer: for all"
        " layers or one for each (default 0.2)",
    )
    parser.add_argument(
        "--prototypes",
        action="store_true",
        help="a random projection and a prototype per class, in place of trained layers",
    )
    parser.add_argument(
        "--neurons",
        type=int,
        metavar="N",
        help="neurons of the projection of --prototypes (default 1024)",
    )
    parser.add_argument(
        "--active",
        type=int,
        metavar="K",
        help="how many of them are active (default 128)",
    )
    add_recipe(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """-> 0; bad input is raised, and nothing is written then."""
    from vsafsm.sense.artefact import holds_model, save_model
    from vsafsm.sense.data import load_labelled

    check_seed(args)
    check_output(
        args.output,
        "a classifier",
        (SUFFIX,),
        holds_model,
        sources=(args.frames,),
        force=args.force,
    )
    frames = load_labelled(args.frames)
    model, how = _made(args, frames)
    save_model(model, args.output, how)
    described: dict[str, Any] = {
        "classes": list(model.classes),
        "shape": list(model.shape),
        "frames": len(frames.values),
        "layers": [list(layer.weights.shape) for layer in model.layers],
        "margin": model.margin,
    }
    if args.json:
        print_json({"classifier": args.output, **described})
    else:
        layers = ", ".join(f"{i} x {o}" for i, o in described["layers"])
        print_line(f"{len(frames.values)} frames of {len(model.classes)} classes; layers {layers}")
        print_line(f"unsure below a margin of {model.margin}")
        print_line(f"wrote {args.output}")
    return OK


def _made(args: argparse.Namespace, frames: Frames) -> tuple[Model, str]:
    """The classifier, and a line that says how it was made."""
    import numpy as np

    rng = np.random.default_rng(args.seed)
    if args.prototypes:
        from vsafsm.sense.prototypes import build_prototypes

        prototypes = _prototypes(args)
        with ProgressBar("refining prototypes") as progress:
            return build_prototypes(frames, prototypes, rng, progress), repr(prototypes)
    for name in ("neurons", "active"):
        if getattr(args, name) is not None:
            raise UsageError(f"--{name} is for --prototypes; expected --hidden, or --prototypes")
    from vsafsm.sense.train import train

    noise = {} if args.noise is None else {"noise": shares_of("--noise", args.noise)}
    recipe = recipe_of(args, **noise)
    with ProgressBar("training") as progress:
        return train(frames, recipe, rng, progress), repr(recipe)


def _prototypes(args: argparse.Namespace) -> PrototypeRecipe:
    from vsafsm.sense.prototypes import PrototypeRecipe

    for name in OF_TRAINING:
        if getattr(args, name) is not None:
            flag = name.replace("_", "-")
            raise UsageError(f"--{flag} is for trained layers; expected it without --prototypes")
    values: dict[str, Any] = {
        name: getattr(args, name)
        for name in ("neurons", "active", *OF_BOTH)
        if getattr(args, name) is not None
    }
    return PrototypeRecipe(**values)
