"""`webnn policies`: what an app that WebNN is mounted in must allow the functions that came along."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from stages import CHECKOUT

from webnn.cli.main import webnn
from webnn.errors import Invalid, Missing
from webnn.stack.policies import SUFFIXES, policy_for

OWN = CHECKOUT / ".chalice"
EXAMPLE = CHECKOUT / "examples" / "embedded_app"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The folder of an app with a policy of its own."""
    (tmp_path / ".chalice").mkdir()
    (tmp_path / ".chalice" / "config.json").write_text(json.dumps({"app_name": "shop", "stages": {"live": {}}}))
    mails = {"Sid": "Mail", "Effect": "Allow", "Action": ["ses:SendEmail"], "Resource": ["*"]}
    logs = {"Sid": "Log", "Effect": "Allow", "Action": ["logs:*"], "Resource": ["*"]}
    policy = {"Version": "2012-10-17", "Statement": [mails, logs]}
    (tmp_path / ".chalice" / "policy-live.json").write_text(json.dumps(policy))
    return tmp_path


def printed(*words: str) -> Any:
    result = CliRunner().invoke(webnn, ["policies", *words, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def policy_in(folder: Path, name: str) -> Any:
    return json.loads((folder / ".chalice" / f"webnn-policy-{name}.json").read_text())


def test_webnns_own_stages_differ_in_their_names_only() -> None:
    for role, suffix in SUFFIXES.items():
        file = f"policy-%s-{role.removesuffix('_handler')}.json"
        model = (OWN / (file % "prod")).read_text()
        for stage in ("dev", "localstack", "prod"):
            written = json.loads((OWN / (file % stage)).read_text())
            assert policy_for(model, "prod", role, stage, f"webnn-{stage}{suffix}") == written


def test_each_function_may_log_under_its_name_and_use_its_stage_and_nothing_else(shop: Path) -> None:
    told = printed(str(shop), "--stage", "trials", "--app-stage", "live")
    assert [Path(path).name for path in told["files"]] == [
        "webnn-policy-live-api.json", "webnn-policy-live-merge.json", "webnn-policy-live-sweep.json",
    ]  # fmt: skip
    for name, log in (("api", "shop-live"), ("merge", "shop-live-webnn_merge"), ("sweep", "shop-live-webnn_sweep")):
        policy = policy_in(shop, f"live-{name}")
        resources = {one for statement in policy["Statement"] for one in statement["Resource"]}
        group = f"arn:aws:logs:*:*:log-group:/aws/lambda/{log}"
        assert {one for one in resources if "logs" in one} == {group, f"{group}:*"}
        others = [one for one in resources if "logs" not in one]
        assert others
        assert all("webnn-trials" in one or one.endswith(":parameter/webnn/trials/") for one in others)


def test_what_the_apps_own_api_may_do_stays_allowed(shop: Path) -> None:
    own = shop / ".chalice" / "policy-live.json"
    printed(str(shop), "--stage", "trials", "--app-stage", "live")
    alone = policy_in(shop, "live-api")["Statement"]
    for before in (own, shop / ".chalice" / "webnn-policy-live-api.json"):
        printed(str(shop), "--stage", "trials", "--app-stage", "live", "--with", str(before))
        mail, logs, *rest = policy_in(shop, "live-api")["Statement"]
        assert (mail["Action"], logs["Action"]) == (["ses:SendEmail"], ["logs:*"])
        assert [one.pop("Sid") for one in rest] == ["WebNN" + one["Sid"] for one in alone]
        assert rest == [{name: one[name] for name in one if name != "Sid"} for one in alone]


def test_the_example_is_configured_as_the_command_says() -> None:
    found = json.loads((EXAMPLE / ".chalice" / "config.json").read_text())["stages"]["dev"]
    del found["api_gateway_stage"]
    told = printed(str(EXAMPLE), "--stage", "library", "--app-stage", "dev")
    for path in told["files"]:
        Path(path).unlink()
    assert found == told["config"]


def test_the_example_and_the_tutorial_bring_what_webnn_needs() -> None:
    def lines(path: Path) -> set[str]:
        return {line for line in path.read_text().splitlines() if line and not line.startswith("#")}

    needed = lines(CHECKOUT / "requirements.txt")
    assert needed <= lines(EXAMPLE / "requirements.txt")
    assert needed <= lines(CHECKOUT / "docs" / "embedding.md")


def test_a_folder_of_no_app_and_a_policy_that_is_none_are_named(shop: Path, tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"config\.json is not there"):
        printed(str(shop / "nowhere"))
    (shop / "list.json").write_text("[]")
    with pytest.raises(Invalid, match=r"list\.json holds no JSON object"):
        printed(str(shop), "--with", str(shop / "list.json"))
    with pytest.raises(Invalid, match="a policy has a Statement"):
        printed(str(shop), "--with", str(shop / ".chalice" / "config.json"))
