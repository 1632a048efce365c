"""The system-call filter, as bytes for the launcher to load: classic BPF by struct.pack, no libseccomp.

One process: no fork, exec, new session or socket; signals only to itself. Calls newer than the tables answer
ENOSYS, as they would on an older kernel. x86-64 was run; the aarch64 numbers are the kernel headers' and were not.
"""

import struct
from collections.abc import Iterable, Sequence

ENOSYS, EPERM, PRETEND = 38, 1, 0
NEWEST = 449
"""Numbers from here on are refused; x32 calls, which have bit 30 set, are among them."""

OWN_PID = 0x50494421
"""Stands in the program where the launcher puts its own process id."""

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_LOAD, _EQUAL, _AT_LEAST, _BITS, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NEW_NAMESPACES, _CLONE_THREAD = 0x7E020080, 0x10000
_O_TRUNC, _O_ACCMODE = 0x200, 0x3

# name, x86-64, aarch64; "-" where the architecture has no such call
_CALLS = """
ptrace 101 117; process_vm_readv 310 270; process_vm_writev 311 271; kcmp 312 272; process_madvise 440 440;
mount 165 40; umount2 166 39; pivot_root 155 41; chroot 161 51; unshare 272 97; setns 308 268; fsopen 430 430;
fsconfig 431 431; fsmount 432 432; fspick 433 433; open_tree 428 428; move_mount 429 429; mount_setattr 442 442;
kexec_load 246 104; kexec_file_load 320 294; init_module 175 105; finit_module 313 273; delete_module 176 106;
create_module 174 -; query_module 178 -; get_kernel_syms 177 -; bpf 321 280; perf_event_open 298 241;
io_uring_setup 425 425; io_uring_enter 426 426; io_uring_register 427 427; userfaultfd 323 282; seccomp 317 277;
keyctl 250 219; add_key 248 217; request_key 249 218; open_by_handle_at 304 265; name_to_handle_at 303 264;
reboot 169 142; swapon 167 224; swapoff 168 225; acct 163 89; quotactl 179 60; quotactl_fd 443 443; syslog 103 116;
personality 135 92; iopl 172 -; ioperm 173 -; modify_ldt 154 -; settimeofday 164 170; clock_settime 227 112;
adjtimex 159 171; clock_adjtime 305 266; vhangup 153 58; sethostname 170 161; setdomainname 171 162;
socket 41 198; connect 42 203; bind 49 200; listen 50 201; accept 43 202; accept4 288 242; sendmsg 46 211;
sendmmsg 307 269; mbind 237 235; migrate_pages 256 238; move_pages 279 239; set_mempolicy 238 237;
pidfd_open 434 434; pidfd_getfd 438 438; pidfd_send_signal 424 424; process_mrelease 448 448; memfd_create 319 279;
memfd_secret 447 447; shmget 29 194; shmat 30 196; shmctl 31 195; msgget 68 186; msgctl 71 187; msgsnd 69 189;
msgrcv 70 188; semget 64 190; semctl 66 191; semop 65 193; semtimedop 220 192; mq_open 240 180; mq_unlink 241 181;
fanotify_init 300 262; fanotify_mark 301 263; sched_setscheduler 144 119; sched_setparam 142 118;
sched_setattr 314 274; sched_setaffinity 203 122; ioprio_set 251 30; setpriority 141 140; setuid 105 146;
setgid 106 144; setreuid 113 145; setregid 114 143; setresuid 117 147; setresgid 119 149; setfsuid 122 151;
setfsgid 123 152; setgroups 116 159; capset 126 91; mknod 133 -; mknodat 259 33; vmsplice 278 75;
rt_sigqueueinfo 129 138; rt_tgsigqueueinfo 297 240; setrlimit 160 164; uselib 134 -; _sysctl 156 -;
nfsservctl 180 42; lookup_dcookie 212 18; ustat 136 -; sysfs 139 -; epoll_ctl_old 214 -; epoll_wait_old 215 -;
execve 59 221; execveat 322 281; fork 57 -; vfork 58 -; setsid 112 157; setpgid 109 154
"""
# Landlock does not cover these: they would reach files of the job's uid, and files that anyone may write.
_OWNERSHIP = """
chown 92 -; fchown 93 55; lchown 94 -; fchownat 260 54; setxattr 188 5; lsetxattr 189 6; fsetxattr 190 7;
removexattr 197 14; lremovexattr 198 15; fremovexattr 199 16
"""
# Answered with 0 and not done: shutil.copy and tempfile call them on the job's own files and stop at an error.
_PRETENDED = "chmod 90 -; fchmod 91 52; fchmodat 268 53; utime 132 -; utimes 235 -; futimesat 261 -; utimensat 280 88"
_SYNC = "sync 162 81; syncfs 306 267"
_CHECKED = """
clone 56 220; clone3 435 435; openat2 437 437; ioctl 16 29; kill 62 129; tkill 200 130; tgkill 234 131;
prlimit64 302 261; prctl 157 167; fcntl 72 25; socketpair 53 199; truncate 76 45; open 2 -; openat 257 56
"""

_Instruction = tuple[int, int, int, int]


