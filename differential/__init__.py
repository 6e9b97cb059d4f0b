"""Differential proof: the same conversations with the embedded cluster and with Apache Kafka.

    generate --> Conversation --> play on the embedded cluster (in process, by bytes) --> answers
                            '---> play on Apache Kafka (sockets) ------------------------> answers
                                                              normal --> compare --> differences

`python -m differential` (make differential) runs a campaign and prints its figures. What was found
stays as a script: a conversation and Kafka's own answers to it, which the default tests hold the
embedded cluster to, without any Kafka.
"""
