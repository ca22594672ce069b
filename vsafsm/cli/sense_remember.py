"""``vsafsm sense remember``: frames to what recovers damaged ones."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from vsafsm.cli.arguments import add_json
from vsafsm.cli.exits import OK
from vsafsm.cli.progress import ProgressBar
from vsafsm.cli.sense_arguments import check_seed
from vsafsm.cli.terminal import print_json, print_line
from vsafsm.errors import UsageError
from vsafsm.overwriting import check_output

if TYPE_CHECKING:
    from vsafsm.sense.recovery.attractors import ImageMemory
    from vsafsm.sense.recovery.boltzmann import Boltzmann

SUFFIX = ".npz"
LEARNED = {
    "bits": (int, "units that explain the pixels (default 240)"),
    "noise": (float, "noise on the weights in training, as a share of full scale (default 0.2)"),
    "clip": (float, "full scale, in root mean squares of the weights (default 3)"),
    "steps": (int, "Gibbs steps of contrastive divergence (default 3)"),
    "passes": (int, "passes over the frames (default 10)"),
    "batch": (int, "frames per update (default 100)"),
    "rate": (float, "learning rate of the first pass (default 0.05)"),
}
STORED = {
    "neurons": "neurons of the attractor network (default 512)",
    "active": "active neurons of it (default 64)",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Frames, the file to write, and how."""
    parser.add_argument(
        "frames", metavar="FRAMES", help="a folder of .npy or .png files, or a .npz"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", required=True, help="the file to write (.npz)"
    )
    parser.add_argument("--force", action="store_true", help="replace a file of another kind")
    parser.add_argument(
        "--attractors",
        action="store_true",
        help="store each frame in an attractor network, in place of learning what frames look like",
    )
    parser.add_argument(
        "--weight-bits", type=int, default=4, metavar="BITS", help="width of a weight (default 4)"
    )
    for name, (kind, text) in LEARNED.items():
        parser.add_argument(f"--{name}", type=kind, metavar=name.upper(), help=text)
    for name, text in STORED.items():
        parser.add_argument(f"--{name}", type=int, metavar="COUNT", help=text)
    parser.add_argument(
        "--seed", type=int, default=0, metavar="SEED", help="seed of every random draw (default 0)"
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """-> 0; bad input is raised, and nothing is written then."""
    from vsafsm.sense.recovery.artefact import holds_restorer, save_restorer

    check_seed(args)
    check_output(
        args.output,
        "a memory of images",
        (SUFFIX,),
        holds_restorer,
        sources=(args.frames,),
        force=args.force,
    )
    made = _made(args)
    save_restorer(made, args.output)
    weights = [list(each.weights.shape) for each in made.matrices()]
    if args.json:
        print_json({"memory": args.output, "shape": list(made.binary.shape), "weights": weights})
    else:
        print_line(f"weights {', '.join(f'{i} x {o}' for i, o in weights)}")
        print_line(f"wrote {args.output}")
    return OK


def _made(args: argparse.Namespace) -> Boltzmann | ImageMemory:
    import numpy as np

    from vsafsm.sense.data import load_frames

    wrong, kind = (LEARNED, "without") if args.attractors else (STORED, "with")
    for name in wrong:
        if getattr(args, name) is not None:
            raise UsageError(f"--{name} is given; expected it {kind} --attractors only")
    rng, chosen = np.random.default_rng(args.seed), _chosen(args, LEARNED)
    frames = load_frames(args.frames)
    if args.attractors:
        from vsafsm.sense.recovery.attractors import store

        return store(frames, rng, bits=args.weight_bits, **_chosen(args, STORED))
    from vsafsm.sense.recovery.training import BoltzmannRecipe, remember

    recipe = BoltzmannRecipe(weight_bits=args.weight_bits, **chosen)
    with ProgressBar("training") as progress:
        return remember(frames, recipe, rng, progress)


def _chosen(args: argparse.Namespace, names: Any) -> dict[str, Any]:
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}
