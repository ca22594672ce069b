"""``vsafsm rig program`` and ``run`` with ``--calibration``, against simulated rigs that hold a
real program.
"""

from __future__ import annotations

import json

import pytest

SIZE = ("--tiles", "6", "--rows", "128", "--columns", "128", "--watchdog-ms", "5000")
BAD = ("--stuck", "0.25", "--tolerance-us", "5")
WORD = ("coin", "push", "push", "coin", "coin", "push")
LOOP = ("--calibration", "loop")


@pytest.fixture(scope="module")
def path(tmp_path_factory, program):
    found = tmp_path_factory.mktemp("program") / "turnstile.npz"
    program.save(found)
    return str(found)


@pytest.fixture
def rig(simulator):
    """Starts a simulated rig that has room for the program."""
    return lambda *options: simulator(*SIZE, *options)


def planned(run, path, process, *flags):
    code, out, err = run("rig", "program", path, process.address, *flags, "--json")
    assert code == 0, err
    return json.loads(out)["plan"]


# ---- the dry run


def test_the_dry_run_says_how_many_cells_may_be_rewritten(run, rig, path):
    process = rig()
    plain = planned(run, path, process)
    code, out, _ = run("rig", "program", path, process.address, *LOOP)
    said = dict(line.split("  ", 1) for line in out.splitlines() if "  " in line)
    assert code == 0
    assert said["cells that may be rewritten"].strip() == "at most 1024"
    loop = planned(run, path, process, *LOOP)
    assert loop["corrections"] == 1024 == int(0.02 * loop["cells"])
    assert loop["token"] in out
    assert loop["token"].startswith(plain["token"] + "-")
    assert loop["pulses_at_most"] == 64 * (loop["cells"] + 1024)
    assert (plain["corrections"], plain["pulses_at_most"]) == (0, 64 * plain["cells"])
    assert (
        planned(run, path, process, *LOOP, "--rewrite", "0.5")["corrections"] == loop["cells"] // 2
    )
    assert "rewritten" not in run("rig", "program", path, process.address)[1]
    assert process.events("lines") == []


# ---- what is refused

