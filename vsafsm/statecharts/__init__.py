"""Statecharts: states in a tree, regions, history, guards over bounded data and time, and the flat
machine that such a chart is.

``parts`` holds what a chart is made of, ``expressions`` guards and values, ``checks`` whether they
fit, ``chart`` the whole, ``tables`` a chart as numbers,
``semantics`` the algorithm of W3C SCXML 1.0 (appendix D), ``interpreter`` a chart that is run,
``flattening`` the machine whose states are its configurations, ``naming`` what those are called,
``columns`` names taken apart.
"""

from vsafsm.statecharts.chart import Statechart
from vsafsm.statecharts.expressions import parse_expression
from vsafsm.statecharts.flattening import Exploration, explore, flatten
from vsafsm.statecharts.interpreter import Interpreter
from vsafsm.statecharts.parts import (
    Assign,
    Block,
    Cancel,
    Choice,
    Fail,
    History,
    Output,
    Raise,
    Send,
    State,
    Transition,
    Variable,
)

__all__ = [
    "Assign",
    "Block",
    "Cancel",
    "Choice",
    "Exploration",
    "Fail",
    "History",
    "Interpreter",
    "Output",
    "Raise",
    "Send",
    "State",
    "Statechart",
    "Transition",
    "Variable",
    "explore",
    "flatten",
    "parse_expression",
]
