"""Datasets from Python: the same engine as the command line's, whatever seeds, models and loops it is given."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import aclosing
from pathlib import Path

import pytest
from langchain_core.language_models import FakeListChatModel

import agentinstruct
from agentinstruct import Dataset, ModelError, Record, Request, SetupError, agenerate, astream, generate
from agentinstruct.agents.scripted import ScriptedModel

ROOT = Path(__file__).parents[2]
MILL = """The tide mill stands where the creek meets the sea, and it has ground corn since 1742. Twice a day the pond
behind it fills with salt water. When the sea draws back, the miller opens the gate, and the stored water turns the
great oak wheel for about five hours. Storms broke the dam in 1816 and again in 1903, yet each time the village paid
for new stones."""
GLASS = """Mei Tanaka opened her glass works in an old bakery because its brick oven still held heat. She melts sand,
soda and lime at 1,400 degrees, gathers the glow on an iron pipe, and blows until a bottle hangs at its end. Cooling
takes a whole night: glass that cools too fast carries hidden strain and may shatter weeks later on a shelf."""
SAME = {"skills": "text_modification", "model": "scripted", "verify": "annotate", "rounds": 0}


@pytest.fixture
def no_temporary_folder_stays(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    yield tmp_path / "temporary"
    assert not list((tmp_path / "temporary").iterdir())


def contents(dataset):
    return {record.id: record.messages for record in dataset}


def test_paths_documents_and_seeds_make_the_same_records(tmp_path):
    (tmp_path / "mill.txt").write_text(MILL)
    by_path = generate(tmp_path / "mill.txt", **SAME)
    assert contents(by_path)
    assert contents(generate({"text": MILL}, **SAME)) == contents(by_path)
    assert contents(generate(agentinstruct.Seed(text=MILL), **SAME)) == contents(by_path)
    assert {record.source for record in by_path} == {str(tmp_path / "mill.txt")}


def test_a_generator_is_gone_through_as_often_as_a_target_needs():
    taken = []

    def documents():
        for name, text in (("mill", MILL), ("glass", GLASS)):
            taken.append(name)
            yield {"text": text, "source": name, "licence": "CC0-1.0"}

    dataset = generate(documents(), target=12, **SAME)
    assert taken == ["mill", "glass"]
    assert sum(record.accepted for record in dataset) == 12 and {record.source for record in dataset} == {
        "mill",
        "glass",
    }
    assert {record.licence for record in dataset} == {"CC0-1.0"}


def test_rows_of_the_libraries_people_have_are_documents():
    import datasets
    import pandas

    rows = {"body": [MILL, GLASS], "title": ["Mill", "Glass"]}
    frame, table = pandas.DataFrame(rows), datasets.Dataset.from_dict(rows)
    assert contents(generate(frame, **SAME)) == contents(generate(table, **SAME)) != {}


def test_what_is_left_out_is_said_and_not_made():
    dataset = generate([{"text": MILL}, {"text": "Too short."}, {"text": MILL}], **SAME)
    assert any("near-empty 1" in notice and "duplicate 1" in notice for notice in dataset.notices)
    assert "near-empty 1" in repr(dataset)


def test_the_dataset_is_what_lies_in_its_folder(tmp_path):
    dataset = generate({"text": MILL}, out=tmp_path / "run", **SAME)
    lines = [json.loads(line) for line in (tmp_path / "run/data/text_modification.jsonl").read_text().splitlines()]
    assert list(dataset.rows()) == lines and len(dataset) == len(lines) > 0
    assert all(isinstance(record, Record) and record.calls for record in dataset)
    assert [set(row) for row in dataset.messages()] == [{"messages"}] * len(lines)
    (share,) = dataset.summary.yields()
    assert share.drafts == len(dataset) + sum(one.draft_id != "" for one in dataset.dropped())
    again = Dataset(tmp_path / "run")
    assert again.summary == dataset.summary and contents(again) == contents(dataset)
    dataset.save(tmp_path / "copy")
    assert (tmp_path / "copy" / "README.md").is_file()
    assert dataset.to_pandas()["id"].tolist() == [row["id"] for row in lines]
    assert dataset.to_datasets()["text_modification"]["id"] == [row["id"] for row in lines]
    assert f"<b>{len(lines)} records</b>" in dataset._repr_html_()
    with pytest.raises(agentinstruct.RunError, match="no dataset of ours"):
        Dataset(tmp_path)


def test_a_run_goes_on_in_its_folder_and_buys_nothing_twice(tmp_path):
    def calls(progress):
        bought.append(progress.statistics.calls)

    bought: list[int] = []
    first = generate({"text": MILL}, out=tmp_path / "run", max_calls=2, progress=calls, **SAME)
    assert bought[-1] == 2 and any("Budget reached" in notice for notice in first.notices)
    second = generate({"text": MILL}, out=tmp_path / "run", progress=calls, **SAME)
    whole = generate({"text": MILL}, progress=calls, **SAME)
    assert contents(second) == contents(whole)
    assert bought[-1] == len({call.key for row in (*whole, *whole.dropped()) for call in row.calls})


def test_a_temporary_folder_goes_with_its_dataset(no_temporary_folder_stays):
    dataset = generate({"text": MILL}, **SAME)
    assert dataset.path.parent == no_temporary_folder_stays and dataset.path.is_dir()
    del dataset


def test_whoever_reads_rows_keeps_the_folder(no_temporary_folder_stays):
    nonsense = FakeListChatModel(responses=["no JSON, no words"], name="fake")
    dropped = list(generate({"text": MILL}, **SAME | {"model": nonsense, "transforms": "identity"}).dropped())
    assert {one.stage for one in dropped} == {"instruct"}
    assert list(generate({"text": MILL}, **SAME)) and list(generate({"text": MILL}, **SAME).messages())


async def test_the_sync_call_works_where_a_loop_is_running_and_gives_the_same():
    inside = generate({"text": MILL}, **SAME)
    assert contents(inside) == contents(await agenerate({"text": MILL}, **SAME)) != {}


async def test_two_runs_side_by_side_do_not_meet():
    both = await asyncio.gather(*(agenerate({"text": text}, **SAME) for text in (MILL, GLASS)))
    assert [{record.seed_id for record in one} for one in both] == [
        {agentinstruct.Seed(text=text).id} for text in (MILL, GLASS)
    ]


async def test_records_come_as_they_are_made_and_leaving_ends_the_run(no_temporary_folder_stays):
    seen, texts = [], [{"text": f"In {year} it was so. {MILL}"} for year in range(1700, 1760)]
    async with aclosing(astream(texts, max_concurrency=1, **SAME)) as records:
        async for record in records:
            seen.append(record)
            if len(seen) == 3:
                break
    assert len({record.id for record in seen}) == 3
    assert len(asyncio.all_tasks()) == 1


async def test_a_stream_gives_all_that_the_dataset_holds(tmp_path):
    seen = {record.id async for record in astream([{"text": MILL}, {"text": GLASS}], out=tmp_path / "run", **SAME)}
    assert seen == set(contents(Dataset(tmp_path / "run"))) != set()


class Counting:
    """A user's own model: a name, a width, and answers."""

    name = "mine"
    width = 2

    def __init__(self):
        self.roles, self.closed = [], 0

    async def complete(self, request: Request) -> agentinstruct.Completion:
        self.roles.append(request.role)
        return await ScriptedModel().complete(request)

    async def aclose(self):
        self.closed += 1


