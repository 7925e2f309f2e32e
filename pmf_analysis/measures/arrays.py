"""Kinds of tables and arrays that measures hand to each other."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Frame = pd.DataFrame
Column = pd.Series
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]
Integers = NDArray[np.int64]
