"""The README is true: its code runs, and what it says is printed is printed."""
import contextlib
import io
import re
from pathlib import Path

import fastnn

README = (Path(__file__).resolve().parent.parent / "README.md").read_text()


def blocks(heading, language):
    """The code blocks of a language below a heading."""
    section = re.search(rf"\n## {heading}\n(.*?)(\n## |\Z)", README, re.S)[1]
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", section, re.S | re.M)
    return [code for named, code in fenced if named == language]


def printed(code):
    fastnn.backend.clear_session()
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(code, {})
    return out.getvalue()


def without_places(text):
    """The text without what differs between instruction sets and runs: places and size of the arena."""
    return re.sub(r"arena\+\d+|own mapping|[\d.]+k?B of buffers", "", text).strip()


def test_the_first_net_is_fifteen_lines_and_prints_this_program():
    (code,), (program,) = blocks("A first net", "python"), blocks("A first net", "")
    assert len([line for line in code.splitlines() if line.strip()]) <= 15
    shown = printed(code)
    assert [line.rstrip() for line in without_places(shown).splitlines()] == \
        [line.rstrip() for line in without_places(program).splitlines()]


def test_the_functions_alone():
    (code,) = blocks("The functions alone", "python")
    assert printed(code) == "1000.0\n[1. 1.]\n(1, 6, 6, 16)\n"


def test_saving_and_loading(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("Save, load, go on", "python")
    assert printed(code) == "True\n"


def test_steps_one_after_another():
    (code,) = blocks("Steps one after another", "python")
    fastnn.utils.set_random_seed(0)
    assert printed(code) == "True\n"


def test_the_classics():
    (code,) = blocks("The classics", "python")
    learned, descent = printed(code).splitlines()
    assert learned.startswith("1.0 ") and descent.startswith("True 3.0 ")


def test_links_lead_somewhere_and_nothing_is_left_to_fill_in():
    folder = Path(__file__).resolve().parent.parent
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if not link.startswith("http")]
    assert links and [link for link in links if not (folder / link).exists()] == []
    assert re.findall(r"^[A-Z]{4,}$", README, re.M) == []
