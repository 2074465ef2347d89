"""Content negotiation."""


def accepts(accept: str, media_type: str) -> bool:
    """Whether `Accept` admits `media_type` (RFC 9110, 12.5.1: the most specific range decides)."""
    if accept in {"*/*", media_type}:  # nearly every request
        return True
    kind = media_type.split("/", 1)[0]
    ranks = {media_type: 3, f"{kind}/*": 2, "*/*": 1}
    best, quality = 0, 0.0
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        rank = ranks.get(name, 0)
        if rank > best:
            best, quality = rank, _quality(parameters)
    return quality > 0 or not accept.strip()


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
