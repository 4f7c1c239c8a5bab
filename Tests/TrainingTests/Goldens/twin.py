"""Trains the twin of a run in PyTorch: the same first weights, the same batches, 200 steps.

    python3 -m venv /tmp/venv-torch
    /tmp/venv-torch/bin/pip install torch==2.13.0 transformers==5.23.0 safetensors==0.8.0
    swift build --build-tests
    /tmp/venv-torch/bin/python Tests/TrainingTests/Goldens/twin.py bert CORPUS.txt VOCAB.txt

Runs PretrainingTwinTests in a temporary folder, which takes the steps and writes the initial weights,
batches and losses; then repeats the steps with transformers' model and torch's AdamW in fp32, and
prints the losses of both: the mean over the last ten steps must agree within 0.5 %.
"""

import argparse
import os
import subprocess
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForSeq2SeqLM

RUN = """
run: run
model: {{ family: {family}, layers: 4, heads: 4, width: 128, context: 64 }}
tokenizer: {tokenizer}
batch: {{ microBatches: 2, sequences: 8 }}
steps: {steps}
optimizer: {{ learningRate: 1e-3, betas: [0.9, 0.95], weightDecay: 0.1, clip: 1 }}
schedule: {{ warmup: 20 }}
precision: fp32
guard: {{ spike: 100 }}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("family")
    parser.add_argument("text", type=Path)
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("--steps", type=int, default=200)
    options = parser.parse_args()
    root = Path(__file__).resolve().parents[3]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "first").mkdir()
        (folder / "text.txt").write_bytes(options.text.read_bytes())
        (folder / "run.yaml").write_text(RUN.format(
            family=options.family, tokenizer=options.tokenizer.resolve(), steps=options.steps))
        subprocess.run(
            [root / ".build/debug/apusPackageTests.xctest", "--testing-library", "swift-testing",
             "--filter", "PretrainingTwinTests"],
            check=True, env=os.environ | {"APUS_TWIN": name}, stdout=subprocess.DEVNULL)
        lines = [tuple(map(float, line.split()))
                 for line in (folder / "losses.txt").read_text().splitlines()]
        batches = {}
        for part in ("inputs", "targets", "weights", "sources", "lengths"):
            batches |= load_file(folder / f"{part}.safetensors")
        kind = {"bert": AutoModelForMaskedLM, "t5": AutoModelForSeq2SeqLM}.get(
            options.family, AutoModelForCausalLM)
        model = kind.from_pretrained(folder / "first")

    parameters = list(model.parameters())
    optimizer = torch.optim.AdamW(
        [{"params": [p for p in parameters if p.dim() >= 2], "weight_decay": 0.1},
         {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0}],
        betas=(0.9, 0.95))
    model.train()
    twins = []
    for step, (rate, _) in enumerate(lines):
        inputs, targets, weights = (batches[name][step] for name in ("inputs", "targets", "weights"))
        if options.family == "t5":
            sources, lengths = batches["sources"][step].long(), batches["lengths"][step]
            mask = torch.arange(sources.shape[1]) < lengths
            logits = model(
                input_ids=sources, attention_mask=mask.long(),
                decoder_input_ids=inputs.long()).logits
        else:
            logits = model(input_ids=inputs.long()).logits
        losses = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), targets.long().flatten(), reduction="none")
        loss = (losses * weights.flatten()).sum() / weights.sum()
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        twins.append(loss.item())
    own = [loss for _, loss in lines]
    for step in sorted({0, 49, 99, 149, len(own) - 1} & set(range(len(own)))):
        print(f"step {step + 1}: apus {own[step]:.6f}, twin {twins[step]:.6f}")
    last = [sum(losses[-10:]) / 10 for losses in (own, twins)]
    difference = abs(last[0] / last[1] - 1)
    print(f"last ten: apus {last[0]:.6f}, twin {last[1]:.6f}, {100 * difference:.4f} % apart")
    assert difference < 0.005


if __name__ == "__main__":
    main()
