"""Pictures of tables: what is drawn, the same bytes for the same table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from vsafsm.errors import PlotError
from vsafsm.noise import parse_noise
from vsafsm.sweeps.picture import LABELS, draw, kind_of, panel
from vsafsm.sweeps.rows import Row
from vsafsm.sweeps.table import Table

pytest.importorskip("matplotlib")


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_same_table_is_drawn_the_same(rows: list[Row], tmp_path: Path, suffix: str) -> None:
    table = Table(tuple(rows), {})
    one, two = tmp_path / f"1{suffix}", tmp_path / f"2{suffix}"
    draw(table, one)
    draw(table, two)
    assert one.read_bytes() == two.read_bytes()
    assert len(one.read_bytes()) > 2000


def test_there_is_a_panel_for_each_kind_and_a_line_for_each_size(
    rows: list[Row], tmp_path: Path
) -> None:
    draw(Table(tuple(rows), {}), tmp_path / "t.svg")
    text = (tmp_path / "t.svg").read_text()
    for told in ("turnstile", "N=64", "N=96", "N=64: proven bound", "additive", "lognormal"):
        assert f"<!-- {told} -->" in text


def test_sizes_are_drawn_against_the_capacity_law(rows: list[Row], tmp_path: Path) -> None:
    chosen = tuple(replace(row, amount=1.0) for row in rows if row.noise == "additive:1")
    draw(Table(chosen, {}), tmp_path / "t.svg")
    text = (tmp_path / "t.svg").read_text()
    assert "<!-- neurons N -->" in text
    assert "<!-- smallest N by the capacity law -->" in text


@pytest.mark.parametrize(
    ("noise", "kind"),
    [
        ("additive:1", "additive"),
        ("stuck:0.1,at=minimum", "stuck,at=minimum"),
        ("additive:1+missing:0.1", "additive+missing:0.1"),
    ],
)
def test_a_kind_is_a_noise_without_its_amount(rows: list[Row], noise: str, kind: str) -> None:
    assert kind_of(replace(rows[0], noise=noise)) == kind


@pytest.mark.parametrize(
    ("noises", "label", "rightmost"),
    [
        (("timing:async:0.1", "timing:async:0.9"), "share of neurons updated per step", 0.1),
        (("timing:masks:0", "timing:masks:20"), "steps over which masks arrive", 20),
        (("timing:delays:1", "timing:delays:4"), "longest delay (steps)", 4),
        (("additive:1+timing:async:0.5", "additive:2+timing:async:0.5"), LABELS["additive"], 2),
    ],
)
def test_more_noise_is_to_the_right(
    rows: list[Row], noises: tuple[str, str], label: str, rightmost: float
) -> None:
    from matplotlib.figure import Figure

    chosen = [
        replace(rows[0], noise=noise, amount=parse_noise(noise).amount, failure_bound=None)
        for noise in noises
    ]
    axes = Figure().subplots()
    panel(axes, chosen, kind_of(chosen[0]), over_sizes=False)
    assert axes.get_xlabel() == label
    left, right = axes.get_xlim()
    assert abs(right - rightmost) < abs(left - rightmost)


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(PlotError, match=r"ends in \.png"):
        draw(Table((), {}), Path("t.bmp"))
