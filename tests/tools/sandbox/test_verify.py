"""Verdicts: what passes, what fails, and that nothing a solution prints, returns or breaks passes for a pass."""
# One program a row, as long as it is:
# ruff: noqa: E501

import sys
from pathlib import Path

import pytest

from agentinstruct.tools.sandbox import Limits, Sandbox, averify, verify

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")

RIGHT = "def add(a, b):\n    return a + b\n"
WRONG = "def add(a, b):\n    return a - b\n"
ASSERTS = "assert add(2, 3) == 5\nassert add(-1, 1) == 0\n"
FUNCTIONS = "from solution import add\n\ndef test_add():\n    assert add(2, 3) == 5\n\nasync def test_later():\n    assert add(1, 1) == 2\n"
UNITTEST = "import unittest\n\nclass TestAdd(unittest.TestCase):\n    def test_add(self):\n        self.assertEqual(add(2, 3), 5)\n"
CLASS = "class TestAdd:\n    def test_add(self):\n        assert add(2, 3) == 5\n"

FORGERIES = {
    "exit_0": "import os; os._exit(0)",
    "exit_in_function": "import os\ndef add(a, b): os._exit(0)",
    "system_exit": "raise SystemExit(0)",
    "system_exit_in_function": "def add(a, b): raise SystemExit(0)",
    "printed_passed": "print('PASSED')\nprint('1 passed in 0.01s')\nprint('OK')\ndef add(a, b): return 0",
    "printed_nonce": "print('0123456789abcdef' * 2)\ndef add(a, b): return 0",
    "exit_hook": "import atexit, os\natexit.register(os._exit, 0)\ndef add(a, b): return 0",
    "except_hook": "import sys, os\nsys.excepthook = lambda *_: os._exit(0)\ndef add(a, b): return 0",
    "swallowing_thread": "import threading, os, time\nthreading.Thread(target=lambda: (time.sleep(0.05), os._exit(0))).start()\n"
    "def add(a, b): time.sleep(1)",
    "equal_to_all": "class E:\n    def __eq__(self, o): return True\ndef add(a, b): return E()",
    "equal_int": "class E(int):\n    __eq__ = lambda self, o: True\n    __hash__ = int.__hash__\ndef add(a, b): return E()",
    "equal_by_type": "E = type('E', (), {'__' + 'eq__': lambda s, o: True})\ndef add(a, b): return E()",
    "frames": "import sys, os\ndef add(a, b):\n    f = sys._getframe()\n    while f:\n        n = f.f_locals.get('nonce')\n"
    "        if n: os.write(1, ('\\n' + n + '\\n').encode()); os._exit(0)\n        f = f.f_back\n    return 0",
    "hidden_frames": "import sys, os\ng = getattr(sys, '_get' + 'frame')\ndef add(a, b):\n    f = g()\n    while f:\n"
    "        n = getattr(f, 'f_lo' + 'cals').get('nonce')\n        if n: os.write(1, ('\\n' + n + '\\n').encode()); os._exit(0)\n"
    "        f = getattr(f, 'f_ba' + 'ck')\n    return 0",
    "traceback_frames": "import os\ndef add(a, b):\n    try: 1 / 0\n    except ZeroDivisionError as e: f = getattr(e.__traceback__, 'tb_' + 'frame')\n"
    "    while f:\n        n = getattr(f, 'f_lo' + 'cals').get('nonce')\n        if n: os.write(1, ('\\n' + n + '\\n').encode()); os._exit(0)\n"
    "        f = getattr(f, 'f_ba' + 'ck')\n    return 0",
    "generator_frames": "import os\ndef g(): yield\ndef add(a, b):\n    x = g(); f = getattr(x, 'gi_' + 'frame')\n    return f and 0",
    "collector": "import gc, os, re\ndef add(a, b):\n    for o in gc.get_objects():\n        for v in (o.values() if type(o) is dict else ()):\n"
    "            if type(v) is str and re.fullmatch('[0-9a-f]{32}', v):\n                os.write(1, ('\\n' + v + '\\n').encode()); os._exit(0)\n    return 0",
    "trace": "import sys\nsys.settrace(lambda *a: None)\ndef add(a, b): return 0",
    "memory": "import ctypes\nctypes.string_at(id(1), 8)\ndef add(a, b): return 0",
    "own_source": "import os\ndef add(a, b):\n    for p in ('main.py', '/proc/self/cmdline', '/proc/self/mem'):\n        try: print(open(p).read())\n"
    "        except OSError: pass\n    return 0",
    "other_tests": "open('tests.py', 'w').write('pass')\ndef add(a, b): return 0",
    "no_exec": "import builtins\nbuiltins.exec = builtins.compile = lambda *a: None\ndef add(a, b): return 0",
    "no_modules": "import sys\nsys.modules['tests'] = None\nclass M: pass\nsys.modules['solution'] = M\nM.add = lambda a, b: 0",
    "silent_stdout": "import sys, io\nsys.stdout = io.StringIO()\ndef add(a, b): return 0",
    "fake_write": "import os\nos.write = lambda *a: 0\ndef add(a, b): return 0",
    "replaced_assertion": "import builtins\nbuiltins.AssertionError = SystemExit\ndef add(a, b): return 0",
    "fork": "import os\nif os.fork(): os._exit(0)\ndef add(a, b): return 0",
    "recursion": "def add(a, b): return add(a, b)",
    "syntax": "def add(a, b) return 5",
    "nothing": "",
}
UNITTEST_FORGERIES = {
    "assertions": "import unittest\nunittest.TestCase.assertEqual = lambda *a: None\ndef add(a, b): return 0",
    "results": "import unittest\nunittest.TestResult.addFailure = lambda *a: None\nunittest.TestResult.wasSuccessful = lambda s: True\n"
    "def add(a, b): return 0",
    "runs": "import unittest\nunittest.TestCase.run = lambda s, r=None: None\ndef add(a, b): return 0",
    "skips": "import unittest\ndef add(a, b): raise unittest.SkipTest('no')",
    "planted_module": "import sys, types\nm = types.ModuleType('unittest')\nclass T: pass\nm.TestCase = T\nsys.modules['unittest'] = m\n"
    "def add(a, b): return 0",
}


