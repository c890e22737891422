"""Identity stitching: which identifiers are one subject, known or not yet."""
