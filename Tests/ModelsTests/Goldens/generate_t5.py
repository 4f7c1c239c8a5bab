"""Golden values for T5 1.0, T5 1.1 and mT5, by Hugging Face transformers.

Run (the environment is generate.py's)
    /tmp/venv-torch/bin/python Tests/ModelsTests/Goldens/generate_t5.py          # every case
    /tmp/venv-torch/bin/python Tests/ModelsTests/Goldens/generate_t5.py t5-gated

Each case is a folder as generate.py describes it; golden.safetensors also has
(B batch, S source time, T target time, C width)
    input_ids       i32 [B, T]      decoder input
    sources         i32 [B, S]      encoder input, padded at its ends
    source_lengths  i32 [B]         tokens of every source without its padding
    encoded         f32 [B, S, C]   output of the encoder
    cross_input     f32 [B, T, C]   input of the cross-attention of the last block
    cross_output    f32 [B, T, C]   its output, residual included
    generated       i32 [B, 12]     greedy tokens for every source alone, -1 after the end

Precision. As in generate.py: weights fp32, everything after them float64; T5's norm, which rounds to
float32, is replaced by the same formula without the rounding. Buckets of relative positions come from
float32 logarithms on both sides.

Untied heads. transformers 5.23 ties the head of every new T5 and leaves it untied where a file has
both matrices; so the head is untied here by hand before anything is drawn. It then writes
"tie_word_embeddings": true and "scale_decoder_outputs": false into config.json, and warns on
loading that it does not tie.

The run behind the committed files: loss before the first and the tenth step, and the largest
difference of unmodified fp32 transformers from the golden, relative to the largest entry
    case         parameters   loss 1     loss 10    logits   gradients  losses
    t5-relu           12176   6.0625055  3.0659850  2.0e-07  1.1e-06    1.0e-07
    t5-gated          21240   5.7520197  1.1085815  9.6e-07  2.6e-06    2.6e-07
    t5-long            3808   4.6819717  4.2666616  3.4e-07  1.4e-06    4.0e-08
    mt5               15296   5.0786701  1.9658453  8.9e-07  3.4e-06    1.9e-07
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import torch
from generate import TOLERANCE, difference, forward, gradients, redraw, rms_norm, train
from safetensors.torch import save_file
from transformers import (
    MT5Config,
    MT5ForConditionalGeneration,
    T5Config,
    T5ForConditionalGeneration,
)
from transformers.models.mt5 import modeling_mt5
from transformers.models.t5 import modeling_t5

NEW_TOKENS = 12


@dataclass(frozen=True)
class Case:
    name: str
    seed: int
    lengths: tuple[int, ...]
    time: int
    config: T5Config | MT5Config
    tied: bool


def t5(family=T5Config, **shape):
    return family(
        dropout_rate=0.0, pad_token_id=0, eos_token_id=1, decoder_start_token_id=0, **shape)


CASES = [
    Case("t5-relu", 51, (11, 4, 7), 7, t5(
        vocab_size=43, d_model=16, d_kv=8, d_ff=40, num_layers=2, num_heads=2,
        relative_attention_num_buckets=8, relative_attention_max_distance=6,
        layer_norm_epsilon=1e-3), True),
    # Heads whose total width differs from the model's, and stacks of different depths.
    Case("t5-gated", 52, (9, 9), 12, t5(
        vocab_size=41, d_model=24, d_kv=5, d_ff=20, num_layers=2, num_decoder_layers=3,
        num_heads=3, feed_forward_proj="gated-gelu", tie_word_embeddings=False), False),
    # Longer than two blocks of the blocked attention, and than the largest distance.
    Case("t5-long", 53, (150, 70), 140, t5(
        vocab_size=31, d_model=16, d_kv=4, d_ff=24, num_layers=1, num_heads=2), True),
    Case("mt5", 54, (5, 13, 8), 10, t5(
        MT5Config, vocab_size=37, d_model=16, d_kv=6, d_ff=24, num_layers=2, num_heads=4,
        relative_attention_num_buckets=12, relative_attention_max_distance=16,
        feed_forward_proj="gated-gelu"), False),
]


class WithSources(torch.nn.Module):
    """A model whose encoder gets the same sources at every call."""

    def __init__(self, model, sources, mask):
        super().__init__()
        self.model, self.sources, self.mask = model, sources, mask

    def forward(self, input_ids, use_cache):
        return self.model(
            input_ids=self.sources, attention_mask=self.mask, decoder_input_ids=input_ids,
            use_cache=use_cache)


def build(case: Case):
    family = MT5ForConditionalGeneration if case.config.model_type == "mt5" else (
        T5ForConditionalGeneration)
    model = family._from_config(case.config, attn_implementation="eager").eval()
    if not case.tied:
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.clone())
        model.all_tied_weights_keys.pop("lm_head.weight")
    return model


def without_rounding():
    return [
        mock.patch.object(modeling_t5.T5LayerNorm, "forward", rms_norm),
        mock.patch.object(modeling_mt5.MT5LayerNorm, "forward", rms_norm),
    ]


def draw(case: Case, random):
    (batch, time), vocabulary = (len(case.lengths), case.time), case.config.vocab_size
    sources = torch.randint(2, vocabulary, (batch, max(case.lengths)), generator=random)
    for row, length in enumerate(case.lengths):
        sources[row, length - 1] = case.config.eos_token_id
        sources[row, length:] = case.config.pad_token_id
    mask = torch.arange(sources.shape[1]) < torch.tensor(case.lengths)[:, None]
    ids = torch.randint(0, vocabulary, (batch, time), generator=random)
    targets = torch.randint(0, vocabulary, (batch, time), generator=random)
    weights = torch.randint(1, 7, (batch, time), generator=random) / 4
    weights[torch.rand((batch, time), generator=random) < 1 / 3] = 0
    return sources, mask.long(), ids, targets, weights


def generated(model, sources, lengths):
    rows = torch.full((len(lengths), NEW_TOKENS), -1)
    for row, length in enumerate(lengths):
        ids = model.generate(
            sources[row:row + 1, :length], max_new_tokens=NEW_TOKENS, do_sample=False,
            # Its cache fails for a decoder of more blocks than the encoder has.
            use_cache=False,
            num_beams=1)[0, 1:]
        rows[row, :len(ids)] = ids
    return rows


def generate(case: Case, root: Path) -> None:
    random = torch.Generator().manual_seed(case.seed)
    single = build(case)
    redraw(single, random)
    with torch.no_grad():
        single.shared.weight.copy_(
            (1.5 if case.tied else 0.5) * torch.randn(single.shared.weight.shape, generator=random))
        for name, parameter in single.named_parameters():
            if "relative_attention_bias" in name:
                parameter.copy_(torch.randn(parameter.shape, generator=random))
            elif name.endswith(".q.weight"):
                # T5 does not scale scores; the factor is in the queries.
                parameter.mul_(case.config.d_kv ** -0.5)
    sources, mask, ids, targets, weights = draw(case, random)
    folder = root / case.name
    single.save_pretrained(folder)
    reread = type(single).from_pretrained(folder, attn_implementation="eager").eval()
    for name, parameter in single.named_parameters():
        assert torch.equal(parameter, dict(reread.named_parameters())[name]), name

    double = build(case)
    double.load_state_dict(single.state_dict())
    double.double()

    fp32 = WithSources(single, sources, mask)
    logits32, loss32 = forward(fp32, ids, targets, weights)
    gradients32 = gradients(fp32, loss32)
    losses32, _ = train(WithSources(reread, sources, mask), ids, targets, weights, torch.enable_grad)

    kept = {}

    def keep(_, arguments, outputs):
        kept["cross_input"], kept["cross_output"] = arguments[0].detach(), outputs[0].detach()

    exact = WithSources(double, sources, mask)
    weights64 = weights.double()
    patches = without_rounding()
    for patch in patches:
        patch.start()
    hook = double.decoder.block[-1].layer[1].register_forward_hook(keep)
    encoded = double.encoder(input_ids=sources, attention_mask=mask).last_hidden_state.detach()
    logits, loss = forward(exact, ids, targets, weights64)
    hook.remove()
    grads = gradients(exact, loss)
    new = generated(double, sources, case.lengths)
    losses, norms = train(exact, ids, targets, weights64, torch.enable_grad)
    for patch in patches:
        patch.stop()
    assert losses[0] == loss.detach()
    assert torch.equal(new, generated(single, sources, case.lengths))

    worst = {
        "logits": difference(logits32, logits),
        "grad": max(difference(gradients32[name], grads[name]) for name in grads),
        "losses": difference(losses32, losses),
    }
    for what, error in worst.items():
        assert error < TOLERANCE, f"{case.name}: fp32 and float64 {what} differ by {error:.1e}"

    golden = {
        "input_ids": ids.int(), "targets": targets.int(), "weights": weights,
        "sources": sources.int(), "source_lengths": torch.tensor(case.lengths).int(),
        "generated": new.int(), "encoded": encoded, "logits": logits.detach(),
        "loss": loss.detach(), "losses": losses, "grad_norm": norms,
    } | kept | {f"grad.{name.removeprefix('model.')}": grad for name, grad in grads.items()}
    save_file(
        {name: (t.float() if t.is_floating_point() else t).contiguous()
         for name, t in golden.items()},
        folder / "golden.safetensors")

    count = sum(p.numel() for p in double.parameters())
    print(f"    {case.name:12} {count:10}   {losses[0]:.7f}  {losses[-1]:.7f}  "
          + "  ".join(f"{error:.1e}" for error in worst.values())
          + f"   logits std {logits.std():.2f}, grad norm {norms[0]:.4f}, {new[0].tolist()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", help="default: every case")
    options = parser.parse_args()
    torch.set_num_threads(1)
    root = Path(__file__).resolve().parent
    for case in CASES:
        if not options.cases or case.name in options.cases:
            generate(case, root)


if __name__ == "__main__":
    main()
