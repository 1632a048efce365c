"""The language's own doors, crashes, and what could be taken for something else by those who look at the result."""
# One attack a row, as long as it is:
# ruff: noqa: E501

from typing import Any

from attack import Attack, attacks

ESCAPES = {
    "subclass_walk": "o = [c for c in object.__subclasses__() if c.__name__ == '_wrap_close'][0]\n"
    "reached(o.__init__.__globals__['system']('true') == 0)",
    "launcher_frames": "f = sys._getframe()\nwhile f: print(f.f_globals, f.f_locals); f = f.f_back",
    "collector": "import gc; print([str(o)[:2000] for o in gc.get_objects() if isinstance(o, (dict, tuple, list))][:4000])",
    "our_packages": "for n in ('agentinstruct', 'pydantic', 'langgraph', 'pytest', 'aiohttp'):\n"
    "    try: __import__(n); print('REACHED', n)\n    except ImportError: pass",
    "our_path": "reached(any('agentinstruct' in p or 'site-packages' in p for p in sys.path))",
    "arguments": "print(sys.argv, sys.orig_argv); reached('secret' in str(sys.orig_argv))",
    "forged_report": "[os.write(d, b'E' + bytes(20)) for d in range(3, 64) if LIBC.fcntl(d, 1, 0) >= 0]",
}
CRASHES = {
    "null_pointer": "ctypes.string_at(0)",
    "wild_write": "ctypes.memset(1, 0, 1 << 20)",
    "abort": "os.abort()",
    "kill_itself": "os.kill(os.getpid(), signal.SIGKILL)",
    "terminate_itself": "os.kill(os.getpid(), signal.SIGTERM)",
}
# that WebAssembly survives
GUARDED = {
    "stack_overflow": "sys.setrecursionlimit(10 ** 9)\ndef f(): return f()\nimport functools\n"
    "g = functools.reduce(lambda a, b: (a,), range(10 ** 6), ()); hash(g) if 0 else repr(g)",
    "bad_bytecode": "def f(): pass\nf.__code__ = f.__code__.replace(co_code=b'\\xff' * 64, co_stacksize=1); f()",
}
FAILURES = {
    "exit_253": "os._exit(253)",
    "fake_setup_failure": "os.write(2, b'sandbox set-up failed: OSError: no\\n'); os._exit(253)",
    "syntax": "def",
    "exit_text": "sys.exit('bye')",
    "recursion": "def f(): return f()\nf()",
    "deep_source": "eval('(' * 5000 + ')' * 5000)",
}
STRANGE = {
    "broken_text": "os.write(1, bytes(range(256)))",
    "surrogate": "sys.stdout.buffer.write('\\ud800'.encode('utf-8', 'surrogatepass'))",
    "terminal_codes": "print('\\x1b]52;c;eA==\\x07\\x1b[2J')",
    "exit_0_early": "print('x', flush=True); os._exit(0)",
    "no_stdout": "sys.stdout = None; sys.stderr.close()",
    "hooks": "sys.excepthook = print; sys.stdout = sys.__stdout__; import atexit; atexit.register(os._exit, 0)",
}


def was_killed(result: Any) -> str:
    return "" if result.returncode < 0 else f"ended with {result.returncode}"


LANGUAGE: list[Attack] = [
    *attacks("language", ESCAPES, "subclass_walk"),
    *attacks("language", CRASHES, statuses=("killed", "timeout"), limits={"wall_s": 5}, judge=was_killed),
    *attacks("language", GUARDED, statuses=("killed", "timeout", "error"), limits={"wall_s": 5}),
    *attacks("language", FAILURES, statuses=("error", "memory")),
    *attacks("language", STRANGE, statuses=("ok",)),
]
