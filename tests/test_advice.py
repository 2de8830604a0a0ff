"""Whatever command or option a text names exists and can be given like that: nobody is advised to run what refuses.

Every string of the program is looked at. A span between backticks that begins with `plexstedi` or the name of a
command is a command line, with placeholders in capitals (ID, NUMBER, TEXT, FILE); what such a line needs stands in it.
"""

from __future__ import annotations

import re
import shlex

import pytest
import typer

import plexstedi.cli.main as program
from plexstedi.advice import filled, order_command, replay_command
from plexstedi.errors import SUSPICIONS
from plexstedi.secret_names import SecretName
from tests.advice_texts import COMMANDS, FILLED, Text, advice, command_lines, left, says, texts

PLACEHOLDERS = {
    "ID": "1",
    "NUMBER": "PO-1",
    "TRANSACTION": "t-1",
    "TEXT": "why",
    "FILE": "a-file",
    "CODE": "ACME01",
    "NAME": SecretName.STEDI_API_KEY,
    "TIME": "2026-11-23T08:00:00Z",
    "N": "1",
}

APP = None


def app() -> object:
    """The whole command line, as click has it."""
    global APP
    if APP is None:
        program._register([])
        APP = typer.main.get_command(program.app)
    return APP


def refusal(words: list[str]) -> str | None:
    """Why this command line could not be given; None if it can. Nothing is carried out."""
    # A whole option in a variable is what its own text says.
    words = [PLACEHOLDERS.get(word, word) for word in words]
    if words == [FILLED, "--help"]:
        return None
    path, here = [], app()
    context = None
    while True:
        try:
            context = here.make_context(here.name, list(words), parent=context)
        except typer.Exit:
            return None
        except Exception as error:
            if type(error).__name__ in ("NoArgsIsHelpError", "Exit"):
                return None if not path else f"{' '.join(path)} needs a subcommand"
            return f"{type(error).__name__}: {getattr(error, 'message', error)}"
        rest = [*getattr(context, "_protected_args", ()), *context.args]
        if not hasattr(here, "commands"):
            break
        if not rest:
            return None if not path else f"{' '.join(path)} needs a subcommand"
        if rest[0] not in here.commands:
            return f"there is no command {rest[0]}"
        path.append(rest[0])
        here, words = here.commands[rest[0]], rest[1:]
    return _needed(tuple(path), context.params)


def _needed(path: tuple[str, ...], given: dict[str, object]) -> str | None:
    """What the command itself would miss."""
    if path in (("review", "accept"), ("review", "reject"), ("replay",)) and given["reason"] is None:
        return "it needs --reason"
    if path == ("notify",) and not given["test"]:
        return "it needs --test"
    if path == ("replay",) and given["failed"] != (given["since"] is not None):
        return "--failed and --since must be used together"
    if path[:1] == ("credentials",) and path[1:] in (("set",), ("delete",)):
        name = str(given["name"])
        return None if name in (*SecretName, FILLED) else f"{name} is no secret"
    unknown = [name for name in given.get("override") or () if name not in (*SUSPICIONS, FILLED)]
    return f"there is no suspicion {unknown[0]}" if unknown else None


def options() -> set[str]:
    """Every option of every command."""
    found, waiting = {"--help"}, [app()]
    while waiting:
        here = waiting.pop()
        waiting += getattr(here, "commands", {}).values()
        found |= {name for parameter in here.params for name in parameter.opts}
    return found


def test_every_command_that_a_text_names_can_be_given_like_that():
    found = list(texts())
    named = [(text, words) for text in found for words in command_lines(text.text)]
    wrong = [f"{text.where}: {shlex.join(words)}: {why}" for text, words in named if (why := refusal(words))]
    assert wrong == []
    # Else this looks at nothing.
    assert len(named) > 100
    assert {words[0] for _, words in named if words[0] in COMMANDS} == COMMANDS


def test_every_option_that_a_text_names_exists():
    known = options()
    wrong = [
        f"{text.where}: {option}"
        for text in texts()
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", text.text)
        if option not in known
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "words",
    [
        "plexstedi review accept",
        "plexstedi review accept ID",
        "plexstedi review",
        "plexstedi replay NUMBER",
        "plexstedi replay --ack TRANSACTION",
        "plexstedi replay --failed --reason TEXT",
        "plexstedi submit --order",
        "plexstedi submit --everything",
        "plexstedi credentials set the-key",
        "plexstedi notify",
        "plexstedi run --override everything",
        "plexstedi repair",
    ],
)
def test_a_command_that_would_refuse_is_noticed(words):
    assert refusal(shlex.split(words)[1:]) is not None


def test_what_an_item_knows_stands_in_its_commands():
    text = "run `plexstedi review accept ID --reason TEXT` or `plexstedi replay NUMBER --reason TEXT`; your ID stays"
    assert filled(text, review=12, order="PO 7") == (
        "run `plexstedi review accept 12 --reason TEXT` or `plexstedi replay 'PO 7' --reason TEXT`; your ID stays"
    )
    assert filled("`plexstedi replay --ack TRANSACTION --reason TEXT`", review=1) == (
        "`plexstedi replay --ack TRANSACTION --reason TEXT`"
    )
    assert replay_command("PO-1; rm", release="2", purpose="05") == (
        "`plexstedi replay 'PO-1; rm' --release 2 --purpose 05 --reason TEXT`"
    )
    assert order_command("submit --order", "PO 7") == "`plexstedi submit --order 'PO 7'`"


HOLD = "Look at it with `plexstedi status NUMBER`, then `plexstedi review accept ID --reason TEXT`."
OPTION = "The feed went backwards: give `--override feed-backwards`."


@pytest.mark.parametrize(
    ("advised", "said", "unfollowed"),
    [
        pytest.param(HOLD, HOLD.replace("NUMBER", "'PO 7'").replace("ID", "12"), [], id="filled with what it is about"),
        pytest.param(HOLD, f"Stedi refused it. {HOLD}", [], id="part of what was said"),
        pytest.param(HOLD, HOLD.replace("accept", "reject"), [HOLD], id="another command"),
        pytest.param(HOLD, "", [HOLD], id="nothing was said"),
        pytest.param(OPTION, OPTION, [], id="an option"),
    ],
)
def test_advice_that_nobody_followed_is_left(advised, said, unfollowed):
    """What `conftest` ends a whole run with: a new text that names a command needs a test that runs it."""
    text = Text("edi/some.py:1", advised, says(advised))
    assert [each.text for each in left([text], [said])] == unfollowed


def test_what_a_whole_run_has_to_follow():
    advised = advice()
    assert len(advised) > 100
    assert any("the command once with `" in text.text for text in advised)
    assert any("`chmod " in text.text for text in advised)
