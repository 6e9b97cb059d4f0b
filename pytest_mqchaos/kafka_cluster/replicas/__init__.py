"""Who holds a partition: replicas, their leader, who is in sync, and who elects."""
