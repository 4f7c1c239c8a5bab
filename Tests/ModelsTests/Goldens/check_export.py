"""Opens a checkpoint folder with Hugging Face transformers and checks that it is complete.

Run (by hand, after a change to the writer of checkpoints; the environment is generate.py's)
    python check_export.py FOLDER --text "First Citizen:"
    python check_export.py FOLDER --ids 3 1 4 1 5        a folder without a tokenizer

Prints the model's class, type and number of parameters; the keys that are missing, unexpected or
of the wrong shape; the mean next-token loss on the text, in nats; and the greedy continuation.
Exits with 1 when a key is missing, unexpected or of the wrong shape, because transformers itself
only warns and continues with random weights. For an encoder-decoder, the text with the end token
is the encoder input, and the greedy target is printed.
"""

import argparse
import json
import os
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    __version__,
)

FAULTS = ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    prompt = parser.add_mutually_exclusive_group(required=True)
    prompt.add_argument("--text", help="at least two tokens")
    prompt.add_argument("--ids", type=int, nargs="+", help="token ids; no tokenizer is opened")
    parser.add_argument("--new-tokens", type=int, default=16, help="default: %(default)s")
    options = parser.parse_args()
    if not os.path.isdir(options.folder):
        parser.error(f"{options.folder} is not a folder")

    with open(f"{options.folder}/config.json") as file:
        writes_targets = json.load(file).get("is_encoder_decoder", False)
    kind = AutoModelForSeq2SeqLM if writes_targets else AutoModelForCausalLM
    model, report = kind.from_pretrained(
        options.folder, output_loading_info=True, ignore_mismatched_sizes=True,
        attn_implementation="eager")
    model.eval()
    count = sum(parameter.numel() for parameter in model.parameters())
    print(f"transformers {__version__}: {type(model).__name__}, {model.dtype}, {count} parameters")
    for name in FAULTS:
        print(f"{name}: {sorted(report.get(name) or []) or 'none'}")

    if options.ids is None:
        tokenizer = AutoTokenizer.from_pretrained(options.folder)
        print(f"{type(tokenizer).__name__}, {len(tokenizer)} entries")
        ids = tokenizer(options.text)["input_ids"]
        decoded = tokenizer.decode(ids)
        print(f"round trip: {'exact' if decoded == options.text else repr(decoded)}")
    else:
        tokenizer, ids = None, options.ids
    if writes_targets and ids[-1] != model.config.eos_token_id:
        ids.append(model.config.eos_token_id)
    print(f"ids: {ids}")
    vocabulary = model.config.vocab_size
    if not writes_targets and not 2 <= len(ids) <= model.config.max_position_embeddings:
        parser.error(f"{len(ids)} tokens: need 2 to {model.config.max_position_embeddings}")
    if not all(0 <= token < vocabulary for token in ids):
        parser.error(f"the vocabulary has {vocabulary} entries; not all ids are below that")

    if writes_targets:
        target = model.generate(
            torch.tensor([ids]), max_new_tokens=options.new_tokens, do_sample=False)[0].tolist()
        print(f"greedy: {target}")
        if tokenizer is not None:
            print(f"greedy text: {tokenizer.decode(target, skip_special_tokens=True)!r}")
        return 1 if any(report.get(name) for name in FAULTS) else 0

    # generate() is not used: its end-of-text rule and sampling defaults would come from the folder.
    tokens = torch.tensor([ids])
    room = model.config.max_position_embeddings - len(ids)
    with torch.no_grad():
        logits = model(input_ids=tokens).logits[0].double()
        loss = torch.nn.functional.cross_entropy(logits[:-1], tokens[0, 1:])
        for _ in range(min(options.new_tokens, room)):
            following = model(input_ids=tokens).logits[:, -1].argmax(-1, keepdim=True)
            tokens = torch.cat([tokens, following], dim=1)
    continuation = tokens[0, len(ids):].tolist()
    print(f"loss: {loss.item():.6f} over {len(ids) - 1} targets")
    print(f"greedy: {continuation}")
    if tokenizer is not None:
        print(f"greedy text: {tokenizer.decode(continuation)!r}")

    return 1 if any(report.get(name) for name in FAULTS) else 0


if __name__ == "__main__":
    sys.exit(main())
