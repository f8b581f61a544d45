"""How many connections still hold bytes that the other side has not received; asked of the operating system."""

import fcntl
import socket
import struct
import sys
import termios
from weakref import WeakSet

_TELLS = sys.platform == "linux"


class Connections:
    """Makes the sockets of one client, and so knows them."""

    def __init__(self) -> None:
        self._sockets: WeakSet[socket.socket] = WeakSet()

    def make(self, address: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
        """Return a socket for an entry of `getaddrinfo`; the shape of aiohttp's `socket_factory`."""
        family, kind, protocol, *_ = address
        made = socket.socket(family, kind, protocol)
        self._sockets.add(made)
        return made

    def still_sending(self) -> int | None:
        """Return how many connections have bytes on their way out; None where the system does not tell.

        Linux tells what is not sent or not acknowledged yet by SIOCOUTQ, the same number as TIOCOUTQ (tcp(7)).
        """
        return sum(_unsent(each) > 0 for each in list(self._sockets)) if _TELLS else None


def _unsent(connection: socket.socket) -> int:
    if connection.fileno() < 0:
        return 0
    try:
        answer = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4))
    except OSError:
        # It was closed by the other side at this moment.
        return 0
    number: int = struct.unpack("i", answer)[0]
    return number
