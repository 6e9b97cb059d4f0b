"""Which APIs of Kafka's protocol this package can read: a table, nothing else.

Versions are those that kio 0.6.5 has schemas for; a test compares the two. `flexible` is the first
version with compact strings and tagged fields (KIP-482), None where there is none. Knowing the
table without importing kio lets a data plane frame and clamp on the standard library alone.
"""

from __future__ import annotations

from typing import NamedTuple


class Api(NamedTuple):
    """One API: its name as Kafka spells it and the versions that can be decoded."""

    name: str
    low: int
    high: int
    flexible: int | None


APIS: dict[int, Api] = {
    0: Api("Produce", 3, 13, 9),
    1: Api("Fetch", 4, 18, 12),
    2: Api("ListOffsets", 1, 11, 6),
    3: Api("Metadata", 0, 13, 9),
    8: Api("OffsetCommit", 2, 10, 8),
    9: Api("OffsetFetch", 1, 10, 6),
    10: Api("FindCoordinator", 0, 6, 3),
    11: Api("JoinGroup", 0, 9, 6),
    12: Api("Heartbeat", 0, 4, 4),
    13: Api("LeaveGroup", 0, 5, 4),
    14: Api("SyncGroup", 0, 5, 4),
    15: Api("DescribeGroups", 0, 6, 5),
    16: Api("ListGroups", 0, 5, 3),
    17: Api("SaslHandshake", 0, 1, None),
    18: Api("ApiVersions", 0, 4, 3),
    19: Api("CreateTopics", 2, 7, 5),
    20: Api("DeleteTopics", 1, 6, 4),
    21: Api("DeleteRecords", 0, 2, 2),
    22: Api("InitProducerId", 0, 6, 2),
    23: Api("OffsetForLeaderEpoch", 2, 4, 4),
    24: Api("AddPartitionsToTxn", 0, 5, 3),
    25: Api("AddOffsetsToTxn", 0, 4, 3),
    26: Api("EndTxn", 0, 5, 3),
    27: Api("WriteTxnMarkers", 1, 2, 1),
    28: Api("TxnOffsetCommit", 0, 5, 3),
    29: Api("DescribeAcls", 1, 3, 2),
    30: Api("CreateAcls", 1, 3, 2),
    31: Api("DeleteAcls", 1, 3, 2),
    32: Api("DescribeConfigs", 1, 4, 4),
    33: Api("AlterConfigs", 0, 2, 2),
    34: Api("AlterReplicaLogDirs", 1, 2, 2),
    35: Api("DescribeLogDirs", 1, 5, 2),
    36: Api("SaslAuthenticate", 0, 2, 2),
    37: Api("CreatePartitions", 0, 3, 2),
    38: Api("CreateDelegationToken", 1, 3, 2),
    39: Api("RenewDelegationToken", 1, 2, 2),
    40: Api("ExpireDelegationToken", 1, 2, 2),
    41: Api("DescribeDelegationToken", 1, 3, 2),
    42: Api("DeleteGroups", 0, 2, 2),
    43: Api("ElectLeaders", 0, 2, 2),
    44: Api("IncrementalAlterConfigs", 0, 1, 1),
    45: Api("AlterPartitionReassignments", 0, 1, 0),
    46: Api("ListPartitionReassignments", 0, 0, 0),
    47: Api("OffsetDelete", 0, 0, None),
    48: Api("DescribeClientQuotas", 0, 1, 1),
    49: Api("AlterClientQuotas", 0, 1, 1),
    50: Api("DescribeUserScramCredentials", 0, 0, 0),
    51: Api("AlterUserScramCredentials", 0, 0, 0),
    52: Api("Vote", 0, 2, 0),
    53: Api("BeginQuorumEpoch", 0, 1, 1),
    54: Api("EndQuorumEpoch", 0, 1, 1),
    55: Api("DescribeQuorum", 0, 2, 0),
    56: Api("AlterPartition", 2, 3, 2),
    57: Api("UpdateFeatures", 0, 2, 0),
    58: Api("Envelope", 0, 0, 0),
    59: Api("FetchSnapshot", 0, 1, 0),
    60: Api("DescribeCluster", 0, 2, 0),
    61: Api("DescribeProducers", 0, 0, 0),
    62: Api("BrokerRegistration", 0, 4, 0),
    63: Api("BrokerHeartbeat", 0, 2, 0),
    64: Api("UnregisterBroker", 0, 0, 0),
    65: Api("DescribeTransactions", 0, 0, 0),
    66: Api("ListTransactions", 0, 2, 0),
    67: Api("AllocateProducerIds", 0, 0, 0),
    68: Api("ConsumerGroupHeartbeat", 0, 1, 0),
    69: Api("ConsumerGroupDescribe", 0, 1, 0),
    70: Api("ControllerRegistration", 0, 0, 0),
    71: Api("GetTelemetrySubscriptions", 0, 0, 0),
    72: Api("PushTelemetry", 0, 0, 0),
    73: Api("AssignReplicasToDirs", 0, 0, 0),
    74: Api("ListConfigResources", 0, 1, 0),
    75: Api("DescribeTopicPartitions", 0, 0, 0),
    76: Api("ShareGroupHeartbeat", 1, 1, 1),
    77: Api("ShareGroupDescribe", 1, 1, 1),
    78: Api("ShareFetch", 1, 2, 1),
    79: Api("ShareAcknowledge", 1, 2, 1),
    80: Api("AddRaftVoter", 0, 1, 0),
    81: Api("RemoveRaftVoter", 0, 0, 0),
    82: Api("UpdateRaftVoter", 0, 0, 0),
    83: Api("InitializeShareGroupState", 0, 0, 0),
    84: Api("ReadShareGroupState", 0, 0, 0),
    85: Api("WriteShareGroupState", 0, 1, 0),
    86: Api("DeleteShareGroupState", 0, 0, 0),
    87: Api("ReadShareGroupStateSummary", 0, 1, 0),
    88: Api("StreamsGroupHeartbeat", 0, 0, 0),
    89: Api("StreamsGroupDescribe", 0, 0, 0),
    90: Api("DescribeShareGroupOffsets", 0, 1, 0),
    91: Api("AlterShareGroupOffsets", 0, 0, 0),
    92: Api("DeleteShareGroupOffsets", 0, 0, 0),
}

