"""WebNN: neural networks trained in visitors' browsers, merged by functions that sleep when nobody trains."""

__all__ = ["__version__"]

__version__ = "0.1.0"
