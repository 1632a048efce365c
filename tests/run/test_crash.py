"""Killed at any moment, or with its files damaged, a run keeps all it acknowledged and makes nothing twice."""

import contextlib
import importlib.util
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from agentinstruct.run.journal import Journal

CHILD = Path(__file__).with_name("crash_child.py")
_spec = importlib.util.spec_from_file_location("crash_child", CHILD)
child = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(child)
SETTINGS = {"crash": True}


def killed(folder, first, delay, after_open):
    """What a child acknowledged until it was killed, `delay` seconds after its start or after it opened the run."""
    process = subprocess.Popen([sys.executable, str(CHILD), str(folder), str(first)], stdout=subprocess.PIPE)
    lines = [process.stdout.readline()] if after_open else []
    timer = threading.Timer(delay, os.kill, (process.pid, signal.SIGKILL))
    timer.start()
    lines += process.stdout.readlines()
    timer.join()
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    return [(kind, int(number)) for kind, number in (line.decode().split() for line in lines)]


def check_all(journal, acknowledged):
    for kind, number in acknowledged:
        if kind == "call":
            assert journal.get_call(child.ident("call", number)) == child.reply(number)
        elif kind == "item":
            assert journal.is_done(child.ident("item", number))
        elif kind == "failure":
            assert journal.attempts(child.ident("item", number)) >= 1


def check_records(journal, acknowledged):
    numbers = {number for kind, number in acknowledged if kind == "item"}
    wanted = {record["id"]: record for number in numbers for record in child.made(number)}
    found = list(journal.records())
    ids = [record["id"] for record in found]
    assert len(set(ids)) == len(ids)
    assert wanted.keys() <= set(ids)
    assert all(wanted.get(record["id"], record) == record for record in found)
    assert len(found) == journal.counts().records
    assert journal.damaged == 0


def test_killed_20_times_it_loses_nothing_and_doubles_nothing(tmp_path):
    chance, folder, acknowledged, first = random.Random(), tmp_path / "run", [], 0
    for turn in range(20):
        after_open = turn % 3 > 0
        delay = chance.uniform(0, 0.25) if after_open else chance.uniform(0.1, 0.5)
        new = killed(folder, first, delay, after_open)
        acknowledged += new
        # Back a little: the next child meets items that are done, as a resumed run does.
        first = max(0, max((number for _, number in acknowledged), default=0) - 20)
        if turn % 4 == 3:
            with Journal.read(folder) as reader:
                check_all(reader, new)
                check_records(reader, acknowledged)
        if turn % 4 == 1:
            with Journal.open(folder, SETTINGS) as journal:
                check_all(journal, new)
                assert journal.recovered.damaged == 0
                assert not journal.recovered.rebuilt
    assert sum(kind == "item" for kind, _ in acknowledged) > 100
    with Journal.open(folder, SETTINGS) as journal:
        check_all(journal, acknowledged)
        check_records(journal, acknowledged)


@pytest.fixture
def run(tmp_path):
    """A run of 300 items, closed."""
    folder = tmp_path / "run"
    with Journal.open(folder, SETTINGS) as journal:
        write(journal, range(300))
    return folder


def write(journal, numbers):
    for number in numbers:
        journal.put_call(child.ident("call", number), reply := child.reply(number))
        assert journal.get_call(child.ident("call", number)) == reply
        journal.finish(child.ident("item", number), "rc", child.ident("seed", number), child.made(number), [])


def done(numbers):
    return [(kind, number) for number in numbers for kind in ("call", "item")]


@pytest.mark.parametrize("junk", [b"\0" * 4096, b'{"id":', bytes(range(256))], ids=["nul", "json", "noise"])
def test_a_torn_end_is_set_aside(run, junk):
    for name in ("calls-0.seg", "items-0.seg"):
        with (run / name).open("ab") as segment:
            segment.write(junk)
    with Journal.open(run, SETTINGS) as journal:
        assert journal.recovered.quarantined == 2 * len(junk)
        write(journal, range(300, 310))
        check_records(journal, done(range(310)))
    assert sorted(path.read_bytes() for path in (run / "quarantine").iterdir()) == [junk, junk]
    with Journal.open(run, SETTINGS) as journal:
        assert journal.recovered.quarantined == 0
        check_all(journal, done(range(310)))


