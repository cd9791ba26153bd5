"""The one required check: do the results of all other jobs let a change pass?

Reads GitHub's ``needs`` context, as JSON in the variable ``NEEDS``, and names each job that does not.
"""

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

# What the plan says of a job that has nothing to do: only then may it be skipped.
NOTHING_TO_DO = {"models": "[]", "common": "false"}


def failures(needs: Mapping[str, Any]) -> list[str]:
    """Return a line for each job that neither succeeded nor was skipped as planned.

    Args:
        needs: by job name, its ``result`` (success, failure, cancelled or skipped) and its ``outputs``.

    >>> plan = {"result": "success", "outputs": {"models": "[]", "common": "true"}}
    >>> failures({"plan": plan, "models": {"result": "skipped"}, "common": {"result": "skipped"}})
    ['common: skipped']
    """
    outputs = needs["plan"].get("outputs", {})
    unplanned = {job for job, nothing in NOTHING_TO_DO.items() if outputs.get(job) == nothing}
    return [
        f"{job}: {need['result']}"
        for job, need in needs.items()
        if need["result"] != "success" and not (need["result"] == "skipped" and job in unplanned)
    ]


def main() -> int:
    """Print what failed; return 0 if nothing did, else 1."""
    failed = failures(json.loads(os.environ["NEEDS"]))
    print("\n".join(failed) or "all jobs passed")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
