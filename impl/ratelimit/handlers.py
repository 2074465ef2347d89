from generated import models
from generated.core.limits import (
    GetLimit200,
    GetLimitResult,
    ResetLimit200,
    ResetLimitResult,
    SetLimit200,
    SetLimitResult,
)
from generated.core.security import AdminKey
from impl.audit.log import by_key
from impl.db import Pool
from impl.ratelimit import administration
from impl.ratelimit.administration import Effective
from impl.ratelimit.limiter import RateLimiter
from impl.ratelimit.queries import Subject


class LimitHandlers:
    """The operations of the tag `limits`. All instances read Redis: what it has, holds for all."""

    def __init__(self, pool: Pool, limiter: RateLimiter) -> None:
        self._pool = pool
        self._limiter = limiter

    async def get_limit(self, admin_key: AdminKey, path: models.GetLimitPath) -> GetLimitResult:
        subject = Subject(path.subject, path.subject_id)
        return GetLimit200(body=_described(await administration.show(self._pool, subject)))

    async def set_limit(
        self, admin_key: AdminKey, path: models.SetLimitPath, body: models.LimitChangeV1
    ) -> SetLimitResult:
        subject = Subject(path.subject, path.subject_id)
        async with self._pool.acquire() as connection, connection.transaction():
            changed = await administration.change(
                connection, by_key(admin_key), subject, body.quota, body.window_seconds
            )
        await self._limiter.announce(changed.own)
        return SetLimit200(body=_described(changed.effective))

    async def reset_limit(
        self, admin_key: AdminKey, path: models.ResetLimitPath
    ) -> ResetLimitResult:
        subject = Subject(path.subject, path.subject_id)
        async with self._pool.acquire() as connection, connection.transaction():
            changed = await administration.reset(connection, by_key(admin_key), subject)
        await self._limiter.announce(changed.own)
        return ResetLimit200(body=_described(changed.effective))


def _described(limit: Effective) -> models.LimitV1:
    return models.LimitV1(
        subject=limit.subject.partition,
        subject_id=limit.subject.id,
        quota=limit.quota,
        window_seconds=limit.window_seconds,
        is_default=limit.is_default,
        updated_at=limit.updated_at,
    )
