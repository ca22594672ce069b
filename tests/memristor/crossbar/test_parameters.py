"""Options: defaults, ranges, and what they ask of a network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vsafsm.backend_options import check_options, read_options
from vsafsm.errors import OptionError
from vsafsm_memristor.backend import BACKEND
from vsafsm_memristor.crossbar.parameters import OPTIONS, requirements, settings
from vsafsm_memristor.device.lognormal import LognormalDevice
from vsafsm_memristor.device.presets import PRESETS
from vsafsm_memristor.errors import DeviceError, MappingError


def test_defaults() -> None:
    found = settings({})
    assert found.model is PRESETS["neurram"]
    assert found.layout_of == (128, 256, "differential")
    assert (found.levels, found.bits) == (4, 3)
    assert found.seconds == 86_400
    assert (found.read_noise, found.stuck_cells) == (True, "ignored")
    assert (found.adc_bits, found.ir_drop, found.segment_ohm, found.device_seed) == (
        8,
        False,
        1.0,
        0,
    )
    assert settings({option.name: option.default for option in OPTIONS}) == found


def test_each_option_has_a_meaning_and_a_default_of_its_type() -> None:
    check_options(BACKEND, {option.name: option.default for option in OPTIONS})
    for option in OPTIONS:
        assert option.help
        assert option.default is None or type(option.default) is option.type


def test_options_do_what_they_say() -> None:
    found = settings(
        {
            "device": "perovskite",
            "sigma": 0.7,
            "scheme": "offset",
            "rows": 12,
            "columns": 9,
            "levels": 16,
            "seconds_after_programming": 0,
            "stuck_off": 0.1,
            "stuck_on": 0.2,
            "read_noise": False,
            "adc_bits": 0,
            "stuck_cells": "ignored",
            "ir_drop": True,
            "segment_ohm": 0.0,
            "device_seed": 7,
        }
    )
    assert isinstance(found.model, LognormalDevice)
    assert (found.model.name, found.model.sigma) == ("perovskite", 0.7)
    assert (found.model.stuck_off, found.model.stuck_on) == (0.1, 0.2)
    assert found.layout_of == (12, 9, "offset")
    assert (found.layout(30).neurons, found.layout(30).grid) == (30, (3, 4))
    assert (found.levels, found.seconds, found.read_noise) == (16, 0, False)
    assert (found.adc_bits, found.ir_drop, found.segment_ohm, found.device_seed) == (0, True, 0, 7)
    assert settings({"stuck_cells": "compensated"}).stuck_cells == "compensated"


def test_tiles_are_those_of_the_device_and_of_128_rows_at_most() -> None:
    for name, model in PRESETS.items():
        assert settings({"device": name}).layout_of[:2] == (min(128, model.rows), model.columns)
    assert settings({"rows": 200}).layout_of[:2] == (200, 256)


def test_a_preset_is_not_changed_by_what_is_asked_of_it() -> None:
    before = PRESETS["lognormal"]
    assert settings({"device": "lognormal", "sigma": 1.5, "stuck_on": 0.5}).model != before
    assert settings({"device": "lognormal"}).model is before


@pytest.mark.parametrize(
    ("levels", "bits"), [(2, 2), (4, 3), (8, 4), (16, 5), (32, 6), (64, 7), (128, 8)]
)
def test_levels_are_bits_of_a_weight(levels: int, bits: int) -> None:
    chosen = settings({"levels": levels})
    assert chosen.bits == bits
    assert 2 ** (bits - 1) - 1 == levels - 1
    assert requirements(chosen).bits == bits


@pytest.mark.parametrize(
    "wrong",
    [
        *({"levels": value} for value in (-4, 0, 1, 3, 6, 100, 256)),
        *({"sigma": value, "device": "lognormal"} for value in (-0.1, 10.5)),
        *({"rows": value} for value in (0, -1, 65_537)),
        *({"columns": value} for value in (0, -1, 65_537)),
        *({"seconds_after_programming": value} for value in (-1.0, 1e13)),
        *({name: value} for name in ("stuck_off", "stuck_on") for value in (-0.1, 1.1)),
        *({"adc_bits": value} for value in (-1, 17)),
        *({"segment_ohm": value} for value in (-1.0, 2e6)),
        {"device_seed": -1},
        {"device_seed": 2**64},
        {"scheme": "single"},
        {"scheme": ""},
        {"sigma": 0.5},
        {"sigma": 0.5, "device": "pcm"},
    ],
    ids=str,
)
def test_what_is_out_of_range_is_refused_by_name(wrong: dict[str, Any]) -> None:
    name = next(iter(wrong))
    with pytest.raises(OptionError, match=f"{name} is .*; expected "):
        settings(wrong)


def test_the_ends_of_a_range_of_whole_numbers_are_told_in_full() -> None:
    with pytest.raises(OptionError, match="expected 0 to 9223372036854775808"):
        settings({"device_seed": -1})
    with pytest.raises(OptionError, match="expected 1 to 1048576"):
        settings({"tiles": 0})


@pytest.mark.parametrize(
    "name", ["sigma", "seconds_after_programming", "stuck_off", "stuck_on", "segment_ohm"]
)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(OptionError, match=f"{name} is (nan|inf); expected "):
        settings({"device": "lognormal", name: value})


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"columns": 1}, MappingError),
        ({"stuck_off": 0.6, "stuck_on": 0.6}, DeviceError),
        ({"device": "neuram"}, DeviceError),
        ({"device": ""}, DeviceError),
        ({"device": "none.csv"}, DeviceError),
    ],
    ids=str,
)
def test_what_makes_no_sense_together_is_refused(
    options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        settings(options)


def test_the_ends_of_ranges_are_taken() -> None:
    for options in (
        {"levels": 2, "adc_bits": 16, "device_seed": 2**63, "rows": 1, "columns": 2},
        {"levels": 128, "rows": 65_536, "columns": 65_536, "seconds_after_programming": 1e12},
        {"device": "lognormal", "sigma": 0.0, "stuck_off": 0.0, "stuck_on": 1.0},
        {"device": "lognormal", "sigma": 10, "segment_ohm": 1e6},
        {"ir_drop": True, "rows": 1024, "columns": 1024},
    ):
        settings(options)


@pytest.mark.parametrize("size", [{"rows": 1025}, {"columns": 1025}])
def test_lines_of_tiles_beyond_reason_are_not_simulated(size: dict[str, int]) -> None:
    with pytest.raises(
        OptionError, match=r"tiles have .* cells; expected 1024 rows and columns at most"
    ):
        settings({"ir_drop": True} | size)
    settings(size)


def test_a_device_of_one_s_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("target_us,measured_us\n" + "".join(f"{i},{2 * i}\n" for i in range(5, 25)))
    found = settings({"device": str(path), "stuck_on": 0.1})
    assert (found.model.name, found.model.g_min_us, found.model.g_max_us) == ("mine", 5, 24)
    assert found.model.stuck_on == 0.1
    with pytest.raises(OptionError, match='sigma is set, and device "mine" is not lognormal'):
        settings({"device": str(path), "sigma": 0.3})


def test_texts_are_read_as_options() -> None:
    texts = {"levels": "8", "read_noise": "no", "sigma": "0.5", "device": "lognormal", "rows": "16"}
    found = settings(read_options(BACKEND, texts))
    assert (found.levels, found.read_noise, found.layout_of[0]) == (8, False, 16)


def test_what_is_asked_of_a_network() -> None:
    found = requirements(settings({}))
    assert found.folded
    assert (found.bits, found.least_margin, found.rule) == (3, 0.2, "small")
    assert (found.headroom, found.density) == (4, 2 / 11)
    assert (
        found
        == BACKEND.requirements({})
        == BACKEND.requirements({"device": "neurram", "device_seed": 3})
    )
    assert found.most_neurons == 1152
    assert BACKEND.requirements({"device": "pcm"}) == replace(found, most_neurons=None)
    asked = BACKEND.requirements({"yield_": 0.9})
    assert (asked.least_margin, asked.rule) == (None, "robust")
    assert BACKEND.requirements({"levels": 16}).bits == 5
