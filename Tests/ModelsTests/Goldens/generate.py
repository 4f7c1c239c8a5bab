"""Golden values for GPT-2, Llama and its relatives, BERT and Gemma, by Hugging Face transformers.

Run
    python3 -m venv /tmp/venv-torch
    /tmp/venv-torch/bin/pip install torch==2.13.0 transformers==5.23.0 safetensors==0.8.0
    /tmp/venv-torch/bin/pip install numpy==2.4.6
    /tmp/venv-torch/bin/python Tests/ModelsTests/Goldens/generate.py          # every case
    /tmp/venv-torch/bin/python Tests/ModelsTests/Goldens/generate.py llama-gqa

The committed files were written by Python 3.11, torch 2.13.0+cpu, transformers 5.23.0,
safetensors 0.8.0, numpy 2.4.6; those of Gemma and qwen2-layers by torch 2.15.0+cu132 (on the CPU) and transformers
5.24.0. The same versions on the same CPU write the same bytes.

Each case is a folder
    config.json, generation_config.json, model.safetensors    as save_pretrained writes them, fp32
    golden.safetensors                                        the values to reproduce

golden.safetensors (B batch, T time, V vocabulary)
    input_ids   i32 [B, T]
    targets     i32 [B, T]     drawn independently of input_ids, not the input shifted by one
    weights     f32 [B, T]     quarters from 0 to 1.5, about a third of them 0
    lengths     i32 [B]        BERT: tokens before the padding, which the attention mask excludes;
                               padding has weight 0
    logits      f32 [B, T, V]
    loss        f32 []         sum(weights · nll) / sum(weights)
    grad.NAME   f32            gradient of that loss, for every parameter of the state dict
    losses      f32 [10]       the loss before each of ten AdamW steps on this one batch
    grad_norm   f32 [10]       the global L2 norm of the gradient at each step, before clipping

Precision. The weights are fp32; everything after them (logits, loss, gradients and all ten
training steps, master weights and moments included) is computed in float64 and rounded to
float32 once, when it is stored: the golden is more exact than either side. transformers' Llama
rounds to float32 inside (RMSNorm, softmax, RoPE's angles) whatever the model's type, so those
three are replaced here by the same formulas without the rounding, and DoubleOnly makes the run
fail if any operation of forward or backward returns another floating type. The relatives (Mistral,
Qwen 2 and 3, and the scaled rotary kinds) and Gemma run in float64 unmodified: those three places round to
float32 there, which is within the tolerances. The unmodified fp32 model is run as well and must
agree (`TOLERANCE`); the printed difference is the error of fp32 arithmetic, and the scale for the
tolerance of a test.

The ten steps. torch.optim.AdamW, learning rate 1e-3 constant, betas 0.9 and 0.95, epsilon 1e-8
outside the square root, decoupled weight decay 0.1 on parameters with two or more dimensions
(matrices and embeddings), 0 on norms and biases; before each step the gradient is clipped by
torch's clip_grad_norm_ to 1.0, which multiplies by min(1, 1 / (norm + 1e-6)).

Parameters. Every one is drawn by `redraw` from the case's seed: no bias is 0, no gain is 1 (in
Gemma, whose gains are 1 + weight, no weight is 0), and scores and logits are of order one, so every omission shows. Dropout 0.

Gradients that are 0 or nearly so. wpe past T, and rows of an untied token embedding that the batch
does not use, are exactly 0. The key third of GPT-2's c_attn.bias is 0 in exact arithmetic (softmax
ignores a shift common to all keys): the golden holds noise below 1e-16 there and fp32 noise of
about 1e-8, so compare gradients relative to the largest entry of the tensor. AdamW turns that
noise into a step, which does not reach the loss.

What save_pretrained wrote (transformers 5.23)
    tied       lm_head.weight is ABSENT from the file; the matrix is stored once, as
               transformer.wte.weight or model.embed_tokens.weight. Loading reports nothing missing.
    untied     lm_head.weight [V, C] is present. No family has lm_head.bias.
    buffers    none: no attn.bias / attn.masked_bias (GPT-2), no rotary_emb.inv_freq (Llama).
               Older files carry them (gpt2 as published: h.N.attn.bias, and keys without the
               "transformer." prefix): a reader should ignore the buffers and accept both prefixes.
    shapes     GPT-2's c_attn, c_proj and c_fc are Conv1D: weight [in, out], y = x·W + b.
               Every other matrix is Linear: weight [out, in], y = x·Wᵀ.
    metadata   __metadata__ is {"format": "pt"}.

Keys that config.json needs (found by leaving keys out and comparing logits; defaults are from the
source of transformers)
    both       model_type (AutoModelForCausalLM chooses by it alone, not by architectures),
               vocab_size, tie_word_embeddings (defaults: gpt2 true, llama FALSE)
    gpt2       n_positions n_embd n_layer n_head; n_inner when not 4·n_embd;
               layer_norm_epsilon when not 1e-5; activation_function when not gelu_new
    llama      hidden_size intermediate_size num_hidden_layers num_attention_heads
               num_key_value_heads (default: the heads); rms_norm_eps when not 1e-6;
               rope_parameters or rope_theta when theta is not 10000; max_position_embeddings (it
               does not change the logits); head_dim when not hidden_size / num_attention_heads

Rules for a writer that supports 4.x as well (tried with 4.40.2, 4.57.6 and 5.23.0 on these folders)
    theta      4.x reads a top-level "rope_theta" and silently ignores rope_parameters (llama-gqa's
               logits are then wrong by 40 %, so 4.x misreads that folder); 5.x reads either. Write
               "rope_theta" and "rope_parameters": {"rope_type": "default", "rope_theta": ...};
               "rope_scaling": null beside them does no harm. A reader takes rope_parameters first,
               then rope_theta, and refuses a rope_type (rope_scaling's "type" in old files) other
               than "default".
    dtype      5.x loads in the type that config.json names, under "dtype" or "torch_dtype"; 4.x
               loads fp32 unless asked (torch_dtype="auto"), and 4.40 knows only "torch_dtype".
               Write both, equal.
    tied       always write tie_word_embeddings: 4.x ties an untied gpt2 without it, silently.
    metadata   4.40 fails on a file whose __metadata__ lacks {"format": "pt"}; 4.57 and 5.x do not.
    ids        write bos_token_id and eos_token_id (gpt2's defaults are 50256, llama's 1 and 2).

The run behind the committed files: loss before the first and the tenth step, and the largest
difference of unmodified fp32 transformers from the golden, relative to the largest entry
    case         parameters   loss 1     loss 10    logits   gradients  losses
    gpt2-tied          7440   5.6725966  3.2647018  3.9e-07  1.1e-06    1.3e-07
    gpt2-untied       15552   5.9309468  2.9021087  2.3e-07  1.2e-06    1.9e-07
    gpt2-long          6112   5.1064608  4.4473838  2.8e-07  6.6e-07    1.0e-07
    llama-mha          7280   6.3088994  3.4974533  6.6e-07  1.6e-06    1.2e-07
    llama-gqa         24576   6.7086539  1.4331898  7.2e-07  2.4e-06    1.5e-07
    llama-long         2832   5.1002908  4.5043845  5.7e-07  8.4e-07    1.2e-07
Mistakes, made in float64 on purpose, show far above that. Logits: exact GELU 2e-4, epsilon × 10
from 5e-5 (llama-gqa) to 1e-1, adjacent-pair RoPE 9e-1. Losses: weight decay on all, on none or not
on embeddings 9e-5 to 5e-4, no clipping 4e-4 to 2e-2, AdamW's epsilon 1e-6 from 9e-6 (llama-long).
The 1e-6 in the clipping's divisor does not show. Good tolerances: 5e-6 for logits and losses, 1e-5
for gradients, each relative to the largest entry.
"""

