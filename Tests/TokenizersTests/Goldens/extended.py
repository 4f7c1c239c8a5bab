"""Ids of tokenizers extended by apus tokenizer extend, for VocabularyExtensionTests.

Made with Python 3.11.7 and tokenizers 0.23.3:
    /tmp/venv/bin/python extended.py PATH/TO/apus
Extends each extendable tokenizer of pipelines/, and the byte tokenizer, by 40 tokens for the words
of the repository's LICENSE, opens the result with Hugging Face tokenizers, and writes
extended.json: its size, that of the old one, and the ids of the texts of strings.json and of lines
of the LICENSE.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

from tokenizers import Tokenizer

HERE = pathlib.Path(__file__).resolve().parent
LICENSE = HERE.parents[2] / "LICENSE"
NAMES = ["gpt2", "llama3", "qwen", "smollm2", "bert", "bert_cased", "bytes"]


def extend(apus, name, folder):
    base = "bytes" if name == "bytes" else str(HERE / "pipelines" / f"{name}.json")
    with tempfile.TemporaryDirectory() as lines:
        # One document per line, as the test counts them.
        for number, line in enumerate(LICENSE.read_text("utf-8").split("\n")):
            if line:
                pathlib.Path(lines, f"{number}.txt").write_text(line, "utf-8")
        subprocess.run(
            [apus, "tokenizer", "extend", base, lines, "--tokens", "40", "--minimum-frequency",
             "3", "--output", folder], check=True, stdout=subprocess.DEVNULL)
    old = 257 if name == "bytes" else Tokenizer.from_file(base).get_vocab_size()
    return Tokenizer.from_file(f"{folder}/tokenizer.json"), old


def main(apus):
    texts = [case["text"] for case in json.loads((HERE / "strings.json").read_text("utf-8"))]
    texts += LICENSE.read_text("utf-8").split("\n")[:60]
    # Only Hugging Face recognises special tokens written in a text.
    texts = [text for text in texts if "<" not in text and "[" not in text]
    result = {"texts": texts}
    for name in NAMES:
        with tempfile.TemporaryDirectory() as folder:
            tokenizer, old = extend(apus, name, folder)
            result[name] = {
                "size": tokenizer.get_vocab_size(), "old": old,
                "ids": [tokenizer.encode(text, add_special_tokens=False).ids for text in texts],
            }
    (HERE / "extended.json").write_text(
        json.dumps(result, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")


main(sys.argv[1])
