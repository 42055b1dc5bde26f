"""What comes in and goes out, as `docs/openapi.yaml` says. Parsing is strict: an unknown member is an error."""

from math import isfinite
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from webnn.core.records import Encoding
from webnn.core.spec import Sha256
from webnn.core.wire import Quantization
from webnn.errors import Invalid, TooLarge
from webnn.evaluations import Report
from webnn.failures import Report as Failing
from webnn.updates import Announcement

# Integers up to here are exact in a float.
EXACT = 2**53
MAX_BODY = 128 * 1024

Count = Annotated[int, Meta(ge=0, le=999_999_999_999)]
Id = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
Fraction = Annotated[float, Meta(ge=0.0, le=1.0)]

T = TypeVar("T")


def _number(text: str) -> float:
    """In JSON 10.0 is an integer too: what writes all numbers as floats may send it where an integer is due."""
    number = float(text)
    if not isfinite(number):
        raise msgspec.ValidationError(f"{text[:20]} is out of range")
    return int(number) if abs(number) <= EXACT and number.is_integer() else number


_JSON = msgspec.json.Decoder(float_hook=_number)


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a request that says all with its address."""


class QuantizationIn(Struct, frozen=True, forbid_unknown_fields=True):
    """How one tensor was quantised."""

    min: float
    scale: Annotated[float, Meta(ge=0.0)]


class MetricsIn(Struct, frozen=True, forbid_unknown_fields=True):
    """Of the last local step."""

    loss: float | None = None
    accuracy: Fraction | None = None


class AnnouncementIn(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /runs/{run}/updates`."""

    base_version: Count
    generation: Count
    local_steps: Annotated[int, Meta(ge=1, le=100_000)]
    examples: Annotated[int, Meta(ge=1, le=1_000_000_000)]
    bytes: Annotated[int, Meta(ge=1, le=10**12)]
    sha256: Sha256
    encoding: Encoding
    quantization: Annotated[tuple[QuantizationIn, ...], Meta(max_length=1000)] = ()
    metrics: MetricsIn = MetricsIn()

    def announcement(self) -> Announcement:
        """In the words of the use case."""
        return Announcement(
            base_version=self.base_version,
            generation=self.generation,
            local_steps=self.local_steps,
            examples=self.examples,
            bytes=self.bytes,
            sha256=self.sha256,
            encoding=self.encoding,
            quantization=tuple(Quantization(q.min, q.scale) for q in self.quantization),
            loss=self.metrics.loss,
            accuracy=self.metrics.accuracy,
        )


class ExchangeIn(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /runs/{run}/exchange`."""

    update_id: Id


class EvaluationIn(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /runs/{run}/evaluations`."""

    evaluation_id: Id
    version: Count
    loss: float
    accuracy: Fraction
    examples: Annotated[int, Meta(ge=1, le=10**12)]

    def report(self) -> Report:
        """In the words of the use case."""
        return Report(self.evaluation_id, self.version, self.loss, self.accuracy, self.examples)


class FailureIn(Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /runs/{run}/failures`."""

    code: Annotated[str, Meta(pattern=r"^[a-z_]{1,40}\Z")]
    message: Annotated[str, Meta(min_length=1, max_length=500)]
    detail: Annotated[str, Meta(max_length=1000)] = ""
    backend: Annotated[str, Meta(pattern=r"^[a-z]{0,20}\Z")] = ""
    version: Count | None = None

    def report(self) -> Failing:
        """In the words of the use case."""
        return Failing(self.code, self.message, self.detail, self.backend, self.version)


def parse(schema: type[T], body: bytes) -> T:
    """The request in a body.

    Raises:
        TooLarge: Over `MAX_BODY` bytes.
        Invalid: Not JSON, or not what the schema says; the message names the member.
    """
    if len(body) > MAX_BODY:
        raise TooLarge(f"a body holds at most {MAX_BODY} bytes", limit=MAX_BODY)
    try:
        return msgspec.convert(_JSON.decode(body or b"null"), schema)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"the body is wrong: {error}") from error


def parse_text(kind: Any, value: str | None, name: str, default: Any = None) -> Any:
    """A path or query parameter. Raises Invalid, naming it."""
    if value is None:
        return default
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(f"{name} is wrong: {error}", parameter=name) from error
