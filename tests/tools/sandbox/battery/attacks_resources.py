"""Time, memory, disk, output, processes: what must end the run, or be refused, or vanish with it."""
# One attack a row, as long as it is:
# ruff: noqa: E501

import threading
from typing import Any

from attack import Attack, attacks

SHORT = {"wall_s": 0.3, "memory_mb": 256, "disk_mb": 16, "output_bytes": 1 << 18, "files": 2000}
TIME = {
    "loop": "while True: pass",
    "sleep": "time.sleep(60)",
    "ignored_signals": "for s in range(1, 65):\n    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass\n"
    "while True: pass",
    "swallowed_exceptions": "while True:\n    try:\n        while True: time.sleep(0.01)\n    except BaseException: pass",
    "long_c_call": "9 ** 9 ** 9",
    "regular_expression": "import re; re.match('(a+)+$', 'a' * 60 + '!')",
    "waiting_thread": "threading.Thread(target=time.sleep, args=(60,)).start()",
    "late_exit_hook": "import atexit; atexit.register(time.sleep, 60)",
    "closed_output": "os.close(0); os.close(1); os.close(2)\nwhile True: time.sleep(1)",
    "stopped": "os.kill(os.getpid(), signal.SIGSTOP); time.sleep(60)",
    "destructor": "class D:\n    def __del__(self):\n        while True: pass\nd = D()",
}
CPU = {"cpu_time": "while True: pass"}
MEMORY = {
    "bytearray": "b = bytearray(1 << 30); print('REACHED')",
    "touch": "b = []\nwhile True: b.append(b'x' * (1 << 20))",
    "map": "mmap.mmap(-1, 1 << 30); print('REACHED')",
    "shared_map": "m = mmap.mmap(-1, 1 << 30, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS); print('REACHED')",
    "memory_file": "attempt(os.memfd_create, 'x')",
    "secret_memory_file": "reached(call(447, 447, 0))",
    "system_v": "reached(call(29, 194, 0, 1 << 20, 0o1600))",
    "message_queue": "reached(call(68, 186, 0, 0o1600))",
    "semaphores": "reached(call(64, 190, 0, 8, 0o1600))",
    "locked": "reached(LIBC.mlockall(3))",
    "integers": "x = 1\nwhile True: x <<= 1 << 27",
    "thread_stacks": "threading.stack_size(64 << 20)\ne = threading.Event()\n"
    "for n in range(40): threading.Thread(target=e.wait, daemon=True).start()\nprint('REACHED')",
    "text": "print(len('x' * (1 << 32))); print('REACHED')",
}
DISK = {
    "one_file": "f = open('f', 'wb')\nfor n in range(4096): f.write(bytes(1 << 20))",
    "several_files": "for n in range(64):\n    with open(f'f{n}', 'wb') as f: f.write(bytes(4 << 20))\n    time.sleep(0.02)",
    "in_temp": "import tempfile\nfor n in range(64):\n    open(os.path.join(tempfile.gettempdir(), f'f{n}'), 'wb').write(bytes(4 << 20))\n"
    "    time.sleep(0.02)",
    "removed_but_open": "k = []\nfor n in range(60):\n    f = open('f', 'wb'); f.write(bytes(4 << 20)); f.flush(); os.remove('f'); k.append(f)\n"
    "    time.sleep(0.02)",
    "unnamed": "k = []\nfor n in range(60):\n    d = os.open('.', os.O_TMPFILE | os.O_RDWR); os.write(d, bytes(4 << 20)); k.append(d)\n"
    "    time.sleep(0.02)",
    "many_files": "for n in range(200_000): open(f'f{n}', 'w').close()",
    "hidden_by_mode": "os.mkdir('h'); d = os.open('h', 0); os.umask(0); os.mkdir('h/i', 0o300)\n"
    "for n in range(64):\n    with open(f'h/i/{n}', 'wb') as f: f.write(bytes(4 << 20))\n    time.sleep(0.02)",
    "hidden_by_depth": "for n in range(300): os.mkdir('d'); os.chdir('d')\n"
    "for n in range(64):\n    with open(f'{n}', 'wb') as f: f.write(bytes(4 << 20))\n    time.sleep(0.02)",
    "allocated": "d = os.open('f', os.O_CREAT | os.O_RDWR); os.posix_fallocate(d, 0, 1 << 30); print('REACHED')",
}
OUTPUT = {
    "stdout": "while True: os.write(1, b'x' * 65536)",
    "stderr": "while True: os.write(2, b'x' * 65536)",
    "no_line_end": "while True: print('x' * 1000, end='')",
    "both": "while True: os.write(1, b'x' * 999); os.write(2, b'y' * 999)",
}
PROCESSES = {
    "fork": "attempt(os.fork)",
    "fork_bomb": "attempt(os.fork)\nfor n in range(1000):\n    try: os.fork()\n    except OSError: break",
    "vfork": "X86 and reached(call(58, 0) if X86 else -1)",
    "clone": "reached(call(56, 220, 17, 0, 0, 0, 0))",
    "clone3": "a = struct.pack('8Q', 0, 0, 0, 0, 17, 0, 0, 0); reached(call(435, 435, a, 64))",
    "spawn": "import subprocess; attempt(subprocess.run, ['/bin/true'])",
    "spawn_posix": "attempt(os.posix_spawn, '/bin/true', ['true'], {})",
    "shell": "reached(os.system('true') == 0)",
    "become_another": "attempt(os.execv, '/bin/true', ['true'])",
    "become_itself": "attempt(os.execv, sys.executable, [sys.executable, '-c', 'print(1)'])",
    "become_descriptor": "reached(call(322, 281, os.open(sys.executable, os.O_PATH), b'', 0, 0, 0x1000))",
    "daemon": "p = os.fork()\nif p == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(0.2); "
    "open(R['folder'] + '/spoil', 'w').write('x')\n    os._exit(0)\ntime.sleep(0.5)",
    "new_session": "attempt(os.setsid)\nattempt(os.setpgid, 0, 0)",
    "multiprocessing": "import multiprocessing as m; p = m.get_context('fork').Process(target=print); attempt(p.start)",
    "outlive_us": "reached(LIBC.prctl(1, 0, 0, 0, 0))",
    "raise_limits": "attempt(resource.setrlimit, resource.RLIMIT_NOFILE, (4096, 4096))\n"
    "attempt(resource.prlimit, 0, resource.RLIMIT_AS, (-1, -1))\n"
    "reached(call(160, 164, 7, struct.pack('QQ', 16, 16)))",
    "priority": "attempt(os.nice, -5)\nattempt(os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(1))",
    "threads": "n = 0\ne = threading.Event()\ntry:\n    while n < 2000: threading.Thread(target=e.wait, daemon=True).start(); n += 1\n"
    "except (RuntimeError, MemoryError): pass\nreached(n >= 2000)\nos._exit(0)",
    "descriptors": "k = []\ntry:\n    while len(k) < 2000: k.append(open('/dev/null'))\nexcept OSError: pass\nreached(len(k) > 256)",
}
LEFT = {
    "left_mode_0": "os.mkdir('a'); os.mkdir('a/b'); open('a/b/c', 'w').close(); os.umask(0); os.mkdir('z', 0); "
    "os.chmod('a/b', 0); os.chmod('a', 0); os.chmod('.', 0)",
    "left_deep": "for n in range(3000): os.mkdir('d'); os.chdir('d')",
    "left_links": "os.symlink('.', 'loop'); os.symlink('/', 'root'); os.symlink('loop', 'to_loop'); os.symlink('nowhere', 'x')",
    "left_names": "[open(b'n' + bytes([n]), 'w').close() for n in range(1, 255) if n != 47]",
}


