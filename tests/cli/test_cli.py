"""The command line: quick, complete help, and errors that say what to do."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agentinstruct.cli.main import app
from agentinstruct.run.journal import Journal

SEEDS = Path(__file__).parents[2] / "examples" / "seeds"
COMMANDS = ("run", "status", "estimate", "cache", "preview", "check", "draw", "skills", "export", "push", "fetch")
HEAVY = (
    "langgraph",
    "langchain",
    "langchain_core",
    "openai",
    "faiss",
    "numpy",
    "pyarrow",
    "aiohttp",
    "huggingface_hub",
)


@pytest.fixture
def agentinstruct(tmp_path, monkeypatch):
    """Run a command in this process, in an empty folder; a traceback is a failure."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("AGENTINSTRUCT_MODEL", raising=False)

    def run(*arguments):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_loads_nothing_heavy(command, tmp_path):
    script = (
        "import sys\n"
        "from agentinstruct.cli.main import app\n"
        "try: app(sys.argv[1:], prog_name='agentinstruct')\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        f"print('LOADED', *sorted(set({HEAVY!r}) & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *command.split(), "--help"], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "LOADED"


def test_help_names_every_command_and_every_option_has_words(agentinstruct):
    overview = agentinstruct("--help").output
    for command in COMMANDS:
        assert re.search(rf"\b{command}\b +\S", overview), command
        page = agentinstruct(command, "-h").output
        options = re.findall(r"│\s+(?:\*\s+)?--([a-z-]+)(.*)│", page)
        assert options
        for name, rest in options:
            assert re.search(r"[A-Za-z]{3,}.* [A-Za-z]{3,}", rest), f"{command} --{name} is not explained"


def test_help_says_what_is_taken_where_nothing_is_given(agentinstruct):
    page = " ".join(re.sub("[│\n]", " ", agentinstruct("run", "-h").output).split())
    for words in ('{"models": {NAME: [input, cached, output]}}', "the embedded 1.5B", "Else runs/DATE-TIME"):
        assert words in page


def test_the_version(agentinstruct):
    assert re.fullmatch(r"agentinstruct \d+\.\d+\S*\n", agentinstruct("--version").output)


def test_gpu_tokens_are_of_use_at_scale_only(agentinstruct):
    done = agentinstruct("estimate", SEEDS / "albedo.md", "-m", "scripted", "--gpu-tokens", "1000,10")
    assert done.exit_code == 2 and "Add --at-scale" in done.stderr


def test_no_password_is_in_the_command_that_resumes(agentinstruct, monkeypatch):
    words = ["run", str(SEEDS / "albedo.md"), "-m", "openai:x", "--base-url", "http://bob:pw1@127.0.0.1:1/v1"]
    monkeypatch.setattr(sys, "argv", ["agentinstruct", *words])
    said = agentinstruct(*words, "-s", "text_modification", "--out", "out").stderr
    assert "To resume: agentinstruct run" in said and "http://127.0.0.1:1/v1" in said and "pw1" not in said


def test_other_seeds_into_a_run_are_told(agentinstruct):
    command = ["-m", "scripted", "-s", "text_modification", "--rounds", 0, "--limit", 1, "--out", "out"]
    assert "other seeds" not in agentinstruct("run", SEEDS / "albedo.md", *command).output
    assert "other seeds" not in agentinstruct("run", SEEDS / "albedo.md", *command).output
    added = agentinstruct("run", SEEDS / "the_blacksmith.txt", *command).output
    assert "other seeds than those given now gave 1 of the work items here" in added


def test_no_command_shows_help(agentinstruct):
    assert "preview" in agentinstruct().output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nosuch.txt", "-m", "scripted"], ["nosuch.txt", "no such file"]),
        (["SEEDS", "-m", "scripted", "-s", "reading_comprehensio"], ["Did you mean 'reading_comprehension'"]),
        (["SEEDS", "-m", "scripted", "--categories", "literal_comprehensio"], ["'literal_comprehension'"]),
        (["SEEDS", "-m", "scripted", "--categories", "foo"], ["There are 2", "; the nearest are "]),
        (["SEEDS", "-m", "scripted", "--per", "skill"], ["--per skill", "Add --target"]),
        (["SEEDS", "-m", "scripted", "--transforms", "satir"], ["'satire'"]),
        (["SEEDS", "-m", "scripted", "--goals", "complicat"], ["'complicate'"]),
        (["SEEDS", "-m", "jude=scripted"], ["no role 'jude'", "'judge'"]),
        (["SEEDS", "-m", "scripted", "--verify", "sloppy"], ["strict, annotate or off"]),
        (["SEEDS", "-m", "openai:x", "--base-url", "localhost:8000"], ["http://"]),
        (["SEEDS", "-m", "openai:x", "--base-url", "x="], ["--base-url x=", "NAME=URL"]),
        (["SEEDS", "-m", "scripted", "--base-url", "x=http://a/v1"], ["called 'x'", "no openai:NAME"]),
        (["SEEDS", "-m", "openai:x"], ["OPENAI_API_KEY", "--base-url"]),
        (["SEEDS", "-m", "openai:"], ["openai:gpt-4.1-mini"]),
        (["SEEDS", "-m", "nosuch:x"], ["nosuch:x", "scripted"]),
        (["SEEDS", "-m", "nosuch"], ["nosuch", "scripted"]),
        (["SEEDS", "-m", "local:nosuch.gguf"], ["nosuch.gguf", "no such file"]),
        (["TABLE", "-m", "scripted", "--column", "txt"], ["'txt'", "question", "--column"]),
        (["SEEDS", "-m", "scripted", "--out", "FILE"], ["in the way", "--out"]),
        (["SEEDS", "-m", "scripted", "--out", "FILE/below"], ["in the way", "--out"]),
        (["SEEDS", "-m", "scripted", "--out", "FULL"], ["not empty", "--out"]),
    ],
)
def test_errors_of_run_say_what_to_do(agentinstruct, tmp_path, arguments, words):
    (tmp_path / "table.jsonl").write_text('{"question": "Is it?", "number": 2}\n')
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    places = {"SEEDS": str(SEEDS / "albedo.md"), "TABLE": "table.jsonl", "FULL": "full", "FILE": "file"}
    places["FILE/below"] = "file/below"
    given = [places.get(word, word) for word in arguments]
    result = agentinstruct("run", *([] if "--out" in given else ["--out", "out"]), *given)
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("error: ")
    for word in words:
        assert word in result.stderr
    assert (tmp_path / "file").read_text() == "mine"
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]


