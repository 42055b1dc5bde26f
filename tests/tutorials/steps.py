"""What a tutorial tells its reader to do, in order.

| on the page | the reader |
|---|---|
| a fence of `console`, a line that begins with `$ ` | types it; below stands what is printed, see `reader.pattern` |
| the same with `title="NAME"` | does so in a terminal of that name; without a title, in the first |
| … and `title="NAME, left running"` | does not wait for its end; the next block of that terminal goes on reading |
| a line `^C` there | presses Ctrl-C |
| a fence of another language with `title="FILE"` | writes that file |
| a fence of `diff` with `title="FILE"` | replaces the lines with - by those with + |
| a numbered list after `<!-- in the browser -->` | does that: Open `ADDRESS`, Press **BUTTON**, Wait for **WORDS** |

`<!-- exits with 1 -->` stands before a block whose last command fails, `<!-- not run: WHY -->` before one that is only
read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

TITLE = re.compile(r'title="([^"]+)"')
RUNNING = ", left running"
VERB = re.compile(r"(Open|Press|Wait for|Close) ?(.*?)\.?$")


@dataclass(frozen=True)
class Typed:
    """A command, or what one that was left running prints next.

    Attributes:
        command: None if nothing is typed, `^C` for Ctrl-C.
        output: What is printed; None if the page does not say.
        waits: Whether the reader waits for its end.
        exits: Its exit status.
    """

    terminal: str
    command: str | None
    output: str | None
    waits: bool = True
    exits: int = 0


@dataclass(frozen=True)
class Written:
    """A file."""

    path: str
    text: str


@dataclass(frozen=True)
class Changed:
    """Lines of a file that others take the place of."""

    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Clicked:
    """Something done in the browser."""

    verb: str
    what: str


Step = Typed | Written | Changed | Clicked


def steps(page: str) -> list[Step]:
    """All that a page tells to do.

    Raises:
        ValueError: A block is neither run nor said not to be, or a list has no verb that is known.
    """
    return [step for before, token in _tokens(page) for step in _steps(before, token)]


def _tokens(page: str) -> Iterator[tuple[str, Token]]:
    """Each fence and each item of a list in the browser, with the comment that it comes after."""
    tokens = MarkdownIt("commonmark").parse(page)
    clicking = False
    for before, token in pairwise([Token("", "", 0), *tokens]):
        comment = before.content.strip() if before.type == "html_block" else ""
        clicking = (clicking and token.type != "ordered_list_close") or comment == "<!-- in the browser -->"
        if token.type == "fence" or (clicking and token.type == "inline"):
            yield comment, token


def _steps(comment: str, token: Token) -> Iterator[Step]:
    if comment.startswith("<!-- not run: "):
        return
    if token.type == "inline":
        yield _clicked(token.content)
        return
    language, title = token.info.split(" ")[0], TITLE.search(token.info)
    if language == "console":
        yield from _typed(token.content, title[1] if title else "", comment)
    elif title is None:
        raise ValueError(f"a block of {language!r} is neither run nor said not to be: {token.content[:80]!r}")
    elif language == "diff":
        yield _changed(title[1], token.content)
    else:
        yield Written(title[1], token.content)


def _typed(content: str, title: str, comment: str) -> Iterator[Step]:
    terminal, running = title.removesuffix(RUNNING), title.endswith(RUNNING)
    parts = re.split(r"^(?:\$ (.*(?<=\\)\n(?:.*(?<=\\)\n)*.*|.*)|(\^C))\n", content, flags=re.MULTILINE)
    found = [(None, parts[0])] if parts[0] else []
    found += [(a or b, output) for a, b, output in zip(parts[1::3], parts[2::3], parts[3::3], strict=True)]
    exits = re.fullmatch(r"<!-- exits with (\d+) -->", comment)
    for at, (command, output) in enumerate(found, start=1):
        last = at == len(found)
        yield Typed(terminal, command, output or None, not (last and running), int(exits[1]) if exits and last else 0)


def _changed(path: str, content: str) -> Changed:
    lines = content.splitlines(keepends=True)
    if any(line[0] not in "-+ " for line in lines):
        raise ValueError(f"each line of a change begins with -, + or a blank: {content!r}")
    old, new = ("".join(line[1:] for line in lines if line[0] != other) for other in "+-")
    return Changed(path, old, new)


def _clicked(item: str) -> Clicked:
    found = VERB.match(" ".join(item.split()))
    if found is None:
        raise ValueError(f"nobody knows how to do this in a browser: {item!r}")
    marked = re.search(r"`([^`]+)`|\*\*([^*]+)\*\*", found[2])
    return Clicked(found[1], (marked[1] or marked[2]) if marked else "")
