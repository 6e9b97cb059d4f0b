"""What a connection listens for: derived from its state each time that this changes.

It knows when a side may be read and when it must be written; it must never know bytes.
"""

from __future__ import annotations

from pytest_mqchaos.dataplane.buffers import SIZE
from pytest_mqchaos.dataplane.ends import End
from pytest_mqchaos.dataplane.lane import Lane
from pytest_mqchaos.dataplane.parts import Link


def plain(link: Link, lane: Lane, other: Lane) -> bool:
    """Whether a read changed nothing that must be seen to. Nearly always, so it is cheap."""
    return not (
        lane.eof
        or lane.blocked
        or other.blocked
        or link.closing is not None
        or link.paused[0]
        or link.paused[1]
        or lane.queue
        or (lane.filled > SIZE and lane.full())
    )


def listen(
    link: Link,
    lanes: tuple[Lane, Lane],
    ends: tuple[End, End],
    *,
    closing: bool,
    discarding: bool,
) -> bool:
    """Have both ends watched for what can go on; True if that is anything but plain reading."""
    special = closing or discarding
    for side, end in enumerate(ends):
        lane, other, far = lanes[side], lanes[1 - side], ends[1 - side]
        if discarding:
            read = not lane.eof
        elif far.connecting or end.connecting or lane.full():
            read = False
        elif far.embedded and other.blocked:
            read = False  # who does not take answers gets no further question through
        else:
            read = not (lane.eof or lane.blocked or closing or link.paused[side])
        write = other.blocked or end.connecting
        special = special or write or not read
        end.want(read=read, write=write)
    return special
