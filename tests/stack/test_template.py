"""The template by itself: valid for AWS, careful with data, and of one mind with the code."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.api import ManualArgs, lint

from webnn.stack import properties

TEMPLATE = Path(__file__).parents[2] / "infra" / "stack.yaml"
HOLDS_DATA = {"Table", "DataBucket"}


class Cloud(yaml.SafeLoader):
    """Reads CloudFormation's short forms as plain mappings."""


def short_form(loader: Any, name: str, node: yaml.Node) -> dict[str, Any]:
    return {name: loader.construct_yaml_str(node) if isinstance(node, yaml.ScalarNode) else node}


Cloud.add_multi_constructor("!", short_form)


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    return yaml.load(TEMPLATE.read_text(), Cloud)["Resources"]


def test_aws_would_take_it() -> None:
    config = ManualArgs(regions=["us-east-1", "eu-west-1"], include_checks=["I", "W", "E"])
    assert lint(TEMPLATE.read_text(), config=config) == []


def test_the_linter_sees_faults() -> None:
    faulty = TEMPLATE.read_text().replace("BillingMode: PAY_PER_REQUEST", "BillingMode: PAY_NOTHING")
    assert "E3030" in {fault.rule.id for fault in lint(faulty, config=ManualArgs(regions=["us-east-1"]))}


def test_what_holds_data_outlives_the_stack(resources: dict[str, Any]) -> None:
    for name, resource in resources.items():
        keeps = (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy"))
        assert (keeps == ("RetainExceptOnCreate", "Retain")) == (name in HOLDS_DATA), name


def test_the_bucket_waits_for_the_leave_to_ring(resources: dict[str, Any]) -> None:
    assert resources["DataBucket"]["DependsOn"] == "DoorbellPolicy"


def test_what_the_code_sets_is_what_the_template_says(resources: dict[str, Any]) -> None:
    data, site = resources["DataBucket"]["Properties"], resources["SiteBucket"]["Properties"]
    assert data["PublicAccessBlockConfiguration"] == properties.CLOSED
    assert site["PublicAccessBlockConfiguration"] == properties.PAGES
    (rule,) = data["LifecycleConfiguration"]["Rules"]
    declared = {"ID": rule.pop("Id"), **rule}
    assert declared == {name: value for name, value in properties.LIFECYCLE.items() if name != "Filter"}
    assert resources["Table"]["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_it_makes_no_identity_and_takes_no_secret() -> None:
    text = TEMPLATE.read_text()
    assert "AWS::IAM" not in text
    assert "NoEcho" not in text
