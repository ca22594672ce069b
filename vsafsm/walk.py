"""Is a network with perturbed weights still correct? Decided for every word, not sampled, at the
contract's timing.

Weights that stay as they are make the network deterministic: what an activity becomes under an
input is always the same. So it is computed once for each activity and input, and words are paths
through what is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from vsafsm.activities import Activities, Neurons, activities_of
from vsafsm.lowering import REST
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.tours import word_to

_Place = tuple[int, str]
"""The number of an activity, and the state that the machine is in."""


@dataclass(frozen=True)
class WrongWord:
    """A shortest word that goes wrong; empty where the reset does.

    Attributes
    ----------
    word
        Its last input is the one that goes wrong.
    state, expected, found
        The state that its last input was given in, the one that it should reach, and the one that
        it reaches: None where the activity stands for none. Where the last two are equal the
        outputs are wrong, or the state while the input was held.
    """

    word: tuple[str, ...]
    state: str
    expected: str
    found: str | None

    def __str__(self) -> str:
        found = "no state" if self.found is None else f'"{self.found}"'
        if self.found == self.expected:
            found = "other outputs, or another state while the input is held"
        if not self.word:
            return f'reset: expected "{self.expected}", found {found}'
        return (
            f'{" ".join(self.word)}: in state "{self.state}", expected "{self.expected}", found'
            f" {found}"
        )


@dataclass(frozen=True)
class _Taken:
    """What an activity becomes: the code while the input is held, and the activity after the gap,
    by index; or -1.
    """

    held: int
    left: int


class Walk:
    """The activities that a network passes through, and what each becomes under each input.

    Parameters
    ----------
    machine, network
        What is correct, and what is tried.
    """

    def __init__(self, machine: Machine, network: Network) -> None:
        self.machine, self.network = machine, network
        self._index: dict[bytes, int] = {}
        self._activities: list[Neurons] = []
        self._states: list[str | None] = []
        self._taken: dict[tuple[int, int], _Taken] = {}
        index = {state: i for i, state in enumerate(network.states)}
        codes = network.code_activities([index[state] for state in machine.reachable])
        self._settled = self._known(
            self._run(codes, np.full(len(codes), REST), network.contract.gap_steps)
        )
        self._start = self._settled[machine.reachable.index(machine.initial)]

    def correct_pairs(self) -> NDArray[np.bool_]:
        """Which inputs (S, A) are taken correctly in each reachable state.

        A state is entered by the first way found to it, with the activity that this way leaves; one
        that no correct transition enters is entered from its own code. Where every word is correct,
        so is every pair.
        """
        inputs = range(len(self.machine.inputs))
        entered = self._entered()
        return np.array(
            [
                [
                    self._states[entered[state]] == state
                    and self._is_correct(entered[state], state, a)
                    for a in inputs
                ]
                for state in self.machine.reachable
            ]
        )

    def shortest_wrong(self) -> WrongWord | None:
        """A shortest word that goes wrong, or None: every word of any length is run correctly.

        A walk that comes through more than ``64 + 16 S`` activities is given up: its last word
        counts as wrong.
        """
        if (wrong := self.first_wrong(())) is not None:
            return wrong
        initial, inputs = self.machine.initial, self.machine.inputs
        most = 64 + 16 * len(self.machine.states)
        before: dict[_Place, tuple[_Place, str] | None] = {(self._start, initial): None}
        wave = list(before)
        while wave:
            self._take([(node, a) for node, _ in wave for a in range(len(inputs))])
            following = []
            for (node, state), a in product(wave, range(len(inputs))):
                left, to = self._taken[node, a].left, self.machine.transition(state, inputs[a]).to
                if not self._is_correct(node, state, a) or len(before) > most:
                    word = (*word_to((node, state), before), inputs[a])
                    return WrongWord(word, state, to, self._states[left])
                if (left, to) not in before:
                    before[left, to] = ((node, state), inputs[a])
                    following.append((left, to))
            wave = following
        return None

    def correct_words(self, words: Sequence[Sequence[int]]) -> NDArray[np.bool_]:
        """Which of some words (lists of input indices) are run correctly from the reset to their
        end: (B,).
        """
        initial = self.machine.initial
        correct = np.full(len(words), self._states[self._start] == initial)
        nodes, states = [self._start] * len(words), [initial] * len(words)
        for n in range(max(map(len, words), default=0)):
            going = [i for i, word in enumerate(words) if correct[i] and n < len(word)]
            self._take((nodes[i], words[i][n]) for i in going)
            for i in going:
                a = words[i][n]
                correct[i] = self._is_correct(nodes[i], states[i], a)
                nodes[i] = self._taken[nodes[i], a].left
                states[i] = self.machine.transition(states[i], self.machine.inputs[a]).to
        return correct

    def first_wrong(self, word: Sequence[str]) -> WrongWord | None:
        """The shortest part of a word, from the reset, that goes wrong, or None. Raises
        `UnknownInputError`.
        """
        initial = self.machine.initial
        if self._states[self._start] != initial:
            return WrongWord((), initial, initial, self._states[self._start])
        node, state = self._start, initial
        for n, symbol in enumerate(word):
            a = self.machine.input_index(symbol)
            self._take([(node, a)])
            left, to = self._taken[node, a].left, self.machine.transition(state, symbol).to
            if not self._is_correct(node, state, a):
                return WrongWord(tuple(word[: n + 1]), state, to, self._states[left])
            node, state = left, to
        return None

    # ---- steps

    def _entered(self) -> dict[str, int]:
        """The activity by which each reachable state is entered; all that is to be known of them is
        worked out.
        """
        machine, inputs = self.machine, range(len(self.machine.inputs))
        codes = dict(zip(machine.reachable, self._settled, strict=True))
        self._take(product(self._settled, inputs))  # what is left is most often these again
        entered = {machine.initial: self._start}
        wave = list(entered) if self._states[self._start] == machine.initial else []
        while wave:
            self._take((entered[state], a) for state in wave for a in inputs)
            found = {
                machine.transition(state, machine.inputs[a]).to: self._taken[entered[state], a].left
                for state, a in product(reversed(wave), reversed(inputs))
                if self._is_correct(entered[state], state, a)
            }
            wave = [state for state in reversed(found) if state not in entered]
            entered.update((state, found[state]) for state in wave)
        return {**codes, **entered}

    def _is_correct(self, node: int, state: str, a: int) -> bool:
        expected, taken = (
            self.machine.transition(state, self.machine.inputs[a]),
            self._taken[node, a],
        )
        if taken.held < 0 or self._states[taken.left] != expected.to:
            return False
        label = self.network.labels[taken.held]
        return (self.network.states[label.state], label.outputs) == (expected.to, expected.outputs)

    def _take(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Work out what activities become under inputs, where that is not known yet, all at
        once.
        """
        new = [pair for pair in dict.fromkeys(pairs) if pair not in self._taken]
        if not new:
            return
        masks = np.array([a + 1 for _, a in new])
        contract = self.network.contract
        held = self._run(
            activities_of([self._activities[node] for node, _ in new]), masks, contract.hold_steps
        )
        left = self._known(self._run(held, np.full(len(new), REST), contract.gap_steps))
        for pair, code, node in zip(
            new, self.network.codes_of(held, masks).tolist(), left, strict=True
        ):
            self._taken[pair] = _Taken(code, node)

    def _run(self, activity: Activities, masks: NDArray[np.intp], steps: int) -> Activities:
        for _ in range(steps):
            following = self.network.step(activity, masks)
            if following.keys == activity.keys:
                break
            activity = following
        return activity

    def _known(self, activities: Activities) -> list[int]:
        """Numbers of activities; those that are new are decoded and remembered."""
        names = activities.keys
        new = [
            i
            for name, i in {name: i for i, name in enumerate(names)}.items()
            if name not in self._index
        ]
        at_rest = np.full(len(new), REST)
        some = activities.take(np.array(new, np.intp))
        codes = self.network.codes_of(some, at_rest).tolist()
        for i, code in zip(new, codes, strict=True):
            self._index[names[i]] = len(self._activities)
            self._activities.append(activities[i].copy())
            self._states.append(self.network.state_of(code))
        return [self._index[name] for name in names]
