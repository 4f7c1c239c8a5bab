"""Sizes and frequencies of span corruption, by the published algorithm.

Run
    python Tests/DatasetsTests/Goldens/span_corruption.py

`compute_input_and_target_lengths` and `random_spans_noise_mask` are those of transformers'
examples/flax/language-modeling/run_t5_mlm_flax.py, which has them from google-research's
text-to-text-transfer-transformer. The committed span_corruption.json was written by numpy 2.4.6:
    "lengths"     the lengths of the text and of the target, for every source length from 8 to 600 and
                  several settings
    "taken"       for texts of 40 tokens, the number of 200,000 draws in which each position was
                  corrupted
    "firstSpans"  the number of these draws in which the first span had 0, 1, 2, 3, … tokens
"""

import json
from pathlib import Path

import numpy as np

SETTINGS = [(0.15, 3.0), (0.15, 5.0), (0.3, 3.0), (0.1, 2.0)]
TOKENS, DRAWS = 40, 200_000


def compute_input_and_target_lengths(inputs_length, noise_density, mean_noise_span_length):
    def lengths(tokens_length):
        num_noise_tokens = int(round(tokens_length * noise_density))
        num_nonnoise_tokens = tokens_length - num_noise_tokens
        num_noise_spans = int(round(num_noise_tokens / mean_noise_span_length))
        return num_nonnoise_tokens + num_noise_spans + 1, num_noise_tokens + num_noise_spans + 1

    tokens_length = inputs_length
    while lengths(tokens_length + 1)[0] <= inputs_length:
        tokens_length += 1
    return tokens_length, lengths(tokens_length)[1]


def random_spans_noise_mask(length, noise_density, mean_noise_span_length, random):
    num_noise_tokens = int(np.round(length * noise_density))
    num_nonnoise_tokens = length - num_noise_tokens
    num_noise_tokens = min(max(num_noise_tokens, 1), length - 1)
    num_noise_spans = int(
        np.round(min(num_noise_tokens, num_nonnoise_tokens) / mean_noise_span_length))
    num_noise_spans = max(num_noise_spans, 1)

    def segmentation(num_items, num_segments):
        mask_indices = np.arange(num_items - 1) < (num_segments - 1)
        random.shuffle(mask_indices)
        first_in_segment = np.pad(mask_indices, [[1, 0]])
        segment_id = np.cumsum(first_in_segment)
        _, segment_length = np.unique(segment_id, return_counts=True)
        return segment_length

    noise = segmentation(num_noise_tokens, num_noise_spans)
    nonnoise = segmentation(num_nonnoise_tokens, num_noise_spans)
    interleaved = np.reshape(np.stack([nonnoise, noise], axis=1), [num_noise_spans * 2])
    starts = np.cumsum(interleaved)[:-1]
    indicator = np.zeros((length,), dtype=np.int8)
    indicator[starts] = True
    return np.equal(np.cumsum(indicator) % 2, 1), noise


def main() -> None:
    lengths = []
    for share, span in SETTINGS:
        pairs = [compute_input_and_target_lengths(n, share, span) for n in range(8, 601)]
        lengths.append({
            "share": share, "meanSpan": span, "first": 8,
            "tokens": [pair[0] for pair in pairs], "targets": [pair[1] for pair in pairs]})
    random = np.random.default_rng(1)
    taken, spans = np.zeros(TOKENS, int), np.zeros(TOKENS, int)
    for _ in range(DRAWS):
        mask, noise = random_spans_noise_mask(TOKENS, 0.3, 3.0, random)
        taken += mask
        spans[noise[0]] += 1
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps({
        "lengths": lengths, "tokens": TOKENS, "share": 0.3, "meanSpan": 3.0, "draws": DRAWS,
        "taken": taken.tolist(), "firstSpans": spans.tolist()}) + "\n")


if __name__ == "__main__":
    main()
