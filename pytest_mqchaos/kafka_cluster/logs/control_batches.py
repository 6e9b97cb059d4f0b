"""Control batches: the markers that end a transaction in a partition's log (KIP-98).

It knows their bytes; who writes them and what they end is others' business. One batch with one
record; its key is (version 0, type: 0 abort, 1 commit), its value (version 0, coordinator epoch).

    | header, attributes 0x30, no sequence | length | attributes | deltas | key | value | headers |
"""

from __future__ import annotations

import struct

import crc32c

from pytest_mqchaos.kafka_cluster.logs.batches import HEADER, Batch, read

_ATTRIBUTES = 0x30  # transactional, control
_NO_SEQUENCE = -1
_FRONT = struct.Struct(">qiib")
_CRC = struct.Struct(">I")
_REST = struct.Struct(">hiqqqhii")
_RECORD = struct.Struct(">5B hh B hi B")
_ABORT, _COMMIT = 0, 1
_TYPE_AT = HEADER + 7  # behind length, attributes, deltas, the key's length and its version
_TYPE = struct.Struct(">h")
_EPOCH_AT = HEADER + 12  # behind the value's length and its version
_EPOCH = struct.Struct(">i")
_NOT_IN_LENGTH = 12


def marker(
    *, producer_id: int, epoch: int, commit: bool, coordinator_epoch: int, timestamp: int
) -> Batch:
    """Make the batch; a log gives it its offset. `timestamp` in ms since the epoch."""
    kind = _COMMIT if commit else _ABORT
    # Varints of one byte: length 16, attributes, deltas 0 and 0, key of 4, value of 6, 0 headers.
    record = _RECORD.pack(32, 0, 0, 0, 8, 0, kind, 12, 0, coordinator_epoch, 0)
    rest = _REST.pack(_ATTRIBUTES, 0, timestamp, timestamp, producer_id, epoch, _NO_SEQUENCE, 1)
    checked = rest + record
    size = _FRONT.size + _CRC.size + len(checked) - _NOT_IN_LENGTH
    return read(_FRONT.pack(0, size, -1, 2) + _CRC.pack(crc32c.crc32c(checked)) + checked)


def coordinator_epoch(batch: Batch) -> int:
    """Give what a control batch says of its coordinator."""
    epoch: int = _EPOCH.unpack_from(batch.raw, _EPOCH_AT)[0]
    return epoch


def commits(batch: Batch) -> bool:
    """Say whether a control batch is a commit (else an abort)."""
    kind: int = _TYPE.unpack_from(batch.raw, _TYPE_AT)[0]
    return kind == _COMMIT
