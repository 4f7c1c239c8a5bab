"""Goldens of the pipeline tests: small tokenizers of every family and their output for texts.

Made with Python 3.11.7, tokenizers 0.23.3 and sentencepiece 0.2.3:
    /tmp/venv/bin/python pipelines.py
Writes, beside itself, pipelines/NAME.json (tokenizers trained on corpus.txt), pipelines/spiece.model
(a Unigram model of sentencepiece with a character map), and pipelines.json: texts, and for each
family ids, offsets and decoded text of the first 40 and a digest over all.
"""
import io
import json
import pathlib

import sentencepiece
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

import families
import fuzz

HERE = pathlib.Path(__file__).parent
OUT = HERE / "pipelines"
COUNT, SHOWN = 250, 40
RULES = "\n".join([
    "0041\t0061", "00A0\t0020", "0065 0301\t00E9", "FB01\t0066 0069", "200B\t", "0009\t0020",
    "000D\t0020", "000A\t0020", "2026\t002E 002E 002E", "1F3F3 FE0F\t0046", "FF21\t0061"])


def expected(tokenizer, text):
    encoding = tokenizer.encode(text)
    place = [0]
    for character in text:
        place.append(place[-1] + len(character.encode()))
    offsets = [[place[min(a, len(text))], place[min(b, len(text))]] for a, b in encoding.offsets]
    return encoding.ids, offsets, tokenizer.decode(encoding.ids)


def digest(results):
    """FNV-1a over ids, offsets and decoded texts, as PipelineGoldenTests computes it."""
    value = 0xCBF29CE484222325
    for ids, offsets, text in results:
        line = f"{ids} {offsets} {text}\n".replace(",", "")
        for byte in line.encode():
            value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def spiece(corpus):
    rules = OUT / "rules.tsv"
    rules.write_text(RULES + "\n", encoding="utf-8")
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus), model_writer=model, vocab_size=1200,
        normalization_rule_tsv=str(rules), pad_id=0, eos_id=1, unk_id=2, bos_id=-1,
        hard_vocab_limit=False, minloglevel=2)
    rules.unlink()
    return model.getvalue()


def from_spiece(data):
    """Converts a spiece.model as transformers does for T5, without its 100 sentinels."""
    from transformers.utils import sentencepiece_model_pb2_new as protocol
    proto = protocol.ModelProto()
    proto.ParseFromString(data)
    tokenizer = Tokenizer(models.Unigram([(p.piece, p.score) for p in proto.pieces], 2, False))
    tokenizer.normalizer = normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(families.special("<pad>", "</s>", "<unk>"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    return Tokenizer.from_str(tokenizer.to_str())


def main():
    OUT.mkdir(exist_ok=True)
    corpus = (HERE / "corpus.txt").read_text(encoding="utf-8")
    lines = corpus.splitlines(True)
    texts = list(fuzz.texts(COUNT, seed=7)) + lines[:20]
    # The vocabularies must contain some of the texts' characters.
    corpus = lines + [text for text in fuzz.texts(200, seed=9) if "<" not in text]
    tokenizers = {}
    for name in families.FAMILIES:
        path = str(OUT / f"{name}.json")
        size = 2200 if name == "t5" else 700
        families.build(name, size, corpus).save(path, pretty=False)
        # Reloaded because the JSON reader of the crate rounds scores in its own way.
        tokenizers[name] = Tokenizer.from_file(path)
    model = spiece([t.replace("\x00", "").replace("\n", " ") for t in corpus])
    (OUT / "spiece.model").write_bytes(model)
    tokenizers["spiece"] = from_spiece(model)
    goldens = {}
    for name, tokenizer in tokenizers.items():
        results = [expected(tokenizer, text) for text in texts]
        shown = [{"ids": i, "offsets": o, "text": t} for i, o, t in results[:SHOWN]]
        pair = tokenizer.encode("Two owls.", "A heron?")
        goldens[name] = {
            "digest": digest(results), "first": shown,
            "pair": {"ids": pair.ids, "types": pair.type_ids, "added": pair.special_tokens_mask}}
    lines = ["{", '"texts": ' + json.dumps(texts) + ","]
    rows = [f'"{name}": ' + json.dumps(value, separators=(",", ":"))
            for name, value in goldens.items()]
    (HERE / "pipelines.json").write_text(
        "\n".join(lines) + "\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")


main()
