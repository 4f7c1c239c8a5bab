"""Golden losses and weights of DiLoCo: two rounds of a tiny GPT-2 in PyTorch.

    python3 -m venv /tmp/venv-torch
    /tmp/venv-torch/bin/pip install torch==2.15.0 numpy
    /tmp/venv-torch/bin/python Tests/TrainingTests/Goldens/diloco.py

The committed diloco.json was written by Python 3.11, torch 2.15.0, in float32. The algorithm is that of
Douillard et al. 2023 as torchft's local_sgd.DiLoCo does it: every worker has a copy of the model and a
torch.optim.AdamW, which stays from round to round; after H steps the gradient of the global weights is
the mean over the workers of (global weights − worker's weights), for torch.optim.SGD(nesterov=True).
Weights and tokens follow from the formulas below, which DiLoCoGoldenTests repeats.
"""

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F

WORKERS, INNER, ROUNDS = 2, 3, 2
MICRO_BATCHES, ROWS, CONTEXT = 4, 2, 8
VOCABULARY, WIDTH, HEADS = 257, 16, 2
RATE, BETAS, DECAY, CLIP = 3e-3, (0.9, 0.99), 0.1, 1.0
OUTER_RATE, OUTER_MOMENTUM = 0.7, 0.9
LAYER = "transformer.h.0."
SHAPES = {
    "transformer.wte.weight": (VOCABULARY, WIDTH), "transformer.wpe.weight": (CONTEXT, WIDTH),
    LAYER + "ln_1.weight": (WIDTH,), LAYER + "ln_1.bias": (WIDTH,),
    LAYER + "attn.c_attn.weight": (WIDTH, 3 * WIDTH), LAYER + "attn.c_attn.bias": (3 * WIDTH,),
    LAYER + "attn.c_proj.weight": (WIDTH, WIDTH), LAYER + "attn.c_proj.bias": (WIDTH,),
    LAYER + "ln_2.weight": (WIDTH,), LAYER + "ln_2.bias": (WIDTH,),
    LAYER + "mlp.c_fc.weight": (WIDTH, 4 * WIDTH), LAYER + "mlp.c_fc.bias": (4 * WIDTH,),
    LAYER + "mlp.c_proj.weight": (4 * WIDTH, WIDTH), LAYER + "mlp.c_proj.bias": (WIDTH,),
    "transformer.ln_f.weight": (WIDTH,), "transformer.ln_f.bias": (WIDTH,),
}


def first_weights():
    weights = {}
    for number, (name, shape) in enumerate(sorted(SHAPES.items())):
        count = math.prod(shape)
        values = [((i * 7919 + number * 104729) % 2003 - 1001) / 10010 for i in range(count)]
        if name.endswith(("ln_1.weight", "ln_2.weight", "ln_f.weight")):
            values = [1 + value for value in values]
        weights[name] = torch.tensor(values).reshape(shape).requires_grad_()
    return weights


def tokens(step, index):
    ids = [(step * 977 + index * 389 + i * i * 31 + i * 7) % 251 for i in range(ROWS * (CONTEXT + 1))]
    rows = torch.tensor(ids).reshape(ROWS, CONTEXT + 1)
    return rows[:, :-1], rows[:, 1:]


def loss_sum(w, inputs, targets):
    norm = lambda x, name: F.layer_norm(x, (WIDTH,), w[name + ".weight"], w[name + ".bias"], 1e-5)
    linear = lambda x, name: x @ w[name + ".weight"] + w[name + ".bias"]
    split = lambda x: x.reshape(ROWS, CONTEXT, HEADS, WIDTH // HEADS).transpose(1, 2)
    x = w["transformer.wte.weight"][inputs] + w["transformer.wpe.weight"]
    q, k, v = linear(norm(x, LAYER + "ln_1"), LAYER + "attn.c_attn").split(WIDTH, dim=-1)
    attended = F.scaled_dot_product_attention(split(q), split(k), split(v), is_causal=True)
    x = x + linear(attended.transpose(1, 2).reshape(ROWS, CONTEXT, WIDTH), LAYER + "attn.c_proj")
    hidden = F.gelu(linear(norm(x, LAYER + "ln_2"), LAYER + "mlp.c_fc"), approximate="tanh")
    x = norm(x + linear(hidden, LAYER + "mlp.c_proj"), "transformer.ln_f")
    logits = x @ w["transformer.wte.weight"].T
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum")


def main():
    torch.set_num_threads(1)
    world = first_weights()
    outer = torch.optim.SGD(world.values(), lr=OUTER_RATE, momentum=OUTER_MOMENTUM, nesterov=True)
    copies = [{n: v.detach().clone().requires_grad_() for n, v in world.items()}
              for _ in range(WORKERS)]
    inner = [
        torch.optim.AdamW(
            [{"params": [v for v in copy.values() if v.dim() >= 2], "weight_decay": DECAY},
             {"params": [v for v in copy.values() if v.dim() < 2], "weight_decay": 0.0}],
            lr=RATE, betas=BETAS, eps=1e-8)
        for copy in copies]
    each, count = MICRO_BATCHES // WORKERS, ROWS * CONTEXT
    losses, norms = [[0.0] * WORKERS for _ in range(ROUNDS * INNER)], []
    for round_ in range(ROUNDS):
        for worker, (copy, optimizer) in enumerate(zip(copies, inner)):
            for name, value in copy.items():
                value.data.copy_(world[name].data)
            for step in range(round_ * INNER, (round_ + 1) * INNER):
                optimizer.zero_grad()
                total = sum(loss_sum(copy, *tokens(step, worker * each + i)) for i in range(each))
                (total / (each * count)).backward()
                torch.nn.utils.clip_grad_norm_(copy.values(), CLIP)
                optimizer.step()
                losses[step][worker] = total.item() / (each * count)
        for name, value in world.items():
            value.grad = sum(value.data - copy[name].data for copy in copies) / WORKERS
        norms.append(torch.sqrt(sum((v.grad.double() ** 2).sum() for v in world.values())).item())
        outer.step()
    golden = {
        "losses": [sum(each) / WORKERS for each in losses],
        "outerGradientNorms": norms,
        # The first values of each tensor. The gradient of the keys' bias, after the first WIDTH of
        # c_attn.bias, is 0 but for rounding, which AdamW makes steps of.
        "weights": {n: [round(x, 8) for x in v.detach().flatten()[:WIDTH].tolist()]
                    for n, v in sorted(world.items())},
    }
    path = Path(__file__).with_name("diloco.json")
    path.write_text(json.dumps(golden, indent=1) + "\n")
    print(golden["losses"], norms)


if __name__ == "__main__":
    main()