KEYS: dict[str, int] = {api.name: key for key, api in APIS.items()}

PRODUCE, FETCH, LIST_OFFSETS, METADATA = 0, 1, 2, 3
OFFSET_COMMIT, FIND_COORDINATOR, JOIN_GROUP, HEARTBEAT = 8, 10, 11, 12
LEAVE_GROUP, SYNC_GROUP, SASL_HANDSHAKE, API_VERSIONS = 13, 14, 17, 18
CREATE_TOPICS, DELETE_RECORDS, INIT_PRODUCER_ID = 19, 21, 22
ADD_OFFSETS_TO_TXN, END_TXN, TXN_OFFSET_COMMIT, DESCRIBE_CLUSTER = 25, 26, 28, 60
CONSUMER_GROUP_HEARTBEAT, DESCRIBE_TOPIC_PARTITIONS = 68, 75
SHARE_FETCH, SHARE_ACKNOWLEDGE = 78, 79


def name_of(key: int) -> str:
    """The API's name; "Api(93)" for one that is not in the table."""
    api = APIS.get(key)
    return api.name if api else f"Api({key})"


def flexible(key: int, version: int) -> bool:
    """Whether this request (header v2, compact body) uses tagged fields."""
    api = APIS.get(key)
    return api is not None and api.flexible is not None and version >= api.flexible


def reply_tagged(key: int, version: int) -> bool:
    """Whether the reply's header ends in tagged fields; ApiVersions' never does (KIP-511)."""
    return key != API_VERSIONS and flexible(key, version)
