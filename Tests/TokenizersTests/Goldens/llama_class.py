"""Writes llama_class.json: ids and texts of transformers' class LlamaTokenizer.

    python llama_class.py        # transformers 5.24, tokenizers 0.23.3

The tokenizer is pipelines/llama2.json, whose normalizer the class ignores, in folders with the
settings of the cases.
"""

import json
import pathlib
import shutil
import tempfile

from transformers import AutoTokenizer

FOLDER = pathlib.Path(__file__).parent
TEXTS = [
    "", "a", " a", "  a", "▁a", "the owl", "<s>the owl", "<s> the owl</s>the  owl", "a</s> b</s>c",
    "\n the owl\n", "Ünïcödé 東京 \U0001f989", "<s>[INST] the owl [/INST] and </s>", " </s> ", "x\ty",
]
CASES = [
    {"tokenizer_class": "LlamaTokenizer"},
    {"tokenizer_class": "LlamaTokenizerFast", "legacy": False},
    {"tokenizer_class": "LlamaTokenizer", "legacy": True},
    {"tokenizer_class": "LlamaTokenizer", "add_prefix_space": False},
    {"tokenizer_class": "LlamaTokenizer", "model_type": "mistral"},
    {"tokenizer_class": "PreTrainedTokenizerFast", "legacy": False},
]

golden = []
for case in CASES:
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        shutil.copy(FOLDER / "pipelines" / "llama2.json", folder / "tokenizer.json")
        settings = {key: case[key] for key in case if key != "model_type"}
        settings |= {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
        model = {"model_type": case.get("model_type", "llama")}
        (folder / "config.json").write_text(json.dumps(model))
        tokenizer = AutoTokenizer.from_pretrained(folder)
        texts = []
        for text in TEXTS:
            ids = tokenizer.encode(text, add_special_tokens=False)
            texts.append({"text": text, "ids": ids, "decoded": tokenizer.decode(ids)})
        golden.append({"settings": settings, "model": model, "texts": texts})
(FOLDER / "llama_class.json").write_text(json.dumps(golden, indent=1) + "\n")
