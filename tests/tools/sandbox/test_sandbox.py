"""What honest code can do, how each end is told, and that nothing asked for weakens the sandbox."""
# One program a row, as long as it is:
# ruff: noqa: E501

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from agentinstruct.tools.sandbox import (
    Artifact,
    Limits,
    Sandbox,
    arun_python,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")

CONTROLS = {
    "stdlib": "import math, re, random, itertools, functools, collections, datetime, decimal, fractions, statistics, heapq, csv\n"
    "print(math.gcd(12, 18), decimal.Decimal('1') / 3)",
    "json": "import json; assert json.loads(json.dumps({'a': [1, None]})) == {'a': [1, None]}",
    "dataclasses": "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass P:\n    x: int\nassert P(1) == P(1)",
    "asyncio": "import asyncio\nasync def f(n):\n    await asyncio.sleep(0.01)\n    return n\n"
    "async def go():\n    return await asyncio.gather(*map(f, range(5)))\nassert asyncio.run(go()) == [0, 1, 2, 3, 4]",
    "asyncio_thread": "import asyncio\nassert asyncio.run(asyncio.to_thread(int, '5')) == 5",
    "sqlite3": "import sqlite3\nc = sqlite3.connect('x.db')\nc.execute('create table t (a)')\nc.executemany('insert into t values (?)', "
    "[(n,) for n in range(9)])\nc.commit()\nassert c.execute('select sum(a) from t').fetchone() == (36,)",
    "threads": "import threading, concurrent.futures as f, queue\nwith f.ThreadPoolExecutor(8) as p:\n"
    "    assert sum(p.map(lambda n: n * n, range(100))) == 328350\n",
    "files": "import os, shutil, tempfile, pathlib\np = pathlib.Path('a/b'); p.mkdir(parents=True); (p / 'c').write_text('x')\n"
    "shutil.copy(p / 'c', 'd'); shutil.copy2('d', 'e'); os.rename('e', 'a/f'); os.chmod('d', 0o600); os.utime('d')\n"
    "with tempfile.TemporaryDirectory() as t, tempfile.NamedTemporaryFile() as n: n.write(b'x'); open(t + '/y', 'w').close()\n"
    "shutil.rmtree('a'); assert os.listdir() == ['d']; open('d', 'w').truncate(0)",
    "unittest": "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): self.assertEqual(1, 1)\n"
    "unittest.main(argv=['x'])",
    "unicode": "print('naïve ☃ 𝔘', 'é'.encode()); open('ü☃', 'w').close()",
    "lzma": "import lzma\nassert lzma.decompress(lzma.compress(b'x' * 999)) == b'x' * 999",
    "compression": "import zlib, gzip, bz2, hashlib, zipfile\nassert zlib.decompress(zlib.compress(b'x' * 999)) == b'x' * 999\n"
    "print(hashlib.sha256(b'').hexdigest())",
    "time_zones": "import zoneinfo, datetime; print(datetime.datetime(2024, 7, 1, tzinfo=zoneinfo.ZoneInfo('Europe/Paris')))",
    "subinterpreter_state": "import pickle, copy, logging, warnings, uuid, secrets, inspect\nlogging.warning('x')\n"
    "print(uuid.uuid4(), pickle.loads(pickle.dumps({1: 2})))",
    "signals": "import signal, os, time\nhits = []\nsignal.signal(signal.SIGALRM, lambda *_: hits.append(1))\n"
    "signal.setitimer(signal.ITIMER_REAL, 0.02); time.sleep(0.05); os.kill(os.getpid(), signal.SIGALRM); assert len(hits) == 2",
    "foreign_calls": "import ctypes; assert ctypes.CDLL(None).getpid() > 0",
    "main_guard": "if __name__ == '__main__': print('main')",
}
BEYOND_WASM = ("asyncio_thread", "threads", "lzma", "signals", "foreign_calls")


@pytest.mark.parametrize("name", CONTROLS)
def test_honest_code_runs(box: Sandbox, name: str) -> None:
    result = box.run(CONTROLS[name])
    if box.backend == "wasm" and name in BEYOND_WASM:
        assert result.status == "unsupported", result.stderr
        return
    assert (result.status, result.returncode, result.backend) == ("ok", 0, box.backend), result.stderr


def test_output_input_files_and_artifacts(box: Sandbox) -> None:
    source = "import helper, sys\nprint(helper.ANSWER, open('data/x.bin', 'rb').read(), sys.stdin.read())\n"
    source += "open('data/out.txt', 'w').write('é'); print('note', file=sys.stderr)"
    files = {"helper.py": "ANSWER = 42", "data/x.bin": b"\xff\x00"}
    result = box.run(source, files=files, stdin=b"typed")
    assert (result.stdout, result.stderr) == ("42 b'\\xff\\x00' typed\n", "note\n")
    assert result.artifacts == (Artifact("data/out.txt", "é".encode()),)
    assert 0 < result.wall_s < 10 and result.cpu_s > 0 and result.peak_mb > 1


def test_big_output_is_whole_up_to_the_cap(box: Sandbox) -> None:
    assert len(box.run("print('x' * 999_999)").stdout) == 1_000_000
    cut = box.run("print('x' * 5_000_000)", limits=Limits(output_bytes=1000))
    assert (cut.status, cut.stdout, cut.stdout_cut, cut.stderr_cut) == ("output", "x" * 1000, True, False)


def test_each_end_has_its_status(box: Sandbox) -> None:
    assert box.run("1 / 0").stderr.splitlines()[0] == "Traceback (most recent call last):"
    ends = {
        "raise SystemExit(3)": ("error", 3),
        "def": ("error", 1),
        "import os; os._exit(253)": ("error", 253),
        "b'x' * (1 << 30)": ("memory", 1),
        "import os; os.abort()": ("killed", -6),
    }
    for source, expected in ends.items():
        result = box.run(source)
        assert (result.status, result.returncode, result.timed_out) == (*expected, False), source
    assert box.run("open('f', 'wb').write(bytes(70 << 20))").status == "disk"
    late = box.run("print('begun', flush=True)\nwhile True: pass", limits=Limits(wall_s=0.3))
    assert (late.status, late.timed_out, late.stdout) == ("timeout", True, "begun\n")


def test_a_traceback_shows_the_code_only(box: Sandbox) -> None:
    assert box.run("def f(): return 1 / 0\nf()").stderr.splitlines() == [
        "Traceback (most recent call last):",
        '  File "main.py", line 2, in <module>',
        '  File "main.py", line 1, in f',
        "ZeroDivisionError: division by zero",
    ]


async def test_the_loop_goes_on_and_a_cancelled_run_is_killed(box: Sandbox) -> None:
    ticks = 0
    task = asyncio.create_task(arun_python("import time; time.sleep(0.3); print(1)", sandbox=box))
    while not task.done():
        await asyncio.sleep(0.01)
        ticks += 1
    assert (task.result().stdout, ticks > 5) == ("1\n", True)
    task = asyncio.create_task(box.arun("while True: pass", limits=Limits(wall_s=30)))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    started = time.monotonic()
    assert (await box.arun("print(2)")).stdout == "2\n"
    assert time.monotonic() - started < 10


async def test_many_at_once_do_not_meet(box: Sandbox) -> None:
    source = "import os; open('mine', 'x').write(str(N)); print(N, sorted(os.listdir('.')))"
    results = await asyncio.gather(*(box.arun(f"N = {n}\n{source}") for n in range(8)))
    assert [result.stdout for result in results] == [f"{n} ['mine']\n" for n in range(8)]


def test_modules_are_the_configurations_not_the_requests(kernel_box: Sandbox, tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents):  # reachable for a job with a uid of its own
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    (tmp_path / "extra_module.py").write_text("NAME = 'extra'")
    source = "import extra_module as e; print(e.NAME)\nopen(e.__file__, 'w')"
    result = Sandbox((tmp_path,), kernel_box.backend).run(source)
    assert result.stdout == "extra\n"
    assert result.stderr.splitlines()[-1].startswith(("PermissionError", "OSError: [Errno 30]"))
    assert (tmp_path / "extra_module.py").read_text() == "NAME = 'extra'"
    assert "ModuleNotFoundError" in kernel_box.run("import extra_module").stderr


SCIENCE = {
    "numpy": "import numpy as np\na = np.arange(12).reshape(3, 4)\nprint(a.sum(axis=0).tolist(), np.linalg.det(np.eye(3) * 2))",
    "pandas": "import pandas as pd\nf = pd.DataFrame({'port': ['Kiel', 'Kiel', 'Emden'], 'tons': [1, 2, 3]})\n"
    "f.to_csv('f.csv', index=False)\nprint(pd.read_csv('f.csv').groupby('port').tons.sum().to_dict())",
    "pytest": "import pytest\nopen('test_x.py', 'w').write('def test_a(tmp_path):\\n    assert tmp_path.exists()\\n')\n"
    "raise SystemExit(pytest.main(['-q', '-p', 'no:cacheprovider']))",
}


@pytest.mark.parametrize("name", SCIENCE)
def test_packages_run_where_the_configuration_has_them(kernel_box: Sandbox, name: str) -> None:
    module = pytest.importorskip(name)
    result = Sandbox((Path(module.__file__).parents[1],), kernel_box.backend).run(SCIENCE[name])
    assert (result.status, result.returncode) == ("ok", 0), result.stderr
    expected = {"numpy": "[12, 15, 18, 21]", "pandas": "{'Emden': 3, 'Kiel': 3}", "pytest": "1 passed"}
    assert expected[name] in result.stdout