def capped(result: Any) -> str:
    """What was kept is no more than the cap, and the flag says so."""
    longest = max(len(result.stdout), len(result.stderr))
    return "" if longest <= SHORT["output_bytes"] and result.stdout_cut + result.stderr_cut else f"{longest} characters"


def alone(result: Any) -> str:
    return "" if threading.active_count() < 20 else "threads of ours are left"


ENDED = ("disk", "error")
RESOURCES: list[Attack] = [
    *attacks("resources", TIME, statuses=("timeout",), limits=SHORT, judge=alone),
    *attacks("resources", CPU, statuses=("timeout",), limits={"wall_s": 5, "cpu_s": 1}),
    *attacks("resources", MEMORY, "memory_file", statuses=("memory", "error", "ok"), limits={**SHORT, "wall_s": 5}),
    *attacks("resources", DISK, statuses=ENDED, limits={**SHORT, "wall_s": 8}),
    *attacks("resources", OUTPUT, statuses=("output",), limits={**SHORT, "wall_s": 5}, judge=capped),
    *attacks(
        "resources",
        PROCESSES,
        "fork clone spawn spawn_posix shell become_another daemon new_session multiprocessing raise_limits descriptors",
        limits={"wall_s": 5},
    ),
    *attacks("resources", LEFT, statuses=("ok", "error", "disk"), limits={"wall_s": 5}),
]