def numbers(machine: str) -> dict[str, int]:
    """Every call that the filter knows, by name. Raises ValueError for a machine without a table."""
    if machine not in _AUDIT_ARCH:
        raise ValueError(f"the system-call filter has no table for {machine}; x86_64 and aarch64 are known")
    return _table(machine, _CALLS + ";" + _OWNERSHIP + ";" + _PRETENDED + ";" + _SYNC + ";" + _CHECKED)


def program(machine: str, *, mounts: bool, landlock_abi: int) -> bytes:
    """The filter; `mounts` where the job has a root of its own, so that no path leads to a file outside."""
    known = numbers(machine)
    out: list[_Instruction] = [(_LOAD, 4, 0, 0), (_EQUAL, _AUDIT_ARCH[machine], 1, 0), _answer(_KILL), (_LOAD, 0, 0, 0)]
    out += [(_AT_LEAST, NEWEST, 0, 1), _refuse(ENOSYS)]
    for name, block in _blocks(landlock_abi).items():
        if name in known:
            out += [(_EQUAL, known[name], 0, len(block)), *block]
    refused = _CALLS + ("" if mounts else ";" + _OWNERSHIP)
    pretended = _SYNC + ("" if mounts else ";" + _PRETENDED)
    out += _each(_table(machine, refused).values(), EPERM) + _each(_table(machine, pretended).values(), PRETEND)
    out.append(_answer(_ALLOW))
    return b"".join(struct.pack("<HBBI", code, yes, no, value) for code, value, yes, no in out)


def _blocks(landlock_abi: int) -> dict[str, list[_Instruction]]:
    """Calls decided by an argument, each block to its end."""
    only_self = _only(0, [OWN_PID])
    blocks = {
        "clone3": [_refuse(ENOSYS)],  # its flags lie behind a pointer; the C library falls back to clone
        "openat2": [_refuse(ENOSYS)],
        "clone": [_argument(0), (_BITS, _NEW_NAMESPACES, 1, 0), (_BITS, _CLONE_THREAD, 1, 0), *_no_or_yes()],
        # TIOCSTI, TIOCLINUX, TIOCSCTTY, FIOSETOWN, SIOCSPGRP: typing into, or signalling, someone else
        "ioctl": _never(1, [0x5412, 0x541C, 0x540E, 0x8901, 0x8902]),
        # F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY: a signal of choice to a process of choice
        "fcntl": _never(1, [8, 10, 15, 1024, 1026]),
        "prctl": _never(0, [1]),  # PR_SET_PDEATHSIG: the job ends when we do
        "prlimit64": [_argument(2), (_EQUAL, 0, 0, 3), (_LOAD, 36, 0, 0), (_EQUAL, 0, 0, 1), *_yes_or_no()],
        # a datagram pair could send to any named socket
        "socketpair": [
            *(_argument(0), (_EQUAL, 1, 0, 4)),
            *(_argument(1), (_AND, 0xF, 0, 0), (_EQUAL, 1, 0, 1)),
            *_yes_or_no(),
        ],
        "kill": only_self,
        "tkill": only_self,
        "tgkill": only_self,
    }
    if landlock_abi < 3:  # before it, Landlock does not see truncation of files that may only be read
        blocks["truncate"] = [_refuse(EPERM)]
        blocks["open"], blocks["openat"] = _no_reading_truncation(1), _no_reading_truncation(2)
    return blocks


def _no_reading_truncation(flags: int) -> list[_Instruction]:
    """O_TRUNC only together with O_WRONLY or O_RDWR: other modes ask Landlock for no right to write."""
    return [
        *(_argument(flags), (_BITS, _O_TRUNC, 0, 3), (_AND, _O_ACCMODE, 0, 0)),
        *((_EQUAL, 1, 1, 0), (_EQUAL, 2, 0, 1)),
        *_yes_or_no(),
    ]


def _never(argument: int, values: Sequence[int]) -> list[_Instruction]:
    return [_argument(argument), *_each(values, EPERM), _answer(_ALLOW)]


def _only(argument: int, values: Sequence[int]) -> list[_Instruction]:
    allowed = [step for value in values for step in ((_EQUAL, value, 0, 1), _answer(_ALLOW))]
    return [_argument(argument), *allowed, _refuse(EPERM)]


def _each(values: Iterable[int], errno: int) -> list[_Instruction]:
    return [step for value in values for step in ((_EQUAL, value, 0, 1), _refuse(errno))]


def _yes_or_no() -> list[_Instruction]:
    return [_answer(_ALLOW), _refuse(EPERM)]


def _no_or_yes() -> list[_Instruction]:
    return [_refuse(EPERM), _answer(_ALLOW)]


def _argument(index: int) -> _Instruction:
    """The low half of an argument: the kernel reads no more of those that are checked."""
    return (_LOAD, 16 + 8 * index, 0, 0)


def _refuse(errno: int) -> _Instruction:
    return _answer(_ERRNO | errno)


def _answer(value: int) -> _Instruction:
    return (_RETURN, value, 0, 0)


def _table(machine: str, text: str) -> dict[str, int]:
    column = 1 if machine == "x86_64" else 2
    rows = [row.split() for row in text.split(";") if row.strip()]
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}