@pytest.mark.parametrize("ledger", ["kept", "lost"])
def test_a_byte_flipped_in_the_middle_costs_one_item_which_is_made_again(run, ledger):
    with contextlib.closing(
        sqlite3.connect(run / "ledger.sqlite")
    ) as known:  # an item without records is never read again
        (call,) = known.execute("SELECT offset + length / 2 FROM calls ORDER BY offset LIMIT 1 OFFSET 150")
        (item,) = known.execute(
            "SELECT offset + length / 2 FROM items WHERE records ORDER BY offset LIMIT 1 OFFSET 100"
        )
    for name, (place,) in (("calls-0.seg", call), ("items-0.seg", item)):
        data = bytearray((run / name).read_bytes())
        data[place] ^= 1
        (run / name).write_bytes(data)
    if ledger == "lost":
        (run / "ledger.sqlite").unlink()
    with Journal.open(run, SETTINGS) as journal:
        assert journal.recovered.damaged == (2 if ledger == "lost" else 0)
        kept = {record["id"] for record in journal.records()}
        assert journal.damaged == (0 if ledger == "lost" else 1)
        (lost,) = [number for number in range(300) if not journal.is_done(child.ident("item", number))]
        assert kept == {record["id"] for number in range(300) if number != lost for record in child.made(number)}
        (unread,) = [number for number in range(300) if journal.get_call(child.ident("call", number)) is None]
        write(journal, [lost, unread])
    with Journal.open(run, SETTINGS) as journal:
        check_all(journal, done(range(300)))
        check_records(journal, done(range(300)))


@pytest.mark.parametrize("share", [0, 0.3, 0.999])
def test_a_segment_shorter_than_the_ledger_says_is_made_again_from_there(run, share):
    for name in ("calls-0.seg", "items-0.seg"):
        os.truncate(run / name, int((run / name).stat().st_size * share))
    with Journal.open(run, SETTINGS) as journal:
        assert journal.recovered.damaged == 2
        kept = [number for number in range(300) if journal.is_done(child.ident("item", number))]
        assert kept == list(range(len(kept)))
        assert len(kept) < 300
        check_records(journal, done(kept))
        write(journal, range(300))
    with Journal.open(run, SETTINGS) as journal:
        check_all(journal, done(range(300)))
        check_records(journal, done(range(300)))


def spoil(how, ledger):
    size = ledger.stat().st_size
    match how:
        case "gone":
            ledger.unlink()
        case "empty":
            os.truncate(ledger, 0)
        case "cut":
            os.truncate(ledger, size // 2)
        case "not a database":
            ledger.write_bytes(b"x" * size)
        case "of another run":
            with Journal.open(ledger.parent.parent / "other", SETTINGS) as other:
                write(other, range(1000, 1010))
            shutil.copy(ledger.parent.parent / "other" / ledger.name, ledger)
        case "flipped":
            data = bytearray(ledger.read_bytes())
            data[size - 4096 : size - 4032] = bytes(range(64))
            ledger.write_bytes(data)


@pytest.mark.parametrize("how", ["gone", "empty", "cut", "not a database", "of another run", "flipped"])
def test_a_spoilt_ledger_is_made_again(run, how):
    spoil(how, run / "ledger.sqlite")
    with Journal.open(run, SETTINGS) as journal:
        assert journal.recovered.rebuilt
        assert journal.counts().done == 300
        check_all(journal, done(range(300)))
        check_records(journal, done(range(300)))


def test_a_ledger_that_points_to_another_frame_yields_nothing_false(run):
    with contextlib.closing(sqlite3.connect(run / "ledger.sqlite")) as ledger, ledger:
        for table, key in (("calls", "key"), ("items", "id")):
            (_, offset, length), (moved, *_) = ledger.execute(f"SELECT {key}, offset, length FROM {table} LIMIT 2")
            move = f"UPDATE {table} SET offset = ?, length = ? WHERE {key} = ?"
            ledger.execute(move, (offset, length, moved))
    with Journal.open(run, SETTINGS) as journal:
        assert len({record["id"] for record in journal.records()}) == len(list(journal.records()))
        assert not journal.is_done(moved)
        assert sum(journal.get_call(child.ident("call", number)) is None for number in range(300)) == 1
        write(journal, range(300))
    with Journal.open(run, SETTINGS) as journal:
        check_all(journal, done(range(300)))
        check_records(journal, done(range(300)))


def test_an_old_ledger_catches_up(run, tmp_path):
    shutil.copy(run / "ledger.sqlite", tmp_path / "old")
    with Journal.open(run, SETTINGS) as journal:
        write(journal, range(300, 400))
    shutil.copy(tmp_path / "old", run / "ledger.sqlite")
    with Journal.open(run, SETTINGS) as journal:
        assert (journal.recovered.adopted, journal.recovered.rebuilt) == (200, False)
        check_all(journal, done(range(400)))
        check_records(journal, done(range(400)))


def test_segments_of_several_workers_become_one_run(run, tmp_path):
    with Journal.open(tmp_path / "second", SETTINGS, writer="b") as journal:
        write(journal, range(290, 400))
    for segment in (tmp_path / "second").glob("*.seg"):
        segment.rename(run / segment.name)
    with Journal.open(run, SETTINGS) as journal:
        check_all(journal, done(range(400)))
        check_records(journal, done(range(400)))


def test_the_folder_is_free_as_soon_as_its_owner_is_killed(tmp_path):
    killed(tmp_path / "run", 0, 0.05, True)
    start = time.monotonic()
    Journal.open(tmp_path / "run", SETTINGS).close()
    assert time.monotonic() - start < 15