REFUSED = {
    "share of nothing": (
        ("program", (), (*LOOP, "--rewrite", "0")),
        "expected a share above 0 and at most 1",
    ),
    "negative share": (
        ("program", (), (*LOOP, "--rewrite=-0.1")),
        "expected a share above 0 and at most 1",
    ),
    "more than all": (
        ("program", (), (*LOOP, "--rewrite", "1.01")),
        "expected a share above 0 and at most 1",
    ),
    "nan": (("program", (), (*LOOP, "--rewrite", "nan")), "--rewrite is nan"),
    "infinite": (("run", WORD, (*LOOP, "--rewrite", "inf")), "--rewrite is inf"),
    "no number": (("program", (), (*LOOP, "--rewrite", "few")), "invalid float value"),
    "a share without a loop": (
        ("program", (), ("--rewrite", "0.1")),
        "expected --calibration loop",
    ),
    "a share with a trim": (
        ("run", WORD, ("--calibration", "trim", "--rewrite", "0.1")),
        "rewrites no cell",
    ),
    "a loop on what is written": (
        ("run", WORD, (*LOOP, "--written", "--arm", "x")),
        "--written programs nothing",
    ),
    "a trim that is not kept": (("program", (), ("--calibration", "trim")), "invalid choice"),
    "another calibration": (("run", WORD, ("--calibration", "lop")), "invalid choice"),
    "references": (("program", (), (*LOOP, "-O", "scheme=offset")), 'expected "differential"'),
    "too few pulses": (
        ("program", (), (*LOOP, "--write-budget", "3300000")),
        "52224 cells may take 3342336 pulses",
    ),
    "not armed": (("run", WORD, LOOP), "with the same limits and --calibration loop"),
    "an unknown input": (("run", ("coim",), LOOP), 'did you mean "coin"'),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_before_any_voltage(run, rig, path, name):
    (command, word, flags), message = REFUSED[name]
    process = rig()
    code, out, err = run("rig", command, path, process.address, *word, *flags)
    assert (code, out) == (2, "")
    assert message in err
    assert process.events("lines") == []


def test_a_token_for_other_corrections_does_not_arm(run, rig, path):
    process = rig()
    plain, loop = planned(run, path, process), planned(run, path, process, *LOOP)
    for token, flags, made in (
        (plain["token"], LOOP, "made with no cells to be written again"),
        (loop["token"], (), "made with cells to be written again"),
        (loop["token"], (*LOOP, "--rewrite", "0.03"), "made with cells to be written again"),
    ):
        for command, word in (("program", ()), ("run", WORD)):
            code, out, err = run(
                "rig", command, path, process.address, *word, *flags, "--arm", token
            )
            assert (code, out) == (2, "")
            assert made in err
    assert process.events("lines") == []


# ---- what is done


@pytest.mark.slow
def test_program_corrects_what_it_wrote(run, rig, path, tmp_path):
    process, log = rig(*BAD), tmp_path / "rig.jsonl"
    token = planned(run, path, process, *LOOP)["token"]
    code, out, _ = run(
        "rig", "program", path, process.address, *LOOP, "--arm", token, "--log", log, "--json"
    )
    said = json.loads(out)
    found = said["correction"]
    assert found["cells_at_most"] == 1024
    assert 900 < found["writes"] <= 1024
    assert 0 < found["cells_rewritten"] <= found["writes"]
    assert found["short_before"] > found["short_after"] >= found["wrong_after"] > 0
    assert code == 1  # some are on the wrong side still
    assert process.at_zero()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    sent = [line for line in lines if line["event"] == "command" and line["command"] == "program"]
    assert [line["corrections"] for line in sent][:6] == [0] * 6
    assert sum(line["corrections"] for line in sent) == found["writes"]
    maps = {line["tile"]: line["g_siemens"] for line in sent[:6]}
    cells = set()
    for line in sent[6:]:
        touched = [
            (r, c) for r, row in enumerate(line["g_siemens"]) for c, g in enumerate(row) if g
        ]
        assert len(touched) == line["corrections"] > 0
        assert all(maps[line["tile"]][r][c] for r, c in touched)
        cells.update((line["tile"], *place) for place in touched)
    assert len(cells) == found["cells_rewritten"]
    replies = [line for line in lines if line["event"] == "reply" and line["command"] == "program"]
    pulses = [sum(map(sum, line["pulses"])) for line in replies]
    assert (sum(pulses[:6]), sum(pulses[6:])) == (said["pulses"], found["pulses"])


def test_program_shows_what_it_corrected(run, rig, path):
    process = rig("--stuck", "0.05", "--tolerance-us", "8")
    token = planned(run, path, process, *LOOP)["token"]
    code, out, _ = run("rig", "program", path, process.address, *LOOP, "--arm", token)
    assert code == 0, (
        out
    )  # a tenth of the cells are out of tolerance, and no neuron is on the wrong side
    rows = {line.split("  ")[0]: line.split("  ")[-1].strip() for line in out.splitlines()}
    assert rows["cells rewritten"].endswith(", at most 1024")
    before, after = (
        int(n.split()[0]) for n in rows["(situation, neuron) pairs short of the margin"].split(", ")
    )
    assert before > 2 * after
    assert rows["pairs on the wrong side of the threshold"] == "0 after"


@pytest.mark.slow
def test_a_word_that_was_wrong_becomes_right(run, rig, path):
    process = rig(*BAD)
    code, out, _ = run(
        "rig",
        "run",
        path,
        process.address,
        *WORD,
        "--arm",
        planned(run, path, process)["token"],
        "--json",
    )
    assert (code, json.loads(out)["correct"]) == (1, False)
    process = rig(*BAD)
    more = (*LOOP, "--rewrite", "0.1")
    token = planned(run, path, process, *more)["token"]
    code, out, _ = run("rig", "run", path, process.address, *WORD, *more, "--arm", token, "--json")
    said = json.loads(out)
    assert (code, said["correct"]) == (0, True)
    assert said["correction"]["short_before"] > 2 * said["correction"]["short_after"]
    assert process.at_zero()
    # what was corrected is there still, and runs again with the token that says how much may have
    # been
    written = (*WORD, "--written", "--rewrite", "0.1", "--arm", token, "--json")
    pulsed = len([e for e in process.events("lines") if e["kind"] == "pulse"])
    code, out, _ = run("rig", "run", path, process.address, *written)
    assert (code, json.loads(out)["correct"]) == (0, True)
    assert "correction" not in json.loads(out)
    assert pulsed == len([e for e in process.events("lines") if e["kind"] == "pulse"])


def test_a_run_shows_what_it_corrected(run, rig, path):
    process = rig()
    token = planned(run, path, process, *LOOP)["token"]
    code, out, _ = run("rig", "run", path, process.address, "coin", *LOOP, "--arm", token)
    assert code == 0
    assert "cells rewritten" in out
    assert "Each state and output is the interpreter's" in out


def test_a_trim_is_measured_and_used(run, rig, path):
    process = rig()
    token = planned(run, path, process)["token"]
    reads = []
    for flags in ((), ("--written",), ("--written", "--calibration", "trim")):
        before = len(process.events("lines"))
        code, out, err = run(
            "rig", "run", path, process.address, "coin", *flags, "--arm", token, "--json"
        )
        assert out, err
        said = json.loads(out)
        assert (code, said["correct"]) == (0, True)
        reads.append(len(process.events("lines")) - before)
    assert 0 <= said["trim"]["largest_offset_lsb"] < 1
    assert reads[2] > reads[1]
    assert process.at_zero()


def test_a_fault_in_the_middle_of_a_correction_ends_at_zero(run, rig, path, tmp_path):
    process = rig(*BAD, "--fault", "garbage@500", "--sticky")
    token = planned(run, path, process, *LOOP)["token"]
    code, out, err = run(
        "rig", "program", path, process.address, *LOOP, "--arm", token, "--timeout-s", "1"
    )
    assert (code, out) == (2, "")
    assert "expected" in err or "checksum" in err
    assert process.at_zero()
