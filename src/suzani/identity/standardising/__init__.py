"""From the columns of records to fields that can be compared.

Each kind of column has its standard (`standards`), full names are split by what the other records teach
(`norms`), gaps are filled from other fields, and what many unrelated people share is set aside. `fields` does
it for a table, `single` for one record by the same norms.
"""
