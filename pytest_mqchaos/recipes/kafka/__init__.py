"""How each fault is caused on Kafka."""
