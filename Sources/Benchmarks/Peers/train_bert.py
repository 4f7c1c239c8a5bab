"""Training steps of BERT-base as a masked LM in transformers, the same work as TrainedModel.bert.

    python train_bert.py --batch 8 --dtype bf16 --threads 2

The last line on standard output is JSON: tokens per second of the median step after the first two,
and the peak memory of the process (MiB).
"""

import argparse
import json
import resource
import statistics
import time

import torch
from transformers import BertConfig, BertForMaskedLM

CONTEXT = 128
MASK = 4


def masked(ids, generator):
    """BERT's corruption of 15 % of the tokens: 80 % masked, 10 % replaced and 10 % unchanged."""
    chosen = torch.rand(ids.shape, generator=generator) < 0.15
    labels = torch.where(chosen, ids, torch.tensor(-100))
    draw = torch.rand(ids.shape, generator=generator)
    ids = torch.where(chosen & (draw < 0.8), torch.tensor(MASK), ids)
    other = torch.randint(5, int(ids.max()) + 1, ids.shape, generator=generator)
    return torch.where(chosen & (draw >= 0.8) & (draw < 0.9), other, ids), labels


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--dtype", choices=["fp32", "bf16"], default="bf16")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=6)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    model = BertForMaskedLM(BertConfig(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0))
    model.train()
    matrices = [p for p in model.parameters() if p.dim() == 2]
    others = [p for p in model.parameters() if p.dim() != 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
        lr=1e-3, betas=(0.9, 0.99), fused=True)
    generator = torch.Generator().manual_seed(1)
    seconds = []
    for _ in range(options.steps):
        ids = torch.randint(5, 30522, (options.batch, CONTEXT), generator=generator)
        inputs, labels = masked(ids, generator)
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=options.dtype == "bf16"):
            loss = model(input_ids=inputs, labels=labels).loss
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        loss.item()
        seconds.append(time.perf_counter() - start)

    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    tokens = options.batch * CONTEXT
    print(json.dumps({"rate": tokens / statistics.median(seconds[2:]), "memory": memory}))


main()
