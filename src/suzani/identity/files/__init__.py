"""Linking and evaluating files, without a platform.

`tables` reads and writes CSV, Parquet and JSON lines, `linking` takes files as they are to persons,
`evaluation` compares persons with the truth.
"""
