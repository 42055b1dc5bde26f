"""What `webnn.fit` refuses before it looks at a model or reaches a stage."""

from typing import Any

import pytest

import webnn
from webnn.errors import Invalid


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"until": "0.9"}, "until='0.9': give an accuracy such as 0.98"),
        ({"until": True}, "until=True: give"),
        ({"until": 95}, "until=95: give"),
        ({"seed": "a"}, "seed='a': give a whole number from 0"),
        ({"seed": -1}, "seed=-1: give"),
        ({"seed": 1.5}, "seed=1.5: give"),
        ({"name": "My run"}, "name='My run': a run's name is up to 63 small letters"),
        ({"name": 5}, "name=5: a run's name"),
    ],
)
def test_an_argument_of_no_sense_is_refused_in_words(given: dict[str, Any], words: str) -> None:
    with pytest.raises(Invalid) as refused:
        webnn.fit(None, None, **given)
    assert refused.value.message.startswith(words)
