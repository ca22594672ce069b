"""Readers on damaged files: each gives a machine or an error of its own, with a place, in time.

    python benchmarks/fuzz_readers.py scxml 100000
    python benchmarks/fuzz_readers.py yaml 100000 specs/*.yaml

Good texts are what the reader takes of: the blocks of `docs/*.md`, the charts in
`tests/data/charts`, the specs in `specs` as the format writes them, and the files named on the
command line. From one to four times something in one of them is deleted, repeated, swapped,
replaced by a part of another text or by a sign that formats use: a line, a word or a character. A
text that takes longer than `--most` seconds of processor time is stopped and printed, as is one
that ends in an error of another kind.
"""

from __future__ import annotations

import argparse
import random
import re
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from vsafsm.errors import VsafsmError
from vsafsm.formats import Format, formats, load
from vsafsm.intervals import wilson

ROOT = Path(__file__).parents[1]
LONGEST = 3_000
"""Characters of a good text: longer ones say nothing more, and take longer."""
SHOWN = 5
"""Texts that are printed of each kind of failure."""
BLOCK = re.compile(r"^```[a-z0-9]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WORD = re.compile(r"\w+|\s+|[^\w\s]")
SIGNS = (
    *("\t", " ", "\n", "*", "&a ", "!x ", "[", "]", "{", "}", "(", ")", '"', "'", ":", ": ", "- "),
    *("? ", "|", ">", "<", "#", "%", "\\", "\x00", "\x85", "\u2028", "\ufeff", "\ud800", "é", ",,"),
    *("0", "-1", "1", "2", "1001", "100000", "99999999999", "0.000001", "1e9", "0..99999", "..."),
    *(" ms", " s", " min", "after 1 s", "after(30)", "idle(9999999)", "delay='99999999s'"),
    *("->", "-->", "[*] --> ", "[*]", "--", "||", "<<choice>>", "<<fork>>", "<<join>>", "[H*]"),
    *("state s {", "}\n", "note left of a", "end note", "@startuml\n", "@enduml", "/'", "'/"),
    *("</state>", "<state id='a'>", "<parallel id='p'>", "<transition target='a'/>", "<final/>"),
    *("<raise event='a'/>", "<send event='a' delay='1s'/>", "<send event='a' target='baz'/>"),
    *("<!DOCTYPE a [<!ENTITY b 'c'>]>", "&b;", "&#0;", " cond='x'", "<![CDATA[", "<!--"),
    *("null", "true", "[]", "{}", '"always": "a"', '"after": {"1": "a"}', '"type": "parallel"'),
    *("always: a", "regions:", "history: deep", "after: {1 h: a}", "<<: ", "---\n", "guard: x"),
    *("guard: after(1)", "action: x = x + 1", "x += 1", "x -= 1", " == ", " and ", " not ", "in("),
)


class SlowError(Exception):
    """A text has taken too long."""


def good_texts(reader: Format, paths: list[Path]) -> list[str]:
    """The texts that the reader takes and that are not too long."""
    texts = [
        block
        for page in sorted((ROOT / "docs").glob("*.md"))
        for block in BLOCK.findall(page.read_text(encoding="utf-8"))
    ]
    charts = [path for path in (ROOT / "tests/data/charts").iterdir() if path.suffix[1:]]
    for path in [*sorted(charts), *paths]:
        texts.append(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "specs").glob("*.yaml")):
        texts.append(path.read_text(encoding="utf-8"))
        with suppress(VsafsmError):
            texts.append(reader.write(load(path)))
    found: dict[str, None] = {}
    for text in texts:
        if len(text) <= LONGEST:
            try:
                reader.read(text, "good")
            except VsafsmError:
                continue
            found[text] = None
    return list(found)


def damaged(texts: list[str], rng: random.Random) -> str:
    """A good text, short ones more often, with something wrong in it."""
    (text,) = rng.choices(texts, [1 / len(each) for each in texts])
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        how = rng.choice((0, 1, 1, 1, 1, 2))
        pieces = cut(text, how)
        if not pieces:
            break
        at, other = rng.randrange(len(pieces)), rng.randrange(len(pieces))
        what = rng.randrange(6)
        if how == 1 and rng.random() < 0.6:  # a name or a number in place of another
            words = [n for n, piece in enumerate(pieces) if piece.isalnum()] or [at]
            at = rng.choice(words)
            pieces[at] = pieces[rng.choice(words)] if rng.random() < 0.7 else rng.choice(SIGNS)
            text = "".join(pieces)
            continue
        if what == 0:
            del pieces[at : at + rng.choice((1, 1, 1, 2, 5))]
        elif what == 1:
            pieces.insert(at, pieces[other])
        elif what == 2:
            pieces[at], pieces[other] = pieces[other], pieces[at]
        elif what == 3:
            pieces.insert(at, rng.choice(SIGNS))
        elif what == 4:
            pieces[at] = rng.choice(SIGNS)
        else:
            pieces[at] = rng.choice(cut(rng.choice(texts), how))
        text = "".join(pieces)
    return text


def cut(text: str, how: int) -> list[str]:
    """A text as lines, words or characters."""
    if how == 0:
        return text.splitlines(keepends=True)
    return WORD.findall(text) if how == 1 else list(text)


def outcome(reader: Format, text: str, most: float) -> str:
    """What the reader does with a text, in few words; raises nothing."""
    signal.setitimer(signal.ITIMER_VIRTUAL, most)
    try:
        reader.read(text, "fuzz")
    except VsafsmError as error:
        return "an error of its own" if error.location else f"no place: {error}"
    except SlowError:
        return "too slow"
    except Exception as error:  # whatever a reader lets through is what is looked for
        return f"another error: {type(error).__name__}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return "a machine"


def stop(*_: object) -> None:
    raise SlowError


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("reader")
    parser.add_argument("count", type=int)
    parser.add_argument("files", nargs="*", type=Path, help="more good texts")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--most", type=float, default=2.0, metavar="SECONDS")
    args = parser.parse_args()
    signal.signal(signal.SIGVTALRM, stop)
    reader, rng = formats()[args.reader], random.Random(args.seed)
    texts = good_texts(reader, args.files)
    found: Counter[str] = Counter()
    shown: Counter[str] = Counter()
    slowest, begun = 0.0, time.process_time()
    for _ in range(args.count):
        text = damaged(texts, rng)
        before = time.process_time()
        told = outcome(reader, text, args.most)
        slowest = max(slowest, time.process_time() - before)
        kind = told.partition(":")[0]
        found[kind] += 1
        if kind not in ("a machine", "an error of its own") and shown[kind] < SHOWN:
            shown[kind] += 1
            print(f"--- {told}\n{text!r}", flush=True)
    good = found["a machine"] + found["an error of its own"]
    low, high = wilson(good, args.count)
    print(
        f"{args.reader}: {good} of {args.count} from {len(texts)} good texts ({low:.6f} to"
        f" {high:.6f}), {found['a machine']} machines; slowest {slowest:.2f} s;"
        f" {time.process_time() - begun:.0f} s in all"
    )
    for kind, count in found.most_common():
        if kind not in ("a machine", "an error of its own"):
            print(f"  {kind}: {count}")


if __name__ == "__main__":
    main()
