"""How long each part of a call may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds; every wait of the proxy has one of these.

    :param body: until a client has sent its request.
    :param hold: until a request that is held while the station is paused is sent away.
    :param connect: until the provider takes the connection.
    :param silence: between two signs of life of the provider; a model may think long before the
        first one, and streams are kept alive with pings.
    :param answer: of a whole call.
    :param client: until a client takes what was written to it.
    :param books: until the gate has answered, and until all is recorded when the proxy closes.
    :param close: until calls that still run are ended when the proxy closes.
    """

    body: float = 60.0
    hold: float = 240.0
    connect: float = 15.0
    silence: float = 600.0
    answer: float = 3600.0
    client: float = 60.0
    books: float = 30.0
    close: float = 5.0
