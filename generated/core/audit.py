# Generated from contracts/v1alpha by `make generate`. Do not edit: change the contract.
"""botcore: the operations of the tag `audit`."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from fastapi import APIRouter
from starlette.routing import BaseRoute, Route

from generated import models
from generated.core.security import AdminKey, Authenticator
from generated.errors import ERRORS
from generated.runtime import edge as runtime
from generated.runtime.edge import (
    Call,
    Edge,
    Endpoint,
    Operation,
    Rendered,
    Reply,
    Result,
)
from generated.runtime.problems import InvalidValue
from generated.runtime.validation import read_strings


@dataclass(slots=True, kw_only=True)
class ListAuditEntries200:
    """A page of the trail."""

    body: models.AuditPageV1 | Rendered[models.AuditPageV1]
    status: ClassVar[Literal[200]] = 200

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return Reply(200, "application/json", runtime.content_of(self.body), headers)


@dataclass(slots=True, kw_only=True)
class ListAuditEntries422:
    """Values break the contract."""

    code: Literal["validation_failed"]
    detail: str | None = None
    errors: tuple[InvalidValue, ...] = ()
    status: ClassVar[Literal[422]] = 422

    def reply(self) -> Reply:
        headers: dict[str, str] = {}
        return runtime.problem_reply(
            ERRORS[self.code](self.detail, errors=self.errors, headers=headers)
        )


ListAuditEntriesResult = ListAuditEntries200 | ListAuditEntries422


class AuditHandlers(Protocol):
    """What `impl/` fills in for the tag `audit`."""

    async def list_audit_entries(
        self, admin_key: AdminKey, query: models.ListAuditEntriesQuery
    ) -> ListAuditEntriesResult:
        """Read the audit trail."""
        ...


LIST_AUDIT_ENTRIES = Operation(
    id="listAuditEntries",
    produces="application/json",
    takes_body=False,
    versioned=True,
    codes=frozenset(
        {
            "unsupported_schema_version",
            "missing_credentials",
            "invalid_credentials",
            "insufficient_scope",
            "validation_failed",
            "method_not_allowed",
            "not_acceptable",
            "internal_error",
            "database_unavailable",
            "overloaded",
        }
    ),
    results=(
        ListAuditEntries200,
        ListAuditEntries422,
    ),
    challenge='AdminKey realm="botcore"',
    credentials="X-Admin-Key",
    retry_after=frozenset([503]),
    emits=frozenset([]),
)
LIST_AUDIT_ENTRIES_SCOPES = frozenset({"audit:read"})


def audit_router(handlers: AuditHandlers, authenticator: Authenticator, edge: Edge) -> APIRouter:
    """The router of the tag `audit`, its operations bound to `handlers`."""

    async def list_audit_entries(call: Call) -> Result:
        credential = runtime.required(runtime.header_credential(call, b"x-admin-key"))
        admin_key = runtime.proved(await authenticator.admin_key(credential))
        call.enter(admin_key.token_id)
        runtime.require_scopes(admin_key, LIST_AUDIT_ENTRIES_SCOPES)
        query = read_strings(models.ListAuditEntriesQuery, call.query(), "query")
        return await handlers.list_audit_entries(admin_key, query)

    routes: list[BaseRoute] = [
        Route(
            "/api/v1/admin/audit",
            Endpoint(
                edge,
                {
                    "GET": (LIST_AUDIT_ENTRIES, list_audit_entries),
                },
            ),
            name="listAuditEntries",
        ),
    ]
    return APIRouter(routes=routes)
