"""Training steps of GPT-2 in PyTorch, the same work as Sources/Benchmarks/StepBenchmark.swift.

    python train_gpt2.py --size gpt2 --batch 4 --dtype bf16 --threads 2
    python -m torch.distributed.run --nproc_per_node 2 train_gpt2.py --batch 2   (DDP over gloo)

The last line on standard output is JSON: tokens per second of the median step after the first two,
and the peak memory of the process, or of rank 0 (MiB).
"""

import argparse
import json
import os
import resource
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

# layers, heads, width, vocabulary, context
SIZES = {
    "shakespeare": (4, 4, 128, 257, 64),
    "nano": (6, 6, 384, 257, 256),
    "gpt2": (12, 12, 768, 50257, 256),
}


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.projection = nn.Linear(width, width)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x):
        batch, time_steps, width = x.shape
        packed = self.qkv(self.attention_norm(x)).view(batch, time_steps, 3, self.heads, -1)
        q, k, v = packed.permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.projection(attended.transpose(1, 2).reshape(batch, time_steps, width))
        hidden = F.gelu(self.up(self.feed_forward_norm(x)), approximate="tanh")
        return x + self.down(hidden)


class GPT2(nn.Module):
    def __init__(self, layers, heads, width, vocabulary, context):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(context, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, inputs, targets):
        x = self.tokens(inputs) + self.positions.weight[: inputs.shape[1]]
        for block in self.blocks:
            x = block(x)
        logits = F.linear(self.norm(x), self.tokens.weight)  # the head is the embedding
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", choices=SIZES, default="gpt2")
    parser.add_argument("--batch", type=int, default=4, help="sequences per step on each rank")
    parser.add_argument("--dtype", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=6)
    options = parser.parse_args()

    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    rank = int(os.environ.get("RANK", "0"))
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    size = SIZES[options.size]
    vocabulary, context = size[3], size[4]
    model = GPT2(*size)
    if ranks > 1:
        torch.distributed.init_process_group("gloo")
        model = nn.parallel.DistributedDataParallel(model)
    matrices = [p for p in model.parameters() if p.dim() == 2]
    others = [p for p in model.parameters() if p.dim() != 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
        lr=1e-3, betas=(0.9, 0.99), fused=True)
    generator = torch.Generator().manual_seed(1 + rank)

    seconds = []
    for _ in range(options.steps):
        ids = torch.randint(vocabulary, (options.batch, context + 1), generator=generator)
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=options.dtype == "bf16"):
            loss = model(ids[:, :-1], ids[:, 1:])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        loss.item()
        seconds.append(time.perf_counter() - start)

    if rank == 0:
        tokens = ranks * options.batch * context
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"rate": tokens / statistics.median(seconds[2:]), "memory": memory}))
    if ranks > 1:
        torch.distributed.destroy_process_group()


main()
