"""The tokenizers of the families as published, built with Hugging Face tokenizers.

`build(name, corpus)` trains a small vocabulary for the family on `corpus`; `published(folder)` reads
the published vocabularies in the material folder instead.
"""
import json
import pathlib

from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
          r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN = LLAMA3.replace("{1,3}", "")
O200K = "|".join([
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])
BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def special(*texts, **options):
    return [AddedToken(text, special=True, normalized=False, **options) for text in texts]


def byte_level(size, corpus, split=None, normalizer=None, prefix=False, **model):
    tokenizer = Tokenizer(models.BPE(**model))
    if normalizer:
        tokenizer.normalizer = normalizer
    last = pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=not isinstance(split, str))
    if isinstance(split, str):
        split = pre_tokenizers.Split(Regex(split), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, last]) if split else last
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(corpus, trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return tokenizer


def gpt2(size, corpus):
    tokenizer = byte_level(size, corpus)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    tokenizer.add_special_tokens(special("<|endoftext|>"))
    return tokenizer


def roberta(size, corpus):
    tokenizer = byte_level(size, corpus, prefix=True)
    tokenizer.add_special_tokens(special("<s>", "</s>") + special("<mask>", lstrip=True))
    ids = [(text, tokenizer.token_to_id(text)) for text in ("</s>", "<s>")]
    tokenizer.post_processor = processors.RobertaProcessing(*ids)
    return tokenizer


def smollm2(size, corpus):
    tokenizer = byte_level(size, corpus, pre_tokenizers.Digits(individual_digits=True))
    tokenizer.add_special_tokens(special("<|endoftext|>", "<|im_start|>", "<|im_end|>"))
    return tokenizer


def llama3(size, corpus):
    tokenizer = byte_level(size, corpus, LLAMA3, ignore_merges=True)
    tokenizer.add_special_tokens(special("<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"))
    begin = "<|begin_of_text|>"
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=True),
        processors.TemplateProcessing(
            single=f"{begin} $A", pair=f"{begin} $A {begin}:1 $B:1",
            special_tokens=[(begin, tokenizer.token_to_id(begin))])])
    return tokenizer


def qwen(size, corpus):
    tokenizer = byte_level(size, corpus, QWEN, normalizers.NFC())
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.add_special_tokens(special("<|endoftext|>", "<|im_start|>", "<|im_end|>"))
    tokenizer.add_tokens([
        AddedToken("<tool_call>", special=False, normalized=False),
        AddedToken("Straße", special=False, normalized=True),
        AddedToken("lonely", single_word=True, rstrip=True, normalized=False)])
    return tokenizer


def o200k(size, corpus):
    """GPT-4o's pattern, for which Apus has no dedicated scanner."""
    tokenizer = byte_level(size, corpus, O200K)
    tokenizer.add_special_tokens(special("<|endoftext|>"))
    return tokenizer


def llama2(size, corpus):
    plain = Tokenizer(models.BPE())
    plain.pre_tokenizer = pre_tokenizers.Metaspace()
    plain.train_from_iterator(corpus, trainers.BpeTrainer(
        vocab_size=max(size - 259, 200), limit_alphabet=120, show_progress=False))
    learned = json.loads(plain.to_str())["model"]
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    tokens += sorted(learned["vocab"], key=learned["vocab"].get)
    tokens += [run for run in ("▁" * n for n in range(2, 9)) if run not in tokens]
    runs = [(1, 1), (2, 2), (4, 4), (2, 1), (4, 2), (4, 1), (6, 1)]
    merges = learned["merges"] + [
        pair for pair in (["▁" * a, "▁" * b] for a, b in runs) if pair not in learned["merges"]]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
        decoders.Strip(" ", 1, 0)])
    state = json.loads(tokenizer.to_str())
    state["model"]["vocab"] = {token: id for id, token in enumerate(tokens)}
    state["model"]["merges"] = merges
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.add_special_tokens(special("<unk>", "<s>", "</s>"))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)])
    return tokenizer


def word_pieces(size, corpus, normalizer, pre_tokenizer):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizer
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(corpus, trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=BERT, show_progress=False))
    return tokenizer


def bert(size, corpus, lowercase=True):
    tokenizer = word_pieces(size, corpus, normalizers.BertNormalizer(lowercase=lowercase),
                            pre_tokenizers.BertPreTokenizer())
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return tokenizer


def bert_cased(size, corpus):
    tokenizer = bert(size, corpus, lowercase=False)
    tokenizer.decoder = decoders.WordPiece(cleanup=False)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


def mixed(size, corpus):
    """Components that the published families do not use."""
    tokenizer = word_pieces(
        size, corpus,
        normalizers.Sequence([
            normalizers.Nmt(), normalizers.NFKD(), normalizers.StripAccents(),
            normalizers.Lowercase(), normalizers.Replace(Regex(r"[0-9]{2,}"), "#"),
            normalizers.Strip(), normalizers.NFKC()]),
        pre_tokenizers.Sequence([
            pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation("merged_with_previous"),
            pre_tokenizers.Split("e", "merged_with_next"), pre_tokenizers.Digits()]))
    return tokenizer


def t5(size, corpus):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.train_from_iterator(corpus, trainers.UnigramTrainer(
        vocab_size=size, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>",
        show_progress=False))
    end = tokenizer.token_to_id("</s>")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", end)])
    return tokenizer


FAMILIES = {f.__name__: f for f in (
    gpt2, roberta, smollm2, llama3, qwen, o200k, llama2, bert, bert_cased, mixed, t5)}


def build(name, size, corpus):
    return FAMILIES[name](size, corpus)


def published(folder):
    """Yields the published vocabularies as name and tokenizer."""
    folder = pathlib.Path(folder)

    def merges(name):
        return models.BPE.from_file(str(folder / name / "vocab.json"), str(folder / name / "merges.txt"))

    for name, pre_tokenizer in (
            ("gpt2", pre_tokenizers.ByteLevel(add_prefix_space=False)),
            ("smollm2", pre_tokenizers.Sequence([
                pre_tokenizers.Digits(individual_digits=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False)]))):
        tokenizer = Tokenizer(merges(name))
        tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizer, decoders.ByteLevel()
        tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
        texts = {id: text for text, id in tokenizer.get_vocab().items()}
        count = 17 if name == "smollm2" else 0
        tokenizer.add_special_tokens(
            special(*[texts[id] for id in range(count)]) or special("<|endoftext|>"))
        yield name, tokenizer
    tokenizer = Tokenizer.from_file(str(folder / "bert-base-uncased/tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    yield "bert", tokenizer
    from transformers import T5Tokenizer
    yield "t5", T5Tokenizer.from_pretrained(str(folder / "t5"))._tokenizer
