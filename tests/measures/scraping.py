"""Reading what /metrics answers."""

import re
from collections.abc import Mapping
from typing import Any

from prometheus_client.parser import text_string_to_metric_families


def samples(text: str) -> Mapping[str, float]:
    """By name and labels, as `posts_total{outcome="created"}` without the prefix `yhdessa_`: each value in `text`."""
    return {
        _written(sample.name, sample.labels): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scraped(http: Any) -> Mapping[str, float]:
    """`samples` of what is answered to `http`, which may ask."""
    answer = http.get("/metrics")
    assert answer.status_code == 200, answer.text
    return samples(answer.text)


def labels(series: str) -> dict[str, str]:
    """The labels of a series as `samples` names it."""
    return dict(re.findall(r'(\w+)="([^"]*)"', series))


def _written(name: str, labels: Mapping[str, str]) -> str:
    told = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return name.removeprefix("yhdessa_") + (f"{{{told}}}" if told else "")
