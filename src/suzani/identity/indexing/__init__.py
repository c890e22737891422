"""All records of the bank in memory, kept up with the database.

`index` finds a record's neighbours and what a change of it can reach, over distinct values (`pool`) in arrays
that grow. `mirror` lets a process follow what others did and settles what changed into persons; it opens from
a `snapshot` of what all records say. `matches` ranks the persons that one record could be.
"""
