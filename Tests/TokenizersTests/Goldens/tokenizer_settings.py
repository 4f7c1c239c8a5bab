"""Writes tokenizer_settings.json: what transformers makes of special tokens in a folder's settings.

    python tokenizer_settings.py        # transformers 5.24.0, tokenizers 0.23.3

The tokenizers are those of tokenizer_classes.json and pipelines/llama2.json. Each case has the number
of ids, the ids of the first text with the tokens of the post-processor, and those of the second text
alone, in which special tokens are found.
"""

import json
import pathlib
import tempfile

from transformers import AutoTokenizer

FOLDER = pathlib.Path(__file__).parent
TEXTS = [
    "the Hello hello", "the <|new|> Hello[SEP] fox</s> a<|old|>fox <|img|><|endoftext|> the <unk> [PAD]x"
]
documents = json.loads((FOLDER / "tokenizer_classes.json").read_text())["documents"]
documents["pieces"] = json.loads((FOLDER / "pipelines" / "llama2.json").read_text())


def token(content, **flags):
    usual = {"lstrip": False, "rstrip": False, "normalized": False, "single_word": False, "special": True}
    return {"content": content} | usual | flags


def added(content, **flags):
    return {"__type": "AddedToken"} | token(content, **flags)


first = {"cased": "[PAD]", "bytes": "<|endoftext|>", "pieces": "<unk>"}
FOLDERS = [
    ("cased", "bert", "BertTokenizer"), ("bytes", "gpt2", "GPT2Tokenizer"),
    ("bytes", "qwen2", "Qwen2Tokenizer"), ("pieces", "llama", "LlamaTokenizer"),
    ("bytes", "llama", "PreTrainedTokenizerFast"), ("pieces", "mistral", "LlamaTokenizer"),
]
cases = []


def case(document, model, settings, files={}):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "tokenizer.json").write_text(json.dumps(documents[document]))
        files = files | {"tokenizer_config.json": settings, "config.json": {"model_type": model}}
        for name, contents in files.items():
            (path / name).write_text(json.dumps(contents))
        tokenizer = AutoTokenizer.from_pretrained(folder)
        ids = [tokenizer(text, add_special_tokens=text == TEXTS[0])["input_ids"] for text in TEXTS]
    cases.append({"document": document, "files": files, "count": len(tokenizer), "ids": ids})


for document, model, kind in FOLDERS:
    named = {"tokenizer_class": kind}
    if document == "bytes":  # Apus needs a token that ends a text.
        named["eos_token"] = "<|endoftext|>"
    decoders = [
        {}, {"0": token(first[document], lstrip=True, rstrip=True, special=False)},
        {"900": token("<|new|>", rstrip=True), "3": token("fox", lstrip=True, special=False)},
    ]
    for settings in [
        {"extra_special_tokens": ["<|new|>", "fox"]}, {"additional_special_tokens": ["<|new|>"]},
        {"additional_special_tokens": ["<|old|>"], "extra_special_tokens": ["<|new|>"]},
        {"extra_special_tokens": {"image_token": "<|img|>"}}, {"image_token": "<|img|>"},
        {"bos_token": "<|new|>", "pad_token": "fox"},
        {"eos_token": added("<|new|>", lstrip=True, special=False)},
        {"extra_special_tokens": [added("<|new|>", lstrip=True, normalized=True, special=False)]},
        {"eos_token": "fox", "pad_token": "<|old|>"},
        *({"added_tokens_decoder": decoder} for decoder in decoders),
    ]:
        if settings.get("added_tokens_decoder") == {} and kind == "BertTokenizer":
            settings["extra_special_tokens"] = ["<|old|>"]
        case(document, model, named | settings)
    case(document, model, named, {"special_tokens_map.json": {
        "pad_token": "<|new|>", "additional_special_tokens": ["fox"]}})
    case(document, model, named, {"added_tokens.json": {"<|new|>": 700, "fox": 5}})

for document, model, kind in [
    ("cased", "bert", "GPT2Tokenizer"), ("cased", "bert", "ElectraTokenizer"),
    ("pieces", "llama", "GPT2Tokenizer"), ("pieces", "llama", "Qwen2TokenizerFast"),
    ("bytes", "gpt2", "Qwen2Tokenizer"), ("bytes", "qwen2", "LlamaTokenizer"),
    ("bytes", "qwen3", "LlamaTokenizer"), ("bytes", "qwen2", "PreTrainedTokenizerFast"),
    ("bytes", "qwen3", "PreTrainedTokenizerFast"), ("bytes", "llama", "LlamaTokenizer"),
    ("cased", "llama", "LlamaTokenizer"), ("pieces", "gemma", "LlamaTokenizer"),
    ("pieces", "gemma", "GemmaTokenizerFast"), ("pieces", "phi3", "LlamaTokenizer"),
    ("bytes", "olmo2", "GPT2Tokenizer"), ("bytes", "llama", "NoSuchTokenizer"),
    ("bytes", "llama", "GPT2TokenizerFast"), ("bytes", "qwen3", None), ("pieces", "gemma", None),
    ("pieces", "llama", None), ("prefixed", "gpt2", None),
]:
    named = {"tokenizer_class": kind} if kind else {}
    if document in ["bytes", "prefixed"]:
        named["eos_token"] = "<|endoftext|>"
    case(document, model, named)

path = pathlib.Path(__file__).with_suffix(".json")
lines = ",\n".join(json.dumps(one, ensure_ascii=False) for one in cases)
path.write_text(f'{{"texts": {json.dumps(TEXTS)}, "cases": [\n{lines}\n]}}\n')
print(len(cases))
