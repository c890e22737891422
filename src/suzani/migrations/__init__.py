"""Forward-only SQL migrations, applied in the order of their numbers."""
