"""The model as data: levels of likeness, what each is worth in bits, and how it is kept.

Expectation maximisation (`model`), corrections where fields depend on one another (`interactions`),
probabilities that hold (`calibration`), the JSON file, its report, and Splink's settings in and out.
"""
