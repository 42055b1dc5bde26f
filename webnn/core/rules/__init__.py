"""The merge rules by name. A run's spec chooses one; its parameters are checked when the spec is parsed."""

from typing import TYPE_CHECKING

from webnn.core.plugins import union
from webnn.core.rules.auto import Auto
from webnn.core.rules.average import Average
from webnn.core.rules.copy import Copy
from webnn.core.rules.delta import Delta
from webnn.core.rules.fedasync import FedAsync
from webnn.core.rules.fedavg import FedAvg
from webnn.core.rules.fedbuff import FedBuff
from webnn.core.rules.mimic import Mimic
from webnn.core.rules.mimic_as_printed import MimicAsPrinted
from webnn.core.rules.weighted import Weighted

__all__ = [
    "AnyRule", "Auto", "Average", "Copy", "Delta", "FedAsync", "FedAvg", "FedBuff", "Mimic",
    "MimicAsPrinted", "Weighted",
]  # fmt: skip

if TYPE_CHECKING:
    AnyRule = Auto | Average | Weighted | Mimic | MimicAsPrinted | Copy | FedAsync | Delta | FedBuff | FedAvg
else:
    AnyRule = union(
        "webnn.rules", Auto, Average, Weighted, Mimic, MimicAsPrinted, Copy, FedAsync, Delta, FedBuff, FedAvg,
        members=("needs_base", "adds", "combines", "remembers", "discount", "fold"),
    )  # fmt: skip
