"""Golden records and profiles: one view of each person."""
