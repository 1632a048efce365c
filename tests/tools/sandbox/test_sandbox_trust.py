"""What the sandbox refuses, what it proves of itself first, and that nothing is left of a job."""

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from agentinstruct.tools.sandbox import (
    CEILING,
    Limits,
    Sandbox,
    SandboxGone,
    SandboxUnavailable,
    backends,
    choice,
    jobs,
    run_python,
    seccomp,
    wasm,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")


@pytest.mark.parametrize("name", CEILING)
def test_no_limit_exceeds_the_ceiling(name: str) -> None:
    Limits(**{name: CEILING[name]})
    for value in (CEILING[name] * 2, 0, -1, float("nan"), "9"):
        with pytest.raises(ValueError, match=name):
            Limits(**{name: value})


@pytest.mark.parametrize(
    "name", ["../x", "/etc/x", "a/../../x", "", "a//b", ".", "a\nb", "a\0b", "x" * 300, "..\\x", "C:x"]
)
def test_file_names_stay_in_the_folder(name: str) -> None:
    with pytest.raises(ValueError, match="not a plain relative path"):
        run_python("pass", files={name: ""})


def test_a_name_is_of_a_file_or_of_a_folder() -> None:
    with pytest.raises(ValueError, match="'a' is given to a file and to a folder"):
        run_python("pass", files={"a/b/c": "", "a": ""})


def test_too_much_input_is_refused() -> None:
    with pytest.raises(ValueError, match="source"):
        run_python("#" * (1 << 21))
    with pytest.raises(ValueError, match="larger than"):
        run_python("pass", files={"x": bytes(3 << 20)}, limits=Limits(disk_mb=2))


def test_without_a_backend_it_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_found", {})
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("agentinstruct.tools.sandbox.bubblewrap.executable", lambda: None)
    monkeypatch.setattr("agentinstruct.tools.sandbox.landlock.kernel_abi", lambda: 0)
    monkeypatch.setattr("agentinstruct.tools.sandbox.wasm.find_spec", lambda _: None)
    wasm._folder.cache_clear()
    with pytest.raises(
        SandboxUnavailable,
        match=r"(?s)bwrap: .*not installed.*landlock: .*no Landlock.*wasm: .*not installed.*Install bubblewrap",
    ):
        run_python("print(1)")
    assert [report.name for report in backends()] == ["bwrap", "landlock", "wasm"]
    assert not any(report.works for report in backends())


def test_the_self_test_refuses_a_backend_that_leaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_found", {})
    real = seccomp.program
    weak = [real("x86_64", mounts=False, landlock_abi=6)[-8:]]  # the last step alone: allow

    monkeypatch.setattr("agentinstruct.tools.sandbox.plan.program", lambda *_, **__: weak[0])
    reasons = [report.reason for report in backends()[:2] if "not installed" not in report.reason]
    assert reasons and all(reason.startswith("leaks: ") for reason in reasons)
    with pytest.raises(SandboxUnavailable, match="leaks"):
        run_python("print(1)", sandbox=Sandbox(backend="landlock"))


def test_a_failed_set_up_is_never_the_codes_failure(kernel_box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kernel_box.run("pass").status == "ok"
    monkeypatch.setattr("agentinstruct.tools.sandbox.plan.program", lambda *_, **__: b"\0" * 8)
    monkeypatch.setattr(choice, "_found", dict(choice._found))
    monkeypatch.setattr(choice, "AGAIN_S", 0.0)
    with pytest.raises(SandboxGone, match="seccomp filter"):
        kernel_box.run("print('ran')")


def test_a_backend_is_attacked_once_per_process(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    box.run("pass")
    tests: list[jobs.Backend] = []
    monkeypatch.setattr(choice, "self_test", tests.append)
    runs = [threading.Thread(target=box.run, args=("pass",)) for _ in range(3)]
    for thread in runs:
        thread.start()
    for thread in runs:
        thread.join()
    assert tests == []


def test_a_job_ends_with_the_program_that_started_it(box: Sandbox, tmp_path: Path) -> None:
    program = "from agentinstruct.tools.sandbox import Sandbox\n"
    program += f"Sandbox(backend={box.backend!r}).run('import time; time.sleep(60)')"
    with subprocess.Popen([sys.executable, "-c", program], env={**os.environ, "TMPDIR": str(tmp_path)}) as started:
        deadline = time.monotonic() + 15
        # past the self-test: the same processes for a while
        jobs_seen: set[int] = set()
        since = time.monotonic()
        while time.monotonic() - since < 1 and time.monotonic() < deadline:
            now = descendants(started.pid)
            if now != jobs_seen or not now:
                jobs_seen, since = now, time.monotonic()
            time.sleep(0.05)
        started.kill()
    assert jobs_seen
    while any(map(alive, jobs_seen)) and time.monotonic() < deadline + 5:
        time.sleep(0.02)
    assert not list(filter(alive, jobs_seen))


def descendants(pid: int) -> set[int]:
    found: set[int] = set()
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            direct = {int(child) for child in children.read_text().split()}
        except OSError:
            continue
        found |= direct.union(*map(descendants, direct))
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_call_numbers_are_the_kernel_headers() -> None:
    headers = {
        "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
        "aarch64": Path("/usr/include/asm-generic/unistd.h"),
    }
    if not all(header.exists() for header in headers.values()):
        pytest.skip("the kernel's headers are not installed (linux-libc-dev)")
    for machine, header in headers.items():
        defined = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text()))
        wrong = {name: number for name, number in seccomp.numbers(machine).items() if defined.get(name) != str(number)}
        assert not wrong, machine
    with pytest.raises(ValueError, match="riscv64"):
        seccomp.numbers("riscv64")
