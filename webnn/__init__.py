"""WebNN: neural networks trained in visitors' browsers, merged by functions that sleep when nobody trains."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from webnn.contributing.client import Client as Client
    from webnn.fitting.fit import fit as fit

__all__ = ["Client", "__version__", "fit"]

__version__ = "0.1.0"

# Found when they are asked for: the functions import this package, too, and have nothing of what these take.
WHERE = {"Client": "webnn.contributing.client", "fit": "webnn.fitting.fit"}


def __getattr__(name: str) -> Any:
    if name not in WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(WHERE[name]), name)
