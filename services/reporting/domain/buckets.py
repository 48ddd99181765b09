"""Durations as log buckets: quantiles within 1 %, counts that can be added, merged and taken back.

A bucket covers durations from ratio^(bucket-1) up to ratio^bucket seconds. Its stand-in differs from each of them by
at most 1 % (the semantics of DDSketch); a digest could not subtract what turns out to be wrong.
"""

from collections.abc import Mapping
from math import ceil, log

ACCURACY = 0.01
RATIO = (1 + ACCURACY) / (1 - ACCURACY)
LOG_RATIO = log(RATIO)
SHORTEST = 0.001
"""Seconds; what is shorter counts as this long."""


def bucket_of(seconds: float) -> int:
    """The bucket of a duration."""
    return ceil(log(max(seconds, SHORTEST)) / LOG_RATIO)


def stand_in(bucket: int) -> float:
    """The duration that stands for a bucket, seconds."""
    return 2 * RATIO**bucket / (RATIO + 1)


def quantile(histogram: Mapping[int, int], share: float) -> float | None:
    """The shortest duration that at least `share` of all do not exceed, seconds, within 1 %; None of nothing.

    share: 0 to 1. The durations are those counted in `histogram`, by bucket.
    """
    count = sum(histogram.values())
    if count <= 0:
        return None
    rank = max(1, ceil(share * count))
    for bucket in sorted(histogram):
        rank -= histogram[bucket]
        if rank <= 0:
            return stand_in(bucket)
    return stand_in(max(histogram))
