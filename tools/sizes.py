"""How many values a schema lets a document hold."""

from tools.contract import Json, deref

FREE_FORM = 1_000  # granted to what the schema leaves open


def most_values(document: Json, schema: Json) -> int:
    """An upper bound, counted as the runtime counts: an object or a list weighs two."""
    node = deref(document, schema)
    if branches := node.get("anyOf") or node.get("oneOf"):
        return max(most_values(document, branch) for branch in branches)
    if "items" in node:
        return 2 + int(node["maxItems"]) * most_values(document, node["items"])
    if "properties" in node or "additionalProperties" in node:
        named = sum(most_values(document, item) for item in node.get("properties", {}).values())
        return 2 + named + _others(document, node)
    return 1 if "type" in node or "const" in node or "enum" in node else FREE_FORM


def _others(document: Json, node: Json) -> int:
    others = node.get("additionalProperties", True)
    if isinstance(others, bool):
        return FREE_FORM if others else 0
    return int(node["maxProperties"]) * most_values(document, others)