def test_a_mistake_that_cost_nothing_leaves_the_folder_free(agentinstruct, tmp_path):
    assert agentinstruct("run", "nosuch.txt", "-m", "scripted", "--seed", 3, "--out", "out").exit_code == 2
    done = agentinstruct("run", SEEDS / "albedo.md", "-m", "scripted", "--limit", 1, "--rounds", 0, "--out", "out")
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("skill", ["reading_comprehension", "text_modification"])
def test_preview_shows_every_step_and_writes_nothing(agentinstruct, tmp_path, skill):
    shown = agentinstruct("preview", SEEDS / "albedo.md", "-m", "scripted", "-s", skill, "--transforms", "identity")
    assert shown.exit_code == 0, shown.output
    for step in ("seed", "passage", "instruction", "refined", "suggestion", "edited", "answer", "evidence"):
        assert step in shown.output, step
    assert re.search(r"\d+ records, \d+ dropped", shown.output)
    assert not list(tmp_path.iterdir())


def test_preview_of_another_seed_and_of_none(agentinstruct):
    again = agentinstruct("preview", SEEDS / "albedo.md", "-m", "scripted", "--nth", 99)
    assert again.exit_code == 2
    assert "seeds suit reading_comprehension, which takes prose" in again.stderr
    code = agentinstruct("preview", SEEDS / "bisect.py", "-m", "scripted")
    assert code.exit_code == 2
    unknown = agentinstruct("preview", SEEDS / "albedo.md", "-m", "scripted", "-s", "nosuch")
    assert unknown.exit_code == 2
    assert "reading_comprehension" in unknown.stderr


def test_check_lists_what_works(agentinstruct):
    done = agentinstruct("check", "-m", "scripted")
    assert done.exit_code == 0, done.output
    for line in (
        "ok   Python",
        "ok   skill reading_comprehension",
        "ok   model scripted",
        "extra docs",
        *(f"extra {name}" for name in ("clean", "measure", "providers", "ray", "remote", "studio", "view")),
        "weights 1.5b",
    ):
        assert line in done.output
    assert "\x1b" not in done.output


def test_check_fails_for_a_model_that_does_not_answer(agentinstruct, openai_server):
    server = openai_server()
    good = agentinstruct("check", "-m", "openai:any", "--base-url", server.base_url)
    assert good.exit_code == 0, good.output
    server.control(key="another")
    bad = agentinstruct("check", "-m", "judge=openai:any", "--base-url", server.base_url)
    assert bad.exit_code == 1
    assert re.search(r"miss model openai:any .*OPENAI_API_KEY", bad.output)
    gone = agentinstruct("check", "-m", "openai:any", "--base-url", "http://127.0.0.1:1/v1")
    assert gone.exit_code == 1
    keyless = agentinstruct("check", "-m", "openai:any")
    assert keyless.exit_code == 1
    assert "--base-url" in keyless.output


