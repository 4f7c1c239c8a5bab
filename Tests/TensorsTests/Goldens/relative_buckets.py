"""Buckets of relative positions, by Hugging Face transformers' T5.

Run (the environment is Tests/ModelsTests/Goldens/generate.py's)
    python Tests/TensorsTests/Goldens/relative_buckets.py

The committed relative_buckets.json was written by torch 2.13.0+cpu, transformers 5.23.0: a list of
    {"count", "maximumDistance", "isBidirectional", "first", "buckets"}
where `buckets` are those of the positions first, first + 1, … of a key, counted from its query.
"""

import json
from pathlib import Path

import torch
from transformers.models.t5.modeling_t5 import T5Attention

REACH = 600
CASES = [(32, 128), (32, 64), (16, 40), (8, 20), (4, 5), (5, 9), (64, 512), (12, 100)]


def main() -> None:
    positions = torch.arange(-REACH, REACH + 1)
    cases = []
    for count, distance in CASES:
        for bidirectional in (True, False):
            buckets = T5Attention._relative_position_bucket(
                positions, bidirectional=bidirectional, num_buckets=count, max_distance=distance)
            cases.append({
                "count": count, "maximumDistance": distance, "isBidirectional": bidirectional,
                "first": -REACH, "buckets": buckets.tolist()})
    path = Path(__file__).with_suffix(".json")
    path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


if __name__ == "__main__":
    main()
