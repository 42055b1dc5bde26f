"""What a function takes for granted of the parameter store, on the embedded engine."""

from typing import Any

import pytest
from botocore.exceptions import ClientError


def test_one_call_gives_a_stages_parameters_with_the_secret_in_clear(aws: Any) -> None:
    ssm = aws("ssm")
    ssm.put_parameter(Name="/webnn/facts/bucket", Value="b", Type="String")
    ssm.put_parameter(Name="/webnn/facts/token-secret", Value="hidden", Type="SecureString")
    ssm.put_parameter(Name="/webnn/factsheet/bucket", Value="another stage's", Type="String")
    found = ssm.get_parameters_by_path(Path="/webnn/facts/", WithDecryption=True)["Parameters"]
    assert {each["Name"]: each["Value"] for each in found} == {
        "/webnn/facts/bucket": "b",
        "/webnn/facts/token-secret": "hidden",
    }


def test_without_leave_to_decrypt_the_secret_stays_hidden(aws: Any) -> None:
    ssm = aws("ssm")
    ssm.put_parameter(Name="/webnn/shut/token-secret", Value="hidden", Type="SecureString")
    (found,) = ssm.get_parameters_by_path(Path="/webnn/shut/", WithDecryption=False)["Parameters"]
    assert "hidden" not in found["Value"]


def test_a_parameter_is_not_overwritten_by_mistake(aws: Any) -> None:
    ssm = aws("ssm")
    ssm.put_parameter(Name="/webnn/once/token-secret", Value="first", Type="SecureString", Overwrite=False)
    with pytest.raises(ClientError, match="ParameterAlreadyExists"):
        ssm.put_parameter(Name="/webnn/once/token-secret", Value="second", Type="SecureString", Overwrite=False)
    assert ssm.get_parameter(Name="/webnn/once/token-secret", WithDecryption=True)["Parameter"]["Value"] == "first"
