"""The viewer as a browser meets it: a real process over a real run, asked by HTTP."""

import json
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from html import unescape
from unicodedata import normalize

import httpx
import pytest

from agentinstruct.run.journal import Journal
from agentinstruct.view.diff import words_changed
from agentinstruct.view.index import NAME as INDEX
from tests.dataset.test_measure import record

PROGRAM = [sys.executable, "-m", "agentinstruct.cli.main"]
ATTACK = "<script>alert('seed')</script> {{ 7 * 7 }} <img src=x onerror=alert(1)>"
TEXT = f"""The harbour froze on 4 January 1907, and forty ships waited outside until the ice broke in March. {ATTACK}

The keeper of the house, Ida Brandt, wrote down every ship that came in, with its cargo and its master's name.

In 1911 the council bought the old customs house and gave the ground floor to the pilots for their meetings.
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished run of two skills, one of them with refinement."""
    root = tmp_path_factory.mktemp("view")
    (root / "harbour.md").write_text(TEXT)
    command = [*PROGRAM, "run", root / "harbour.md", "--model", "scripted", "-s", "reading_comprehension"]
    command += ["-s", "text_modification", "--rounds", "1", "--transforms", "identity", "--out", root / "run"]
    subprocess.run([*map(str, command)], check=True, capture_output=True, cwd=root)
    return root / "run"


