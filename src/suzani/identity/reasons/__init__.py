"""Why records are one person, and why not: every decision asked for its reasons.

`explaining` gives a pair field by field, `assembly` the joins that made a person, `nearest` who else came
near; `explanations` reads what is stored and puts it together; `misses` does the same for what a truth tells
to be wrong. Nothing here writes to the database.
"""
