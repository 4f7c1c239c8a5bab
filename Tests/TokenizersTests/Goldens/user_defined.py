"""Writes small sentencepiece models with user-defined pieces and user_defined.json, their ids.

    python user_defined.py        # sentencepiece 0.2.3

pipelines/user-defined-*.model are trained on corpus.txt: byte pairs and Unigram, with and without
the removal of extra spaces.
"""

import json
import pathlib

import sentencepiece

FOLDER = pathlib.Path(__file__).parent
TEXTS = [
    "a<sep>b <sep> c", "x::y 1 11", "<sep>", "the::the <sep>the1", "a  b", " <sep>  1:: ", "1",
    ":::1:::", "::", "foo bar::baz 2024 <sep", "the owl<sep><sep>and the owl", "foo_bar foo bar",
]
KINDS = {
    "bpe": dict(model_type="bpe"),
    "bpe-spaces": dict(model_type="bpe", remove_extra_whitespaces=False),
    "unigram": dict(model_type="unigram"),
}

golden = {}
for kind, options in KINDS.items():
    name = f"user-defined-{kind}"
    path = FOLDER / "pipelines" / name
    sentencepiece.SentencePieceTrainer.train(
        input=str(FOLDER / "corpus.txt"), model_prefix=str(path), vocab_size=200,
        character_coverage=1.0, byte_fallback=False, hard_vocab_limit=False, num_threads=1,
        normalization_rule_name="identity",
        user_defined_symbols=["<sep>", "::", "1", "foo bar"], minloglevel=2, **options)
    path.with_suffix(".vocab").unlink()
    model = sentencepiece.SentencePieceProcessor(model_file=f"{path}.model")
    # Of overlapping pieces a Unigram model takes either, because their scores are equal.
    texts = [text for text in TEXTS if kind != "unigram" or ":::" not in text]
    golden[name] = [{"text": text, "ids": model.encode(text)} for text in texts]
(FOLDER / "user_defined.json").write_text(json.dumps(golden, indent=1) + "\n")
