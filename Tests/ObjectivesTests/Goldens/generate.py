"""Golden values for the objectives: losses, gradients and advantages on fixed numbers.

Run
    python3 -m venv /tmp/venv-torch
    /tmp/venv-torch/bin/pip install torch==2.13.0
    /tmp/venv-torch/bin/pip install --no-deps trl==0.24.0
    /tmp/venv-torch/bin/python Tests/ObjectivesTests/Goldens/generate.py

The committed goldens.json was written by Python 3.11, torch 2.13.0+cpu, trl 0.24.0 (the last
version with PPO and with DPO's loss as a function of log-probabilities).

Sources of the values
    dpo, cdpo, ipo      TRL: DPOTrainer.dpo_loss
    whitening           TRL: core.masked_whiten
    grpo.loss           TRL: GRPOTrainer._compute_loss up to its logging, all four normalisations
    grpo.advantages     hand-written after GRPOTrainer._generate_and_score_completions
    ppo, value, gae     hand-written after PPOTrainer.train, which is one long method
    bradleyTerry        hand-written after RewardTrainer.compute_loss
    tokens              hand-written: log_softmax, its entropy, and gradients of a sum of both
    classes, numbers    torch: cross_entropy, mse_loss
TRL's functions are extracted from its sources, because importing its trainers needs much more than
torch. Everything is computed in float64 from inputs that are exact in float32.
"""

import ast
import json
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import torch
import torch.nn.functional as F

TRL = Path(find_spec("trl").submodule_search_locations[0])
torch.set_default_dtype(torch.float64)


def trl(path, name, owner=None, until=None, names=None):
    """Returns TRL's function `name`, a method of `owner` if given, up to the line with `until`."""
    text = (TRL / path).read_text()
    body = ast.parse(text).body
    if owner:
        body = next(n for n in body if isinstance(n, ast.ClassDef) and n.name == owner).body
    node = next(n for n in body if isinstance(n, ast.FunctionDef) and n.name == name)
    lines = text.splitlines()[node.lineno - 1 : node.end_lineno]
    if until:
        end = next(i for i, line in enumerate(lines) if until in line)
        indent = " " * (len(lines[0]) - len(lines[0].lstrip()) + 4)
        lines = lines[:end] + [indent + "return loss"]
    source = "\n".join(lines)
    if owner:
        source = "class Owner:\n" + source
    scope = {"torch": torch, "F": F, "Optional": __import__("typing").Optional} | (names or {})
    exec("from __future__ import annotations\n" + source, scope)
    return getattr(scope["Owner"], name) if owner else scope[name]


def draw(generator, *shape, scale=1.0):
    """Returns numbers that are exact in float32."""
    return (torch.randn(*shape, generator=generator) * scale).float().double()


def numbers(tensor):
    return tensor.detach().double().flatten().tolist()


def gradient(function, *points):
    """Returns the value of `function` and its gradients at `points`."""
    points = [p.clone().requires_grad_() for p in points]
    value = function(*points)
    return [value.item()] + [numbers(g) for g in torch.autograd.grad(value, points)]


def bradley_terry(g):
    scores, margins = draw(g, 6, 2, scale=2), draw(g, 6).abs()
    cases = []
    for centring, margin in [(0.0, False), (0.25, False), (0.25, True)]:
        def loss(s):
            lead = s[:, 0] - s[:, 1] - (margins if margin else 0)
            return (-F.logsigmoid(lead) + centring * s.sum(1) ** 2).sum()
        value, slope = gradient(loss, scores)
        cases.append({"centring": centring, "margin": margin, "loss": value, "gradient": slope})
    return {"scores": numbers(scores), "margins": numbers(margins), "cases": cases}


def preferences(g):
    divergence = SimpleNamespace(
        ALPHA_DIVERGENCE="alpha", JS_DIVERGENCE="js", REVERSE_KL="reverse")
    dpo_loss = trl("trainer/dpo_trainer.py", "dpo_loss", "DPOTrainer",
                   names={"FDivergenceType": divergence})
    lengths = torch.tensor([[3, 7], [12, 1], [5, 5], [9, 20], [2, 4]])
    reference = (-draw(g, 5, 2).abs() * lengths).float().double()
    policy = (reference + draw(g, 5, 2, scale=3)).float().double()
    cases = []
    for kind, beta, smoothing in [("sigmoid", 0.1, 0.0), ("sigmoid", 0.5, 0.0),
                                  ("sigmoid", 0.3, 0.2), ("ipo", 0.1, 0.0), ("ipo", 0.6, 0.0)]:
        trainer = SimpleNamespace(
            beta=beta, label_smoothing=smoothing, reference_free=False,
            f_divergence_type="reverse", f_divergence_params=None,
            accelerator=SimpleNamespace(device="cpu"))
        # As TRL's concatenated_forward does: IPO's log-probabilities are means over the tokens.
        scale = lengths if kind == "ipo" else torch.ones_like(lengths)
        def loss(p):
            p, r = p / scale, reference / scale
            return dpo_loss(trainer, p[:, 0], p[:, 1], r[:, 0], r[:, 1], kind)[0].sum()
        value, slope = gradient(loss, policy)
        p, r = policy, reference
        rewards = dpo_loss(trainer, p[:, 0], p[:, 1], r[:, 0], r[:, 1], kind)[1:]
        cases.append({"kind": kind, "beta": beta, "labelSmoothing": smoothing, "loss": value,
                      "gradient": slope, "chosenReward": rewards[0].mean().item(),
                      "rejectedReward": rewards[1].mean().item()})
    return {"policy": numbers(policy), "reference": numbers(reference),
            "lengths": lengths.flatten().tolist(), "cases": cases}


