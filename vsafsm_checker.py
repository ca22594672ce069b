"""A second opinion on a program file, without vsafsm: NumPy and the standard library only.

    python vsafsm_checker.py PROGRAM.npz

It believes nothing in the file but the machine and the network. From the start code, and from every
fixed point that is reached, it applies every input in exact integers, with masks that change at
once, after a step with both on, and after a step with neither. Each activity must come to rest and
stand for what the machine says, while the input is held and after it. If all do, and no new fixed
point turns up, every word of any length is run correctly.

A step: neuron i fires next if its mask is open and sum_j W[i, j] z[j] - gain sum_j z[j] > 0. An
activity stands for the code whose hit rate minus false-alarm rate among open neurons is above 1/2,
and above every other's by more than 1/4.

Exit codes: 0 it holds as the file claims; 1 it does not; 2 the file is damaged, or no program.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from fractions import Fraction

import numpy as np

MOST_STEPS = 32
KINDS = {"codes": "|u1", "content_hash": "|u1", "masks": "|u1", "metadata": "|u1"}
UNSOUND = (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, EOFError)
UNSOUND += (MemoryError, RecursionError, OverflowError, zipfile.BadZipFile)


class RefutedError(Exception):
    """A word that goes wrong, or an activity that does not come to rest."""


def expect(condition, text):
    if not condition:
        raise ValueError(text)


def packed(z):
    return np.packbits(z).tobytes()


class Network:
    """The file's arrays and metadata; `rows[j]` is what neuron j sends."""

    def __init__(self, path):
        with zipfile.ZipFile(path) as archive:
            expect(sum(info.file_size for info in archive.infolist()) < 2**32, "it is too large")
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in (*KINDS, "weights")}
        digest = hashlib.sha256()
        for name in sorted(arrays.keys() - {"content_hash"}):
            kind = f"{name}:{arrays[name].dtype.str}:{arrays[name].shape};"
            digest.update(kind.encode() + arrays[name].tobytes())
        expect(digest.digest() == arrays["content_hash"].tobytes(), "the hash does not match")
        expect(all(arrays[name].dtype.str == KINDS[name] for name in KINDS), "wrong types")
        expect(arrays["weights"].dtype.str in ("|i1", "<i2"), "weights that are no whole numbers")
        self.told = json.loads(arrays["metadata"].tobytes())
        kind = [self.told["format"], self.told["version"]]
        expect(kind == ["vsafsm program", 1], f"{kind}; expected a vsafsm program, version 1")
        self.machine, net = self.told["machine"], self.told["network"]
        n, bits = len(arrays["weights"]), net["bits"]
        self.rows = np.ascontiguousarray(arrays["weights"].T)
        self.gain, self.scale, self.labels = net["gain"], net["scale"], net["labels"]
        self.hold, self.gap = net["contract"]["hold_steps"], net["contract"]["gap_steps"]
        self.masks = np.unpackbits(arrays["masks"], axis=1, count=n).astype(bool)
        self.codes = np.unpackbits(arrays["codes"], axis=1, count=n).astype(bool)
        expect(self.rows.shape == (n, n), "weights that are no square matrix")
        expect(int(np.abs(self.rows.astype(int)).max()) < 2 ** (bits - 1), "weights too large")
        expect(self.gain >= 0 and type(self.gain) is int, "a gain that is no whole number from 0")
        expect(0 < self.scale < float("inf"), "a scale that is not above 0")
        self._check_machine(net["start"])
        self.drives, self.least = {}, float("inf")

    def _check_machine(self, start):
        states, inputs = self.machine["states"], self.machine["inputs"]
        shapes = (len(self.masks), len(self.codes), len(self.machine["table"]))
        expect(shapes == (len(inputs) + 1, len(self.labels), len(states)), "parts that do not fit")
        expect(len({*states}) == len(states) and len({*inputs}) == len(inputs), "a name twice")
        expect(states[start] == self.machine["initial"], "a start that is not the initial state")
        for x, (state, pending, outputs) in enumerate(self.labels):
            expect(state in range(len(states)) and type(outputs) is list, f"label {x}")
            expect((state, pending) == (x, False) if x < len(states) else pending, f"label {x}")
        for row in self.machine["table"]:
            targets = all(to in range(len(states)) for to, _ in row)
            expect(len(row) == len(inputs) and targets, "a table that does not fit the machine")

    def drive(self, z):
        key = packed(z)
        if key not in self.drives:
            if len(self.drives) > 2000:
                self.drives.clear()
            self.drives[key] = self.rows[z].sum(0, dtype=np.int64) - self.gain * int(z.sum())
        return self.drives[key]

    def step(self, z, opened):
        drive = self.drive(z)
        if opened.any():  # the margin: the smallest |drive| per active neuron of an open neuron
            self.least = min(self.least, int(np.abs(drive[opened]).min()) / max(int(z.sum()), 1))
        return (drive > 0) & opened

    def settle(self, z, opened):
        """Where an activity comes to rest, and after how many steps."""
        for steps in range(MOST_STEPS + 1):
            following = self.step(z, opened)
            if (following == z).all():
                return z, steps
            z = following
        raise RefutedError(f"an activity that still changes after {MOST_STEPS} steps")

    def hand_over(self, z, mask, opened):
        """All ends of an activity when masks change in three ways, and the most steps to settle."""
        between = (self.masks[mask] & self.masks[0], np.ones(len(z), bool))
        ends = [self.settle(z, opened), *(self.settle(self.step(z, b), opened) for b in between)]
        return list({packed(end): end for end, _ in ends}.values()), max(s for _, s in ends)

    def label_of(self, z, mask):
        """The label of the code that an activity stands for, or a label of nothing."""
        opened = self.masks[mask]
        seen, codes = z & opened, self.codes & opened
        hits, wanted = (codes & seen).sum(1), codes.sum(1)
        alarms, others = seen.sum() - hits, opened.sum() - wanted
        wanted, others = np.maximum(wanted, 1), np.maximum(others, 1)
        rates = hits / wanted - alarms / others
        near = np.flatnonzero(rates > rates.max() - 0.5).tolist()  # fractions decide here
        exact = {
            c: Fraction(int(hits[c]), int(wanted[c])) - Fraction(int(alarms[c]), int(others[c]))
            for c in near
        }
        first, *rest = sorted(exact.values(), reverse=True)
        clear = first > Fraction(1, 2) and (not rest or first - rest[0] > Fraction(1, 4))
        return self.labels[max(exact, key=exact.__getitem__)] if clear else (-1, False, [])


