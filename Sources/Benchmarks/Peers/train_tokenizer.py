"""Hugging Face tokenizers on one thread, the same work as
Sources/Benchmarks/TokenizerBenchmark.swift: each line, with its line feed, is a document.

    python train_tokenizer.py --task encode --vocabulary 8192 FILE…
    python train_tokenizer.py --task encode --tokenizer FOLDER FILE…

FOLDER has tokenizer.json, or vocab.json and merges.txt as published with GPT-2.

The last line on standard output is JSON: MB/s, the peak memory of the process (MiB), and as "work"
the number of entries or tokens, which must equal that of Apus.
"""

import argparse
import json
import os
import resource
import statistics
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

from tokenizers import Tokenizer, models, pre_tokenizers, trainers  # noqa: E402


def train(documents, vocabulary):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, min_frequency=2, special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(documents, trainer)
    return tokenizer


def load(folder):
    if os.path.exists(f"{folder}/tokenizer.json"):
        return Tokenizer.from_file(f"{folder}/tokenizer.json")
    tokenizer = Tokenizer(
        models.BPE.from_file(f"{folder}/vocab.json", f"{folder}/merges.txt"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens(["<|endoftext|>"])
    return tokenizer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--task", choices=["train", "encode"], default="encode")
    parser.add_argument("--vocabulary", type=int, default=8192)
    parser.add_argument("--tokenizer")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()

    documents = []
    for path in options.files:
        with open(path, encoding="utf-8", errors="replace", newline="\n") as file:
            documents += list(file)
    size = sum(len(document.encode()) for document in documents)

    start = time.perf_counter()
    tokenizer = (
        load(options.tokenizer) if options.tokenizer else train(documents, options.vocabulary))
    seconds = time.perf_counter() - start
    work = tokenizer.get_vocab_size()
    if options.task == "encode":
        rounds = []
        for _ in range(3):
            start = time.perf_counter()
            # In batches: the encodings of a whole corpus, with offsets, would fill the memory.
            tokens = sum(
                len(encoding.ids)
                for place in range(0, len(documents), 1000)
                for encoding in tokenizer.encode_batch_fast(
                    documents[place : place + 1000], add_special_tokens=False))
            rounds.append(time.perf_counter() - start)
        seconds = statistics.median(rounds)
        work = tokens
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rate": size / seconds / 1e6, "memory": memory, "work": work}))


main()