def tokens_of_a_step(g, count=24):
    old = -draw(g, count).abs()
    new = (old + draw(g, count, scale=0.3)).float().double()
    reference = (old + draw(g, count, scale=0.5)).float().double()
    mask = (torch.rand(count, generator=g) > 0.25).double()
    return old, new, reference, draw(g, count), mask


def ppo(g):
    old, new, _, advantages, mask = tokens_of_a_step(g)
    clip = 0.2
    def loss(logprobs):
        ratio = (logprobs - old).exp()
        one = -advantages * ratio
        two = -advantages * ratio.clamp(1 - clip, 1 + clip)
        return (torch.max(one, two) * mask).sum()
    value, slope = gradient(loss, new)
    difference = new - old
    ratio = difference.exp()
    clipped = -advantages * ratio.clamp(1 - clip, 1 + clip) > -advantages * ratio
    mean = lambda x: ((x * mask).sum() / mask.sum()).item()
    return {"old": numbers(old), "new": numbers(new), "advantages": numbers(advantages),
            "mask": numbers(mask), "clip": clip, "loss": value, "gradient": slope,
            "clipFraction": mean(clipped.double()), "ratio": mean(ratio),
            "largestRatio": ratio[mask > 0].max().item(), "k1": mean(-difference),
            "k3": mean(ratio - 1 - difference)}


def value(g, count=24):
    old = draw(g, count)
    new = (old + draw(g, count, scale=0.4)).float().double()
    returns = (old + draw(g, count, scale=0.7)).float().double()
    mask = (torch.rand(count, generator=g) > 0.25).double()
    clip = 0.2
    def loss(v):
        clipped = torch.clamp(v, old - clip, old + clip)
        worse = torch.max((v - returns) ** 2, (clipped - returns) ** 2)
        return 0.5 * (worse * mask).sum()
    result, slope = gradient(loss, new)
    clipped = torch.clamp(new, old - clip, old + clip)
    share = (((clipped - returns) ** 2 > (new - returns) ** 2) * mask).sum() / mask.sum()
    kept = mask > 0
    explained = 1 - ((returns - new)[kept].var(correction=0) / returns[kept].var(correction=0))
    return {"old": numbers(old), "new": numbers(new), "returns": numbers(returns),
            "mask": numbers(mask), "clip": clip, "loss": result, "gradient": slope,
            "clipFraction": share.item(), "explainedVariance": explained.item()}


def gae(g, length=9):
    policy, reference = -draw(g, length).abs(), -draw(g, length).abs()
    values = draw(g, length)
    score, coefficient = 1.75, 0.05
    cases = []
    for gamma, lam in [(1.0, 0.95), (0.9, 0.8), (1.0, 1.0), (1.0, 0.0)]:
        rewards = -coefficient * (policy - reference)
        rewards[-1] += score
        last, reversed_advantages = 0.0, []
        for t in reversed(range(length)):
            following = values[t + 1] if t < length - 1 else 0.0
            delta = rewards[t] + gamma * following - values[t]
            last = delta + gamma * lam * last
            reversed_advantages.append(last)
        advantages = torch.stack(reversed_advantages[::-1])
        cases.append({"gamma": gamma, "lambda": lam, "rewards": numbers(rewards),
                      "advantages": numbers(advantages), "returns": numbers(advantages + values)})
    return {"policy": numbers(policy), "reference": numbers(reference), "values": numbers(values),
            "score": score, "coefficient": coefficient, "cases": cases}


def whitening(g, count=40):
    names = {}
    for name in ["masked_mean", "masked_var", "masked_whiten"]:
        names[name] = trl("core.py", name, names=names)
    values = (draw(g, count, scale=3) + 5).float().double()
    mask = torch.rand(count, generator=g) > 0.3
    white = names["masked_whiten"](values, mask)
    return {"values": numbers(values), "mask": numbers(mask.double()),
            "white": numbers(torch.where(mask, white, 0.0))}


