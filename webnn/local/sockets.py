"""Which addresses a process listens on, and whether another machine could reach them."""

import ipaddress
import socket
import sys
from pathlib import Path

from webnn.errors import Invalid

LISTEN = "0A"
# An address of the documentation range. Connecting a datagram socket sends nothing; it only picks the interface.
ELSEWHERE = ("192.0.2.1", 9)
TABLES = ("tcp", "tcp6")


def assert_loopback_only(pid: int, port: int) -> None:
    """Refuses a process that other machines could talk to.

    Raises:
        Invalid: It listens on an address that is not loopback, or (where the system can tell) on none at all.
    """
    if not Path(f"/proc/{pid}/net/tcp").exists():
        _assert_refused_from_outside(port)
        return
    listening = listening_addresses(pid)
    exposed = sorted(str(address) for address in listening if not address.is_loopback)
    if exposed or not listening:
        raise Invalid("the engine must listen on loopback, and there only", pid=pid, exposed=exposed)


def listening_addresses(pid: int) -> set[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """The local addresses of the process's listening TCP sockets, from /proc."""
    own = _socket_inodes(pid)
    found = set()
    for table in TABLES:
        for line in _rows(Path(f"/proc/{pid}/net/{table}")):
            local, state, inode = line[1], line[3], line[9]
            if state == LISTEN and inode in own:
                found.add(_address(local.split(":")[0]))
    return found


def _rows(table: Path) -> list[list[str]]:
    if not table.exists():
        return []
    return [line.split() for line in table.read_text().splitlines()[1:]]


def _socket_inodes(pid: int) -> set[str]:
    targets = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            targets.add(str(entry.readlink()))
        except FileNotFoundError:
            continue  # closed since it was listed
    return {target[len("socket:[") : -1] for target in targets if target.startswith("socket:[")}


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    # The kernel prints each 32-bit word of the address in the machine's own byte order.
    words = [int(text[i : i + 8], 16).to_bytes(4, sys.byteorder) for i in range(0, len(text), 8)]
    address = ipaddress.ip_address(b"".join(words))
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _assert_refused_from_outside(port: int) -> None:
    """Without /proc: the machine's own outward address must not answer on the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outward:
        try:
            outward.connect(ELSEWHERE)
        except OSError:
            return  # no way out of this machine, so no way in either
        host = outward.getsockname()[0]
    if ipaddress.ip_address(host).is_loopback:
        return
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        if probe.connect_ex((host, port)) == 0:
            raise Invalid("the engine must listen on loopback, and there only", exposed=[host])