def test_a_model_may_be_an_object_for_all_roles_or_for_one():
    model = Counting()
    dataset = generate({"text": MILL}, **{**SAME, "model": model})
    assert {call.model for record in dataset for call in record.calls} == {"mine"}
    mixed = generate({"text": MILL}, answer_model=model, **SAME)
    by_role = {(call.role, call.model) for record in mixed for call in record.calls}
    assert ("answer", "mine") in by_role and ("instruct", "scripted") in by_role
    assert model.closed == 0, "it is its owner's to close"


def test_a_langchain_model_may_be_given():
    model = FakeListChatModel(responses=["no JSON, no words"], name="fake")
    dataset = generate({"text": MILL}, **{**SAME, "model": model, "transforms": "identity"})
    assert len(dataset) == 0
    assert {(one.stage, call.model) for one in dataset.dropped() for call in one.calls} == {("instruct", "fake")}


def test_workers_share_what_is_given_in_memory(tmp_path):
    texts = [{"text": f"In {year} it was so. {MILL}"} for year in range(1700, 1706)]
    shared = generate(texts, out=tmp_path / "run", workers=2, **SAME)
    assert contents(shared) == contents(generate(texts, **SAME)) != {}


def test_each_skill_takes_its_own_of_the_filters():
    both = SAME | {"skills": "fermi,text_modification"}
    skills = ("fermi", "text_modification")
    for options, made in (
        ({"transforms": "quantities"}, {"fermi"}),
        ({"transforms": "quantities,identity"}, set(skills)),
        ({"without": "cost,text_styling"}, set(skills)),
        ({"categories": "cost,text_styling", "without": "cost"}, {"text_modification"}),
        ({"without": "none"}, set(skills)),
    ):
        dataset = generate({"text": MILL}, **both | options)
        assert {record.skill for record in dataset} == made, options
        assert "cost" not in {record.category for record in dataset}, options


