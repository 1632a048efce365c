"""Other processes, and the parts of the kernel that sandboxes have been left through."""
# One attack a row, as long as it is:
# ruff: noqa: E501

from attack import Attack, attacks

OTHERS = {
    "kill": "os.kill(V, signal.SIGKILL)",
    "stop": "os.kill(V, signal.SIGSTOP)",
    "kill_group": "attempt(os.killpg, V, signal.SIGKILL)",
    "kill_own_group": "attempt(os.kill, 0, 0)",
    "kill_all": "attempt(os.kill, -1, 0)",
    "kill_parent": "attempt(os.kill, R['parent'], 0)\nattempt(os.kill, os.getppid() or 1, 0)",
    "thread_kill": "reached(call(234, 131, V, V, 9))\nreached(call(200, 130, V, 9))",
    "queued_signal": "i = struct.pack('3i', 9, 0, -1).ljust(128, b'\\0'); reached(call(129, 138, V, 9, i))",
    "queued_thread_signal": "i = struct.pack('3i', 9, 0, -1).ljust(128, b'\\0'); reached(call(297, 240, V, V, 9, i))",
    "handle_signal": "attempt(os.pidfd_open, V)",
    "owner_of_a_pipe": "import fcntl\nr, w = os.pipe()\nfcntl.fcntl(r, 8, V); fcntl.fcntl(r, 10, 9)\n"
    "fcntl.fcntl(r, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK); os.write(w, b'x'); time.sleep(0.05)",
    "owner_of_a_socket": "import fcntl\na, b = socket.socketpair()\nfcntl.ioctl(a, 0x8901, struct.pack('i', V)); fcntl.fcntl(a, 10, 9)\n"
    "fcntl.fcntl(a, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK); b.send(b'x'); time.sleep(0.05)",
    "trace": "reached(LIBC.ptrace(16, V, None, None))",
    "trace_parent": "reached(LIBC.ptrace(0x4206, R['parent'], None, None))",
    "read_memory": "b = ctypes.create_string_buffer(32); v = struct.pack('QQ', ctypes.addressof(b), 32)\n"
    "w = struct.pack('QQ', R['memory'], 32); reached(call(310, 270, R['parent'], v, 1, w, 1, 0)); print(b.raw)",
    "write_memory": "b = b'x' * 4; v = struct.pack('QQ', id(b) + 32, 4); w = struct.pack('QQ', R['memory'], 4)\n"
    "reached(call(311, 271, R['parent'], v, 1, w, 1, 0))",
    "descriptors_of_parent": "print(os.listdir(f'/proc/{R[\"parent\"]}/fd')); print('REACHED')",
    "affinity": "os.sched_setaffinity(V, {0})",
    "priority": "os.setpriority(os.PRIO_PROCESS, V, 15)",
    "limits_of_another": "import resource; attempt(resource.prlimit, V, resource.RLIMIT_CPU, (1, 1))",
    "input_priority": "reached(call(251, 30, 1, V, 3 << 13))",
    "compare": "reached(call(312, 272, os.getpid(), V, 1, 0, 0))",
    "signals_by_terminal": "import fcntl; attempt(fcntl.ioctl, 0, 0x5412, b'x')",
}
KERNEL = {
    "new_user": "reached(LIBC.unshare(0x10000000))",
    "new_mounts": "reached(LIBC.unshare(0x20000))",
    "clone_new_user": "reached(call(56, 220, 0x10000011, 0, 0, 0, 0))",
    "clone_thread_new_user": "reached(call(56, 220, 0x10010f00, 0, 0, 0, 0))",
    "enter_namespace": "reached(call(308, 268, os.open('/', os.O_PATH), 0))",
    "mount": "reached(LIBC.mount(b'none', b'/tmp', b'tmpfs', 0, None))",
    "unmount": "reached(LIBC.umount2(b'/tmp', 2))",
    "mount_new_way": "reached(call(430, 430, b'tmpfs', 0))\nreached(call(428, 428, -100, b'/', 1))",
    "change_root": "attempt(os.chroot, '.')",
    "programs_in_kernel": "reached(call(321, 280, 0, bytes(120), 120))",
    "counters": "reached(call(298, 241, struct.pack('2IQ', 1, 112, 0) + bytes(96), 0, -1, -1, 0))",
    "page_faults": "reached(call(323, 282, 1))",
    "keys": "reached(call(248, 217, b'user', b'x', b'y', 1, -3))\nreached(call(250, 219, 0, -3, 1))",
    "kernel_log": "reached(call(103, 116, 3, ctypes.create_string_buffer(64), 64))",
    "personality": "reached(call(135, 92, 0x40000))",
    "become_root": "attempt(os.setuid, 0)\nattempt(os.setresuid, 0, 0, 0)\nattempt(os.setgroups, [0])",
    "capabilities": "h = struct.pack('Ii', 0x20080522, 0); reached(call(126, 91, h, b'\\xff' * 24))",
    "still_capable": "s = ctypes.create_string_buffer(24); call(125, 90, struct.pack('Ii', 0x20080522, 0), s); reached(any(s.raw))",
    "regain": "reached(LIBC.prctl(39, 0, 0, 0, 0) != 1)",
    "host_name": "attempt(socket.sethostname, 'x')",
    "clock": "attempt(time.clock_settime, time.CLOCK_REALTIME, 1)",
    "old_calls": "X86 and reached(call(57 | 0x40000000, 0))\nX86 and reached(call(39 | 0x40000000, 0))",
    "calls_of_32_bits": "if X86:\n    m = mmap.mmap(-1, 4096, prot=7); m.write(bytes.fromhex('b814000000cd80c3'))\n"
    "    reached(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))())",
    "newer_calls": "[reached(call(n, n, 0, 0, 0, 0), n) for n in range(449, 480)]",
    "own_filter": "reached(call(317, 277, 1, 0, struct.pack('HP', 0, 0)))\nreached(call(317, 277, 2, 0, struct.pack('I', 0x7fff0000)))",
    "modules": "reached(call(175, 105, b'', 0, b''))",
    "accounting": "reached(call(163, 89, None))\nreached(call(179, 60, 0, b'', 0, 0))",
    "notify_all": "reached(call(300, 262, 0, 0))",
    "lease": "import fcntl; open('l', 'w').close(); attempt(fcntl.fcntl, os.open(os.__file__, 0), 1024, 0)",
    "splice_from_memory": "r, w = os.pipe(); b = b'x' * 8; reached(call(278, 75, w, struct.pack('QQ', id(b) + 32, 8), 1, 0))",
    "open_new_way": "reached(call(437, 437, -100, R['folder'].encode() + b'/secret', bytes(24), 24))",
}
BARE = """kill stop kill_group kill_own_group kill_parent thread_kill queued_signal handle_signal owner_of_a_pipe owner_of_a_socket
trace read_memory affinity priority limits_of_another compare descriptors_of_parent"""
SYSTEM: list[Attack] = [
    *attacks("kernel", {name: "V = R['victim']\n" + text for name, text in OTHERS.items()}, BARE),
    *attacks("kernel", KERNEL, "personality new_mounts page_faults regain splice_from_memory"),
]
