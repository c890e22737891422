"""The log in Apache Kafka; needs the extra `kafka`."""
