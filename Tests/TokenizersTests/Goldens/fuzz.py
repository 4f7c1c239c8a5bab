"""Random texts that are hard to tokenize, reproducible by seed.

All planes of Unicode, combining marks in and out of order, controls, emoji sequences, long runs of
digits and spaces, mixed scripts, joiners in unusual places, and special tokens written out.
"""
import random

BLOCKS = [(0x20, 0x7F)] * 6 + [(0xA0, 0x250)] * 2 + [
    (0x250, 0x370), (0x370, 0x400), (0x400, 0x530), (0x590, 0x600), (0x600, 0x700), (0x900, 0xE00),
    (0xE00, 0x1000), (0x1100, 0x1200), (0x1E00, 0x2000), (0x2000, 0x2070), (0x2070, 0x2C00),
    (0x3000, 0x3100), (0x3100, 0x3400), (0x4E00, 0x9FFF), (0xAC00, 0xD7A4), (0xF900, 0xFB50),
    (0xFB50, 0xFE00), (0xFE00, 0x10000), (0x10000, 0x11000), (0x11000, 0x12000), (0x16A00, 0x17000),
    (0x1D000, 0x1D800), (0x1E000, 0x1F000), (0x1F000, 0x20000), (0x20000, 0x30000),
    (0x30000, 0x32400), (0xE0000, 0xE01F0), (0xF0000, 0x110000), (0x0, 0x20), (0x300, 0x370)]

PIECES = [
    "'s", "'S", "'ll", "'LL", "'\u017f", "'re", " ", "  ", "   ", "\n", "\r\n", "\n\n", "\t", "\x0b",
    "\x1c", "\x85", "\xa0", "\u2003", "\u3000", "\u200b", "\u200d", "the", " swift", "Björn", "é",
    "e\u0301", "陽子", "한국어", "①", "½", "٣", "12", "3.14", "2024", "1234567890123", "…", "—", "😀",
    "👩\u200d👧\u200d👦", "🏳\ufe0f\u200d🌈", "🇩🇪🇫🇷", "👍🏽", "\x00", "\x7f", "\ufffd", "\ufeff", "|>",
    "<|end", "<|endoftext|>", "<|im_end|>", "[MASK]", "[CLS]", " [SEP] ", "</s>", "<s>", "<unk>",
    "<extra_id_0>", "<mask>", "  <mask>", "<tool_call>", "Straße", "lonely", "lonely ", "ǅ", "ʰ", "Ⅷ",
    "𝔘", "ﬁ", "ﬀ", "İ", "ı", "ß", "Σ", "ς", "ẛ\u0323", "Å", "\u1100\u1161\u11a8", "각", "が",
    "か\u3099", "ﾊﾞ", "क्षि", "नमस्ते", "ไทย", "ا\u0651\u0655", "שָׁ", "\u0f71\u0f72\u0f74", "▁", "▁▁",
    "a" * 40, "0" * 30, " " * 25, "don't", "can't", "I'm", "do not", " .", "?", " !", "'", '"', "(",
    "---", "$5.00", "http://x.y/z?a=b&c", "ＡＢＣ", "㍿", "¼", "x²", "Ω", "\u0345", "\u0323\u0307",
    "<0x41>", "\u1c89", "\ua7ce", "\U000323af", "\U0010ffff"]


def texts(count, seed=5):
    rng = random.Random(seed)

    def scalar(low, high):
        while True:
            value = rng.randrange(low, high)
            if not 0xD800 <= value < 0xE000:
                return chr(value)

    def character():
        return scalar(*rng.choice(BLOCKS))

    def text():
        kind = rng.random()
        if kind < 0.25:
            return "".join(character() for _ in range(rng.randrange(1, 24)))
        if kind < 0.35:
            return "".join(scalar(0, 0x110000) for _ in range(rng.randrange(1, 10)))
        if kind < 0.75:
            return "".join(rng.choice(PIECES) if rng.random() < 0.8 else character()
                           for _ in range(rng.randrange(1, 14)))
        if kind < 0.85:
            return "".join(
                character() + "".join(scalar(0x300, 0x370) for _ in range(rng.randrange(4)))
                for _ in range(rng.randrange(1, 8)))
        if kind < 0.92:
            return "".join(rng.choice("0123456789 .,-") for _ in range(rng.randrange(1, 60)))
        block = rng.choice(BLOCKS)
        return "".join(scalar(*block) + (" " if rng.random() < 0.2 else "")
                       for _ in range(rng.randrange(1, 40)))

    yield from ["", " ", "  ", "\n", "a", " a", "  a", "a ", "\n a", "\u0301", "\u0301a"]
    for _ in range(count):
        yield text()
