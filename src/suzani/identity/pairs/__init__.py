"""Pairs of records: which are looked at, what each is worth, and which clusters they make.

Fields are packed into arrays (`packing`) by the keys they share (`keys`); `blocking` chooses the rules,
`matching` compares, `scoring` weighs, and `partition` joins clusters while the evidence agrees.
"""
