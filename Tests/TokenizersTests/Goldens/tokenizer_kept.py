"""Writes tokenizer_kept.json: what transformers reads from the settings of a folder.

    python tokenizer_kept.py        # transformers 5.24.0, tokenizers 0.23.3

The tokenizers are those of tokenizer_classes.json and pipelines/llama2.json. `state` has the attributes
that a copy of the folder must have in transformers too.
"""

import json
import pathlib
import tempfile

from transformers import AutoTokenizer

FOLDER = pathlib.Path(__file__).parent
documents = json.loads((FOLDER / "tokenizer_classes.json").read_text())["documents"]
documents["pieces"] = json.loads((FOLDER / "pipelines" / "llama2.json").read_text())
NAMES = [
    "padding_side", "truncation_side", "model_max_length", "model_input_names", "pad_token_type_id",
    "clean_up_tokenization_spaces", "split_special_tokens",
]
ROLES = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"]
CASES = [
    ("cased", "bert", {"tokenizer_class": "BertTokenizer", "model_max_length": 512}),
    ("cased", "distilbert", {"tokenizer_class": "DistilBertTokenizer"}),
    ("cased", "bert", {"tokenizer_class": "BertTokenizer", "model_input_names": ["input_ids"],
                       "clean_up_tokenization_spaces": True}),
    ("cased", "electra", {"tokenizer_class": "ElectraTokenizerFast", "padding_side": "left"}),
    ("pieces", "llama", {"tokenizer_class": "LlamaTokenizer"}),
    ("pieces", "llama", {"tokenizer_class": "LlamaTokenizer", "padding_side": "right",
                         "truncation_side": "left", "model_max_length": 10**30}),
    ("pieces", "gemma", {"tokenizer_class": "GemmaTokenizer"}),
    ("pieces", "llama", {"tokenizer_class": "PreTrainedTokenizerFast", "padding_side": "left",
                         "eos_token": "</s>", "pad_token": "</s>"}),
    ("bytes", "gpt2", {"tokenizer_class": "GPT2Tokenizer", "pad_token": "<|endoftext|>",
                       "eos_token": "<|endoftext|>", "truncation_side": "left"}),
    ("bytes", "qwen2", {"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|endoftext|>",
                        "bos_token": None, "pad_token": "<|new|>", "padding_side": "left",
                        "extra_special_tokens": ["<|img|>"], "model_max_length": 32}),
]
cases = []
for document, model, settings in CASES:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        config = {"model_type": model}
        (path / "tokenizer.json").write_text(json.dumps(documents[document]))
        (path / "tokenizer_config.json").write_text(json.dumps(settings))
        (path / "config.json").write_text(json.dumps(config))
        tokenizer = AutoTokenizer.from_pretrained(folder)
        state = {name: getattr(tokenizer, name) for name in NAMES}
        state |= {name: getattr(tokenizer, name) for name in ROLES}
        state["extra_special_tokens"] = [str(token) for token in tokenizer.extra_special_tokens]
    cases.append({"document": document, "config": config, "settings": settings, "state": state})
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text("[\n" + ",\n".join(json.dumps(one) for one in cases) + "\n]\n")
print(len(cases))
