"""Whether a loss makes sense of what a model gives."""

from collections.abc import Iterator

from webnn.project.model import Place

SPARSE = "sparseCategoricalCrossentropy"
CATEGORICAL = "categoricalCrossentropy"
BINARY = "binaryCrossentropy"
# Whose numbers are from 0 to 1. Losses take logarithms of them: see docs/openapi.yaml.
PROBABILITIES = ("softmax", "sigmoid")


def loss_misfit(output: Place, loss: str) -> Iterator[str]:
    """What is wrong with an output, if anything is: trained like that, the model would learn nothing."""
    activation = output.activation
    of = f"layer {output.name!r}, an output,"
    if activation == "softmax" and output.units == 1:
        yield f"{of} is a softmax of one value, always 1: use sigmoid with {BINARY}, or one value for each class"
    elif loss in (SPARSE, CATEGORICAL) and output.units == 1:
        yield f"{of} gives one value; {loss} takes one for each class: for yes or no use sigmoid with {BINARY}"
    elif loss in (SPARSE, CATEGORICAL, BINARY) and activation is not None and activation not in PROBABILITIES:
        wanted = "sigmoid" if loss == BINARY else "softmax"
        yield f"{of} has the activation {activation!r}; {loss} takes probabilities: give it {wanted!r}"
