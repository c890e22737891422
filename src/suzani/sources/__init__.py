"""Records of the product systems: mappings, loads, quarantine."""
