"""Writes tokenizer_model.json: ids of folders with a tokenizer.model, or vocab.json and merges.txt, alone.

    python tokenizer_model.py        # transformers 5.24.0, tokenizers 0.23.3, sentencepiece 0.2.3

The models are pipelines/*.model and the vocabulary of tokenizer.json. Each case has the class of
transformers, its number of ids, and the ids of the texts with the tokens that the class puts around
them.
"""

import json
import pathlib
import shutil
import tempfile

from transformers import AutoTokenizer

FOLDER = pathlib.Path(__file__).parent
TEXTS = [
    "the owl", " the  owl", "a   aaaaaa    a     a", "<s>the owl</s> the", "▁a <sep>the::1 foo bar<unk>x",
    "Ġthe the Āthe",
]
MODELS = ["user-defined-bpe", "user-defined-bpe-spaces", "user-defined-unigram", "spiece"]
KINDS = [
    (None, None), ("llama", None), ("llama", "LlamaTokenizer"), (None, "LlamaTokenizerFast"),
    ("mistral", "LlamaTokenizer"), ("gemma", None), ("gemma", "GemmaTokenizer"),
    ("llama", "PreTrainedTokenizerFast"), (None, "PreTrainedTokenizerFast"),
]
SETTINGS = [
    {}, {"add_bos_token": True}, {"add_eos_token": True}, {"legacy": False},
    {"add_bos_token": True, "add_eos_token": True, "bos_token": "</s>", "legacy": True},
    {"add_bos_token": True, "bos_token": None, "add_prefix_space": False},
]
cases = []


def case(files, model, kind, settings, name):
    settings = settings | ({"tokenizer_class": kind} if kind else {})
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        for file, source in files.items():
            if isinstance(source, str):
                (path / file).write_text(source)
            else:
                shutil.copy(source, path / file)
        config = {"model_type": model} if model else {}
        (path / "config.json").write_text(json.dumps(config))
        (path / "tokenizer_config.json").write_text(json.dumps(settings))
        tokenizer = AutoTokenizer.from_pretrained(folder)
        cases.append({
            "model": name, "config": config, "settings": settings,
            "class": type(tokenizer).__name__, "count": len(tokenizer),
            "ids": [tokenizer(text)["input_ids"] for text in TEXTS]})


for name in MODELS:
    source = FOLDER / "pipelines" / f"{name}.model"
    for model, kind in KINDS:
        for settings in SETTINGS:
            case({"tokenizer.model": source}, model, kind, settings, name)
    if name in ["user-defined-unigram", "spiece"]:
        for flag in ["add_bos_token", "add_eos_token"]:
            case({"tokenizer.model": source}, "t5", "T5Tokenizer", {flag: True}, name)
model = json.loads((FOLDER / "tokenizer.json").read_text())["model"]
merges = "".join(f"{merge if isinstance(merge, str) else ' '.join(merge)}\n" for merge in model["merges"])
files = {"vocab.json": json.dumps(model["vocab"]), "merges.txt": "#version: 0.2\n" + merges}
for model, kind in [("gpt2", "GPT2Tokenizer"), ("gpt2", None), ("qwen2", "Qwen2Tokenizer")]:
    for settings in [*SETTINGS[:3], {"add_prefix_space": True, "add_bos_token": True}]:
        case(files, model, kind, {"eos_token": "<|endoftext|>"} | settings, "bytes")
    # One token on both sides, and special tokens that are words or bytes of the vocabulary.
    for settings in [
        {"add_bos_token": True, "add_eos_token": True, "bos_token": "<|endoftext|>"},
        {"pad_token": "Ġthe"}, {"pad_token": "Ā"}, {"pad_token": "the", "bos_token": "e"},
    ]:
        case(files, model, kind, {"eos_token": "<|endoftext|>"} | settings, "bytes")

path = pathlib.Path(__file__).with_suffix(".json")
lines = ",\n".join(json.dumps(one, ensure_ascii=False) for one in cases)
path.write_text(f'{{"texts": {json.dumps(TEXTS, ensure_ascii=False)}, "cases": [\n{lines}\n]}}\n')
print(len(cases))
