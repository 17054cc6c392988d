"""The report as JSON, one line an instance, each told as soon as it was seen.

Every line is a whole report of one instance, as `schema/check-report.schema.json` describes it.
"""

from __future__ import annotations

import json
from dataclasses import replace

from tinykit_ops.checks.runner import Report
from tinykit_ops.report import json_format

NAME = "jsonl"


def render(report: Report) -> str:
    """The lines."""
    alone = (replace(report, instances=(each,)) for each in report.instances)
    return "".join(
        json.dumps(json_format.to_data(each), ensure_ascii=False) + "\n" for each in alone
    )
