"""Kinds of tables and arrays that measures hand to each other, and the columns of tables."""

from collections.abc import Mapping, Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pmf_analysis.shipped import read_shipped

Frame = pd.DataFrame
Column = pd.Series
Day = date
Known = Frame | None
Frames = Mapping[str, Frame]
Names = Mapping[str, str]
Texts = Sequence[str]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]
Integers = NDArray[np.int64]

PAIR = ["series", "peer_set"]
LIMITS = ["mean", "lower_limit", "upper_limit"]
FEWEST_PEERS = 5  # below this neither a median nor a rank is shown
PRECISION = 1e-12  # relative to the size of the values; a smaller difference is none

SHIPPED = read_shipped("measures/tables.yml")
TABLES: dict[str, list[str]] = SHIPPED["tables"]
SENTENCES: dict[str, str] = SHIPPED["sentences"]
TYPES: dict[str, dict[str, Any]] = SHIPPED["types"]


def constants(module: str) -> SimpleNamespace:
    """Constants of a method, which tables.yml explains, by their names."""
    return SimpleNamespace(**SHIPPED[module])
