"""``vsafsm sense``, and frames as the inputs of ``vsafsm run``."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import vsafsm
from vsafsm.cli import main
from vsafsm.sense.artefact import load_model
from vsafsm.sense.data import UNSURE, Frames, load_labelled, load_sequence
from vsafsm.sense.radius import certified
from vsafsm.sense.search import Trial

Run = Callable[..., tuple[int, str, str]]
MACHINES = Path(__file__).parents[2] / "docs" / "examples" / "senses"
KEYPAD = str(MACHINES / "keypad_lock.yaml")
SMALL = ("--prototypes", "--neurons", "256", "--active", "32")
needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
needs_optuna = pytest.mark.skipif(
    find_spec("optuna") is None or find_spec("torch") is None, reason="optuna is not installed"
)


def picture(label: int, rng: np.random.Generator) -> np.ndarray:
    """A pattern of the label, under noise."""
    pattern = np.random.default_rng(label).random((6, 6)) > 0.5
    return np.asarray(0.5 * pattern + 0.5 * rng.random((6, 6)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``train`` with ten labels, ``test`` alike, and ``shown``: 3, 1, grey, 4, 7."""
    place, rng = tmp_path_factory.mktemp("digits"), np.random.default_rng(0)
    for part, count in (("train", 14), ("test", 5)):
        for label in range(10):
            (place / part / str(label)).mkdir(parents=True)
            for i in range(count):
                np.save(place / part / str(label) / f"{i}.npy", picture(label, rng))
    (place / "shown").mkdir()
    for i, label in enumerate((3, 1, None, 4, 7)):
        frame = np.full((6, 6), 0.5) if label is None else picture(label, rng)
        np.save(place / "shown" / f"frame_{i}.npy", frame)
    return place


@pytest.fixture(scope="module")
def classifier(folder: Path) -> str:
    path = folder / "digits.npz"
    assert main(["sense", "train", str(folder / "train"), *SMALL, "-o", str(path)]) == 0
    return str(path)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return call


def test_a_classifier_is_trained_and_tested(run: Run, folder: Path, classifier: str) -> None:
    frames = load_labelled(folder / "test")
    model = load_model(classifier)
    code, out, _ = run("sense", "test", classifier, str(folder / "test"), "--json")
    assert code == 0
    (row,) = json.loads(out)["rows"]
    expected = float((model.best(model.scores(frames)) == model.truth(frames)).mean())
    assert row["correct"] == expected >= 0.8
    assert row["low"] < expected <= row["high"]


def test_arrays_are_drawn(run: Run, folder: Path, classifier: str) -> None:
    test = str(folder / "test")
    code, out, _ = run(
        *("sense", "test", classifier, test, "--device", "neurram", "--arrays", "6", "--json"),
    )
    exact, arrays = json.loads(out)["rows"]
    assert code == 0
    assert arrays["weights"] == "6 arrays of neurram"
    assert arrays["worst"] <= arrays["correct"] <= 1
    ideal = ("-O", "sigma=0", "-O", "read_noise=no", "-O", "adc_bits=0")
    code, out, _ = run(
        *("sense", "test", classifier, test, "--device", "lognormal", "--arrays", "2"),
        *(*ideal, "--json"),
    )
    exact, arrays = json.loads(out)["rows"]
    assert arrays["correct"] == arrays["worst"] == exact["correct"]
    text = run("sense", "test", classifier, test, "--device", "neurram", "--arrays", "6")[1]
    assert "6 arrays of neurram" in text
    code = run(
        *("sense", "test", classifier, test, "--device", "perovskite-mean", "--arrays", "3"),
        *("--least", "1"),
    )[0]
    assert code == 1


def test_the_same_seed_gives_the_same_file(run: Run, folder: Path, classifier: str) -> None:
    again = folder / "again.npz"
    assert run("sense", "train", str(folder / "train"), *SMALL, "-o", str(again))[0] == 0
    assert again.read_bytes() == Path(classifier).read_bytes()


