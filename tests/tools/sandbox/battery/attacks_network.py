"""Network and every other way to talk to someone."""
# One attack a row, as long as it is:
# ruff: noqa: E501

from attack import Attack, attacks

TABLE = {
    "tcp": "socket.create_connection(('127.0.0.1', R['tcp'])).send(b'x')",
    "tcp_from_libc": "s = LIBC.socket(2, 1, 0); a = struct.pack('=HH4s8x', 2, socket.htons(R['tcp']), b'\\x7f\\0\\0\\1')\n"
    "reached(LIBC.connect(s, a, 16))",
    "udp": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', R['udp']))",
    "unix_stream": "socket.socket(socket.AF_UNIX).connect(R['folder'] + '/stream')",
    "unix_datagram": "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', R['folder'] + '/datagram')",
    "abstract_datagram": "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', chr(0) + R['abstract'])",
    "abstract_stream": "socket.socket(socket.AF_UNIX).connect(chr(0) + 's' + R['abstract'])",
    "pair_to_path": "a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM); a.sendto(b'x', R['folder'] + '/datagram')",
    "pair_to_abstract": "a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
    "a.sendto(b'x', chr(0) + R['abstract'])",
    "pair_message": "a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
    "a.sendmsg([b'x'], [], 0, R['folder'] + '/datagram')",
    "stream_pair_message": "a, b = socket.socketpair(); a.sendmsg([b'x'], [], 0, R['folder'] + '/datagram')",
    "pair_reconnected": "a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM); a.connect(chr(0) + R['abstract'])\n"
    "a.send(b'x')",
    "pass_descriptors": "a, b = socket.socketpair(); attempt(socket.send_fds, a, [b'x'], [0])",
    "listen": "attempt(socket.create_server, ('127.0.0.1', 0))",
    "raw": "attempt(socket.socket, socket.AF_INET, socket.SOCK_RAW, 1)",
    "netlink": "attempt(socket.socket, socket.AF_NETLINK, socket.SOCK_RAW, 0)",
    "packet": "attempt(socket.socket, socket.AF_PACKET, socket.SOCK_RAW, 3)",
    "vsock": "attempt(socket.socket, 40, socket.SOCK_STREAM, 0)",
    "kernel_crypto": "attempt(socket.socket, 38, socket.SOCK_SEQPACKET, 0)",
    "asyncio_client": "import asyncio\nasync def go():\n    r, w = await asyncio.open_connection('127.0.0.1', R['tcp'])\n"
    "    w.write(b'x')\nasyncio.run(go())",
    "ring": "reached(call(425, 425, 8, ctypes.create_string_buffer(256)))",
    "names": "socket.getaddrinfo('localhost', R['tcp']); socket.gethostbyname('example.org'); print('REACHED')",
}
BARE = """tcp tcp_from_libc udp unix_stream unix_datagram abstract_datagram abstract_stream pair_to_path pair_to_abstract
pair_message listen asyncio_client netlink pass_descriptors"""
NETWORK: list[Attack] = attacks("network", TABLE, BARE)
