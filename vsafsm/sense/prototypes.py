"""The vector-symbolic classifier: a random projection into the space of a codebook, a prototype per
class, and a cleanup by an attractor network. It is trained without gradients, with NumPy alone.

Neurons fire where a random projection of the frame is above their threshold, so that each is
active in k of N training frames. A prototype is the sum of its class's projections, refined as a
perceptron does: where a frame's own class is not ahead by a margin, its projection is added there
and taken away from the class that is too near. The scores then superpose the codes of the classes,
and the attractor network that holds these codes falls into one of them, or into none.

It is a `vsafsm.sense.model.Model` of two layers, and is saved, run on arrays and given to machines
like a trained one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsafsm.codebook import Layout, sparse
from vsafsm.errors import SenseError
from vsafsm.options import MOST_NEURONS
from vsafsm.sense.data import Frames
from vsafsm.sense.margins import examples_of, split, with_margin
from vsafsm.sense.model import Cleanup, Floats, Layer, Model, Quantiser, Rounding
from vsafsm.weights import Grid, autoassociative

Progress = Callable[[str, float], None]
INHIBITION = 0.5
"""Of the attractor network, in units: a code drives its own neurons by 1, and others by 0."""
CODE_BITS = 8


@dataclass(frozen=True)
class PrototypeRecipe:
    """How a classifier of prototypes is built.

    Attributes
    ----------
    neurons, active
        N, and k: of the codes of the classes, and on average of projections.
    input_bits, weight_bits
        Of frames, and of prototypes.
    passes
        Over the frames, at most.
    margin
        Lead that a frame's class is refined for, as a share of the mean score of its own class.
    validation, most_wrong
        As in `vsafsm.sense.train.Recipe`.

    Raises
    ------
    SenseError
        If a number is out of range.
    """

    neurons: int = 1024
    active: int = 128
    input_bits: int = 4
    weight_bits: int = 4
    passes: int = 60
    margin: float = 0.5
    validation: float = 0.15
    most_wrong: float = 0.01

    def __post_init__(self) -> None:
        check_neurons(self.neurons, self.active)
        if self.passes < 1 or self.margin < 0:
            raise SenseError("passes is to be 1 or more, and margin 0 or more")


def check_neurons(neurons: int, active: int) -> None:
    """Raise `SenseError` where an attractor network has no such size; it has N x N weights."""
    if neurons > MOST_NEURONS:
        raise SenseError(f"{neurons} neurons; expected at most {MOST_NEURONS}")
    if not 4 <= active <= neurons // 2:
        raise SenseError(f"{active} active of {neurons} neurons; expected 4 to half of them")


def build_prototypes(
    frames: Frames,
    recipe: PrototypeRecipe,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> Model:
    """Build a classifier of labelled frames.

    Raises
    ------
    SenseError
        If the frames do not fit the recipe.
    CodebookError
        If there are no codes of this size for the classes.
    """
    kept, held = split(frames, recipe.validation, rng)
    quantiser = Quantiser.of(kept, recipe.input_bits)
    inputs = quantiser.whole(kept.values)
    projection = _projection(inputs.reshape(len(inputs), -1), recipe, rng)
    numbers = {name: i for i, name in enumerate(frames.classes)}
    truth = np.array([numbers[label] for label in kept.labels])
    rows = inputs.reshape(len(inputs), -1)
    active = projection.after(rows @ projection.weights)
    prototypes = _refined(active, truth, recipe, rng, progress)
    model = Model(
        frames.classes,
        frames.shape,
        quantiser,
        (projection, _layer(prototypes, recipe.weight_bits)),
        cleanup=class_memory(len(frames.classes), recipe.neurons, recipe.active, rng),
        examples=examples_of(inputs, rng),
    )
    return with_margin(model, held, recipe.most_wrong)


def class_memory(classes: int, neurons: int, active: int, rng: np.random.Generator) -> Cleanup:
    """An attractor network whose fixed points are a code per class: sparse codes, and the one-shot
    rule.

    Raises
    ------
    SenseError
        If a code is no fixed point.
    CodebookError
        If there are no such codes.
    """
    book = sparse(Layout(np.ones(classes), classes, 1, neurons, active), rng)
    units = autoassociative(book)
    grid = Grid(
        CODE_BITS, (2 ** (CODE_BITS - 1) - 1) / float(np.abs(units).max()), INHIBITION, False
    )
    weights = np.rint(units * grid.scale).astype(np.int8)
    return Cleanup(book.codes, weights, grid.gain)


def _projection(rows: Floats, recipe: PrototypeRecipe, rng: np.random.Generator) -> Layer:
    """Weights of -1 and +1, and thresholds that so many of the training frames pass."""
    weights = rng.choice(np.array([-1, 1], np.int8), (rows.shape[1], recipe.neurons))
    share = recipe.active / recipe.neurons
    thresholds = np.quantile(rows @ weights, 1 - share, axis=0, method="higher")
    # A neuron fires from its threshold on: the sum and the bias are then 0 or more, and 1 above it.
    bias = np.asarray(1 - thresholds, np.int32)
    return Layer(weights, bias, 2, Rounding(1, 0, 1))


def _refined(
    active: Floats,
    truth: NDArray[np.intp],
    recipe: PrototypeRecipe,
    rng: np.random.Generator,
    progress: Progress | None,
) -> Floats:
    """Prototypes (N, C): of passes, those that get the most frames ahead by the margin, rounded."""
    count = int(truth.max()) + 1
    owners = np.eye(count)[truth]
    sums = active.T @ (owners - owners.mean(0))
    prototypes = np.asarray(sums / np.abs(sums).max())
    rate = 1 / len(truth) ** 0.5
    best: Floats = prototypes
    most = -1
    for number in range(recipe.passes):
        rounded = _layer(prototypes, recipe.weight_bits).weights * 1.0
        scores = active @ rounded
        own = scores[np.arange(len(truth)), truth]
        needed = recipe.margin * max(1.0, float(own.mean()))
        rivals = np.where(owners > 0, -np.inf, scores)
        ahead = int((own - rivals.max(1) >= needed).sum())
        if ahead > most:
            best, most = prototypes, ahead
        if progress is not None:
            progress(f"pass {number + 1} of {recipe.passes}", (number + 1) / recipe.passes)
        if ahead == len(truth):
            break
        prototypes = prototypes.copy()
        scale = np.abs(prototypes).max() / (2 ** (recipe.weight_bits - 1) - 1)
        for row in rng.permutation(len(truth)):
            scores_here = active[row] @ prototypes / scale
            mine = truth[row]
            lead = scores_here[mine] - scores_here
            lead[mine] = np.inf
            rival = int(lead.argmin())
            if lead[rival] < needed:
                step = rate * scale * (1 - number / recipe.passes)
                prototypes[:, mine] += step * active[row]
                prototypes[:, rival] -= step * active[row]
    return best


def _layer(prototypes: Floats, bits: int) -> Layer:
    limit = 2 ** (bits - 1) - 1
    weights = np.rint(prototypes * (limit / np.abs(prototypes).max())).astype(np.int8)
    return Layer(weights, np.zeros(weights.shape[1], np.int32), bits)
