"""What customers do: events take effect on profiles, and are read back as a timeline."""
