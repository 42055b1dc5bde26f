"""Robust folds: what protects the weights from updates that are wrong or meant to harm."""

from typing import TYPE_CHECKING

from webnn.core.plugins import union
from webnn.core.robust.gathering import Combination, Gathering
from webnn.core.robust.median import Median
from webnn.core.robust.multi_krum import MultiKrum
from webnn.core.robust.norm_clip import NormClip
from webnn.core.robust.trimmed_mean import TrimmedMean

__all__ = ["AnyRobust", "Combination", "Gathering", "Median", "MultiKrum", "NormClip", "TrimmedMean"]

if TYPE_CHECKING:
    AnyRobust = NormClip | Median | TrimmedMean | MultiKrum
else:
    AnyRobust = union("webnn.robust", NormClip, Median, TrimmedMean, MultiKrum, members=("clipped",))
