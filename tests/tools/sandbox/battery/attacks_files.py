"""Secrets and files: what must not be read, changed, made or brought out."""
# One attack a row, as long as it is:
# ruff: noqa: E501

from typing import Any

from attack import Attack, attacks

READ = {
    "open": "print(open(F + '/secret').read())",
    "symlink": "os.symlink(F + '/secret', 'link'); print(open('link').read())",
    "hard_link": "os.link(F + '/secret', 'hard'); print(open('hard').read())",
    "proc_root": "print(open('/proc/self/root' + F + '/secret').read())",
    "climb": "print(open('../' * 40 + F + '/secret').read())",
    "from_root_descriptor": "d = os.open('/', os.O_PATH); print(os.read(os.open(F[1:] + '/secret', 0, dir_fd=d), 99))",
    "libc_fopen": "f = ctypes.c_void_p(LIBC.open(F.encode() + b'/secret', 0)); print(os.read(f.value, 99))",
    "sendfile": "o = open('copy', 'wb'); i = os.open(F + '/secret', 0); os.sendfile(o.fileno(), i, 0, 99); "
    "print(open('copy').read())",
    "memory_map": "print(mmap.mmap(os.open(F + '/secret', 0), 32, prot=mmap.PROT_READ)[:])",
    "sqlite_attach": "import sqlite3; c = sqlite3.connect(':memory:'); c.execute('attach ? as x', (F + '/new.db',)); "
    "c.execute('create table x.t (a)'); c.commit()",
    "import_path": "sys.path.insert(0, F); import runpy; runpy.run_path(F + '/secret')",
    "list_folder": "print(os.listdir(F + '/inner'))",
    "scan_root": "print(os.listdir('/etc'), os.listdir('/home')); print('REACHED')",
    "password_files": "print(open('/etc/passwd').read()); print('REACHED')",
    "environment": "print(os.environ)",
    "environment_of_parent": "print(open(f'/proc/{R[\"parent\"]}/environ').read())",
    "environment_of_pid_1": "print(open('/proc/1/environ').read().replace(chr(0), ' ')); print('REACHED')",
    "memory_of_parent": "d = os.open(f'/proc/{R[\"parent\"]}/mem', 0); print(os.pread(d, 32, R['memory']))",
    "command_lines": "def read(p):\n try:\n  return open(f'/proc/{p}/cmdline').read()\n except OSError:\n  return ''  # it has just ended\n"
    "print([t for p in os.listdir('/proc') if p.isdigit() and int(p) not in (1, 2, os.getpid()) and (t := read(p))][0]); print('REACHED')",
    "inherited_descriptors": "[reached(d > 2 and os.fstat(d) is not None, d) for d in range(3, 64) if "
    "LIBC.fcntl(d, 1, 0) >= 0]",
    "open_by_handle": "h = ctypes.create_string_buffer(struct.pack('Ii', 128, 0) + bytes(128)); m = ctypes.c_int(); "
    "reached(call(303, 264, -100, F.encode() + b'/secret', h, ctypes.byref(m), 0))",
    "block_devices": "[attempt(open, f'/dev/{n}', 'rb') for n in ('vda', 'sda', 'mem', 'kmsg', 'ptmx', 'fuse')]",
    "terminal": "attempt(open, '/dev/tty', 'rb')",
    "other_jobs": "above = os.path.dirname(os.path.dirname(os.getcwd())); names = os.listdir(above)\n"
    "reached(above != '/' and set(names) > {'work', 'temp'})",
    "kernel_settings": "open('/proc/sys/kernel/hostname', 'w').write('x'); print('REACHED')",
    "kernel_symbols": "print(open('/proc/kallsyms').read(99)); print('REACHED')",
    "mounts": "print(open('/proc/self/mountinfo').read()); print('REACHED')",
    "keys_of_the_user": "print(os.listdir(os.path.expanduser('~root')), os.listdir('/root')); print('REACHED')",
    "dynamic_loader": "LIBC.dlopen(F.encode() + b'/secret', 2); print(open('/proc/self/maps').read()); print('REACHED')",
}
WRITE = {
    "write": "open(F + '/spoil', 'w').write('x')",
    "append": "open(F + '/spoil', 'a').write('x')",
    "truncate": "os.truncate(F + '/spoil', 0)",
    "truncate_reading": "os.open(F + '/spoil', os.O_RDONLY | os.O_TRUNC)",
    "truncate_mode_3": "os.open(F + '/spoil', 3 | os.O_TRUNC)",
    "remove": "os.remove(F + '/spoil')",
    "rename": "os.rename(F + '/spoil', F + '/renamed')",
    "rename_over": "open('mine', 'w').close(); os.replace('mine', F + '/spoil')",
    "change_mode": "os.chmod(F + '/spoil', 0o600)",
    "change_time": "os.utime(F + '/spoil', (1, 1))",
    "change_time_to_now": "os.utime(F + '/spoil')",
    "change_owner": "os.chown(F + '/spoil', 12345, 12345)",
    "set_attribute": "os.setxattr(F + '/spoil', 'user.x', b'1')",
    "symlink_and_write": "os.symlink(F + '/spoil', 'l'); open('l', 'w').write('x')",
    "new_file": "open(F + '/new', 'w').write('x')",
    "new_symlink": "os.symlink('/etc/passwd', F + '/new')",
    "new_folder": "os.mkdir(F + '/inner/new'); print('REACHED')",
    "shared_memory": "open('/dev/shm/battery', 'w').write('x')",
    "device_node": "attempt(os.mknod, 'node', 0o20666, os.makedev(1, 1))",
    "standard_library": "p = os.path.join(os.path.dirname(os.__file__), 'battery_planted.py')\n"
    "attempt(open, p, 'w'); attempt(os.truncate, os.__file__, os.stat(os.__file__).st_size)",
    "standard_library_mode": "p = os.__file__; m = os.stat(p).st_mode\n"
    "try: os.chmod(p, m ^ 0o001)\nexcept OSError: pass\nreached(os.stat(p).st_mode != m)",
    "set_user_id_file": "open('s', 'w').close(); os.chmod('s', 0o6755); reached(os.stat('s').st_uid == 0 and "
    "os.stat('s').st_mode & 0o4000 != 0 and os.getuid() != 0)",
}


