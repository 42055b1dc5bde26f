"""Whether a loss makes sense of what a model gives."""

from collections.abc import Iterable, Iterator

from webnn.project.model import Place

SPARSE = "sparseCategoricalCrossentropy"
CATEGORICAL = "categoricalCrossentropy"
BINARY = "binaryCrossentropy"
SQUARES = "meanSquaredError"
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


def end_misfit(outputs: Iterable[Place], loss: str) -> Iterator[str]:
    """Why a run must not end at an accuracy, if so: of numbers that are learnt by squares none is right or wrong.

    Probabilities are learnt so, too; those have a class that is the likeliest.
    """
    for one in outputs:
        if loss == SQUARES and one.activation is not None and one.activation not in PROBABILITIES:
            yield (
                f"layer {one.name!r}, an output, has the activation {one.activation!r}; with {loss} that is numbers, "
                "not classes, and accuracy means nothing: say when the run ends by versions or seconds instead"
            )
