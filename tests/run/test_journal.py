"""The journal gives back all it acknowledged, once, in one order, and says what it could not keep."""

import os
import random
import shutil
import sqlite3
from hashlib import blake2b

import pytest

from agentinstruct.agents.errors import RunError
from agentinstruct.run.journal import Journal

SETTINGS = {"skills": ["rc"], "seed": 7, "model": {"name": "scripted", "temperature": 0.5}}


def ident(*parts):
    return blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def call(number):
    return ident("call", number), {"text": f"reply {number}", "tokens": number}


def item(number, records=2, dropped=1):
    made = [{"id": ident("record", number, one), "text": f"{number}/{one}"} for one in range(records)]
    lost = [{"stage": "edit", "reason": "lost", "item": number}] * dropped
    return ident("item", number), f"skill_{number % 2}", ident("seed", number), made, lost


def fill(folder, numbers, settings=SETTINGS):
    with Journal.open(folder, settings) as journal:
        for number in numbers:
            journal.put_call(*call(number))
            journal.finish(*item(number))


def expected(numbers):
    ordered = sorted((item(number) for number in numbers), key=lambda one: one[0])
    return [record for _, _, _, records, _ in ordered for record in records]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "run"


def test_calls_are_found_before_and_after_a_flush_and_a_restart(folder):
    with Journal.open(folder, SETTINGS) as journal:
        key, value = call(1)
        assert journal.get_call(key) is None
        journal.put_call(key, value)
        assert journal.get_call(key) == value
        journal.flush()
        assert journal.get_call(key) == value
    with Journal.open(folder, SETTINGS) as journal:
        assert journal.get_call(key) == value
        assert journal.recovered.adopted == 0


def test_a_finished_item_is_done_and_its_second_outcome_ignored(folder):
    name, skill, seed, records, dropped = item(1)
    with Journal.open(folder, SETTINGS) as journal:
        assert not journal.is_done(name)
        for _ in range(2):
            journal.finish(name, skill, seed, records, dropped)
            journal.finish(name, skill, seed, [{"id": "other"}], [])
            assert journal.is_done(name)
            journal.flush()
        assert list(journal.records()) == records
        assert list(journal.dropped()) == dropped


def test_results_do_not_depend_on_the_order_of_finishing(folder, tmp_path):
    numbers = list(range(1200))
    fill(folder, numbers)
    random.Random(1).shuffle(numbers)
    fill(tmp_path / "other", numbers[:700])
    fill(tmp_path / "other", numbers[600:])
    with Journal.read(folder) as one, Journal.read(tmp_path / "other") as other:
        assert list(one.records()) == list(other.records()) == expected(numbers)
        assert list(one.dropped()) == list(other.dropped())
        assert one.counts().skills == other.counts().skills


def test_counts(folder):
    with Journal.open(folder, SETTINGS) as journal:
        assert journal.counts().records == 0
        for number in range(10):
            journal.put_call(*call(number))
            journal.finish(*item(number, records=number, dropped=1))
        journal.fail(ident("bad"), "skill_1", "s", "edit", "ReplyError", "no")
        for _ in range(2):
            counts = journal.counts()
            assert (counts.calls, counts.done, counts.failed, counts.records, counts.dropped) == (10, 10, 1, 45, 10)
            odd = counts.skills["skill_1"]
            assert (odd.done, odd.failed, odd.records, odd.dropped) == (5, 1, 25, 5)
            journal.put_call(*call(3))


def test_a_reply_bought_twice_costs_twice_also_where_the_ledger_is_made_anew(folder):
    key = ident("call", 1)
    with Journal.open(folder, SETTINGS) as journal:
        for _ in range(2):
            journal.put_call(key, {"text": "a", "cost": 1.5})
            journal.flush()
        before = journal.counts()
        assert (before.calls, before.bought, before.cost) == (1, 2, 3.0)
    (folder / "ledger.sqlite").unlink()
    with Journal.open(folder, SETTINGS) as journal:
        assert journal.counts() == before


def test_attempts_survive_a_restart_and_end_with_success(folder):
    name, skill, seed, records, dropped = item(1)
    with Journal.open(folder, SETTINGS) as journal:
        assert journal.attempts(name) == 0
        assert journal.fail(name, skill, seed, "edit", "ProviderError", "first") == 1
        assert journal.fail(name, skill, seed, "answer", "ProviderError", "lone \ud800") == 2
    with Journal.open(folder, SETTINGS) as journal:
        assert journal.fail(name, skill, seed, "answer", "Timeout", "x" * 10_000) == 3
        (failure,) = journal.failures()
        assert (failure.item, failure.stage, failure.error, failure.attempts) == (name, "answer", "Timeout", 3)
        assert len(failure.message) < 5000
        journal.finish(name, skill, seed, records, dropped)
        assert list(journal.failures()) == []
        assert journal.attempts(name) == 3


