"""A second opinion on a program file, without vsafsm: NumPy and the standard library only.

    python vsafsm_checker.py PROGRAM.npz

It believes only the machine and the network. From the start code and every fixed point reached, it
applies every input (of guards: the representatives) in exact integers, with masks that change at
once, or after a step with both on or neither. Each activity must stand for what the machine says.
Neuron i fires next if its mask is open and sum_j W[i, j] z[j] > gain sum_j z[j]. An activity stands
for the code whose hit rate less its false-alarm rate is above 1/2, the others 1/4 below it.

Exit codes: 0 it holds as the file claims; 1 it does not; 2 the file is damaged, or no program.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from fractions import Fraction
from functools import lru_cache

import numpy as np

MOST_STEPS = 32
KINDS = dict.fromkeys(("codes", "content_hash", "cubes", "masks", "metadata"), ("|u1",))
KINDS |= dict.fromkeys(("guards", "homes", "labels", "opens", "table", "targets"), ("<i4",))
KINDS |= {"starts": ("<i8",), "blocks": ("|i1", "<i2"), "values": ("|i1", "<i2")}


def expect(condition, text):
    if not condition:
        raise ValueError(text)


class Network:
    """M modules of n neurons. An activity is a sorted array of neurons."""

    def __init__(self, path):
        with zipfile.ZipFile(path) as archive, np.load(path, allow_pickle=False) as loaded:
            expect(sum(info.file_size for info in archive.infolist()) < 2**36, "it is too large")
            arrays = {name: loaded[name] for name in loaded.files}
        self.told = json.loads(arrays["metadata"].tobytes())
        kind = [self.told["format"], self.told["version"]]
        expect(kind == ["vsafsm program", 2], f"{kind}; expected a vsafsm program, version 2")
        kinds = {name: array.dtype.str in KINDS[name] for name, array in arrays.items()}
        self.guarded = "guards" in kinds
        expect(len(kinds) == 12 + 2 * self.guarded and all(kinds.values()), "wrong arrays")
        digest = hashlib.sha256()
        for name in sorted(arrays.keys() - {"content_hash"}):
            digest.update(f"{name}:{arrays[name].dtype.str}:{arrays[name].shape};".encode())
            digest.update(np.ascontiguousarray(arrays[name]).reshape(-1).view(np.uint8).data)
        expect(digest.digest() == arrays["content_hash"].tobytes(), "the hash does not match")
        self.machine, net = self.told["machine"], self.told["network"]
        self.gain, self.scale, self.start = net["gain"], net["scale"], net["start"]
        self.hold, self.gap = net["contract"]["hold_steps"], net["contract"]["gap_steps"]
        states, inputs, outputs = (self.machine[x] for x in ("states", "inputs", "outputs"))
        blocks, homes, table, labels = (arrays[x] for x in ("blocks", "homes", "table", "labels"))
        self.starts, self.targets, self.values = map(arrays.get, ("starts", "targets", "values"))
        self.modules, self.n = blocks.shape[:2]
        size, count = self.modules * self.n, len(labels)
        packed = (arrays[x] for x in ("masks", "codes"))
        masks, self.codes = (np.unpackbits(x, axis=1, count=self.n) > 0 for x in packed)
        self.masks = np.vstack([masks, np.ones(self.n, bool)])  # the last stands for no mask
        self.opens = np.vstack([arrays["opens"], [[len(masks)] * self.modules]])
        shapes = [*map(np.shape, (blocks[0], self.starts, self.targets, table, homes, self.opens))]
        right = [(self.n,) * 2, (size + 1,), self.values.shape, (len(states), len(inputs), 2)]
        right += [(count,), (len(inputs) + 2, self.modules)]
        fits = [len(self.codes), *self.starts[[0, -1]].tolist()] == [count, 0, len(self.targets)]
        expect(shapes == right and fits, "shapes that do not fit")
        below = [(self.targets, size), (homes, self.modules), (labels[:, 0], len(states))]
        below += [(table, [len(states), len(outputs)]), (self.opens[:-1], len(masks))]
        below += [(np.diff(self.starts), 2**62)]
        sizes = ((np.abs(w.astype("i4")), 2 ** (net["bits"] - 1)) for w in (*blocks, self.values))
        inside = [((x >= 0) & (x < most)).all() for pairs in (below, sizes) for x, most in pairs]
        sound = type(self.gain) is int and self.gain >= 0 and 0 < self.scale < float("inf")
        expect(sound and all(inside), "an index, a weight or a scale out of range")
        expect(len({*states}) + len({*inputs}) == sum(table.shape[:2]), "a name twice")
        expect(self.start >= 0 and states[self.start] == self.machine["initial"], "a wrong start")
        for a, symbol in enumerate(inputs if self.guarded else ()):  # one guard of each state
            care, value = np.unpackbits(arrays["cubes"], axis=2)[..., -len(symbol) :].swapaxes(0, 1)
            holds = ~((value != [*map(int, symbol)]) & (care > 0)).any(1)
            row = np.searchsorted(arrays["guards"][:, 3], np.flatnonzero(holds), "right")
            wanted = np.c_[range(len(states)), table[:, a]]
            expect(np.array_equal(arrays["guards"][row, :3], wanted), "guards unlike the table")
        self.table = [[(y, outputs[o]) for y, o in row] for row in table.tolist()]
        self.labels = [(x, outputs[o] if o >= 0 else None) for x, o in labels.tolist()]
        self.rows = np.ascontiguousarray(blocks.transpose(0, 2, 1)).reshape(size, self.n)
        self.homes, order = homes.astype(int), np.argsort(homes, kind="stable")
        self.members = np.split(order, np.searchsorted(homes[order], range(1, self.modules)))
        self.drive, self.least = lru_cache(2000)(self.drive), float("inf")
        self.open = self.masks.sum(1)[self.opens].sum(1).tolist()
        self.both = self.masks.astype("f4") @ self.masks.T.astype("f4") > 0

    def drive(self, key):
        """Modules that an activity reaches, and the drive of their neurons in exact integers."""
        n, z = self.n, np.frombuffer(key, int)
        spans = [slice(self.starts[j], self.starts[j + 1]) for j in z.tolist()]
        sent = np.concatenate([z[:0], *(self.targets[span] for span in spans)])
        values = np.concatenate([z[:0], *(self.values[span] for span in spans)])
        modules = np.unique(np.concatenate([z, sent]) // n)
        at = np.searchsorted(modules, sent // n) * n + sent % n
        total = np.bincount(at, values, len(modules) * n).astype(int).reshape(-1, n)
        for m, drive in zip(modules.tolist(), total, strict=True):
            drive += self.rows[z[z // n == m]].sum(0, dtype=int) - self.gain * len(z)
        return modules, total

    def step(self, z, masks):
        """Neurons that fire next. Modules that nothing reaches have the inhibition alone."""
        (modules, drive), (one, other) = self.drive(z.tobytes()), self.opens[[*masks]]
        opened = self.masks[one[modules]] & self.masks[other[modules]]
        unreached = np.delete(self.both[one, other], modules).any()
        near = np.abs(drive[opened]).min(initial=self.gain * len(z) if unreached else 2**62)
        self.least = min(self.least, int(near) / max(len(z), 1))  # for the margin
        at, local = np.nonzero((drive > 0) & opened)
        return modules[at] * self.n + local

    def settle(self, z, mask):
        """Where an activity comes to rest, and after how many steps."""
        for steps in range(MOST_STEPS + 1):
            z, before = self.step(z, (mask, mask)), z
            if np.array_equal(z, before):
                return z, steps
        raise AssertionError(f"an activity that still changes after {MOST_STEPS} steps")

    def hand_over(self, z, mask, to):
        """All ends of an activity when masks change in three ways, and the most steps to settle."""
        ends = [self.settle(y, to) for y in (z, self.step(z, (mask, 0)), self.step(z, (-1, -1)))]
        return list({end.tobytes(): end for end, _ in ends}.values()), max(s for _, s in ends)

    def label_of(self, z, mask):
        """State, and outputs or None at rest. Hit rates up to 1/4 are 1/4 below any above 1/2."""
        opens, rates = self.opens[mask], {-1: Fraction(0), -2: Fraction(0)}
        z = z[self.masks[opens[z // self.n], z % self.n]]
        for m in set((z // self.n).tolist()):
            local, codes = z[z // self.n == m] % self.n, self.members[m]
            wanted, hits = self.codes[codes] & self.masks[opens[m]], self.codes[codes][:, local]
            counts = zip(codes, hits.sum(1).tolist(), wanted.sum(1).tolist(), strict=True)
            for code, hit, want in (each for each in counts if 4 * each[1] > each[2]):
                others = max(self.open[mask] - want, 1)
                rates[code] = Fraction(hit, want) - Fraction(len(z) - hit, others)
        second, first = sorted(rates, key=rates.__getitem__)[-2:]
        clear = rates[first] > Fraction(1, 2) and rates[first] - rates[second] > Fraction(1, 4)
        return self.labels[first] if clear else (-1, None)


def walk(net):
    """Fixed points, and the longest settling under an input and at rest; or AssertionError."""
    names, inputs, points, wave = net.machine["states"], net.machine["inputs"], set(), []

    def arrive(z, state, word):
        """Check a fixed point at rest; those that are new are walked on from."""
        if net.label_of(z, 0) != (state, None):
            raise AssertionError(f'{" ".join(word) or "(the start)"}: not "{names[state]}" at rest')
        if z.tobytes() not in points:
            points.add(z.tobytes())
            wave.append((z, state, word))
        if len(points) > 64 + 16 * len(names):
            raise AssertionError("fixed points without end")

    end, gap = net.settle(np.flatnonzero(net.codes[net.start]) + net.homes[net.start] * net.n, 0)
    hold, gap, _ = 1, max(gap, 1), arrive(end, net.start, ())
    for z, state, word in wave:  # which grows
        for a, (to, outputs) in enumerate(net.table[state]):
            longer = (*word, inputs[a])
            held_ends, steps = net.hand_over(z, a + 1, a + 1)
            hold = max(hold, steps)
            for held in held_ends:
                where, put = net.label_of(held, a + 1)
                if (where, put or []) != (to, outputs):
                    raise AssertionError(f'{" ".join(longer)}: not "{names[to]}" while held')
                ends, steps = net.hand_over(held, a + 1, 0)
                gap = max(gap, steps)
                for end in ends:
                    arrive(end, to, longer)
    if hold > net.hold or gap > net.gap:
        raise AssertionError(f"settling takes {hold} and {gap} steps, more than the contract")
    return len(points), hold, gap


def main(path):
    try:
        net = Network(path)
        count, hold, gap = walk(net)
        claim, margin = net.told["claim"], net.least / net.scale
        same = [claim[key] for key in ("verdict", "fixed_points", "radius", "margin")]
    except AssertionError as error:
        return print(f"does not hold: {error}") or 1
    except Exception as error:
        told = f"{path}: no sound program file: {type(error).__name__}: {error}"
        return print(told, file=sys.stderr) or 2
    name, same = net.machine["name"], same == ["holds", count, net.least, margin]
    only = " over representatives (the guards' other vectors are not walked)" * net.guarded
    print(f"holds for every word of {name}{only}: {count} fixed points, margin {margin:.6g} units,")
    print(f"hold {hold}, gap {gap} steps;", "as the file claims" if same else f"claimed: {claim}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else __doc__)
