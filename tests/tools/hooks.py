"""What schemathesis cannot know from a document (SCHEMATHESIS_HOOKS)."""

import itertools

import schemathesis

numbers = itertools.count(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    # A key is for one request: schemathesis would use the same for different ones.
    if case.headers and case.headers.get("Idempotency-Key") and not _is_negative(case):
        case.headers["Idempotency-Key"] = f"key-{next(numbers)}"
    # A stream that goes on has no end to wait for.
    if case.path.endswith("/events") and str((case.query or {}).get("follow")).lower() == "true":
        case.query["follow"] = "false"


def _is_negative(case):
    return case.meta is not None and case.meta.generation.mode.is_negative
