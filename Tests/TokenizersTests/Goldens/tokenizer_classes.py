"""Writes tokenizer_classes.json: ids of small tokenizers under the settings of tokenizer_config.json.

    python tokenizer_classes.py        # transformers 5.24.0, tokenizers 0.23.3
"""

import json
import pathlib
import tempfile

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer

LINES = ["Hello World, Café! 你好 hello world cafe wörld.", "the quick brown fox the Hello World"] * 9
TEXTS = ["Hello Wörld, Café 你好", " the quick[SEP] fox", "world <s>Hello"]


def wordpiece(lowercase):
    one = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    one.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    one.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    one.decoder = decoders.WordPiece(prefix="##")
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    # Both cases, so that they have different ids.
    lines = LINES + [line.lower() for line in LINES]
    one.train_from_iterator(lines, trainers.WordPieceTrainer(vocab_size=120, special_tokens=special))
    one.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return one


def byte_level(prefix):
    one = Tokenizer(models.BPE())
    one.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    one.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    one.train_from_iterator(LINES, trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet))
    return one


BERT = [{}, {"do_lower_case": False}, {"strip_accents": False}, {"tokenize_chinese_chars": False},
        {"do_lower_case": False, "strip_accents": True}]
GPT2 = [{}, {"add_prefix_space": True}, {"add_prefix_space": False}]
PLAIN = [{"do_lower_case": True, "add_prefix_space": True, "add_bos_token": True, "legacy": True}]
documents = {
    "cased": (wordpiece(False), [("bert", "BertTokenizer", BERT), ("bert", None, BERT[:2]),
                                 ("bert", "PreTrainedTokenizerFast", PLAIN)]),
    "uncased": (wordpiece(True), [("bert", "BertTokenizerFast", BERT)]),
    "bytes": (byte_level(False), [("gpt2", "GPT2Tokenizer", GPT2), ("gpt2", None, GPT2),
                                  ("llama", "PreTrainedTokenizerFast", PLAIN)]),
    "prefixed": (byte_level(True), [("gpt2", "GPT2TokenizerFast", GPT2),
                                    ("llama", "PreTrainedTokenizerFast", PLAIN)]),
}
cases = []
for name, (tokenizer, classes) in documents.items():
    for model, kind, variants in classes:
        for settings in variants:
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder)
                tokenizer.save(str(path / "tokenizer.json"))
                if kind:
                    settings = settings | {"tokenizer_class": kind}
                (path / "tokenizer_config.json").write_text(json.dumps(settings))
                (path / "config.json").write_text(json.dumps({"model_type": model}))
                one = AutoTokenizer.from_pretrained(folder)
                ids = [one(text, add_special_tokens=False)["input_ids"] for text in TEXTS]
            cases.append({"document": name, "model_type": model, "settings": settings, "ids": ids})

path = pathlib.Path(__file__).with_suffix(".json")
texts = {name: json.loads(tokenizer.to_str()) for name, (tokenizer, _) in documents.items()}
path.write_text(json.dumps({"texts": TEXTS, "documents": texts, "cases": cases}) + "\n")
print(len(cases))