def no_secret(result: Any) -> str:
    """Artifacts are regular files of the work folder, few, and not what links point to."""
    names = [artifact.name for artifact in result.artifacts]
    strange = [name for name in names if name.startswith(("/", "..")) or name in ("link", "pipe", "huge", "socket")]
    return f"brought out {strange}" if strange or len(names) > 64 else ""


ARTIFACTS = {
    "artifact_symlink": "os.symlink(F + '/secret', 'link'); os.symlink(F, 'folder')",
    "artifact_pipe": "os.mkfifo('pipe')",
    "artifact_socket": "socket.socket(socket.AF_UNIX).bind('socket')",
    "artifact_huge": "open('huge', 'wb').truncate(50 << 20)",
    "artifact_many": "[open(f'a{n}', 'w').close() for n in range(3000)]",
    "artifact_names": "[open(n, 'w').close() for n in (b'\\xff', b'a\\nb', b'-rf', b'~', b'x' * 250)]",
}
_HEAD = "F = R['folder']\n"
BARE = """open symlink climb from_root_descriptor libc_fopen sendfile memory_map sqlite_attach list_folder scan_root
password_files environment environment_of_parent memory_of_parent command_lines proc_root mounts"""
BARE_WRITE = """write append truncate truncate_reading remove rename rename_over change_mode change_time change_time_to_now
set_attribute symlink_and_write
new_file new_symlink"""
FILES: list[Attack] = [
    *attacks("files", {name: _HEAD + text for name, text in READ.items()}, BARE),
    *attacks("files", {name: _HEAD + text for name, text in WRITE.items()}, BARE_WRITE),
    *attacks("files", {name: _HEAD + text for name, text in ARTIFACTS.items()}, judge=no_secret),
]
