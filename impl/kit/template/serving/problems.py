"""Errors, as the contract has them."""

from typing import Any, NoReturn

Json = dict[str, Any]

PROBLEMS = {
    "invalid_json": (400, "Invalid JSON"),
    "invalid_utf8": (400, "Invalid UTF-8"),
    "duplicate_key": (400, "Duplicate key"),
    "unsupported_schema_version": (400, "Unsupported schema version"),
    "missing_credentials": (401, "Credentials missing"),
    "invalid_credentials": (401, "Credentials invalid"),
    "not_found": (404, "Not found"),
    "method_not_allowed": (405, "Method not allowed"),
    "not_acceptable": (406, "Not acceptable"),
    "body_too_large": (413, "Body too large"),
    "unsupported_media_type": (415, "Unsupported media type"),
    "validation_failed": (422, "Validation failed"),
    "internal_error": (500, "Internal error"),
    "overloaded": (503, "Overloaded"),
}


class Problem(Exception):  # noqa: N818  # the contract's own word
    """Raised anywhere below `_handle`, it is the answer."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: list[Json] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code, self.detail, self.errors, self.headers = code, detail, errors, headers


def fault(location: str, pointer: str, code: str, message: str) -> Json:
    return {"location": location, "pointer": pointer, "code": code, "message": message}


def refuse(*errors: Json) -> NoReturn:
    raise Problem("validation_failed", "Values were refused; see errors.", errors=list(errors))


def overloaded(detail: str) -> Problem:
    return Problem("overloaded", detail, headers={"Retry-After": "1"})


def rendered(problem: Problem, trace_id: str) -> tuple[int, Json, dict[str, str]]:
    status, title = PROBLEMS[problem.code]
    body = {
        "type": f"urn:botcore:problem:{problem.code}",
        "title": title,
        "status": status,
        "detail": problem.detail,
        "code": problem.code,
        "trace_id": trace_id,
        "errors": problem.errors or [],
    }
    return status, body, dict(problem.headers or {})
