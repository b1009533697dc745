"""The drivers: one module a kind, named like it, each with `create(resources)`."""