import argparse
import math
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import torch
from safetensors.torch import save_file
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    BertConfig,
    Gemma3TextConfig,
    GemmaConfig,
    GPT2Config,
    LlamaConfig,
    MistralConfig,
    PreTrainedConfig,
    Qwen2Config,
    Qwen3Config,
)
from transformers.models.llama import modeling_llama

STEPS = 10
LEARNING_RATE = 1e-3
BETAS = (0.9, 0.95)
EPSILON = 1e-8
WEIGHT_DECAY = 0.1
CLIP = 1.0

# Largest |fp32 - float64| that the unmodified model may show, relative to the largest |float64|.
TOLERANCE = 5e-6


@dataclass(frozen=True)
class Case:
    name: str
    seed: int
    batch: int
    time: int
    config: PreTrainedConfig
    # Whether transformers' roundings to float32 are taken out; only for plain Llama's code.
    exact: bool = True


def gpt2(**shape) -> GPT2Config:
    return GPT2Config(
        activation_function="gelu_new",
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        summary_first_dropout=0.0,
        bos_token_id=0,
        eos_token_id=1,
        **shape,
    )


def llama(theta: float = 10000.0, **shape) -> LlamaConfig:
    return LlamaConfig(
        rope_parameters={"rope_type": "default", "rope_theta": theta},
        attention_dropout=0.0,
        bos_token_id=0,
        eos_token_id=1,
        **shape,
    )


