"""Several calls to a service at once, while only the calling thread writes the state.

Each job is prepared (its intent committed) and concluded (its outcome committed) by the calling thread, one after the
other; only the call itself runs in a thread of its own. So the state has one writer, and a crash finds every call that
may have been made recorded before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
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

    `jobs` is consumed lazily: what it does to the state before it yields a job is committed before that call. `call`
    must not touch the state. The function that `conclude` gets returns the result, or raises what the call raised. What
    `jobs` or `conclude` raises ends the work: no further call is made, those under way are concluded, and the first
    such exception is raised. What is prepared, and what is concluded, at the same time is committed together.
    """
    under_way: dict[Future[Result], Job] = {}
    raised: list[BaseException] = []
    waiting, more = iter(jobs), True
    with ThreadPoolExecutor(calls, thread_name_prefix="call") as threads:
        while more or under_way:
            if more:
                # Not all free calls at once: the first would wait until the last is prepared.
                most = min(calls - len(under_way), max(1, calls // 2))
                prepared = _prepared(session, waiting, most, raised)
                under_way.update({threads.submit(call, job): job for job in prepared})
                more = len(prepared) == most and not raised
            # While another call is free, only what has ended by now is concluded: the next job need not wait for it.
            is_free = more and len(under_way) < calls
            finished, _ = wait(under_way, timeout=0 if is_free else None, return_when=FIRST_COMPLETED)
            with _collecting(raised), session.store.group():
                for future in finished:
                    with _collecting(raised):
                        conclude(under_way.pop(future), future.result)
            more = more and not raised
    if raised:
        raise raised[0]


def _prepared(session: Session, waiting: Iterator[Job], most: int, raised: list[BaseException]) -> list[Job]:
    """The next jobs, with what they did to the state committed; fewer than `most` if there are no more.

    What they raise is added to `raised`: those before it are returned. Without a commit, none is.
    """
    jobs: list[Job] = []
    try:
        with session.store.group(), _collecting(raised):
            for job in islice(waiting, most):
                jobs.append(job)  # noqa: PERF402 - those before an error are kept
    except BaseException as error:
        raised.append(error)
        return []
    assert not session.store.database.in_transaction, "a service is called while a transaction is open"
    return jobs


@contextmanager
def _collecting(raised: list[BaseException]) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        raised.append(error)
