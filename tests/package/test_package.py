"""The deployment zip: what is in it, and that it serves from nothing but itself."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from stages import Stage

CHECKOUT = Path(__file__).resolve().parents[2]
MEGABYTE = 1_000_000
LIMIT = 45 * MEGABYTE

# -I: no variables, no user's packages; -S: no site-packages either. What is imported is in the zip or in Python.
SERVE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import app
event = json.loads(sys.argv[2])
answer = app.app(event, None)
print(json.dumps({"status": answer["statusCode"], "body": answer["body"], "numpy": sys.modules["numpy"].__file__}))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make package` builds."""
    folder = tmp_path_factory.mktemp("package")
    chalice = Path(sys.executable).with_name("chalice")
    built = subprocess.run(
        [str(chalice), "package", "--stage", "dev", str(folder)],
        cwd=CHECKOUT,
        env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "deployment.zip"


@pytest.fixture(scope="module")
def unzipped(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unzipped")
    with zipfile.ZipFile(package) as archive:
        archive.extractall(folder)
    return folder


def test_the_zip_is_small_enough(package: Path) -> None:
    assert package.stat().st_size < LIMIT


def test_the_zip_holds_what_the_functions_need(package: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {"app.py", "webnn", "numpy", "pynamodb", "msgspec", "jwt", "chalice", "botocore"} <= tops
    # A missing wheel is left out by Chalice with a warning only: the compiled parts must be there.
    assert any(name.startswith("numpy/_core/_multiarray_umath") for name in names)
    assert any(name.startswith("msgspec/_core") for name in names)
    assert any(name.startswith("obstore/_obstore") for name in names)


def test_the_functions_allocate_from_one_arena(package: Path) -> None:
    """Or reading ahead in threads takes half as much memory again: docs/design-notes.md."""
    resources = json.loads((package.parent / "sam.json").read_text())["Resources"].values()
    functions = [found["Properties"] for found in resources if found["Type"] == "AWS::Serverless::Function"]
    assert len(functions) == 3
    assert {found["Environment"]["Variables"]["MALLOC_ARENA_MAX"] for found in functions} == {"1"}


def test_the_zip_holds_no_tensorflow_boto3_or_tests(package: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert not tops & {"tensorflow", "tf_keras", "keras", "boto3", "tests", "sklearn", "ministack"}


EVENT = {
    "requestContext": {"resourcePath": "/runs", "httpMethod": "GET"},
    "pathParameters": None,
    "headers": {},
    "multiValueQueryStringParameters": None,
    "body": None,
    "isBase64Encoded": False,
    "stageVariables": None,
}


def test_a_request_is_served_from_the_unzipped_package_alone(unzipped: Path, embedded_stage: Stage) -> None:
    answer = serve(unzipped, embedded_stage.variables)

    assert answer["status"] == 200, answer
    assert "runs" in json.loads(answer["body"])
    assert answer["numpy"].startswith(str(unzipped))


def test_an_engine_that_does_not_answer_gives_our_error_and_not_a_stack_trace(unzipped: Path) -> None:
    nobody = {
        "WEBNN_STAGE": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_MAX_ATTEMPTS": "1",
    }

    answer = serve(unzipped, nobody)

    assert answer["status"] == 503
    assert json.loads(answer["body"])["error"]["code"] == "unavailable"


def serve(unzipped: Path, variables: Mapping[str, str]) -> dict[str, Any]:
    """One request through `app`, in an interpreter that has nothing but the package and these variables."""
    served = subprocess.run(
        [sys.executable, "-I", "-S", "-c", SERVE, str(unzipped), json.dumps(EVENT)],
        cwd=unzipped,
        env=dict(variables),
        capture_output=True,
        text=True,
        check=False,
    )
    assert served.returncode == 0, served.stderr
    answer: dict[str, Any] = json.loads(served.stdout.splitlines()[-1])
    return answer
