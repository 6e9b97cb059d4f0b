"""The registration table: every API that the cluster serves, and nothing else.

The ranges are Kafka 4.3's, cut to what is fully served. To serve one more: write its handler in the
file of its family in api/ and add its row here; ApiVersions tells clients from this table.
"""

from __future__ import annotations

from pytest_mqchaos.kafka_cluster.api import (
    alter_configs,
    cluster,
    commits,
    configs,
    consumer_groups,
    fetch,
    group_admin,
    groups,
    offsets,
    produce,
    topics,
    transaction_admin,
    transaction_offsets,
    transactions,
    versions,
)
from pytest_mqchaos.kafka_cluster.registry import Api, Call
from pytest_mqchaos.kafka_cluster.schema import Values


def _api_versions(call: Call) -> Values:
    return versions.answer(call, APIS.values())


APIS: dict[int, Api] = {
    api.key: api
    for api in (
        Api(0, "Produce", 3, 12, produce.produce),
        Api(1, "Fetch", 4, 16, fetch.fetch),
        Api(2, "ListOffsets", 1, 8, offsets.list_offsets),
        Api(3, "Metadata", 0, 13, cluster.metadata),
        Api(8, "OffsetCommit", 2, 9, commits.offset_commit),
        Api(9, "OffsetFetch", 1, 9, commits.offset_fetch),
        Api(10, "FindCoordinator", 0, 5, cluster.find_coordinator),
        Api(11, "JoinGroup", 0, 9, groups.join_group),
        Api(12, "Heartbeat", 0, 4, groups.heartbeat),
        Api(13, "LeaveGroup", 0, 5, groups.leave_group),
        Api(14, "SyncGroup", 0, 5, groups.sync_group),
        Api(15, "DescribeGroups", 0, 6, group_admin.describe_groups),
        Api(16, "ListGroups", 0, 5, group_admin.list_groups),
        Api(18, "ApiVersions", 0, 4, _api_versions),
        Api(19, "CreateTopics", 2, 7, topics.create_topics),
        Api(20, "DeleteTopics", 1, 6, topics.delete_topics),
        Api(21, "DeleteRecords", 0, 2, offsets.delete_records),
        Api(22, "InitProducerId", 0, 5, transactions.init_producer_id),
        Api(23, "OffsetForLeaderEpoch", 2, 4, offsets.epoch_ends),
        Api(24, "AddPartitionsToTxn", 0, 5, transactions.add_partitions),
        Api(25, "AddOffsetsToTxn", 0, 4, transactions.add_offsets),
        Api(26, "EndTxn", 0, 5, transactions.end_txn),
        Api(28, "TxnOffsetCommit", 0, 5, transaction_offsets.txn_offset_commit),
        Api(32, "DescribeConfigs", 1, 4, configs.describe_configs),
        Api(33, "AlterConfigs", 0, 2, alter_configs.alter_configs),
        Api(37, "CreatePartitions", 0, 3, topics.create_partitions),
        Api(42, "DeleteGroups", 0, 2, group_admin.delete_groups),
        Api(44, "IncrementalAlterConfigs", 0, 1, alter_configs.incremental_alter_configs),
        Api(60, "DescribeCluster", 0, 1, cluster.describe_cluster),
        Api(61, "DescribeProducers", 0, 0, transaction_admin.describe_producers),
        Api(65, "DescribeTransactions", 0, 0, transaction_admin.describe_transactions),
        Api(66, "ListTransactions", 0, 2, transaction_admin.list_transactions),
        Api(68, "ConsumerGroupHeartbeat", 0, 1, consumer_groups.consumer_group_heartbeat),
        Api(69, "ConsumerGroupDescribe", 0, 1, consumer_groups.consumer_group_describe),
    )
}
