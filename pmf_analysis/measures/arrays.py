"""Kinds of arrays that measures hand to each other."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]
Integers = NDArray[np.int64]