@needs_torch
def test_trained_layers_are_certified(run: Run, folder: Path, tmp_path: Path) -> None:
    path, test = str(tmp_path / "t.npz"), str(folder / "test")
    flags = ("--hidden", "24", "--epochs", "30", "--noise", "0.1,0.2", "--batch", "16")
    assert run("sense", "train", str(folder / "train"), *flags, "-o", path)[0] == 0
    code, out, _ = run("sense", "test", path, test, "--certify", "0.002", "--json")
    row = json.loads(out)["rows"][1]
    assert code == 0
    assert row["correct"] == certified(load_model(path), load_labelled(test), 0.002) > 0


@needs_torch
def test_arrays_are_tuned(run: Run, folder: Path, tmp_path: Path) -> None:
    path, train, test = str(tmp_path / "t.npz"), str(folder / "train"), str(folder / "test")
    flags = ("--hidden", "24", "--epochs", "30", "--batch", "16")
    assert run("sense", "train", train, *flags, "-o", path)[0] == 0
    device = ("--device", "perovskite-mean", "-O", "sigma=1.0", "--arrays", "3", "--tune", train)
    code, out, _ = run("sense", "test", path, test, *device, "--json")
    exact, arrays, tuned = json.loads(out)["rows"]
    assert code == 0
    assert tuned["weights"] == "3 arrays of perovskite-mean, tuned"
    assert arrays["correct"] < tuned["correct"] <= exact["correct"]
    between = str((arrays["correct"] + tuned["correct"]) / 2)
    assert run("sense", "test", path, test, *device, "--least", between)[0] == 0
    assert "arrays of perovskite-mean, tuned" in run("sense", "test", path, test, *device)[1]


@needs_torch
def test_convolutions_are_trained(run: Run, folder: Path, tmp_path: Path) -> None:
    path = str(tmp_path / "c.npz")
    flags = ("--convolution", "4:3", "--hidden", "-", "--epochs", "2", "--dropout", "0.1:0.1")
    code, out, _ = run("sense", "train", str(folder / "train"), *flags, "-o", path)
    assert code == 0
    assert "layers 9 x 4, 64 x 10" in out


@needs_optuna
def test_a_search_is_kept_and_drawn(run: Run, folder: Path, tmp_path: Path) -> None:
    journal, drawn = tmp_path / "search.json", tmp_path / "search.svg"
    flags = (
        *("--hidden", "12", "--epochs", "3", "--trials", "2", "--journal", str(journal)),
        *("--picture", str(drawn), "--json"),
    )
    code, out, _ = run("sense", "search", str(folder / "train"), *flags)
    assert code == 0
    found = json.loads(out)
    assert found["mean"] == max(trial["mean"] for trial in found["trials"])
    assert len(journal.read_text().splitlines()) == 3
    assert drawn.read_text().count("<svg") == 1
    assert json.loads(run("sense", "search", str(folder / "train"), *flags)[1]) == found