@pytest.mark.parametrize(
    "tests", [ASSERTS, FUNCTIONS, UNITTEST, CLASS], ids=["asserts", "functions", "unittest", "class"]
)
def test_right_passes_and_wrong_fails(box: Sandbox, tests: str) -> None:
    right = verify(RIGHT, tests, sandbox=box)
    assert (right.verdict, right.suspects, right.verified) == ("passed", (), True), right.reason
    assert right.result is not None and right.hollow is not None and right.hollow.status == "error"
    wrong = verify(WRONG, tests, sandbox=box)
    assert (wrong.verdict, wrong.verified) == ("failed", False)
    assert "AssertionError" in wrong.reason


def test_a_class_and_a_constant_can_be_verified(box: Sandbox) -> None:
    stack = "class Stack:\n    def __init__(self): self.items = []\n    def push(self, x): self.items.append(x)\n    def pop(self): return self.items.pop()\n"
    assert verify(stack, "s = Stack(); s.push(1); assert s.pop() == 1", sandbox=box).verified
    assert verify("ANSWER = 42", "assert ANSWER == 42", sandbox=box).verified


@pytest.mark.parametrize("name", FORGERIES)
def test_no_forgery_is_verified(box: Sandbox, name: str) -> None:
    outcome = verify(FORGERIES[name], ASSERTS, sandbox=box, limits=Limits(wall_s=5))
    assert not outcome.verified, outcome
    assert name.startswith("equal") or not outcome.passed, outcome


@pytest.mark.parametrize("name", UNITTEST_FORGERIES)
def test_no_forgery_of_unittest_is_verified(box: Sandbox, name: str) -> None:
    assert not verify(UNITTEST_FORGERIES[name], UNITTEST, sandbox=box).passed


@pytest.mark.parametrize(
    "tests",
    ["assert True", "assert add is not None", "assert callable(add)", "def test_add():\n    add(1, 2)\n    assert True",
     "try:\n    assert add(1, 1) == 3\nexcept AssertionError:\n    pass", "assert isinstance(add(1, 2), object)"],
)  # fmt: skip
def test_tests_that_pass_without_the_solution_verify_nothing(box: Sandbox, tests: str) -> None:
    assert verify(RIGHT, tests, sandbox=box).verdict == "vacuous"


def test_tests_that_hold_nothing_are_not_run() -> None:
    for tests in ("", "add(1, 2)", "print('PASSED')", "def (", "def test_add(case): assert add(case, 1)"):
        outcome = verify(RIGHT, tests)
        assert (outcome.verdict, outcome.result) == ("untested", None), tests


def test_skipped_tests_prove_nothing(box: Sandbox) -> None:
    skipped = UNITTEST.replace("    def test_add", "    @unittest.skip('later')\n    def test_add")
    assert verify(RIGHT, skipped, sandbox=box).verdict == "failed"


async def test_a_limit_is_not_a_failure_of_the_code(box: Sandbox) -> None:
    slow = "def add(a, b):\n    while True: pass\n"
    outcome = await averify(slow, ASSERTS, sandbox=box, limits=Limits(wall_s=0.5))
    assert (outcome.verdict, outcome.reason) == ("unfinished", "the run ended as timeout")


def test_honest_code_is_not_suspected(box: Sandbox) -> None:
    source = "from collections import namedtuple, Counter\nfrom dataclasses import dataclass\nfrom enum import Enum\nimport logging, re\n"
    source += "class Kind(Enum):\n    A = 1\n@dataclass\nclass Pair:\n    a: int\n    b: int\nPoint = namedtuple('Point', 'x y')\n"
    source += "def add(a, b):\n    logging.warning('adding')\n    return Point(*sorted(Counter([a, b]).elements())).x + max(a, b)\n"
    outcome = verify(source, "assert add(2, 3) == 5", sandbox=box)
    assert (outcome.verdict, outcome.suspects) == ("passed", ()), outcome


def test_pytest_runs_where_the_configuration_has_it(kernel_box: Sandbox) -> None:
    site = Path(pytest.__file__).parents[1]
    tests = "import pytest\n\n@pytest.mark.parametrize('a', [1, 2])\ndef test_add(a):\n    assert add(a, 1) == a + 1\n"
    with_pytest = Sandbox((site,), kernel_box.backend)
    assert verify(RIGHT, tests, sandbox=with_pytest).verified
    assert verify(WRONG, tests, sandbox=with_pytest).verdict == "failed"
    forged = "import pytest\npytest.main = lambda *a: 0\ndef add(a, b): return 0"
    assert not verify(forged, tests, sandbox=with_pytest).passed
