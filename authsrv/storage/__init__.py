"""Memory: each file holds its tables, then the queries on them. SQL appears here and nowhere above."""
