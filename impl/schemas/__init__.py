"""JSON Schemas of strangers: whether they are well-formed, and whether a value fits, at a cost.

The dialect is 2020-12 without what reaches beyond the document or changes as it is evaluated:
`$dynamicRef`, an `$id` below the root, and any `$ref` that does not begin with `#`.
"""
