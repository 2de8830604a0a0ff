"""Several calls to a service at once, while only the calling thread writes the state.

Each job is prepared (its intent committed) and concluded (its outcome committed) by the calling thread, one after the
other; only the call itself runs in a thread of its own. So the state has one writer, and a crash finds every call that
may have been made recorded before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from plexstedi.sync.session import Session

Job = TypeVar("Job")
Result = TypeVar("Result")


def in_parallel(
    session: Session,
    jobs: Iterable[Job],
    call: Callable[[Job], Result],
    conclude: Callable[[Job, Callable[[], Result]], None],
    *,
    calls: int,
) -> None:
    """Make the call of each job, at most `calls` at once; `conclude` gets the job and a function with its result.

    `jobs` is consumed lazily: what it does to the state before it yields a job is done before that call. `call` must
    not touch the state. The function that `conclude` gets returns the result, or raises what the call raised. What
    `jobs` or `conclude` raises ends the work: no further call is made, those under way are concluded, and the first
    such exception is raised.
    """
    under_way: dict[Future[Result], Job] = {}
    raised: list[BaseException] = []
    waiting, more = iter(jobs), True
    with ThreadPoolExecutor(calls, thread_name_prefix="call") as threads:
        while more or under_way:
            if more:
                try:
                    job = next(waiting)
                    assert not session.store.database.in_transaction, "a service is called while a transaction is open"
                    under_way[threads.submit(call, job)] = job
                except StopIteration:
                    more = False
                except BaseException as error:
                    raised.append(error)
            # While another call is free, only what has ended by now is concluded: the next job need not wait for it.
            is_free = more and not raised and len(under_way) < calls
            finished, _ = wait(under_way, timeout=0 if is_free else None, return_when=FIRST_COMPLETED)
            for future in finished:
                try:
                    conclude(under_way.pop(future), future.result)
                except BaseException as error:
                    raised.append(error)
            more = more and not raised
    if raised:
        raise raised[0]