def bert(**shape) -> BertConfig:
    sizes = dict(
        vocab_size=41, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=16, hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0)
    return BertConfig(**sizes | shape)


def relative(family, **shape) -> PreTrainedConfig:
    sizes = dict(
        vocab_size=41, hidden_size=32, intermediate_size=24, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=16, tie_word_embeddings=False,
        attention_dropout=0.0, rms_norm_eps=1e-5, bos_token_id=0, eos_token_id=1)
    return family(**sizes | shape)


def gemma(family, **shape) -> PreTrainedConfig:
    sizes = dict(
        vocab_size=41, hidden_size=24, intermediate_size=40, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=2, head_dim=10, max_position_embeddings=16,
        attention_dropout=0.0, rms_norm_eps=1e-5, pad_token_id=3, bos_token_id=0, eos_token_id=1)
    return family(**sizes | shape)


# The epsilons of the norms differ between cases, so that one not read from config.json shows.
CASES = [
    Case("gpt2-tied", 11, 3, 11, gpt2(
        vocab_size=37, n_positions=16, n_embd=16, n_layer=2, n_head=2)),
    Case("gpt2-untied", 12, 2, 9, gpt2(
        vocab_size=37, n_positions=12, n_embd=24, n_layer=3, n_head=3, n_inner=40,
        layer_norm_epsilon=1e-3, tie_word_embeddings=False)),
    # Longer than a block of the blocked attention, and no multiple of one.
    Case("gpt2-long", 13, 2, 130, gpt2(
        vocab_size=31, n_positions=144, n_embd=16, n_layer=1, n_head=2)),
    Case("llama-mha", 21, 3, 11, llama(
        vocab_size=41, hidden_size=16, intermediate_size=40, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=16,
        rms_norm_eps=1e-5, tie_word_embeddings=False)),
    Case("llama-gqa", 22, 2, 13, llama(
        theta=500000.0, vocab_size=41, hidden_size=32, intermediate_size=48, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=16,
        rms_norm_eps=1e-6, tie_word_embeddings=True)),
    Case("llama-long", 23, 2, 150, llama(
        vocab_size=31, hidden_size=16, intermediate_size=24, num_hidden_layers=1,
        num_attention_heads=4, num_key_value_heads=1, max_position_embeddings=160,
        rms_norm_eps=1e-3, tie_word_embeddings=False)),
    Case("mistral-window", 31, 2, 13, relative(
        MistralConfig, num_key_value_heads=2, sliding_window=5, head_dim=12), False),
    # Windows longer and shorter than a block of the blocked attention.
    Case("mistral-long", 32, 2, 150, relative(
        MistralConfig, num_hidden_layers=1, num_key_value_heads=1, sliding_window=70,
        max_position_embeddings=160, vocab_size=31), False),
    Case("qwen2", 33, 2, 11, relative(
        Qwen2Config, num_hidden_layers=3, num_key_value_heads=2, tie_word_embeddings=True), False),
    Case("qwen2-window", 45, 2, 13, relative(
        Qwen2Config, num_key_value_heads=4, use_sliding_window=True,
        sliding_window=4, max_window_layers=1), False),
    Case("qwen2-layers", 46, 2, 13, relative(
        Qwen2Config, num_hidden_layers=3, num_key_value_heads=4, use_sliding_window=True,
        sliding_window=4, layer_types=["sliding_attention", "full_attention", "sliding_attention"]),
        False),
    Case("qwen3", 35, 2, 11, relative(
        Qwen3Config, num_key_value_heads=2, head_dim=6, tie_word_embeddings=True), False),
    Case("qwen3-bias", 36, 2, 9, relative(
        Qwen3Config, num_key_value_heads=4, head_dim=8, attention_bias=True), False),
    Case("llama-bias", 37, 2, 9, relative(
        LlamaConfig, num_key_value_heads=2, attention_bias=True, mlp_bias=True), False),
    Case("llama-rope3", 38, 2, 40, relative(
        LlamaConfig, num_key_value_heads=2, max_position_embeddings=64, rope_parameters={
            "rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 16}), False),
    Case("llama-linear", 39, 2, 20, relative(
        LlamaConfig, num_key_value_heads=2, max_position_embeddings=32, rope_parameters={
            "rope_type": "linear", "rope_theta": 10000.0, "factor": 2.0}), False),
    Case("qwen2-yarn", 46, 2, 40, relative(
        Qwen2Config, num_key_value_heads=2, max_position_embeddings=64, hidden_size=64,
        rope_parameters={
            "rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0,
            "original_max_position_embeddings": 16}), False),
    Case("bert", 51, 3, 11, bert(), False),
    Case("bert-tanh", 52, 2, 9, bert(
        hidden_act="gelu_new", num_attention_heads=2, intermediate_size=40, layer_norm_eps=1e-3,
        num_hidden_layers=3, type_vocab_size=3, pad_token_id=2), False),
    Case("bert-long", 53, 3, 150, bert(
        hidden_size=16, num_attention_heads=4, num_hidden_layers=1, vocab_size=31,
        max_position_embeddings=160), False),
    Case("gemma-mha", 61, 3, 11, gemma(GemmaConfig), False),
    Case("gemma-gqa", 62, 2, 13, gemma(
        GemmaConfig, hidden_size=32, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=1, head_dim=6, attention_bias=True, rms_norm_eps=1e-6,
        tie_word_embeddings=False,
        rope_parameters={"rope_type": "default", "rope_theta": 500000.0}), False),
    # A window shorter than the sequence, and a last block that is local.
    Case("gemma3", 63, 2, 13, gemma(
        Gemma3TextConfig, num_hidden_layers=4, sliding_window=4, sliding_window_pattern=3,
        query_pre_attn_scalar=20), False),
    # Windows longer than a block of the blocked attention, and scaled global frequencies.
    Case("gemma3-long", 64, 2, 150, gemma(
        Gemma3TextConfig, hidden_size=16, num_attention_heads=4, num_key_value_heads=2,
        head_dim=8, intermediate_size=24, vocab_size=31, max_position_embeddings=160,
        sliding_window=70, layer_types=["full_attention", "sliding_attention"],
        query_pre_attn_scalar=8, rope_parameters={
            "full_attention": {"rope_type": "linear", "rope_theta": 100000.0, "factor": 8.0},
            "sliding_attention": {"rope_type": "default", "rope_theta": 1000.0}}), False),
]


def build(config):
    if config.model_type == "bert":
        return AutoModelForMaskedLM.from_config(config, attn_implementation="eager").eval()
    return AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()


def redraw(model, random: torch.Generator) -> None:
    """Sets every parameter to a value whose omission a test detects."""

    def away_from_zero(shape):
        magnitude = 0.05 + 0.45 * torch.rand(shape, generator=random)
        return magnitude * (torch.randint(0, 2, shape, generator=random) * 2 - 1)

    # Gemma's norms add 1 to their weights.
    gain = 0.0 if model.config.model_type.startswith("gemma") else 1.0
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            shape = parameter.shape
            if name.endswith(".bias"):
                parameter.copy_(away_from_zero(shape))
            elif parameter.dim() == 1:
                parameter.copy_(gain + away_from_zero(shape))
            elif name.split(".")[-2] in (
                    "wte", "wpe", "embed_tokens", "lm_head", "word_embeddings",
                    "position_embeddings", "token_type_embeddings"):
                parameter.copy_(0.5 * torch.randn(shape, generator=random))
            else:
                fan_in = shape[0] if model.config.model_type == "gpt2" else shape[1]
                parameter.copy_(1.2 / math.sqrt(fan_in) * torch.randn(shape, generator=random))
    for name, parameter in model.named_parameters():
        neutral = 0.0 if parameter.dim() > 1 or name.endswith(".bias") else gain
        assert (parameter != neutral).all(), name


def draw_batch(case: Case, random: torch.Generator):
    shape = (case.batch, case.time)
    vocabulary = case.config.vocab_size
    ids = torch.randint(0, vocabulary, shape, generator=random)
    targets = torch.randint(0, vocabulary, shape, generator=random)
    weights = torch.randint(1, 7, shape, generator=random) / 4
    weights[torch.rand(shape, generator=random) < 1 / 3] = 0
    lengths = torch.full((case.batch,), case.time)
    # torch gives the padding id's embedding no gradient, at any position.
    padding = getattr(case.config, "pad_token_id", None)
    if padding is not None:
        ids[ids == padding] = padding + 1
    if case.config.model_type == "bert":
        lengths[1:] = torch.randint(1, case.time, (case.batch - 1,), generator=random)
        weights[torch.arange(case.time) >= lengths[:, None]] = 0
    assert (weights == 0).any() and (weights > 0).any()
    return ids, targets, weights, lengths


# transformers' Llama without its roundings to float32.


def rms_norm(self, x):
    return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon))


def attention(module, query, key, value, attention_mask, scaling, **_):
    key = modeling_llama.repeat_kv(key, module.num_key_value_groups)
    value = modeling_llama.repeat_kv(value, module.num_key_value_groups)
    scores = query @ key.transpose(2, 3) * scaling + attention_mask
    return (scores.softmax(-1) @ value).transpose(1, 2).contiguous(), None


def rotary_embedding(self, x, position_ids):
    dimension = self.config.head_dim
    even = torch.arange(0, dimension, 2, dtype=torch.float64)
    frequencies = self.config.rope_parameters["rope_theta"] ** (-even / dimension)
    angles = (position_ids[..., None].double() * frequencies).repeat(1, 1, 2)
    return angles.cos(), angles.sin()


def llama_without_rounding() -> ExitStack:
    patches = ExitStack()
    for owner, name, replacement in [
        (modeling_llama.LlamaRMSNorm, "forward", rms_norm),
        (modeling_llama.LlamaRotaryEmbedding, "forward", rotary_embedding),
        (modeling_llama, "eager_attention_forward", attention),
    ]:
        patches.enter_context(mock.patch.object(owner, name, replacement))
    return patches


class DoubleOnly(TorchDispatchMode):
    """Refuses any operation whose result is floating but not float64."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor) and leaf.is_floating_point():
                assert leaf.dtype == torch.float64, f"{function} returned {leaf.dtype}"
        return result


def forward(model, ids, targets, weights, lengths):
    # Causal models do not attend to padding at the end, so their rows are not shortened.
    mask = None
    if model.config.model_type == "bert":
        mask = (torch.arange(ids.shape[1]) < lengths[:, None]).long()
    more = {} if model.config.model_type == "bert" else {"use_cache": False}
    logits = model(input_ids=ids, attention_mask=mask, **more).logits
    nll = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), reduction="none").view_as(weights)
    return logits, (weights * nll).sum() / weights.sum()


def gradients(model, loss):
    model.zero_grad(set_to_none=True)
    loss.backward()
    return {name: p.grad.clone() for name, p in model.named_parameters()}


def train(model, ids, targets, weights, lengths, guard):
    parameters = list(model.parameters())
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": WEIGHT_DECAY},
            {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
        ],
        lr=LEARNING_RATE, betas=BETAS, eps=EPSILON)
    losses, norms = [], []
    for _ in range(STEPS):
        optimizer.zero_grad(set_to_none=True)
        with guard():
            _, loss = forward(model, ids, targets, weights, lengths)
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        losses.append(loss.detach())
        norms.append(norm.detach())
        optimizer.step()
    return torch.stack(losses), torch.stack(norms)


def difference(value, exact) -> float:
    size = exact.abs().max()
    # The gradient of BERT's key biases is 0 in exact arithmetic.
    return ((value.double() - exact).abs().max() / (size if size >= 1e-9 else 1)).item()


def generate(case: Case, root: Path) -> None:
    random = torch.Generator().manual_seed(case.seed)
    single = build(case.config)
    redraw(single, random)
    ids, targets, weights, lengths = draw_batch(case, random)
    folder = root / case.name
    single.save_pretrained(folder)

    double = build(case.config)
    double.load_state_dict(single.state_dict())
    double.double()

    logits32, loss32 = forward(single, ids, targets, weights, lengths)
    gradients32 = gradients(single, loss32)
    losses32, _ = train(single, ids, targets, weights, lengths, torch.enable_grad)

    weights64 = weights.double()
    guard = DoubleOnly if case.exact else nullcontext
    with llama_without_rounding() if case.exact else nullcontext():
        with guard():
            logits, loss = forward(double, ids, targets, weights64, lengths)
            grads = gradients(double, loss)
        losses, norms = train(double, ids, targets, weights64, lengths, guard)
    assert losses[0] == loss.detach()

    worst = {
        "logits": difference(logits32, logits),
        "grad": max(difference(gradients32[name], grads[name]) for name in grads),
        "losses": difference(losses32, losses),
    }
    for what, error in worst.items():
        assert error < TOLERANCE, f"{case.name}: fp32 and float64 {what} differ by {error:.1e}"

    golden = {
        "input_ids": ids.int(), "targets": targets.int(), "weights": weights,
        "logits": logits.detach(), "loss": loss.detach(), "losses": losses, "grad_norm": norms,
    } | {f"grad.{name}": gradient for name, gradient in grads.items()}
    if case.config.model_type == "bert":
        golden["lengths"] = lengths.int()
    save_file(
        {name: (t.float() if t.is_floating_point() else t).contiguous()
         for name, t in golden.items()},
        folder / "golden.safetensors")

    count = sum(p.numel() for p in double.parameters())
    print(f"{case.name}: {count} parameters, logits std {logits.std():.2f}, "
          f"loss {losses[0]:.7f} -> {losses[-1]:.7f}, "
          f"grad norm {norms[0]:.4f} -> {norms[-1]:.4f}, worst fp32 error "
          + ", ".join(f"{what} {error:.1e}" for what, error in worst.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help="default: every case")
    chosen = parser.parse_args().cases
    unknown = set(chosen) - {case.name for case in CASES}
    if unknown:
        parser.error(f"no such case: {', '.join(sorted(unknown))}")
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for case in CASES:
        if not chosen or case.name in chosen:
            generate(case, Path(__file__).resolve().parent)


if __name__ == "__main__":
    main()
