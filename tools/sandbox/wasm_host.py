"""The process around WebAssembly: compiles Python's interpreter, or runs one job in it. Started as `python -c`.

It is killed from outside when wall time, output or disk run out; it itself ends a job whose CPU time has, and ends when
the program that started it is gone. Only what is told in `report` counts as the job's end: the exit status is its own.
"""
# A program of its own, that logs to nobody:
# ruff: noqa: PTH105, PTH118, PTH123

import json
import os
import sys
import threading
import time
from typing import Any

SETUP_FAILED = 253
TICK_S = 0.02
ABORTED = -6


def engine() -> Any:
    """Code compiled under one configuration runs under the same only."""
    from wasmtime import Config, Engine

    config = Config()
    config.epoch_interruption = True
    config.max_wasm_stack = 1 << 20
    return Engine(config)


def compile_interpreter(wasm: str, sha256: str, target: str) -> None:
    """Write compiled code, of the very bytes whose digest is known; all at once, so that nobody sees half of it."""
    import hashlib

    from wasmtime import Module

    with open(wasm, "rb") as stream:
        content = stream.read()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise SystemExit(f"{wasm} is not the interpreter that it should be (wrong SHA-256); install the extra again")
    compiled = Module(engine(), content).serialize()
    unfinished = f"{target}.{os.getpid()}"
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(compiled)
    os.replace(unfinished, target)


def run_job(**settings: Any) -> None:
    """One job to its end; see `wasm.job` for the settings."""
    try:
        threading.Thread(target=leave_with_parent, daemon=True).start()
        limit(settings["limits"])
        guest = Guest(**settings)
    except BaseException as error:  # noqa: BLE001 - whatever it was, the code has not run
        os.write(2, f"sandbox set-up failed: {type(error).__name__}: {error}\n".encode())
        os._exit(SETUP_FAILED)
    guest.report(ready=True)
    threading.Thread(target=guest.watch, daemon=True).start()
    guest.run()
    os._exit(0)


def leave_with_parent() -> None:
    """Its end of our standard input stays open as long as it lives."""
    os.read(0, 1)
    os._exit(SETUP_FAILED)


def limit(limits: dict[str, int]) -> None:
    """What the system can hold us to, should WebAssembly not hold the job."""
    try:
        import resource
    except ImportError:  # Windows
        return
    for name, value in limits.items():
        which = getattr(resource, name)
        hard = resource.getrlimit(which)[1]
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (most, most))


class Guest:
    """An interpreter, about to run the job."""

    def __init__(self, root: str, compiled: str, program: str, memory: int, cpu_s: int, **_: object) -> None:
        from wasmtime import FuncType, Linker, Module, Store, ValType

        self.cpu_s = cpu_s
        self.told = os.open(os.path.join(root, "report"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.engine = engine()
        module = Module.deserialize_file(self.engine, compiled)
        self.store = Store(self.engine)
        self.store.set_limits(memory_size=memory, table_elements=100_000, instances=1, tables=8, memories=1)
        self.store.set_epoch_deadline(1)
        self.store.set_wasi(wasi(root, program))
        linker = Linker(self.engine)
        linker.allow_shadowing = True
        linker.define_wasi()
        # WASI's own takes no status above 125
        linker.define_func("wasi_snapshot_preview1", "proc_exit", FuncType([ValType.i32()], []), self.leave)
        exports: Any = linker.instantiate(self.store, module).exports(self.store)
        self.start = exports["_start"]

    def report(self, **fact: object) -> None:
        """Tell the outside, which reads it when we are dead."""
        os.write(self.told, json.dumps({**fact, "cpu_s": time.process_time()}).encode() + b"\n")

    def leave(self, status: int) -> None:
        """The job's own end."""
        self.report(returncode=status & 255)
        os._exit(0)

    def watch(self) -> None:
        """Interrupt the job when its CPU time is used up."""
        while time.process_time() < self.cpu_s:
            time.sleep(TICK_S)
        self.report(timeout=True)
        self.engine.increment_epoch()

    def run(self) -> None:
        """Until it ends or is ended."""
        from wasmtime import Trap, WasmtimeError

        try:
            self.start(self.store)
            self.report(returncode=0)
        except (Trap, WasmtimeError) as error:
            self.report(returncode=ABORTED)
            os.write(2, f"ended by WebAssembly: {str(error).strip().splitlines()[-1].strip()}\n".encode())


def wasi(root: str, program: str) -> Any:
    """All that there is for the job: three folders, no variable of ours, no socket, no clock that can be set."""
    from wasmtime import WasiConfig

    config = WasiConfig()
    config.argv = ["python", "-I", "-S", "-B", "-X", "utf8", "-c", program]
    config.env = [("HOME", "/work"), ("TMPDIR", "/temp"), ("LANG", "C.UTF-8"), ("USER", "sandbox")]
    config.stdin_file = os.path.join(root, "stdin")
    config.inherit_stdout()
    config.inherit_stderr()
    for name in ("work", "temp"):
        config.preopen_dir(os.path.join(root, "box", name), f"/{name}", True)
    config.preopen_dir(os.path.join(root, "run"), "/run", False)
    if os.path.isdir("/usr/share/zoneinfo"):  # noqa: PTH112
        config.preopen_dir("/usr/share/zoneinfo", "/usr/share/zoneinfo", False)
    return config


def main(site: str, task: str, **settings: Any) -> None:
    """`site` holds wasmtime; nothing else of it is imported."""
    sys.path.append(site)
    if task == "compile":
        compile_interpreter(**settings)
    else:
        run_job(**settings)