def test_a_live_run_can_be_read_and_is_not_touched(folder):
    journal = Journal.open(folder, SETTINGS)
    for number in range(20):
        journal.finish(*item(number))
    with Journal.read(folder) as reader:  # sees what is not yet in the ledger
        assert list(reader.records()) == expected(range(20))
        assert reader.manifest.settings == SETTINGS
        for number in range(20, 40):
            journal.finish(*item(number))
        journal.flush()
        assert list(reader.records()) == expected(range(40))
        assert reader.counts().done == 40
    journal.close()


def snapshot(folder):
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}


def test_reading_a_finished_run_writes_nothing(folder):
    fill(folder, range(30))
    before = snapshot(folder)
    assert sorted(before) == ["calls-0.seg", "items-0.seg", "ledger.sqlite", "run.json", "run.lock"]
    with Journal.read(folder) as reader:
        assert list(reader.records()) == expected(range(30))
        assert reader.get_call(call(3)[0]) == call(3)[1]
    assert snapshot(folder) == before


def test_reading_does_without_a_ledger(folder):
    fill(folder, range(30))
    (folder / "ledger.sqlite").unlink()
    before = snapshot(folder)
    with Journal.read(folder) as reader:
        assert reader.recovered.rebuilt
        assert list(reader.records()) == expected(range(30))
        assert reader.counts().calls == 30
    assert snapshot(folder) == before


def test_a_failing_sync_is_told_and_never_tried_again(folder, monkeypatch):
    journal = Journal.open(folder, SETTINGS)
    journal.finish(*item(1))
    journal.flush()
    tries = []

    def refuse(handle):
        tries.append(handle)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", refuse)
    journal.put_call(*call(1))
    with pytest.raises(RunError, match="disk failed"):
        journal.flush()
    for attempt in (
        lambda: journal.put_call(*call(2)),
        lambda: journal.finish(*item(2)),
        lambda: journal.is_done(item(1)[0]),
        lambda: journal.get_call(call(1)[0]),
        journal.close,
    ):
        with pytest.raises(RunError, match="disk failed"):
            attempt()
    assert len(tries) == 1
    monkeypatch.undo()
    with Journal.open(folder, SETTINGS) as journal:
        assert journal.is_done(item(1)[0])


def test_the_ledger_never_says_more_than_was_synced(folder, tmp_path, monkeypatch):
    synced, real = {}, os.fdatasync

    def sync(handle):
        size = os.fstat(handle).st_size
        real(handle)
        synced[os.fstat(handle).st_ino] = size

    monkeypatch.setattr(os, "fdatasync", sync)
    journal = Journal.open(folder, SETTINGS)
    for number in range(1500):
        journal.put_call(*call(number))
        journal.finish(*item(number))
        if number == 1000:
            journal.flush()
    after = tmp_path / "after the power cut"
    after.mkdir()
    for path in sorted(folder.iterdir(), reverse=True):  # the ledger first, then how far the segments were synced
        if path.suffix != ".seg":
            shutil.copy(path, after)
    for path in folder.glob("*.seg"):
        (after / path.name).write_bytes(path.read_bytes()[: synced[path.stat().st_ino]])
    journal.close()
    with Journal.open(after, SETTINGS) as journal:
        assert (journal.recovered.damaged, journal.recovered.rebuilt) == (0, False)
        assert all(journal.get_call(call(number)[0]) for number in range(1001))
        found = list(journal.records())
        assert len(found) >= 2 * 1001
        assert journal.damaged == 0


def test_an_unwritable_ledger_is_told(folder, monkeypatch):
    journal = Journal.open(folder, SETTINGS)
    with sqlite3.connect(folder / "ledger.sqlite") as other:
        other.execute("DROP TABLE calls")
    other.close()
    journal.put_call(*call(1))
    with pytest.raises(RunError, match=r"ledger cannot be written.*calls"):
        journal.flush()
    with pytest.raises(RunError):
        journal.close()


def test_a_closed_journal_says_so(folder):
    journal = Journal.open(folder, SETTINGS)
    journal.close()
    journal.close()
    with pytest.raises(RunError, match="closed"):
        journal.put_call(*call(1))
