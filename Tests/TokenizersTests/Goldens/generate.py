"""Goldens of the Tokenizers tests: the output of Hugging Face tokenizers for the same inputs.

Made with Python 3.11.7 and tokenizers 0.23.3:
    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install tokenizers==0.23.3
    /tmp/venv/bin/python generate.py
Writes corpus.txt, tokenizer.json (trained on it), bytes.json (a BPE of single bytes) and
strings.json (texts with their ids under tokenizer.json) beside itself.
"""
import json
import pathlib
import random

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).parent
END = "<|endoftext|>"
SIZE = 360


def byte_level(model):
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def corpus(rng):
    names = ["Aria", "Björn", "Chloé", "Dmitri", "陽子", "Zoë"]
    verbs = ["watched", "followed", "couldn't see", "didn't hear", "remembered", "has counted"]
    things = ["the swift", "a heron", "two owls", "the storm", "12 gulls", "the old lighthouse"]
    ends = [".", "!", "…", "?", ", and it's late.", ";\n\tthey'll return in 2041."]
    lines = []
    for _ in range(260):
        line = f"{rng.choice(names)} {rng.choice(verbs)} {rng.choice(things)}{rng.choice(ends)}"
        lines.append(line + rng.choice(["", " ", "  "]))
    return "\n".join(lines) + "\n"


def texts(rng):
    pieces = [
        "'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'r", "'l", "''", " ", "  ", "\n",
        "\r\n", "\t", "\x0b", "\x1c", "\x85", "\xa0", "\u2003", "\u3000", "\u200b", "the", " swift",
        "Björn", "é", "e\u0301", "陽子", "한국어", "①", "½", "٣", "12", "3.14", "…", "—", "😀",
        "👩\u200d👧", "\x00", "\x7f", "\ufffd", "|>", "<|end", "ǅ", "ʰ", "Ⅷ", "𝔘", "𞤀", "\u1c89",
        "\ua7ce", "\U000323af", "\U000e0100", "\U0010ffff", "lighthouse", "remembered", "a" * 40,
    ]
    yield from ["", " ", "  ", "\n", "a", " a", "  a", "\n a", " \n a", "a ", "a  ", "' s", " 's", "''s"]
    for _ in range(300):
        yield "".join(rng.choice(pieces) for _ in range(rng.randrange(1, 12)))


def main():
    rng = random.Random(20)
    text = corpus(rng)
    (HERE / "corpus.txt").write_text(text, encoding="utf-8", newline="")
    tokenizer = byte_level(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE, min_frequency=2, special_tokens=[END], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator([text], trainer)
    tokenizer.save(str(HERE / "tokenizer.json"))

    order = sorted(set(range(0x21, 0x7F)) | set(range(0xA1, 0xAD)) | set(range(0xAE, 0x100)))
    others = [b for b in range(256) if b not in order]
    spelling = {b: chr(b) for b in order} | {b: chr(0x100 + i) for i, b in enumerate(others)}
    vocabulary = {spelling[b]: b for b in range(256)} | {END: 256}
    single = byte_level(models.BPE(vocab=vocabulary, merges=[]))
    single.add_special_tokens([AddedToken(END, normalized=False, special=True)])
    single.save(str(HERE / "bytes.json"))
    assert single.encode("aé\n").ids == list("aé\n".encode())

    cases = [{"text": t, "ids": tokenizer.encode(t).ids} for t in texts(rng)]
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (HERE / "strings.json").write_text("[\n" + lines + "\n]\n", encoding="utf-8")


main()
