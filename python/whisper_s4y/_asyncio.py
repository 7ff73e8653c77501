"""What takes long, in an event loop that goes on meanwhile."""

from __future__ import annotations

from typing import Callable, TypeVar

Result = TypeVar("Result")

_AGAIN = 0.05  # seconds


async def in_thread(work: Callable[[], Result], stop: Callable[[], None]) -> Result:
    """Does work in another thread.

    Args:
        stop: makes it end soon. Cancelling the task calls it, again and again, for the work might
            only be beginning; who cancels finds that the work has ended.
    """
    import asyncio  # here, for it takes long to load

    done = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        while not done.done():
            stop()
            await asyncio.wait([done], timeout=_AGAIN)
        if not done.cancelled():
            done.exception()  # that it was stopped is known
        raise