def walk(net):
    """Fixed points, and the longest settling under an input and at rest; or RefutedError."""
    names, inputs, table = (net.machine[part] for part in ("states", "inputs", "table"))
    points, hold, gap = set(), 1, 1

    def arrive(z, state, word):
        """Check a fixed point at rest; those that are new are walked on from."""
        label = net.label_of(z, 0)
        if label[1] or label[0] != state:
            raise RefutedError(f'{" ".join(word) or "(the start)"}: not "{names[state]}" at rest')
        if packed(z) in points:
            return []
        points.add(packed(z))
        if len(points) > 64 + 16 * len(names):
            raise RefutedError("fixed points without end")
        return [(z, state, word)]

    start = names.index(net.machine["initial"])
    z, gap = net.settle(net.codes[start], net.masks[0])
    wave, gap = arrive(z, start, ()), max(gap, 1)
    while wave:
        following = []
        for z, state, word in wave:
            for a, (to, outputs) in enumerate(table[state]):
                longer = (*word, inputs[a])
                held_ends, steps = net.hand_over(z, a + 1, net.masks[a + 1])
                hold = max(hold, steps)
                for held in held_ends:
                    label = net.label_of(held, a + 1)
                    if (label[0], label[2]) != (to, outputs):
                        raise RefutedError(f'{" ".join(longer)}: not "{names[to]}" while held')
                    ends, steps = net.hand_over(held, a + 1, net.masks[0])
                    gap = max(gap, steps)
                    for end in ends:
                        following += arrive(end, to, longer)
        wave = following
    if hold > net.hold or gap > net.gap:
        raise RefutedError(f"settling takes {hold} and {gap} steps, more than the file's contract")
    return len(points), hold, gap


def main(path):
    try:
        net = Network(path)
        count, hold, gap = walk(net)
        claim, margin = net.told["claim"], net.least / net.scale
        same = [claim[key] for key in ("verdict", "fixed_points", "radius", "margin")]
    except UNSOUND as error:
        print(f"{path}: no sound program file: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    except RefutedError as error:
        print(f"does not hold: {error}")
        return 1
    name = net.machine["name"]
    print(f"holds for every word of {name}: {count} fixed points, margin {margin:.6g} units,")
    same = same == ["holds", count, net.least, margin]
    print(f"hold {hold}, gap {gap} steps;", "as the file claims" if same else f"claimed: {claim}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else __doc__)
