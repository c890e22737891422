"""One value at a time: the comparable form of names, dates, documents, phones and addresses.

Scripts are brought together, what is written around a value is dropped, and check digits are verified. A
column's distinct values are coded once (`dictionary`), so that each is looked at once.
"""
