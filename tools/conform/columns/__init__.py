"""One module a column of the table: each tries one kind of promise of one operation."""
