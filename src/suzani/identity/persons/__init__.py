"""Persons that keep their ids: who belongs to whom, since when, and by whose word.

`changes` writes a new partition, `continuity` decides who keeps which id, `lineage` tells the history,
`stewarding` and `undoing` are what people decide, and `constraints` is what holds of it in every later run;
the feed tells others whom a change affected. Nothing here knows how records are compared.
"""
