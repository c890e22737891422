"""A made-up bank whose extracts look like life, with the truth beside them."""
