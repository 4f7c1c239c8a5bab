"""Results of Hugging Face's trainers on corpus.txt, for TokenizerTrainerTests.

Made with Python 3.11.7 and tokenizers 0.23.3:
    /tmp/venv/bin/python trained.py
Writes trained.json: the tokens of a WordPiece of 120 tokens, and the number of tokens into which
it, and a Unigram of 100, split the corpus. With --material FOLDER it prints instead, for
vocabularies of 4,000 and 8,000 trained by both programs (PATH/TO/apus) on wikitext-2-valid and
tinyshakespeare, the bytes per token on c4_demo, and whether Hugging Face tokenizers gives the same
ids for Apus' file.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).parent
BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def learn(kind, size, lines):
    if kind == "wordpiece":
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.normalizer = normalizers.BertNormalizer()
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(
            vocab_size=size, min_frequency=2, limit_alphabet=1000, special_tokens=BERT,
            show_progress=False)
    else:
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.normalizer = normalizers.NFKC()
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
        trainer = trainers.UnigramTrainer(
            vocab_size=size, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>",
            show_progress=False)
    tokenizer.train_from_iterator(lines, trainer)
    return tokenizer


def length(tokenizer, texts):
    return sum(len(tokenizer.encode(text, add_special_tokens=False).ids) for text in texts)


def goldens():
    text = (HERE / "corpus.txt").read_text(encoding="utf-8")
    pieces = learn("wordpiece", 120, text.split("\n"))
    unigram = learn("unigram", 100, text.split("\n"))
    tokens = sorted(pieces.get_vocab(), key=pieces.get_vocab().get)
    (HERE / "trained.json").write_text(json.dumps({
        "wordpiece": {"tokens": tokens, "length": length(pieces, [text])},
        "unigram": {"length": length(unigram, [text])}}) + "\n", encoding="utf-8")


def compare(apus, material):
    corpora = pathlib.Path(material) / "corpora"
    files = [str(corpora / name) for name in ("wikitext-2-valid.txt", "tinyshakespeare.txt")]
    lines = [line for name in files for line in open(name, encoding="utf-8")]
    with open(corpora / "c4_demo.jsonl", encoding="utf-8") as file:
        held = [json.loads(line)["text"] for line in file]
    size = sum(len(text.encode()) for text in held)
    for kind in ("wordpiece", "unigram"):
        for vocabulary in (4000, 8000):
            with tempfile.TemporaryDirectory() as folder:
                subprocess.run([apus, "tokenizer", "train", *files, "--kind", kind, "--vocabulary",
                                str(vocabulary), "--output", folder], check=True)
                ours = Tokenizer.from_file(folder + "/tokenizer.json")
                out = subprocess.run(
                    [apus, "tokenizer", "encode", "--json-lines", "--tokenizer", folder],
                    input="".join(json.dumps(text) + "\n" for text in held).encode(), check=True,
                    stdout=subprocess.PIPE).stdout.decode().split("\n")[:-1]
            same = all(json.loads(a)["ids"] == ours.encode(b).ids for a, b in zip(out, held))
            theirs = learn(kind, vocabulary, lines)
            print(f"{kind} {vocabulary}: same ids {same}, bytes per token {size / length(ours, held):.4f}"
                  f" (Hugging Face {size / length(theirs, held):.4f})", flush=True)


if "--material" in sys.argv:
    compare(sys.argv[1], sys.argv[sys.argv.index("--material") + 1])
else:
    goldens()
