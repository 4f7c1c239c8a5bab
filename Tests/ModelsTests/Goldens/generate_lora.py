"""Golden values for LoRA, sequence and token classifiers and encoders, by PEFT and transformers.

Run
    python3 -m venv /tmp/venv-torch
    /tmp/venv-torch/bin/pip install torch==2.13.0 transformers==5.23.0 safetensors==0.8.0
    /tmp/venv-torch/bin/pip install numpy==2.4.6 peft==0.21.2
    /tmp/venv-torch/bin/python Tests/ModelsTests/Goldens/generate_lora.py            # every case
    /tmp/venv-torch/bin/python Tests/ModelsTests/Goldens/generate_lora.py lora-llama

Needs the folders of generate.py, which are the base models. As there, values are computed in
float64 and rounded once, and the unmodified fp32 model must agree with them.

The folder of a sequence classifier
    config.json, model.safetensors    as save_pretrained writes them
    golden.safetensors                input_ids i32 [B, T], padded on the right with pad_token_id;
                                      lengths i32 [B]; scores f32 [B, labels]

The folder of a token classifier
    config.json, model.safetensors    as save_pretrained writes them
    golden.safetensors                input_ids and lengths as above; logits f32 [B, T, labels]

The folder of an encoder without a head
    config.json, model.safetensors    as save_pretrained writes them
    golden.safetensors                input_ids and lengths as above; mean f32 [B, C] of the hidden
                                      states before the padding, and pooled f32 [B, C]

An adapter's folder
    adapter_config.json, adapter_model.safetensors    as PEFT's save_pretrained writes them
    golden.safetensors    of language models: input_ids, targets, weights as in generate.py, logits,
                          merged (the logits after merge_and_unload), loss, and grad.NAME for every
                          trained parameter, by its name in adapter_model.safetensors;
                          of sequence classifiers: input_ids, lengths, scores, merged (scores),
                          loss = the sum of the scores times 1, 2, …, and grad.NAME
An adapter that trains a tied embedding or head in full has no merged: merging ties again. PEFT
saves a tied head under both names.
base_model_name_or_path is relative to the folder's parent; adapters are drawn at random, so that B
is not 0. Dropout 0.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
)

from generate import TOLERANCE, difference, forward, llama_without_rounding

PADDING = 2


@dataclass(frozen=True)
class Scorer:
    name: str
    base: str
    seed: int
    labels: tuple
    problem: str
    lengths: tuple
    time: int


@dataclass(frozen=True)
class Encoder:
    name: str
    base: str
    seed: int
    lengths: tuple
    time: int


@dataclass(frozen=True)
class Tagger(Encoder):
    labels: tuple = ()


@dataclass(frozen=True)
class Adapter:
    name: str
    base: str
    seed: int
    batch: int
    time: int
    config: dict
    labels: int = 0


CASES = [
    Scorer("score-gpt2", "gpt2-untied", 31, ("no", "perhaps", "yes"),
           "single_label_classification", (9, 1, 4, 8), 9),
    Scorer("score-llama", "llama-gqa", 32, ("reward",), "regression", (13, 5, 12), 13),
    Scorer("score-bert", "bert", 33, ("bad", "good"), "single_label_classification",
           (11, 2, 7), 11),
    Encoder("encoder-bert", "bert-tanh", 34, (5, 9, 1), 9),
    Tagger("tag-bert", "bert", 35, (6, 11), 11, ("B-X", "I-X", "O")),
    Adapter("lora-gpt2", "gpt2-untied", 41, 2, 9, dict(
        r=3, lora_alpha=7, target_modules=["c_attn", "mlp.c_proj"], fan_in_fan_out=True)),
    Adapter("lora-llama", "llama-gqa", 42, 2, 13, dict(
        r=4, lora_alpha=8, target_modules=r".*layers\.[02]\..*(q|v|down)_proj")),
    Adapter("lora-linear", "llama-mha", 43, 2, 8, dict(
        r=2, lora_alpha=3, target_modules="all-linear", use_rslora=True)),
    Adapter("lora-score", "llama-mha", 44, 3, 8, dict(
        r=2, lora_alpha=4, target_modules=["k_proj", "gate_proj"], modules_to_save=["score"]), 2),
    Adapter("lora-embedding", "llama-gqa", 45, 2, 8, dict(
        r=2, lora_alpha=4, target_modules=["q_proj"], modules_to_save=["embed_tokens"])),
    Adapter("lora-embedding-tied", "llama-gqa", 46, 2, 8, dict(
        r=2, lora_alpha=4, target_modules=["q_proj"], modules_to_save=["embed_tokens"],
        ensure_weight_tying=True)),
    Adapter("lora-head", "gpt2-tied", 47, 2, 8, dict(
        r=2, lora_alpha=4, target_modules=["c_attn"], modules_to_save=["lm_head"],
        fan_in_fan_out=True)),
    # PEFT saves every module whose name ends in norm, and skips names that match no module. Written
    # by torch 2.15.0, transformers 5.24.0 and peft 0.21.2.
    Adapter("lora-norm", "llama-gqa", 48, 2, 8, dict(
        r=2, lora_alpha=4, target_modules=["q_proj", "query", "down_proj"],
        modules_to_save=["norm"], layers_to_transform=[1])),
]


def with_labels(case: Scorer, root: Path):
    model = AutoModelForSequenceClassification.from_pretrained(
        root / case.base, attn_implementation="eager", num_labels=len(case.labels),
        id2label=dict(enumerate(case.labels)),
        label2id={name: index for index, name in enumerate(case.labels)},
        problem_type=case.problem, pad_token_id=PADDING)
    return model.eval()


def padded(lengths, time, vocabulary, random):
    ids = torch.randint(3, vocabulary, (len(lengths), time), generator=random)
    for row, length in enumerate(lengths):
        ids[row, length:] = PADDING
    return ids


def scores(model, ids):
    mask = (ids != PADDING).long()
    more = {} if model.config.model_type == "bert" else {"use_cache": False}
    return model(input_ids=ids, attention_mask=mask, **more).logits


def write(folder: Path, golden: dict) -> None:
    save_file(
        {name: (t.detach().float() if t.is_floating_point() else t.int()).contiguous()
         for name, t in golden.items()},
        folder / "golden.safetensors")


def check(name, single, exact):
    error = difference(single.detach(), exact.detach())
    assert error < TOLERANCE, f"{name}: fp32 and float64 differ by {error:.1e}"
    print(f"{name}: fp32 is within {error:.1e}")


def generate_scorer(case: Scorer, root: Path) -> None:
    random = torch.Generator().manual_seed(case.seed)
    model = with_labels(case, root)
    with torch.no_grad():
        if model.config.model_type == "bert":
            head = [*model.bert.pooler.parameters(), *model.classifier.parameters()]
        else:
            head = [model.score.weight]
        for parameter in head:
            parameter.copy_(torch.randn(parameter.shape, generator=random))
    folder = root / case.name
    model.save_pretrained(folder)
    ids = padded(case.lengths, case.time, model.config.vocab_size, random)
    single = scores(model, ids)
    with llama_without_rounding():
        exact = scores(model.double(), ids)
    check(case.name, single, exact)
    write(folder, {"input_ids": ids, "lengths": torch.tensor(case.lengths), "scores": exact})


def generate_encoder(case: Encoder, root: Path) -> None:
    random = torch.Generator().manual_seed(case.seed)
    model = AutoModel.from_pretrained(root / case.base, attn_implementation="eager").eval()
    with torch.no_grad():
        for parameter in model.pooler.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=random))
    folder = root / case.name
    model.save_pretrained(folder)
    ids = padded(case.lengths, case.time, model.config.vocab_size, random)
    mask = (ids != PADDING).long()

    def run(model):
        result = model(input_ids=ids, attention_mask=mask)
        share = mask / mask.sum(1, keepdim=True)
        return (result.last_hidden_state * share[..., None]).sum(1), result.pooler_output

    single = run(model)
    exact = run(model.double())
    for name, a, b in zip(("mean", "pooled"), single, exact):
        check(f"{case.name} {name}", a, b)
    write(folder, {"input_ids": ids, "lengths": torch.tensor(case.lengths),
                   "mean": exact[0], "pooled": exact[1]})


def generate_tagger(case: Tagger, root: Path) -> None:
    random = torch.Generator().manual_seed(case.seed)
    model = AutoModelForTokenClassification.from_pretrained(
        root / case.base, attn_implementation="eager", num_labels=len(case.labels),
        id2label=dict(enumerate(case.labels)),
        label2id={name: index for index, name in enumerate(case.labels)}).eval()
    with torch.no_grad():
        for parameter in model.classifier.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=random))
    folder = root / case.name
    model.save_pretrained(folder)
    ids = padded(case.lengths, case.time, model.config.vocab_size, random)
    mask = (ids != PADDING).long()
    single = model(input_ids=ids, attention_mask=mask).logits
    exact = model.double()(input_ids=ids, attention_mask=mask).logits
    check(case.name, single, exact)
    write(folder, {"input_ids": ids, "lengths": torch.tensor(case.lengths), "logits": exact})


def generate_adapter(case: Adapter, root: Path) -> None:
    random = torch.Generator().manual_seed(case.seed)
    if case.labels:
        base = AutoModelForSequenceClassification.from_pretrained(
            root / case.base, attn_implementation="eager", num_labels=case.labels,
            pad_token_id=PADDING)
    else:
        base = AutoModelForCausalLM.from_pretrained(root / case.base, attn_implementation="eager")
    task = "SEQ_CLS" if case.labels else "CAUSAL_LM"
    model = get_peft_model(base, LoraConfig(task_type=task, **case.config)).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                parameter.copy_(0.2 * torch.randn(parameter.shape, generator=random))
    folder = root / case.name
    model.save_pretrained(folder)
    (folder / "README.md").unlink()
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    config["base_model_name_or_path"] = case.base
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")

    vocabulary = base.config.vocab_size
    if case.labels:
        lengths = [case.time, 3, case.time - 1]
        ids = padded(lengths, case.time, vocabulary, random)
        golden = {"input_ids": ids, "lengths": torch.tensor(lengths)}

        def run(model):
            logits = scores(model, ids)
            factors = torch.arange(1, logits.numel() + 1).view_as(logits)
            return logits, (logits * factors).sum()
    else:
        shape = (case.batch, case.time)
        ids = torch.randint(0, vocabulary, shape, generator=random)
        targets = torch.randint(0, vocabulary, shape, generator=random)
        weights = torch.randint(0, 7, shape, generator=random) / 4
        golden = {"input_ids": ids, "targets": targets, "weights": weights}

        def run(model):
            weight_type = next(model.parameters()).dtype
            return forward(model, ids, targets, weights.to(weight_type), None)

    single, _ = run(model)
    model = model.double()
    with llama_without_rounding():
        values, loss = run(model)
        loss.backward()
        what = "scores" if case.labels else "logits"
        golden |= {what: values, "loss": loss}
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                name = name.replace(".default", "").replace(".modules_to_save", "")
                golden[f"grad.{name}"] = parameter.grad
        trained = {name.removeprefix("grad.") for name in golden if name.startswith("grad.")}
        more = {"base_model.model.lm_head.weight"} if config["ensure_weight_tying"] else set()
        assert set(load_file(folder / "adapter_model.safetensors")) == trained | more
        if case.labels or not config["modules_to_save"]:
            golden["merged"], _ = run(model.merge_and_unload())
    check(case.name, single, values)
    write(folder, golden)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", help="default: every case")
    options = parser.parse_args()
    torch.set_num_threads(1)
    root = Path(__file__).resolve().parent
    for case in CASES:
        if not options.cases or case.name in options.cases:
            generators = {
                Scorer: generate_scorer, Encoder: generate_encoder, Tagger: generate_tagger,
                Adapter: generate_adapter}
            generators[type(case)](case, root)


if __name__ == "__main__":
    main()