def test_what_is_left_out_stays_out_in_later_passes():
    known = list(agentinstruct.load_skill("fermi").categories)
    dataset = generate({"text": MILL}, **SAME | {"skills": "fermi"}, without=known[4:], target=20, per="category")
    assert {record.category for record in dataset} == set(known[:4])
    (missed,) = dataset.notices
    assert missed.startswith(f"fermi, 4 categories ({', '.join(sorted(known[:4]))}): 4 of 80")


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"modle": "scripted"}, TypeError, "no option 'modle'. Did you mean 'model'"),
        ({"skills": "codin"}, SetupError, "Did you mean 'coding'"),
        ({"rounds": 11}, SetupError, "rounds: Input should be less than or equal to 10, not 11"),
        ({"verify": "sloppy"}, SetupError, "'strict', 'annotate' or 'off'"),
        ({"model": 7}, ModelError, "int is no model"),
        ({"model": Counting(), "judge_model": Counting()}, ModelError, "two different models are called 'mine'"),
        ({"model": Counting(), "workers": 2}, SetupError, "stays in this process"),
        ({"categories": ["text_styling", "rhymes"]}, SetupError, "rhymes"),
        ({"skills": "fermi,coding", "without": "costs"}, SetupError, "without costs: no skill .* Did you mean 'cost'"),
        ({"categories": "none"}, SetupError, "leave no skill of this run anything"),
        ({"categories": []}, SetupError, "categories: an empty list"),
        ({"skills": ()}, SetupError, "skills: an empty list"),
        ({"batch": "nonsense"}, SetupError, "nonsense"),
        ({"review": True}, TypeError, "no option 'review'"),
        ({"context": agentinstruct.Context(review=True)}, SetupError, "waits for nobody"),
        ({"workers": None}, SetupError, "workers: Input should be a valid integer"),
        ({"budget": 1.0, "model": Counting()}, SetupError, "price"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_made(options, error, words, no_temporary_folder_stays):
    with pytest.raises(error, match=words):
        generate({"text": MILL}, **{"model": "scripted", **options})


async def test_a_stream_checks_its_options_first():
    with pytest.raises(SetupError, match="workers: Input should be a valid integer"):
        await anext(astream({"text": MILL}, workers=None))


@pytest.mark.parametrize("given", ["text_modification,", [" text_modification ", ""]])
def test_empty_names_are_no_names(given):
    assert {record.skill for record in generate({"text": MILL}, **SAME | {"skills": given})} == {"text_modification"}


@pytest.mark.parametrize(
    ("seeds", "words"),
    [
        ("no/such/place", "no/such/place"),
        (MILL, "tide mill"),
        ([{"text": MILL}, "docs/"], "a seed is str"),
        (iter([{"text": MILL}, 3]), "int"),
        (["README.md", {"text": MILL}], "give all as paths, or none"),
        ([{"words": MILL}], "only words"),
        (7, "seeds are int"),
        ([], "no seeds were given"),
    ],
)
def test_what_is_no_seed_is_said(seeds, words, tmp_path):
    with pytest.raises(SetupError, match=words):
        generate(seeds, out=tmp_path / "run", **SAME)


def test_an_error_of_the_model_says_where_the_work_is(tmp_path, openai_server):
    server = openai_server(no_tools=True)
    generate({"text": MILL}, out=tmp_path / "run", model="openai:m", base_url=server.base_url, max_calls=1)
    server.control(faults={"401": 1})
    with pytest.raises(agentinstruct.ProviderDown, match="HTTP 401") as caught:
        generate({"text": MILL}, out=tmp_path / "run", model="openai:m", base_url=server.base_url)
    assert any(str(tmp_path / "run") in note for note in caught.value.__notes__)


def test_what_a_progress_function_raises_ends_the_run_at_once():
    def broken(progress):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        generate({"text": MILL}, progress=broken, **SAME)


SLOW = """
import asyncio, sys
from agentinstruct import generate
from agentinstruct.agents.scripted import ScriptedModel

class Slow(ScriptedModel):
    name = "slow"
    async def complete(self, request):
        await asyncio.sleep(0.05)
        return await super().complete(request)

texts = [{"text": f"Note {n}. " + sys.argv[2]} for n in range(500)]
def run():
    generate(texts, out=sys.argv[1], model=Slow(), skills="text_modification", max_concurrency=4)
async def inside():
    run()
asyncio.run(inside()) if sys.argv[3] == "loop" else run()
"""


@pytest.mark.parametrize("where", ["script", "loop"])
def test_ctrl_c_leaves_a_dataset_and_is_raised(tmp_path, where):
    run = tmp_path / "run"
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # else ignored in the background
    command = [sys.executable, "-c", f"{heard}\n{SLOW}", str(run), MILL, where]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONSAFEPATH": "1"}
    ) as child:
        deadline = time.monotonic() + 30
        while not (run / "status.json").exists() or not told(run)["totals"]["calls"]:
            assert child.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=30)
    assert child.returncode == -signal.SIGINT and "KeyboardInterrupt" in said
    assert f"the same call with out='{run}' goes on" in said.splitlines()[-1]
    assert Dataset(run).summary.calls and told(run)["state"] == "stopped"


def told(run):
    return json.loads((run / "status.json").read_text())
