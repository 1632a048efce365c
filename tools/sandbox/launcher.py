"""Runs inside: gives up what a process can give up, then runs the code as __main__. Standard library only.

Started as `python -I -S -B -X utf8 -c <this file, entry.py and a call of main>`. Source and files come by a read-only
descriptor, the word that all is set up goes back over a socket that is closed before the code runs. A step that
fails ends in exit status 253 without that word, so it is never taken for a failure of the code.
No json, no typing and no pathlib here: importing them would take longer than all the rest.
"""
# ruff: noqa: PTH102, PTH103, PTH112, PTH120, PTH123

import _socket
import _thread
import ctypes
import os
import resource
import struct
import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agentinstruct.tools.sandbox.entry import run

SETUP_FAILED = 253
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP = 1, 4, 22, 24
PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4
SECCOMP_MODE_FILTER = 2

EXECUTE, WRITE, READ, LIST, MAKE_CHAR, MAKE_SOCKET, MAKE_FIFO, MAKE_BLOCK = 0, 1, 2, 3, 6, 9, 10, 11
REFER, TRUNCATE, DEVICE_IOCTL = 13, 14, 15
FIRST_ABI = (1 << 13) - 1


def main(**given: object) -> None:
    """Every step in the order of the design; the last one runs the code. Arguments: see `Plan.settings`."""
    settings = types.SimpleNamespace(**given)
    try:
        control = _socket.socket(fileno=settings.control)
        source, files = read_payload(settings.payload)
        if settings.as_init:
            wait_for_child(control)
        set_limits(settings.limits)
        drop_privileges(settings.uid, settings.dumpable)
        enter_work_folder(settings, files, control)
        abi = restrict_files(settings)
        load_filter(settings.filter, settings.own_pid_mark)
        control.send(b"R" + struct.pack("<i", abi))
        control.close()
    except BaseException as error:  # noqa: BLE001 - whatever it was, the code has not run
        os.write(2, f"sandbox set-up failed: {type(error).__name__}: {error}\n".encode())
        os._exit(SETUP_FAILED)
    run(source, settings.modules)


def read_payload(descriptor: int) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Entries of two lengths, a name and content; the first is the source."""
    entries = []
    with os.fdopen(descriptor, "rb") as stream:
        while head := stream.read(16):
            name, content = struct.unpack("<QQ", head)
            entries.append((stream.read(name).decode(), stream.read(content)))
    return entries[0][1], entries[1:]


def set_limits(limits: dict[str, int]) -> None:
    """Soft and hard alike, never above what we already have."""
    for name, value in limits.items():
        which = getattr(resource, name)
        hard = resource.getrlimit(which)[1]
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (most, most))
    _thread.stack_size(2 << 20)  # the default of 8 MB would spend the address space on 60 threads


def drop_privileges(uid: int | None, dumpable: bool) -> None:
    """Groups, ids, capabilities, the way back to any of them; then die with whoever started us."""
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    for capability in range(64):
        if LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0:
            break  # past the last one, or none may be dropped any more
    LIBC.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    capset = 126 if os.uname().machine == "x86_64" else 91
    checked(LIBC.syscall(capset, struct.pack("<Ii", 0x20080522, 0), bytes(24)), "capset")
    checked(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    checked(LIBC.prctl(PR_SET_DUMPABLE, int(dumpable), 0, 0, 0), "dumpable")
    checked(LIBC.prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0), "parent death signal")


def enter_work_folder(settings: types.SimpleNamespace, files: list[tuple[str, bytes]], control: _socket.socket) -> None:
    """Show the folder to the outside, make the work folder in it, write the files, close everything else."""
    root = os.open(settings.root, os.O_RDONLY | os.O_DIRECTORY)
    control.sendmsg([b"D"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack("i", root))])
    os.umask(0o077)
    os.chdir(root)
    for name in ("work", "temp"):
        os.mkdir(name)
    os.chdir("work")
    for name, data in files:
        folder = os.path.dirname(name)
        if folder:
            os.makedirs(folder, exist_ok=True)
        with open(name, "wb") as stream:
            stream.write(data)
    keep = control.fileno()
    os.closerange(3, keep)
    os.closerange(keep + 1, 65536)


def wait_for_child(control: _socket.socket) -> None:
    """As process 1 of a namespace: the child goes on, this process tells how it ended and takes all with it.

    It keeps the uid of bubblewrap, which has no capability left to end it under another.
    """
    child = os.fork()
    if child == 0:
        return
    drop_privileges(None, dumpable=False)
    while True:
        pid, status, usage = os.wait4(-1, 0)
        if pid == child:
            break
    control.send(b"E" + struct.pack("<idq", status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss))
    os._exit(0)


def restrict_files(settings: types.SimpleNamespace) -> int:
    """Landlock: read below some folders, write below others; no TCP from ABI 4, no signals out from ABI 6."""
    abi: int = min(LIBC.syscall(444, None, ctypes.c_size_t(0), ctypes.c_uint(1)), settings.landlock_abi)
    if abi < 1:
        if settings.landlock_required:
            raise OSError("this kernel has no Landlock, or it is switched off")
        return 0
    handled = FIRST_ABI | sum(1 << bit for bit, since in ((REFER, 2), (TRUNCATE, 3), (DEVICE_IOCTL, 5)) if abi >= since)
    attributes = struct.pack("<QQQ", handled, 3 if abi >= 4 else 0, 3 if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    rules = checked(LIBC.syscall(444, attributes, ctypes.c_size_t(size), ctypes.c_uint(0)), "Landlock ruleset")
    reading = 1 << READ | 1 << LIST
    unneeded = (EXECUTE, MAKE_CHAR, MAKE_SOCKET, MAKE_FIFO, MAKE_BLOCK, DEVICE_IOCTL)
    writing = handled & ~sum(1 << bit for bit in unneeded)
    for folders, rights in ((settings.readable, reading), (settings.writable, writing)):
        for folder in folders:
            allow(rules, folder, rights & handled)
    checked(LIBC.syscall(446, ctypes.c_int(rules), ctypes.c_uint(0)), "Landlock restriction")
    os.close(rules)
    return abi


def allow(rules: int, path: str, rights: int) -> None:
    """One rule; a path that is not there needs none."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    if not os.path.isdir(path):
        rights &= 1 << WRITE | 1 << READ | 1 << TRUNCATE
    rule = struct.pack("<Qi", rights, descriptor)
    checked(LIBC.syscall(445, ctypes.c_int(rules), ctypes.c_int(1), rule, ctypes.c_uint(0)), f"Landlock rule {path}")
    os.close(descriptor)


def load_filter(program: bytes, own_pid_mark: int) -> None:
    """Put our process id where the program asks for it, then load it for good."""
    steps = [program[at : at + 8] for at in range(0, len(program), 8)]
    mark, own = struct.pack("<I", own_pid_mark), struct.pack("<I", os.getpid())
    program = b"".join(step[:4] + own if step[4:] == mark else step for step in steps)
    buffer = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(buffer)))
    checked(LIBC.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0), "seccomp filter")


def checked(result: int, what: str) -> int:
    """The result, or OSError naming the step."""
    if result < 0:
        raise OSError(f"{what}: {os.strerror(ctypes.get_errno())}")
    return result
