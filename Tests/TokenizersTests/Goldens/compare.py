"""The full comparison of Apus with Hugging Face tokenizers: ids, offsets and decoded texts.

    /tmp/venv/bin/python compare.py PATH/TO/apus [TEXTS] [--material FOLDER] [--only NAME,NAME]

Tokenizers: every family of families.py, with a vocabulary of 8,000 trained on the corpora of the
material folder (APUS_MATERIAL), and the published vocabularies in that folder. Inputs: TEXTS (20,000)
texts of fuzz.py, every line of wikitext-2-valid, every page of c4_demo, and all of wikitext-2-valid.
With tokenizers 0.23.3 all results are equal. Needs protobuf and transformers for T5.
"""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile

from tokenizers import Tokenizer

import families
import fuzz

parser = argparse.ArgumentParser()
parser.add_argument("apus")
parser.add_argument("texts", nargs="?", type=int, default=20_000)
parser.add_argument("--material", default=os.environ.get("APUS_MATERIAL", "../shared/material"))
parser.add_argument("--only", type=lambda text: text.split(","))
options = parser.parse_args()
material = pathlib.Path(options.material)
whole = (material / "corpora/wikitext-2-valid.txt").read_text(encoding="utf-8")
with open(material / "corpora/c4_demo.jsonl", encoding="utf-8") as file:
    pages = [json.loads(line)["text"] for line in file]
corpus = whole.splitlines(True) + pages
texts = list(fuzz.texts(options.texts)) + corpus + [whole]


def expected(tokenizer, text):
    encoding = tokenizer.encode(text)
    place = [0]
    for character in text:
        place.append(place[-1] + len(character.encode()))
    offsets = [[place[min(a, len(text))], place[min(b, len(text))]] for a, b in encoding.offsets]
    return {"ids": encoding.ids, "offsets": offsets, "text": tokenizer.decode(encoding.ids)}


def compare(name, tokenizer):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "tokenizer.json")
        tokenizer.save(path)
        tokenizer = Tokenizer.from_file(path)
        tokenizer.no_padding()
        tokenizer.no_truncation()
        lines = subprocess.run(
            [options.apus, "tokenizer", "encode", "--json-lines", "--tokenizer", path],
            input="".join(json.dumps(text) + "\n" for text in texts).encode(), check=True,
            stdout=subprocess.PIPE).stdout.decode().split("\n")[:-1]
    assert len(lines) == len(texts), (len(lines), len(texts))
    differing = {"ids": 0, "offsets": 0, "text": 0}
    for text, line in zip(texts, lines):
        ours, theirs = json.loads(line), expected(tokenizer, text)
        for field in differing:
            if ours[field] != theirs[field]:
                differing[field] += 1
                if differing[field] == 1 and len(text) < 200:
                    print(f"  {field} of {ascii(text)}:\n    {theirs[field]}\n    {ours[field]}")
    print(f"{name}: {len(texts)} texts, differing: {differing}", flush=True)
    return sum(differing.values())


def tokenizers():
    for name in families.FAMILIES:
        if not options.only or name in options.only:
            yield name, families.build(name, 8_000, corpus)
    for name, tokenizer in families.published(material / "tokenizers"):
        if not options.only or f"published {name}" in options.only:
            yield f"published {name}", tokenizer


raise SystemExit(any([compare(name, tokenizer) for name, tokenizer in tokenizers()]))