def test_a_search_is_of_the_frames_that_it_is_scored_on_too(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = load_labelled(folder / "train")
    asked: list[object] = []

    def search(kept: Frames, *given: object) -> tuple[Trial, ...]:
        asked.append(given[4])
        values = found.values.copy()
        values[~np.isin(found.names, kept.names)] += 1  # frames that are scored on, and no others
        np.savez(tmp_path / "other.npz", frames=values, labels=found.labels)
        return (Trial((0.1, 0.1), (0.5,)),)

    monkeypatch.setattr("vsafsm.sense.search.search", search)
    for frames in (folder / "train", folder / "train", tmp_path / "other.npz"):
        assert run("sense", "search", str(frames))[0] == 0
    assert asked[0] == asked[1] != asked[2]


@needs_optuna
def test_what_a_search_over_dropout_finds_can_be_trained(
    run: Run, folder: Path, tmp_path: Path
) -> None:
    flags = ("--hidden", "8", "--epochs", "2", "--trials", "2", "--most-dropout", "0.3")
    told = run("sense", "search", str(folder / "train"), *flags)[1].splitlines()
    assert "share times 0, layer 2" in told[0]
    command = told[-1].removeprefix("best: vsafsm ").split()
    shares = command[command.index("--dropout") + 1].split(",")
    assert all(0 <= float(each) <= 0.3 for pair in shares for each in pair.split(":"))
    assert len(shares) == 2
    command[-1] = str(tmp_path / "c.npz")
    assert run(*command, "--hidden", "8", "--epochs", "2")[0] == 0
    found = json.loads(run("sense", "search", str(folder / "train"), *flags, "--json")[1])
    assert len(found["trials"][0]["dropout"]) == 2
    assert found["dropout"] in [trial["dropout"] for trial in found["trials"]]


# ---- frames as inputs


@pytest.mark.parametrize("where", [["reference"], ["memristor", "--device", "cmo-hfox"]])
def test_a_machine_sees_frames(run: Run, folder: Path, classifier: str, where: list[str]) -> None:
    shown = ("--sense", classifier, "--frames", str(folder / "shown"))
    code, out, _ = run("run", KEYPAD, *shown, "--backend", *where, "--json")
    assert code == 0
    found = json.loads(out)
    assert found["inputs"] == ["3", "1", UNSURE, "4", "7"]
    assert found["states"] == ["locked", "got_3", "got_31", "got_31", "open", "locked"]
    assert found["outputs"][2] == ["show_again", "bolt_out"]
    assert found["frames"] == [f"frame_{i}.npy" for i in range(5)]


def test_the_table_has_the_frames(run: Run, folder: Path, classifier: str) -> None:
    shown = ("--sense", classifier, "--frames", str(folder / "shown"))
    lines = run("run", KEYPAD, *shown)[1].splitlines()
    assert lines[0].split() == ["step", "frame", "input", "state", "outputs"]
    assert lines[4].split() == ["2", "frame_1.npy", "1", "got_31", "bolt_out"]


def test_a_press_is_counted_once() -> None:
    machine = vsafsm.load(MACHINES / "debounce.yaml")
    frames = "hand empty hand hand unsure hand hand hand empty hand empty empty hand hand hand"
    trace = machine.run(frames.split())
    presses = [i for i, outputs in enumerate(trace.outputs) if "press" in outputs]
    assert presses == [5, 14]


def test_both_example_machines_are_proven() -> None:
    for name in ("keypad_lock", "debounce"):
        program = vsafsm.compile(vsafsm.load(MACHINES / f"{name}.yaml"), tolerate="none")
        assert program.prove().holds


def test_what_run_sees_is_what_labels_say(folder: Path, classifier: str) -> None:
    seen = load_model(classifier).labels(load_sequence(folder / "shown"))
    assert seen == ("3", "1", UNSURE, "4", "7")


TURNSTILE = "specs/turnstile.yaml"
REFUSED = {
    "no frames": (["run", KEYPAD, "--sense", "{classifier}"], "without --frames"),
    "no classifier": (["run", KEYPAD, "--frames", "{shown}"], "without --sense"),
    "a word as well": (
        ["run", KEYPAD, "3", "--sense", "{classifier}", "--frames", "{shown}"],
        "expected one of them",
    ),
    "another alphabet": (
        ["run", TURNSTILE, "--sense", "{classifier}", "--frames", "{shown}"],
        'may give "0", which is no input of machine "turnstile"',
    ),
    "labels where frames are": (
        ["run", KEYPAD, "--sense", "{classifier}", "--frames", "{train}"],
        'the sub-folder "0"',
    ),
    "a spec as a classifier": (
        ["run", KEYPAD, "--sense", TURNSTILE, "--frames", "{shown}"],
        "is no classifier",
    ),
    "a misspelt folder": (["sense", "test", "{classifier}", "{train}x"], "no such file or folder"),
    "a misspelt device": (
        ["sense", "test", "{classifier}", "{test}", "--device", "neuram"],
        'did you mean "neurram"?',
    ),
    "a misspelt option": (
        ["sense", "test", "{classifier}", "{test}", "--arrays", "1", "-O", "adc_bit=8"],
        'did you mean "adc_bits"?',
    ),
    "a backend without arrays": (
        ["sense", "test", "{classifier}", "{test}", "--arrays", "1", "--backend", "reference"],
        "has no arrays",
    ),
    "a backend without a number of arrays": (
        ["sense", "test", "{classifier}", "{test}", "--backend", "foo"],
        "expected --arrays",
    ),
    "an unknown backend": (
        ["sense", "test", "{classifier}", "{test}", "--backend", "foo", "--arrays", "1"],
        'unknown backend "foo"',
    ),
    "options without arrays": (
        ["sense", "test", "{classifier}", "{test}", "-O", "adc_bits=8"],
        "expected --arrays",
    ),
    "frames to tune on without arrays": (
        ["sense", "test", "{classifier}", "{test}", "--tune", "{train}"],
        "expected --arrays",
    ),
    "a misspelt folder to tune on": (
        ["sense", "test", "{classifier}", "{test}", "--arrays", "1", "--tune", "{train}x"],
        "no such file or folder",
    ),
    "prototypes to tune": (
        ["sense", "test", "{classifier}", "{test}", "--arrays", "1", "--tune", "{train}"],
        "expected trained layers",
    ),
    "a share": (["sense", "test", "{classifier}", "{test}", "--certify", "2"], "0 to 1"),
    "a cleanup": (
        ["sense", "test", "{classifier}", "{test}", "--certify", "0.01"],
        "which has no radius",
    ),
    "an epoch of prototypes": (
        ["sense", "train", "{train}", "--prototypes", "--epochs", "3", "-o", "{new}"],
        "without --prototypes",
    ),
    "neurons beyond memory": (
        ["sense", "train", "{train}", "--prototypes", "--neurons", "99999999", "-o", "{new}"],
        "expected at most 16384",
    ),
    "neurons of layers": (
        ["sense", "train", "{train}", "--neurons", "30", "-o", "{new}"],
        "--neurons is for --prototypes",
    ),
    "a seed": (["sense", "train", "{train}", "--seed", "-1", "-o", "{new}"], "0 or more"),
    "hidden": (["sense", "train", "{train}", "--hidden", "a", "-o", "{new}"], "between commas"),
    "a convolution": (
        ["sense", "train", "{train}", "--convolution", "3", "-o", "{new}"],
        "between colons",
    ),
    "another suffix": (["sense", "train", "{train}", "-o", "{new}.txt"], "ends in .npz"),
    "much dropout": (["sense", "search", "{train}", "--most-dropout", "0.6"], "dropout up to"),
    "dropout twice": (
        ["sense", "search", "{train}", "--most-dropout", "0.3", "--dropout", "0.1:0.1"],
        "both given and searched",
    ),
    "few draws": (["sense", "search", "{train}", "--arrays", "19"], "at least 20"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_bad_input_is_two_and_writes_nothing(
    kind: str, run: Run, folder: Path, classifier: str, tmp_path: Path
) -> None:
    arguments, words = REFUSED[kind]
    places = {
        "classifier": classifier,
        "new": str(tmp_path / "new.npz"),
        **{name: str(folder / name) for name in ("train", "test", "shown")},
    }
    code, out, err = run(*(each.format(**places) for each in arguments))
    assert (code, out) == (2, "")
    assert words in err
    assert not list(tmp_path.iterdir())


def test_a_program_is_not_replaced(run: Run, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    vsafsm.compile(vsafsm.load(TURNSTILE), tolerate="none").save(path)
    before = path.read_bytes()
    code, _, err = run("sense", "train", str(folder / "train"), *SMALL, "-o", str(path))
    assert code == 2
    assert "is not a classifier" in err
    assert path.read_bytes() == before


def test_a_classifier_is_not_replaced_by_a_program(
    run: Run, classifier: str, tmp_path: Path
) -> None:
    path = tmp_path / "c.npz"
    path.write_bytes(Path(classifier).read_bytes())
    assert run("compile", TURNSTILE, "--smallest", "-o", str(path))[0] == 2
    assert path.read_bytes() == Path(classifier).read_bytes()


def test_training_does_not_replace_its_own_frames(run: Run, folder: Path, tmp_path: Path) -> None:
    frames, path = load_labelled(folder / "train"), tmp_path / "frames.npz"
    np.savez(path, frames=frames.values, labels=np.array(frames.labels))
    before = path.read_bytes()
    code, _, err = run("sense", "train", str(path), *SMALL, "-o", str(path), "--force")
    assert code == 2
    assert "the file to be read" in err
    assert path.read_bytes() == before


def test_layers_are_emitted(run: Run, folder: Path, classifier: str, tmp_path: Path) -> None:
    """Conductances of the tiles are those of the weights, wherever they lie."""
    maps, model = tmp_path / "maps", load_model(classifier)
    flags = ("--device", "pcm", "-O", "rows=20", "-O", "columns=14")
    code, out, _ = run("sense", "emit", classifier, "-o", str(maps), *flags)
    manifest = json.loads((maps / "manifest.json").read_text())
    assert code == 0
    for layer, about in zip(model.layers, manifest["layers"], strict=True):
        down, across = about["blocks_of_inputs"], about["blocks_of_outputs"]
        assert len(about["tiles"]) == down * across
        found = np.zeros((down * 20, across * 7))
        for number, name in enumerate(about["tiles"]):
            tile = np.loadtxt(maps / name, delimiter=",")
            assert tile.shape == (20, 14)
            assert str(maps / name) in out
            block, into = divmod(number, down)
            apart = (tile[:, ::2] - tile[:, 1::2]) / about["us_per_lsb"]
            found[20 * into : 20 * into + 20, 7 * block : 7 * block + 7] = apart
        inputs, outputs = layer.weights.shape
        assert (about["inputs"], about["outputs"]) == (inputs, outputs)
        assert found[:inputs, :outputs] == pytest.approx(layer.weights, abs=1e-3)
        assert not found[inputs:].any()
        assert not found[:, outputs:].any()
    again = json.loads((maps / "manifest.json").read_text())
    assert run("sense", "emit", classifier, "-o", str(maps), *flags)[0] == 0
    assert again == manifest


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("-O", "scheme=offset"), 'scheme is "offset"; expected "differential"'),
        (("--device", "neuram"), '"neurram"'),
        (("-O", "levels=4"), "4 levels per device reach to 3; expected a classifier"),
        (("--to", "loihi2"), "has no arrays for classifiers"),
    ],
)
def test_a_wrong_emission_leaves_no_folder(
    run: Run, classifier: str, tmp_path: Path, flags: tuple[str, ...], told: str
) -> None:
    code, _, err = run("sense", "emit", classifier, "-o", str(tmp_path / "maps"), *flags)
    assert code == 2
    assert told in err
    assert not (tmp_path / "maps").exists()


def test_tiles_of_another_map_are_kept(run: Run, classifier: str, tmp_path: Path) -> None:
    (tmp_path / "tile_000.csv").write_text("1.0\n")
    code, _, err = run("sense", "emit", classifier, "-o", str(tmp_path))
    assert code == 2
    assert "is of another map and would stay" in err
    assert [path.name for path in tmp_path.iterdir()] == ["tile_000.csv"]


def test_a_manifest_of_something_else_is_kept(run: Run, classifier: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"name": "a page"}')
    code, _, err = run("sense", "emit", classifier, "-o", str(tmp_path))
    assert code == 2
    assert "is not a manifest of vsafsm; expected another folder\n" in err
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_a_page_shows_what_a_machine_sees(
    run: Run, folder: Path, classifier: str, tmp_path: Path
) -> None:
    pytest.importorskip("jinja2")
    frames, page = str(folder / "shown"), tmp_path / "lock.html"
    flags = ("--smallest", "--noise", "additive:0", "--trials", "1", "-o", str(page))
    code, _, _ = run("report", KEYPAD, "--sense", classifier, "--frames", frames, *flags)
    assert code == 0
    text = page.read_text()
    given = json.loads(text.split('id="network">')[1].split("</script>")[0])
    seen = load_model(classifier).labels(load_sequence(frames))
    assert [given["inputs"][each["input"]] for each in given["frames"]] == list(seen)
    assert run("report", KEYPAD, "--frames", frames, *flags)[0] == 2