@pytest.mark.parametrize("command", ["run", "estimate", "preview", "check", "bench score"])
def test_an_address_for_a_model_there_is_none_of_sends_nothing_anywhere(
    agentinstruct, openai_server, monkeypatch, command
):
    server = openai_server()
    monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
    what = {"check": [], "bench score": ["bench", "--judge", "openai:gpt-4.1"]}.get(command, [SEEDS / "albedo.md"])
    address = "gpt-4.1-mimi=http://bob:pw1@127.0.0.1:9/v1"
    done = agentinstruct(*command.split(), *what, "-m", "openai:gpt-4.1-mini", "--base-url", address)
    assert done.exit_code == 2 and "pw1" not in done.output
    assert "--base-url gpt-4.1-mimi=http" in done.output
    assert "no model of this run is called 'gpt-4.1-mimi'. Did you mean 'gpt-4.1-mini'?" in done.output
    assert server.stats()["requests"] == 0


def test_an_address_may_be_that_of_one_roles_model_or_of_the_embeddings(agentinstruct, openai_server):
    server = openai_server()
    models = ["-m", "openai:one", "-m", "judge=openai:two", "--embeddings", "openai:three"]
    places = [word for name in ("one", "two", "three") for word in ("--base-url", f"{name}={server.base_url}")]
    command = [SEEDS / "albedo.md", *models, *places, "-s", "rag", "--limit", 1, "--max-calls", 1, "--out", "out"]
    done = agentinstruct("run", *command)
    assert done.exit_code == 0, done.output


def test_skills(agentinstruct):
    overview = agentinstruct("skills").output
    assert all(name in overview for name in ("reading_comprehension", "text_modification", "tool_use"))
    one = agentinstruct("skills", "reading_comprehension")
    assert one.exit_code == 0
    for name in ("satire", "unanswerable", "literal_comprehension"):
        assert name in one.output
    missing = agentinstruct("skills", "reading")
    assert missing.exit_code == 2
    assert "reading_comprehension" in missing.stderr


@pytest.mark.parametrize("skill", ["reading_comprehension", "text_modification", "tool_use"])
def test_draw_prints_the_graph(agentinstruct, skill):
    drawn = agentinstruct("draw", skill)
    assert drawn.exit_code == 0
    for node in ("plan", "instruct", "suggest", "edit", "answer", "verify"):
        assert re.search(rf"\b{node}\b", drawn.output), node


def test_draw_refuses_what_it_cannot(agentinstruct, tmp_path):
    assert "tool_use" in agentinstruct("draw", "tool_us").stderr
    (tmp_path / "file").write_text("mine")
    refused = agentinstruct("draw", "tool_use", "--out", "file/below")
    assert refused.exit_code == 2
    assert "--out" in refused.stderr


def test_export_writes_a_run_again_and_elsewhere(agentinstruct, tmp_path):
    command = ["run", SEEDS / "albedo.md", "-m", "scripted", "-s", "text_modification", "--rounds", 0, "--out", "out"]
    assert agentinstruct(*command).exit_code == 0
    first = (tmp_path / "out" / "manifest.json").read_bytes()
    journal = {path: path.read_bytes() for path in (tmp_path / "out").glob("*.seg")}
    (tmp_path / "out" / "data" / "text_modification.jsonl").unlink()
    again = agentinstruct("export", "out")
    assert again.exit_code == 0
    assert (tmp_path / "out" / "manifest.json").read_bytes() == first
    elsewhere = agentinstruct("export", "out", "--to", "copy/of/it")
    assert elsewhere.exit_code == 0
    assert (tmp_path / "copy" / "of" / "it" / "manifest.json").read_bytes() == first
    assert str(sum(json.loads(first)["records"].values())) in elsewhere.output
    assert {path: path.read_bytes() for path in (tmp_path / "out").glob("*.seg")} == journal


def test_export_names_the_skills_that_a_part_has_nothing_of(agentinstruct, tmp_path):
    command = ["run", SEEDS / "albedo.md", SEEDS / "bisect.py", "-m", "scripted", "--rounds", 0, "--limit", 6]
    skills = ["-s", "text_modification", "-s", "coding", "--categories-per-seed", 1, "--per-category", 1]
    assert agentinstruct(*command, *skills, "--out", "out").exit_code == 0
    told = agentinstruct("export", "out", "--out", "parts", "--split", "train=0.98,test=0.02").output
    assert "test has no record of" in told, told
    whole = agentinstruct("export", "out", "--out", "whole").output
    assert "has no record of" not in whole


def test_export_refuses_what_it_cannot(agentinstruct, tmp_path):
    nothing = agentinstruct("export", "nosuch")
    assert nothing.exit_code == 2
    assert "run.json" in nothing.stderr
    assert agentinstruct("export", "nosuch", "--format", "foo").stderr.count("sharegpt") == 1
    Journal.open(tmp_path / "run", {}).close()
    (tmp_path / "file").write_text("mine")
    refused = agentinstruct("export", "run", "--to", "file/below")
    assert refused.exit_code == 2
    assert "--out" in refused.stderr
