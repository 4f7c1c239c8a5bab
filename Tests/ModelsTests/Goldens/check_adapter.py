"""Opens the folder of an adapter or a sequence classifier with PEFT or transformers and checks it.

Run (by hand, after a change to the writer; the environment is generate_lora.py's)
    python check_adapter.py FOLDER --ids 3 1 4 1 5              an adapter or a classifier
    python check_adapter.py FOLDER --logits LOGITS.json GOLDEN  compares with a list of numbers, for
                                                                the input_ids of golden.safetensors

For an adapter, the base model is opened from base_model_name_or_path, and the merged model must
give the same results. Exits with 1 when a key is missing or unexpected, or when the numbers differ
by more than 1e-4 of the largest.
"""

import argparse
import json
import os
import sys
import warnings

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from peft import PeftConfig, PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification


def opened(folder):
    """Returns the model, its missing keys, and whether it is a sequence classifier."""
    with open(f"{folder}/config.json") as file:
        architecture = json.load(file)["architectures"][0]
    scores = architecture.endswith("ForSequenceClassification")
    kind = AutoModelForSequenceClassification if scores else AutoModelForCausalLM
    options = {"attn_implementation": "eager", "output_loading_info": True}
    if not os.path.exists(f"{folder}/adapter_config.json"):
        model, report = kind.from_pretrained(folder, **options)
        faults = [report[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys")]
        return model.eval(), [sorted(f) for f in faults if f], scores
    config = PeftConfig.from_pretrained(folder)
    if scores:
        with open(f"{folder}/config.json") as file:
            keys = json.load(file)
        options |= {"num_labels": keys["num_labels"], "pad_token_id": keys["pad_token_id"]}
    base, _ = kind.from_pretrained(config.base_model_name_or_path, **options)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = PeftModel.from_pretrained(base, folder)
    faults = [str(w.message) for w in caught if "key" in str(w.message)]
    return model.eval(), faults, scores


def logits(model, ids, scores):
    options = {"use_cache": False}
    if scores:
        options["attention_mask"] = (ids != model.config.pad_token_id).long()
    with torch.no_grad():
        return model(input_ids=ids, **options).logits.double()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--ids", type=int, nargs="+")
    parser.add_argument("--logits", nargs=2, metavar=("LOGITS", "GOLDEN"))
    options = parser.parse_args()
    model, faults, scores = opened(options.folder)
    if options.logits:
        ids = load_file(f"{options.logits[1]}/golden.safetensors")["input_ids"].long()
    else:
        ids = torch.tensor([options.ids])
    values = logits(model, ids, scores)
    print(f"{type(model).__name__}: {faults or 'nothing missing or unexpected'}")
    print(f"last: {values.flatten()[-5:].tolist()}")
    worst = 0.0
    if options.logits:
        with open(options.logits[0]) as file:
            ours = torch.tensor(json.load(file), dtype=torch.float64).view_as(values)
        worst = ((values - ours).abs().max() / values.abs().max()).item()
        print(f"worst difference {worst:.1e}")
    if isinstance(model, PeftModel):
        merged = logits(model.merge_and_unload(), ids, scores)
        difference = ((merged - values).abs().max() / values.abs().max()).item()
        print(f"merged: worst difference {difference:.1e}")
        worst = max(worst, difference)
    return 1 if faults or worst > 1e-4 else 0


if __name__ == "__main__":
    sys.exit(main())
