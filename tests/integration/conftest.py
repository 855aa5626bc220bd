"""Fixtures of all integration tests."""

from tests.support.redis import mortal_redis, redis_server

__all__ = ["mortal_redis", "redis_server"]
