"""The embedded Kafka cluster, sans-io: log, replication, groups, transactions."""
