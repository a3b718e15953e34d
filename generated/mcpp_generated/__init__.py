"""Code generated from the contracts and the queries by `make generate`. Never edited by hand."""
