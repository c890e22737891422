"""Identity resolution: which records are one person, and why."""

from suzani.identity.names import comparable_name, comparable_names, phonetic_key, phonetic_keys

__all__ = ["comparable_name", "comparable_names", "phonetic_key", "phonetic_keys"]