def grpo(g, groups=3, size=4, length=6):
    rewards = draw(g, groups, size)
    rewards[1] = 0.5  # A group of equal rewards.
    centred = rewards - rewards.mean(1, keepdim=True)
    scaled = centred / (rewards.std(1, keepdim=True) + 1e-4)
    count = groups * size * length
    old, new, reference, _, _ = tokens_of_a_step(g, count)
    shape = (groups * size, length)
    old, new, reference = old.view(shape), new.view(shape), reference.view(shape)
    lengths = torch.randint(1, length + 1, shape[:1], generator=g)
    mask = (torch.arange(length)[None] < lengths[:, None]).double()
    compute = trl("trainer/grpo_trainer.py", "_compute_loss", "GRPOTrainer",
                  until="# Log the metrics")
    cases = []
    for kind, beta in [("dapo", 0.04), ("grpo", 0.04), ("dr_grpo", 0.0), ("bnpo", 0.1)]:
        trainer = MagicMock(
            beta=beta, epsilon_low=0.2, epsilon_high=0.28, loss_type=kind,
            importance_sampling_level="token", top_entropy_quantile=1.0, use_vllm=False,
            current_gradient_accumulation_steps=1, max_completion_length=length)
        trainer.args.delta = None
        trainer.accelerator.num_processes = 1
        def loss(logprobs):
            trainer._get_per_token_logps_and_entropies.return_value = (logprobs, None)
            return compute(trainer, None, {
                "prompt_ids": torch.zeros(shape[0], 1), "prompt_mask": torch.zeros(shape[0], 1),
                "completion_ids": torch.zeros(shape), "completion_mask": mask,
                "ref_per_token_logps": reference, "old_per_token_logps": old,
                "advantages": scaled.flatten(), "num_items_in_batch": mask.sum()})
        value, slope = gradient(loss, new)
        cases.append({"kind": kind, "beta": beta, "loss": value, "gradient": slope})
    return {"rewards": numbers(rewards), "size": size, "scaled": numbers(scaled),
            "centred": numbers(centred), "old": numbers(old), "new": numbers(new),
            "reference": numbers(reference), "lengths": lengths.tolist(), "length": length,
            "clipLow": 0.2, "clipHigh": 0.28, "cases": cases}


def tokens(g, rows=7, width=5, vocabulary=19):
    hidden, head = draw(g, rows, width, scale=1.5), draw(g, vocabulary, width)
    targets = torch.randint(0, vocabulary, (rows,), generator=g)
    mask = torch.tensor([1.0, 1, 0, 1, 1, 0, 1])
    slopes, entropy_slopes = draw(g, rows), draw(g, rows)
    cases = []
    for temperature in [1.0, 0.7]:
        def both(h, w):
            logs = F.log_softmax(h @ w.T / temperature, -1)
            return logs.gather(1, targets[:, None])[:, 0] * mask, -(logs.exp() * logs).sum(-1) * mask
        def total(h, w):
            chosen, entropy = both(h, w)
            return (slopes * chosen + entropy_slopes * entropy).sum()
        chosen, entropy = both(hidden, head)
        _, dhidden, dhead = gradient(total, hidden, head)
        cases.append({"temperature": temperature, "logProbabilities": numbers(chosen),
                      "entropies": numbers(entropy), "hiddenGradient": dhidden,
                      "headGradient": dhead})
    return {"hidden": numbers(hidden), "head": numbers(head), "rows": rows, "width": width,
            "vocabulary": vocabulary, "targets": targets.tolist(), "mask": numbers(mask),
            "slopes": numbers(slopes), "entropySlopes": numbers(entropy_slopes), "cases": cases}


def classes(g, rows=5, labels=4):
    scores, targets = draw(g, rows, labels, scale=2), torch.tensor([3, 0, 1, 1, 2])
    value, slope = gradient(
        lambda s: F.cross_entropy(s, targets, reduction="sum"), scores)
    return {"scores": numbers(scores), "targets": targets.tolist(), "labels": labels,
            "loss": value, "gradient": slope}


def regression(g, rows=5, outputs=2):
    scores, targets = draw(g, rows, outputs), draw(g, rows, outputs)
    value, slope = gradient(
        lambda s: F.mse_loss(s, targets, reduction="none").mean(1).sum(), scores)
    return {"scores": numbers(scores), "targets": numbers(targets), "outputs": outputs,
            "loss": value, "gradient": slope}


CASES = {"bradleyTerry": bradley_terry, "preferences": preferences, "ppo": ppo, "value": value,
         "gae": gae, "whitening": whitening, "grpo": grpo, "tokens": tokens, "classes": classes,
         "regression": regression}

if __name__ == "__main__":
    goldens = {name: case(torch.Generator().manual_seed(seed))
               for seed, (name, case) in enumerate(CASES.items(), start=1)}
    path = Path(__file__).parent / "goldens.json"
    path.write_text(json.dumps(goldens, separators=(",", ":")) + "\n")
    print(f"{path}: {path.stat().st_size} bytes")