@contextmanager
def viewing(folder, *more):
    command = [*PROGRAM, "view", str(folder), *map(str, more), "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        address = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())[0]
        with httpx.Client(base_url=address, timeout=10) as client:
            yield client
    finally:
        process.terminate()
        said, wrong = process.communicate(timeout=20)
    assert (said, wrong) == ("", "")


@pytest.fixture(scope="module")
def page(folder):
    with viewing(folder, folder.parent / "harbour.md") as client:
        yield client


def rows(folder):
    found = [json.loads(line) for file in (folder / "data").glob("*.jsonl") for line in file.read_text().splitlines()]
    return found, [json.loads(line) for line in (folder / "dropped.jsonl").read_text().splitlines()]


def numbers(answer):
    return [int(n) for n in re.findall(r'<li data-n="(\d+)"', answer.text)]


def title(answer):
    return unescape(re.search(r"<h1>(.*?)</h1>", answer.text, re.DOTALL)[1]).strip()


def test_everything_a_run_made_is_listed_and_can_be_narrowed(page, folder):
    records, dropped = rows(folder)
    assert title(page.get("/")) == f"{len(records) + len(dropped)} rows"
    refined = [record for record in records if record["depth"] == 1]
    assert refined
    found = page.get("/", params={"depth": "1", "state": "accepted"})
    assert title(found) == f"{len(refined)} rows" if len(refined) > 1 else "1 row"
    skill = refined[0]["skill"]
    narrowed = page.get("/", params={"depth": "1", "skill": skill})
    assert len(numbers(narrowed)) == sum(record["skill"] == skill for record in refined)
    assert "Nothing is found" in page.get("/", params={"depth": "9"}).text


def test_words_are_found_in_what_was_asked_and_answered(page, folder):
    records, _ = rows(folder)
    holding = [one for one in records if any("customs" in turn["content"].casefold() for turn in one["messages"])]
    assert holding
    found = page.get("/", params={"q": "custom"})
    assert len(numbers(found)) >= len(holding)
    for odd in ('"', "*", "NEAR(", "a AND", "' OR 1=1 --", "-", "\x00", "a\u19b0b"):
        assert page.get("/", params={"q": odd}).status_code == 200
    assert "Nothing is found" in page.get("/", params={"q": "zebra quagga"}).text


def test_a_refined_record_shows_its_way_from_the_source_to_the_verdicts(page, folder):
    record = next(one for one in rows(folder)[0] if one["depth"] == 1 and one["parent"])
    shown = page.get(f"/id/{record['id']}", follow_redirects=True)
    assert shown.status_code == 200
    steps = re.findall(r'<section class="step (\w+)" id="step-', shown.text)
    assert steps[:3] == ["source", "passage", "instruction"]
    assert "suggestion" in steps and "edit" in steps and steps[-2:] == ["answer", "verdicts"]
    assert unescape(record["suggestion"]) in unescape(shown.text)
    assert "<ins>" in shown.text
    assert "The harbour froze" in re.search(r'id="step-1">(.*?)</section>', shown.text, re.DOTALL)[1], (
        "the source's span"
    )
    for verdict in record["verdicts"]:
        assert verdict["check"] in shown.text
    key = record["calls"][-1]["key"]
    reply = page.get(f"/reply/{key}")
    assert reply.status_code == 200 and reply.headers["content-type"].startswith("text/plain")
    assert page.get("/reply/nonsense").status_code == 404
    for number in (999999, 10**30):
        assert page.get(f"/row/{number}").status_code == 404
    assert page.get("/id/..%2F..%2Fetc%2Fpasswd").status_code == 404


def test_texts_are_shown_as_texts_and_nothing_of_them_is_carried_out(page, folder):
    record = next(one for one in rows(folder)[0] if "alert('seed')" in one["messages"][-2]["content"])
    shown = page.get(f"/id/{record['id']}", follow_redirects=True)
    assert ATTACK in unescape(shown.text) and "{{ 7 * 7 }}" in shown.text
    assert "<script>alert" not in shown.text and "<img" not in shown.text
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert shown.headers["x-content-type-options"] == "nosniff"


def test_only_its_own_pages_are_heard(page):
    assert page.get("/", headers={"host": "evil.example"}).status_code == 400
    said = {"n": 1, "label": "accept", "note": ""}
    assert page.post("/label", json=said).status_code == 403
    assert page.post("/label", json=said, headers={"x-token": "guessed"}).status_code == 403


def test_labels_are_kept_found_and_exported(page, folder, tmp_path):
    start = page.get("/")
    token = {"x-token": re.search(r'name="token" content="([^"]+)"', start.text)[1]}
    first, second = numbers(start)[:2]
    put = page.post("/label", json={"n": first, "label": "reject", "note": "too easy"}, headers=token)
    assert put.json() == {"label": "reject", "note": "too easy"}
    assert page.post("/label", json={"n": second, "label": "accept", "note": ""}, headers=token).status_code == 200
    assert numbers(page.get("/", params={"label": "reject"})) == [first]
    assert numbers(page.get("/", params={"label": "any"})) == [first, second]
    assert first not in numbers(page.get("/", params={"label": "none"}))
    assert title(page.get("/")) == title(start), "what is labelled does not stay sought"
    for wrong in ({"n": first, "label": "perhaps"}, {"n": first, "label": 3}, {"n": first, "note": "x" * 10_001}, []):
        assert page.post("/label", json=wrong, headers=token).status_code == 422
    for number in (10**9, 10**30, -1):
        answer = page.post("/label", json={"n": number, "label": "accept"}, headers=token)
        assert answer.status_code == 404
    assert page.post("/label", content=b"{", headers=token).status_code == 422
    lines = [json.loads(line) for line in page.get("/labels.jsonl").text.splitlines()]
    assert {(one["label"], one["note"]) for one in lines} == {("reject", "too easy"), ("accept", "")}
    done = subprocess.run(
        [*PROGRAM, "view", str(folder), "--labels", str(tmp_path / "l.jsonl")], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [json.loads(line) for line in (tmp_path / "l.jsonl").read_text().splitlines()] == lines
    page.post("/label", json={"n": second, "label": "", "note": ""}, headers=token)
    assert numbers(page.get("/", params={"label": "any"})) == [first], "a label can be taken back"


def test_what_a_live_run_makes_appears_and_a_damaged_index_is_made_again(tmp_path):
    dropped = {
        **{
            "skill": "coding",
            "stage": "transform",
            "reason": "declined",
            "detail": "It holds no code.",
            "seed_id": "s",
        },
        **{"category": "", "transform": "describe", "draft_id": "", "parent": "", "source": "a.py"},
        **{"verdicts": [], "calls": []},
    }
    run = tmp_path / "run"
    with Journal.open(run, {}) as journal:
        journal.finish("1" * 32, "coding", "s", [], [dropped])
        with viewing(run) as page:
            assert title(page.get("/")) == "1 row"
            journal.finish("2" * 32, "coding", "t", [], [dropped])
            deadline = time.monotonic() + 10
            while title(page.get("/")) != "2 rows":
                assert time.monotonic() < deadline
                time.sleep(0.1)
    (run / INDEX).write_bytes(b"not a database at all" * 100)
    with (run / "items-0.seg").open("ab") as segment:
        segment.write(b"a torn end")
    with viewing(run) as page:
        assert title(page.get("/")) == "2 rows"
        assert "It holds no code." in page.get("/row/1").text
        token = {"x-token": re.search(r'name="token" content="([^"]+)"', page.get("/").text)[1]}
        page.post("/label", json={"n": 1, "label": "reject", "note": ""}, headers=token)
        assert numbers(page.get("/", params={"label": "reject"})) == [1], "drops without a draft are told apart"
        deadline = time.monotonic() + 10
        while "Reading the run" in page.get("/").text:
            assert time.monotonic() < deadline, "a torn end is not waited for"
            time.sleep(0.1)


def test_a_folder_without_a_run_and_a_port_in_use_are_told(folder, page, tmp_path):
    done = subprocess.run([*PROGRAM, "view", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 2 and "no run here" in done.stderr
    port = str(page.base_url.port)
    done = subprocess.run([*PROGRAM, "view", str(folder), "--port", port], capture_output=True, text=True)
    assert done.returncode == 2 and f"--port {port}" in done.stderr and "Traceback" not in done.stderr
    done = subprocess.run([*PROGRAM, "view", str(folder), "--labels", "-"], capture_output=True, text=True)
    assert done.returncode in (0, 2)


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ("a b c", "a x c", ["same", "gone", "come", "same"]),
        ("same", "same", ["same"]),
        ("", "new", ["come"]),
        ("word " * 4000, "other " * 4000, ["gone", "come"]),
    ],
)
def test_a_change_is_told_word_by_word(before, after, kinds):
    pieces = words_changed(before, after)
    assert [piece.kind for piece in pieces] == kinds
    assert "".join(piece.text for piece in pieces if piece.kind != "come") == before
    assert "".join(piece.text for piece in pieces if piece.kind != "gone") == after


def test_help_says_what_it_is_for():
    done = subprocess.run([*PROGRAM, "view", "--help"], capture_output=True, text=True, check=True)
    assert "Only this machine" in done.stdout


REASONS = ("declined", "too long", "no JSON")


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A run of 30,000 drops, the first of which are read before the page is there."""
    run = tmp_path_factory.mktemp("large") / "run"
    with Journal.open(run, {}) as journal:
        for item in range(300):
            journal.finish(f"{item:032x}", "coding", "s", [], [drop(100 * item + place) for place in range(100)])
    return run


def drop(number):
    words = f"It is number {number}, and {'odd' if number % 2 else 'even'}. {'Some more words follow. ' * 60}"
    spent = {"agent": "a", "role": "a", "prompt": "p", "model": "openai:gpt-4.1-mini", "key": str(number), "repairs": 0}
    tokens = {"input_tokens": number * 7919 % 30_011, "cached_tokens": 0, "output_tokens": 0}
    return {
        **{"skill": "coding", "stage": "verify", "reason": REASONS[number % 3], "detail": words, "seed_id": "s"},
        **{"category": f"category {number % 7}", "transform": "describe", "draft_id": f"{number:032x}", "parent": ""},
        **{"source": "a.py", "verdicts": [], "calls": [spent | tokens]},
    }


def test_a_large_run_is_shown_at_once_and_says_how_far_it_is_read(large):
    with viewing(large) as page:
        first = page.get("/")
        assert 0 < int(title(first).split()[0].replace(",", "")) < 30_000
        assert "Reading the run" in first.text and len(numbers(first)) == 50
        deadline = time.monotonic() + 60
        while "Reading the run" in page.get("/").text:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert title(page.get("/")) == "30,000 rows"

        last = unescape(re.search(r'href="([^"]+)">Last<', page.get("/").text)[1])
        assert numbers(page.get(last)) == [*range(29_951, 30_001)] and "29,951–30,000 of 30,000" in page.get(last).text
        assert numbers(page.get("/", params={"order": "new", "page": "599"})) == [*range(50, 0, -1)]
        dearest = sorted(range(30_000), key=lambda number: -(number * 7919 % 30_011))
        for at in (0, 599):
            listed = numbers(page.get("/", params={"order": "cost", "page": str(at)}))
            assert listed == [number + 1 for number in dearest[50 * at : 50 * at + 50]]
        assert not numbers(page.get("/", params={"page": "600"}))

        fitting = [str(number + 1) for number in dearest if number % 3 == 1]
        query = {"order": "cost", "reason": f"verify: {REASONS[1]}"}
        ways = re.compile(r'id="(?:before|after)" href="/row/(\d+)')
        assert ways.findall(page.get(f"/row/{fitting[1]}", params=query).text) == [fitting[0], fitting[2]]
        far = page.get(f"/row/{fitting[120]}", params=query).text
        back = unescape(re.search(r'id="back" href="([^"]+)', far)[1])
        assert int(fitting[120]) in numbers(page.get(back)), "one comes back to the page that the row is on"
        assert not ways.findall(page.get("/row/1", params=query).text), "what is not looked for has no neighbours"

        odd = page.get("/", params={"q": "odd"})
        assert title(odd) == "15,000 rows with “odd”"
        assert facets(odd)["category 3"] == sum(n % 7 == 3 for n in range(1, 30_000, 2)), "counts are of what was found"
        both = page.get("/", params={"q": "odd", "category": "category 3"})
        assert title(both).startswith(f"{facets(odd)['category 3']:,} rows")
        assert facets(both)["category 4"] == facets(odd)["category 4"], "a filter does not narrow its own choices"


def facets(answer):
    found = re.findall(r'<span class="name">([^<]+)</span> <span class="many">([\d,]+)</span>', answer.text)
    return {unescape(name): int(count.replace(",", "")) for name, count in found}


def test_two_viewers_of_a_live_run_do_not_disturb_each_other(tmp_path):
    run = tmp_path / "run"
    with Journal.open(run, {}) as journal:
        for item in range(2):
            journal.finish(f"{item:032x}", "coding", "s", [], [drop(item)])
        with viewing(run) as one:
            with viewing(run) as other:
                for item in range(2, 14):
                    journal.finish(f"{item:032x}", "coding", "s", [], [drop(item)])
                    time.sleep(0.25)
                for page in (one, other):
                    wait_for_rows(page, 14)
            journal.finish("f" * 32, "coding", "s", [], [drop(14)])
            wait_for_rows(one, 15)
            assert title(one.get("/", params={"q": "number"})) == "15 rows with “number”"


def wait_for_rows(page, count):
    deadline = time.monotonic() + 10
    while title(answer := page.get("/")) != f"{count} rows":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert "no longer being read" not in answer.text


def test_a_word_is_found_however_its_letters_are_composed(tmp_path):
    words = ("naïve", "Việt", "가격표", "ガス", "ŷx̂z")
    with Journal.open(tmp_path / "run", {}) as journal:
        for item, form in enumerate(("NFC", "NFD")):
            detail = normalize(form, f"A {' and '.join(words)}.")
            journal.finish(f"{item:032x}", "coding", "s", [], [drop(item) | {"detail": detail}])
    with viewing(tmp_path / "run") as page:
        for word in words:
            for form in ("NFC", "NFD"):
                assert numbers(page.get("/", params={"q": normalize(form, word)})) == [1, 2], (word, form)


def test_a_dropped_draft_shows_what_was_written_of_it_and_no_empty_box(tmp_path):
    (tmp_path / "a.md").write_text(TEXT)
    source = str(tmp_path / "a.md")
    replies = {"instruct": '{"question": "How many\\nships?", "key": ["40"]}', "answer": "{" * 2000, "judge": "No."}
    calls = [drop(at)["calls"][0] | {"role": role, "key": f"{at:064x}"} for at, role in enumerate(replies)]
    gone = drop(1) | {"calls": [*calls, calls[0]], "source": source}
    with Journal.open(tmp_path / "run", {}) as journal:
        for call in calls:
            journal.put_call(call["key"], {"text": replies[call["role"]]})
        kept = record(1, seed_id="s", source=source)
        journal.finish("1" * 32, "coding", "s", [kept], [gone])
        journal.finish("2" * 32, "coding", "t", [], [gone | {"draft_id": "2" * 32}])
    with viewing(tmp_path / "run", source) as page:
        shown = [
            re.findall(
                r'class="step (\w+)" id="step-\d">\s*<h2>(.*?)</h2>\s*(.*?)</section>',
                unescape(page.get(f"/row/{row}").text),
                re.DOTALL,
            )
            for row in (2, 3)
        ]
        for steps in shown:
            assert [kind for kind, *_ in steps] == ["source", "instruction", "answer", "dropped"]
            assert all(body for *_, body in steps), "no box is empty"
            assert "question: How many\nships?" in steps[1][2] and '"40"' in steps[1][2]
        assert "The harbo<" in shown[0][0][2] and "characters 0–9" in shown[0][0][2]
        assert "its work item has none" in shown[1][0][2]


def test_room_is_asked_for_only_where_it_is_short(tmp_path):
    with Journal.open(tmp_path / "run", {}) as journal:
        journal.finish("1" * 32, "coding", "s", [], [drop(1)])
    command = " ".join([*PROGRAM, "view", str(tmp_path / "run"), "--no-browser"])
    done = subprocess.run(["bash", "-c", f"ulimit -f 4; {command}"], capture_output=True, text=True)
    assert done.returncode == 2 and f"{INDEX}: " in done.stderr and "Traceback" not in done.stderr
    assert "free some" not in done.stderr and "delete it" in done.stderr
