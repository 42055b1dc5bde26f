"""How a tutorial is read, and that one that is wrong is found out."""

from pathlib import Path

import pytest
from playwright.sync_api import Page
from reader import Reader
from steps import Changed, Clicked, Step, Typed, Written, steps

PAGE = """
# A page

```console title="far, left running"
$ sleep 1000
```

<!-- not run: it is only told of -->
```console
$ rm -rf /
```

Text.

```python title="a/b.py"
print(1)
```

```diff title="a/b.py"
-print(1)
+print(2)
```

<!-- in the browser -->
1. Open `http://…/x`.
2. Press **Start** and
   do nothing.

- Open your eyes.

<!-- exits with 3 -->
```console
$ echo 1 \\
  2
1 2
$ exit 3
```
"""


def told(page: str, folder: Path) -> None:
    def nothing_to_open() -> Page:
        raise NotImplementedError

    with Reader(folder, {"PATH": "/usr/bin:/bin"}, nothing_to_open) as reader:
        for step in steps(page):
            reader.do(step)


def block(text: str, comment: str = "") -> str:
    return f"{comment}\n```console\n{text}```\n"


def test_a_page_is_read_in_order() -> None:
    expected: list[Step] = [
        Typed("far", "sleep 1000", None, waits=False),
        Written("a/b.py", "print(1)\n"),
        Changed("a/b.py", "print(1)\n", "print(2)\n"),
        Clicked("Open", "http://…/x"),
        Clicked("Press", "Start"),
        Typed("", "echo 1 \\\n  2", "1 2\n"),
        Typed("", "exit 3", None, exits=3),
    ]
    assert steps(PAGE) == expected


@pytest.mark.parametrize(
    "page", ["```python\nprint(1)\n```\n", "<!-- in the browser -->\n1. Hope.\n", '```diff title="x"\n= 1\n```\n']
)
def test_what_is_neither_run_nor_said_not_to_be_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match=r"nobody knows|neither run|begins with"):
        steps(page)


def test_what_is_printed_may_have_other_figures_and_more_where_the_page_says_so(tmp_path: Path) -> None:
    told(block("$ echo a 12.5 b; echo c; echo d\na 3 b\n…\nd\n$ echo from 1 to 2\nfrom … 9\n"), tmp_path)


@pytest.mark.parametrize("page", ["$ echo a\nb\n", "$ echo a; echo b\na\n", "$ false\n", "$ echo one\n1\n"])
def test_what_goes_otherwise_than_the_page_says_is_told(page: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        told(block(page), tmp_path)


def test_a_command_that_is_to_fail_fails(tmp_path: Path) -> None:
    told(block("$ (exit 3)\n", "<!-- exits with 3 -->"), tmp_path)


@pytest.fixture
def waiting(tmp_path: Path) -> str:
    pipe = tmp_path / "pipe"
    return f"""
```console title="other, left running"
$ mkfifo {pipe}; bash -c 'trap "echo told; exit" INT; echo up; cat {pipe}'; echo over
up
```
"""


def test_what_is_left_running_is_read_on_when_it_is_told_to_end(waiting: str, tmp_path: Path) -> None:
    told(f'{waiting}\n```console title="other"\n^C\n…\ntold\nover\n```\n', tmp_path)


def test_files_are_written_and_changed(tmp_path: Path) -> None:
    told('```text title="a/b"\none\ntwo\n```\n```diff title="a/b"\n one\n-two\n+three\n```\n', tmp_path)
    assert (tmp_path / "a" / "b").read_text() == "one\nthree\n"
