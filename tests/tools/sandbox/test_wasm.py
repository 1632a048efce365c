"""The backend that needs no system of its own: what it refuses, what it cannot do and says so, and what it trusts."""

import os
import sys
from pathlib import Path

import pytest

from agentinstruct.tools import userfolder
from agentinstruct.tools.sandbox import (
    Limits,
    Sandbox,
    SandboxGone,
    SandboxUnavailable,
    choice,
    run_python,
    verify,
    wasm,
    workfolder,
)


def test_packages_are_refused(wasm_box: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable, match="standard library only"):
        run_python("pass", sandbox=Sandbox((tmp_path,), "wasm"))


@pytest.mark.parametrize(
    "source",
    [
        "import threading\nthreading.Thread(target=print).start()",
        "import os\nos.fork()",
        "import subprocess as s\ns.run(['x'])",
        "import multiprocessing",
        "import socket\nsocket.socket()",
        "from os import kill",
    ],
)
def test_what_it_does_not_have_is_no_failure_of_the_code(wasm_box: Sandbox, source: str) -> None:
    assert wasm_box.run(source).status == "unsupported"
    outcome = verify(f"{source}\ndef add(a, b): return a + b", "assert add(2, 3) == 5", sandbox=wasm_box)
    assert outcome.verdict == "unfinished" and outcome.reason.startswith("the wasm sandbox cannot run this: ")


def test_a_missing_package_is_the_codes_failure(wasm_box: Sandbox) -> None:
    assert wasm_box.run("import numpy").status == "error"


def test_cpu_time_ends_a_run_before_wall_time_does(wasm_box: Sandbox) -> None:
    result = wasm_box.run("while True: pass", limits=Limits(cpu_s=1, wall_s=30))
    assert (result.status, result.wall_s < 20) == ("timeout", True)


def test_the_run_before_leaves_nothing(wasm_box: Sandbox) -> None:
    wasm_box.run("open('/usr/local/lib/python3.12/json/__init__.py', 'w').write('1 / 0'); open('/temp/x', 'w').close()")
    result = wasm_box.run("import json, os; print(json.dumps([os.listdir('/temp'), os.listdir('/work')]))")
    assert result.stdout == "[[], []]\n", result.stderr


def test_files_are_collected_and_removed_where_folders_have_no_descriptors(
    wasm_box: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(workfolder.os, "supports_dir_fd", set())
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    source = "import os\nos.makedirs('a/b'); open('a/b/c', 'w').write('kept'); os.symlink('../../../report', 'link')"
    result = wasm_box.run(source)
    assert [(kept.name, kept.data) for kept in result.artifacts] == [("a/b/c", b"kept")]
    assert os.listdir(tmp_path) == []


def test_a_failed_set_up_is_never_the_codes_failure(
    wasm_box: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "broken").write_bytes(b"\0" * 64)
    monkeypatch.setattr(wasm, "compiled", lambda: tmp_path / "broken")
    monkeypatch.setattr(choice, "_found", dict(choice._found))
    monkeypatch.setattr(choice, "AGAIN_S", 0.0)
    with pytest.raises(SandboxGone, match="could not be started"):
        wasm_box.run("print('ran')")


@pytest.fixture
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wasm_box: Sandbox) -> Path:
    """A cache folder that holds what was compiled before, so that it need not be again."""
    file = wasm.compiled()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(choice, "_found", {})
    folder = userfolder.cache() / "wasm"
    folder.mkdir(parents=True)
    (folder / file.name).write_bytes(file.read_bytes())
    return folder / file.name


@pytest.mark.skipif(sys.platform == "win32", reason="modes of files")
def test_compiled_code_that_others_could_have_written_is_not_run(own_cache: Path) -> None:
    box = Sandbox(backend="wasm")
    assert box.run("print(1)").stdout == "1\n"
    for path in (own_cache, own_cache.parent, own_cache.parents[1]):
        mode = path.stat().st_mode
        path.chmod(mode | 0o002)
        with pytest.raises((SandboxGone, SandboxUnavailable), match="can be changed by other users"):
            box.run("print(1)")
        path.chmod(mode)
        choice._found.clear()
    if os.geteuid() == 0:
        os.chown(own_cache, 12345, 12345)
        choice._found.clear()
        with pytest.raises(SandboxUnavailable, match="can be changed by other users"):
            box.run("print(1)")


def test_an_interpreter_with_another_digest_is_not_compiled(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own_cache.unlink()
    real = wasm._folder
    (tmp_path / wasm._FILE).write_bytes((real(wasm._PACKAGE) / wasm._FILE).read_bytes() + b"\0")
    monkeypatch.setattr(wasm, "_folder", lambda package: tmp_path if package == wasm._PACKAGE else real(package))
    with pytest.raises(SandboxUnavailable, match="wrong SHA-256"):
        run_python("print(1)", sandbox=Sandbox(backend="wasm"))
    assert not own_cache.exists()
