"""Tests of a machine, of the network that it is compiled to, and of how much noise that tolerates.

To be copied beside turnstile.yaml; then put in a machine of your own.
"""

from pathlib import Path

import pytest
from hypothesis import given, settings

import vsafsm
from vsafsm.testing import assert_robust, machines, noises, words

MACHINE = vsafsm.load(Path(__file__).with_name("turnstile.yaml"))


@pytest.fixture(scope="module")
def program():
    return vsafsm.compile(MACHINE, dimension=256)


@given(word=words(MACHINE))
def test_only_a_coin_unlocks_it(word):
    unlocked = MACHINE.run(word).states[-1] == "unlocked"
    assert unlocked == (word[-1:] == ("coin",))


def test_the_network_runs_every_word_right(program):
    assert program.prove().holds


def test_it_tolerates_inexact_weights(program):
    assert_robust(program, "additive:1.5")


def test_it_mostly_tolerates_missing_synapses(program):
    assert_robust(program, "missing:0.3", least=0.95)


def test_one_visitor_gets_through(program):
    assert_robust(program, "stuck:0.02", words=[["coin", "push"]])


@settings(max_examples=20, deadline=None)
@given(noise=noises(additive=(0, 1), missing=(0, 0.1), composed=2))
def test_it_tolerates_a_little_of_everything(program, noise):
    assert_robust(program, noise, trials=3)


@settings(max_examples=10, deadline=None)
@given(machine=machines(states=(1, 4), inputs=(1, 2)))
def test_small_machines_of_any_kind_are_proven(machine):
    assert vsafsm.compile(machine).prove().holds
