"""What is wrong in webnn.toml is told with its line, all of it at once."""

from pathlib import Path

import pytest
from folders import a_folder, told

from webnn.project.sections import read


def problems(text: str) -> list[str]:
    return [str(problem) for problem in read(text)[1]]


WRONG = {
    "a section": ("\n[traning]\n", "webnn.toml:2: there is no section [traning]; did you mean 'training'?"),
    "a key": (
        "[training]\nlocal_step = 4",
        "webnn.toml:2: [training] has no key 'local_step'; did you mean 'local_steps'?",
    ),
    "a key like no other": (
        "[end]\nzzz = 4",
        "webnn.toml:2: [end] has no key 'zzz'; it can be accuracy, seconds, versions",
    ),
    "a key of an input": (
        "[data.inputs.image]\n\nshap = [2]",
        "webnn.toml:3: [data.inputs.image] has no key 'shap'; did you mean 'shape'?",
    ),
    "a title": (f"[run]\ntitle = '{'x' * 201}'", "webnn.toml:2: title: expected `str` of length <= 200"),
    "a range": ("[training]\n# why\nbatch_size = 0", "webnn.toml:3: batch_size: expected `int` >= 1"),
    "a type": ("[training]\nbatch_size = '64'", "webnn.toml:2: batch_size: expected `int`, got `str`"),
    "a word": (
        "[training]\nencoding = 'float8'",
        "webnn.toml:2: encoding: invalid enum value 'float8'; did you mean 'float32'?",
    ),
    "a dotted key": ("training.batch_size = 0", "webnn.toml:1: batch_size: expected `int` >= 1"),
    "within a table in one line": (
        "[training]\ndecay = { factor = 0, every_versions = 1 }",
        "webnn.toml:2: decay.factor: expected `float` > 0.0",
    ),
    "what is missing": (
        "[training.decay]\nfactor = 0.5",
        "webnn.toml:1: decay.every_versions: object missing required field `every_versions`",
    ),
    "a rule": ("[merge]\nrule = 'medium'", "webnn.toml:2: rule: invalid value 'medium'; it can be auto, average, copy"),
    "a misspelt rule": (
        "[merge]\nrule = 'fedavgg'",
        "webnn.toml:2: rule: invalid value 'fedavgg'; did you mean 'fedavg'?",
    ),
    "a misspelt optimizer": (
        "[training]\noptimizer = 'Adam'",
        "webnn.toml:2: optimizer: invalid enum value 'Adam'; did you mean 'adam'?",
    ),
    "a misspelt optimizer of the server": (
        "[merge]\noptimizer = 'adamm'",
        "webnn.toml:2: optimizer: invalid value 'adamm'; did you mean 'adam'?",
    ),
    "a misspelt fold": (
        "[merge]\nrobust = ['medan']",
        "webnn.toml:2: robust: invalid value 'medan'; did you mean 'median'?",
    ),
    "an accuracy in percent": (
        "[end]\naccuracy = 95",
        "webnn.toml:2: accuracy: expected `float` <= 1.0; for 95 % write 0.95",
    ),
    "an accuracy that is no percentage either": (
        "[end]\naccuracy = 950.0",
        "webnn.toml:2: accuracy: expected `float` <= 1.0",
    ),
    "what does not go together": (
        "[merge]\nrule = 'delta'\nwhere = 'peer'",
        "webnn.toml:1: peers merge by average, weighted, mimic, copy alone, not by delta and whatever is beside it",
    ),
    "a name": (
        "[run]\nname = 'My run'",
        "webnn.toml:2: name: expected `str` matching regex '^[a-z0-9][a-z0-9-]{0,62}\\\\Z'",
    ),
    "no inputs": ("[data]\ninputs = {}", "webnn.toml:2: inputs: expected `object` of length >= 1"),
    "no section but a value": ("end = 3", "webnn.toml:1: end is a section: write [end]"),
    "syntax": ("[run]\ntitle = ", "webnn.toml:2: this is no TOML: Invalid value"),
    "syntax at the end": ('[run]\ntitle = """', "webnn.toml:2: this is no TOML: Unterminated string"),
}


@pytest.mark.parametrize(("text", "problem"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_told_with_its_line(text: str, problem: str) -> None:
    assert problems(text)[0].startswith(problem)
    assert len(problems(text)) == 1


def test_all_that_is_wrong_is_told_at_once() -> None:
    text = (
        "[training]\nbatch_size = 0\nlocal_steps = 0\noptimizr = 'sgd'\n[end]\naccuracy = 95\n[limits]\npending = 'x'"
    )
    assert [int(one.split(":")[1]) for one in sorted(problems(text))] == [2, 3, 4, 6, 8]


def test_what_looks_like_a_key_within_a_text_misleads_nobody() -> None:
    text = '[run]\ndescription = """\nbatch_size = 3\n[end]\n"""\n[training]\nbatch_size = 0'
    assert problems(text) == ["webnn.toml:7: batch_size: expected `int` >= 1"]


@pytest.mark.parametrize(
    ("text", "word"), [("[validation]\nmerge_all = true", "merge_all"), ("[end]\nnever = true", "never")]
)
def test_what_is_not_there_is_refused_with_what_is_in_its_place(text: str, word: str) -> None:
    (problem,) = problems(text)
    assert problem.startswith(f"webnn.toml:2: there is no {word}: ")
    assert problem.endswith("delete the line")


def test_what_has_no_parameters_can_be_named_alone() -> None:
    sections, wrong = read(
        "[merge]\nrule = 'delta'\nrobust = ['norm_clip', { name = 'median', size = 3 }]\noptimizer = 'adam'"
    )
    assert wrong == []
    assert sections is not None
    assert sections.spec["merge"] == {
        "rule": {"name": "delta"}, "robust": [{"name": "norm_clip"}, {"name": "median", "size": 3}],
        "optimizer": {"name": "adam"},
    }  # fmt: skip


def test_a_number_that_json_lacks_is_refused(tmp_path: Path) -> None:
    toml = "[data.inputs.x]\n[data.targets.class]\ndtype = 'int32'\n[merge.rule]\nname = 'delta'\nserver_rate = nan"
    (problem,) = told(a_folder(tmp_path, toml=toml))
    assert problem.startswith("webnn.toml")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("shape = [4]", "shape = [5]"), "webnn.toml:10: inputs 'x': the shape is [5], the model's [4]"),
        (("shape = [4]", "shape = [4, 1]"), "webnn.toml:10: inputs 'x': the shape is [4, 1], the model's [4]"),
        (('dtype = "int32"', "shape = [3]"), "webnn.toml:14: targets 'class': with sparseCategoricalCrossentropy"),
        (
            ("[data.targets.class]", "[data.inputs.y]\n[data.targets.class]"),
            "webnn.toml:9: the model has 1 input, [data",
        ),
        (('dtype = "int32"\nstore = "uint8"', 'store = "int32"'), "webnn.toml:14: targets 'class': float32 cannot"),
    ],
)
def test_settings_that_do_not_fit_the_model_are_told(change: tuple[str, str], problem: str, tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    text = (folder / "webnn.toml").read_text()
    assert change[0] in text
    (folder / "webnn.toml").write_text(text.replace(*change))
    assert any(one.startswith(problem) for one in told(folder)), told(folder)
