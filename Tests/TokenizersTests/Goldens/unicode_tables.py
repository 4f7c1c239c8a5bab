"""The Unicode tables of the Tokenizers module, measured from Hugging Face tokenizers per scalar.

Made with Python 3.11.7 and tokenizers 0.23.3:
    /tmp/venv/bin/python unicode_tables.py
Writes the decompositions to ../../../Sources/Tokenizers/Unicode/UnicodeTables.swift, and the maps and
sets that the module computes from the properties of Swift's standard library to unicode.json, with
which UnicodeTests compares them.

The crate takes its properties from libraries with tables of different Unicode versions
(normalization: 9.0, letter case: 17.0, the others in between), so no single version of the
Unicode data files yields the same ids. Every table is therefore measured by applying the crate to
every scalar. The script prints for each table the number of scalars newer than Python's Unicode.

In base 64, numbers are little-endian base-128 (a set high bit: more follows). A set is the gaps and
lengths of its runs. A map is, for each scalar in order, the distance from the one before, the
number of scalars it becomes, and these.
"""
import base64
import json
import pathlib
import unicodedata

from tokenizers import normalizers, pre_tokenizers

OUTPUT = pathlib.Path(__file__).parents[3] / "Sources/Tokenizers/Unicode/UnicodeTables.swift"
GOLDENS = pathlib.Path(__file__).with_name("unicode.json")
SCALARS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
HANGUL = range(0xAC00, 0xD7A4)


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def ranges(scalars):
    runs = []
    for c in scalars:
        if runs and runs[-1][1] == c:
            runs[-1][1] = c + 1
        else:
            runs.append([c, c + 1])
    return runs


def encode_set(scalars):
    """Returns the gaps and lengths of the runs."""
    out, last = bytearray(), 0
    for start, end in ranges(scalars):
        out += varint(start - last) + varint(end - start)
        last = end
    return bytes(out)


def encode_map(mapping):
    """Returns for each scalar in order: distance from the one before, length, scalars."""
    out, last = bytearray(), 0
    for c in sorted(mapping):
        out += varint(c - last) + varint(len(mapping[c]))
        for target in mapping[c]:
            out += varint(ord(target) if isinstance(target, str) else target)
        last = c
    return bytes(out)


def changed(function, skip=()):
    return {c: function(chr(c)) for c in SCALARS if c not in skip and function(chr(c)) != chr(c)}


def inside(function):
    """Returns the replacement of each scalar between two letters."""
    result = {}
    for c in SCALARS:
        text = function("a" + chr(c) + "b")
        assert text[0] == "a" and text[-1] == "b", hex(c)
        result[c] = text[1:-1]
    return result


def combining_classes(nfd):
    """Finds the class of every scalar that reorders, by its order among marks of known class."""
    marks = {1: "\u0334"}
    for c in SCALARS[0x300:0x1E000]:
        k = unicodedata.combining(chr(c))
        known = nfd(chr(c) + "\u0334")[0] == "\u0334" and nfd(chr(c)) == chr(c)
        if k and k not in marks and known:
            marks[k] = chr(c)
    low, high = "\u0334", "\u0345"  # classes 1 and 240, the lowest and the highest
    classes = {}
    for c in SCALARS:
        s = chr(c)
        if len(nfd(s)) != 1:
            continue
        s = nfd(s)
        if nfd(s + low) == low + s or nfd(high + s) == s + high and s != high:
            # The class is that of the mark that this scalar does not reorder with, in either order.
            same = [k for k, m in marks.items() if nfd(s + m) == s + m and nfd(m + s) == m + s]
            assert len(same) == 1, (hex(c), same)
            classes[c] = same[0]
    classes[0x345] = 240
    return classes


def compositions(nfd, nfc, decompositions):
    pairs = {}
    for c, text in decompositions.items():
        if len(text) < 2 or nfc(text) != chr(c):
            continue
        first = nfc(text[:-1])
        assert len(first) == 1, hex(c)
        assert nfc(first + text[-1]) == chr(c), hex(c)
        pairs[c] = first + text[-1]
    return pairs


def main():
    nfd = normalizers.NFD().normalize_str
    nfkd = normalizers.NFKD().normalize_str
    nfc = normalizers.NFC().normalize_str
    tables = {}
    canonical = changed(nfd, HANGUL)
    tables["canonical"] = ("Canonical decompositions, in full.", encode_map(canonical))
    compatible = {c: t for c, t in changed(nfkd, HANGUL).items() if canonical.get(c) != t}
    tables["compatible"] = (
        "Compatibility decompositions, in full, where they differ.", encode_map(compatible))
    goldens = {"compositions": encode_map(compositions(nfd, nfc, canonical))}
    classes = combining_classes(nfd)
    goldens["combiningClasses"] = encode_map({c: [k] for c, k in classes.items()})
    goldens["lowercase"] = encode_map(changed(normalizers.Lowercase().normalize_str))

    def bert(**options):
        flags = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False,
                     lowercase=False)
        return inside(normalizers.BertNormalizer(**flags | options).normalize_str)

    def members(result, wanted):
        return [c for c in SCALARS if wanted(c, result[c])]

    clean = bert(clean_text=True)
    chinese = bert(handle_chinese_chars=True)
    stripped = bert(strip_accents=True)
    marks = inside(normalizers.StripAccents().normalize_str)
    sets = {
        # What BertNormalizer's cleaning removes, puts spaces around and strips as an accent.
        "control": members(clean, lambda c, t: not t),
        "chinese": members(chinese, lambda c, t: t == f" {chr(c)} "),
        "nonspacing": members(stripped, lambda c, t: not t),
        # What StripAccents removes.
        "marks": members(marks, lambda c, t: not t),
    }
    assert members(clean, lambda c, t: t == " ") == members(clean, lambda c, t: c == 32 or (
        t == " " and c in WHITE))

    def pieces(pre_tokenizer):
        return {c: [t for t, _ in pre_tokenizer.pre_tokenize_str("a" + chr(c) + "a")]
                for c in SCALARS}

    bert_pieces = pieces(pre_tokenizers.BertPreTokenizer())
    punctuation = pieces(pre_tokenizers.Punctuation())
    words = pieces(pre_tokenizers.Whitespace())
    digits = pieces(pre_tokenizers.Digits(individual_digits=False))
    white = [c for c in SCALARS if bert_pieces[c] == ["a", "a"]]
    assert white == WHITE and white == [c for c in SCALARS if words[c] == ["a", "a"]]
    # What BertPreTokenizer and Punctuation isolate.
    sets["punctuation"] = [c for c in SCALARS if len(bert_pieces[c]) == 3]
    assert sets["punctuation"] == [c for c in SCALARS if len(punctuation[c]) == 3]
    # `\\w`: what Whitespace keeps together with a letter.
    sets["word"] = [c for c in SCALARS if len(words[c]) == 1]
    # What Digits splits off.
    sets["numeric"] = [c for c in SCALARS if len(digits[c]) == 3]
    for name, scalars in sets.items():
        goldens[name] = encode_set(scalars)
        newest(name, scalars)
    newest("canonical", canonical)
    newest("combiningClasses", classes)
    newest("lowercase", changed(normalizers.Lowercase().normalize_str))
    write(tables)
    encoded = {name: base64.b64encode(data).decode() for name, data in goldens.items()}
    GOLDENS.write_text(json.dumps(encoded, indent=1) + "\n", encoding="utf-8")


WHITE = [9, 10, 11, 12, 13, 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F,
         0x205F, 0x3000]


def newest(name, scalars):
    unknown = [c for c in scalars if unicodedata.category(chr(c)) == "Cn"]
    print(f"{name}: {len(scalars)} scalars, {len(unknown)} newer than Unicode "
          f"{unicodedata.unidata_version}", [hex(c) for c in unknown[:5]])


def write(tables):
    lines = [
        "// Made by Tests/TokenizersTests/Goldens/unicode_tables.py, which says from what and how; longer",
        "// than other files because it is data.",
        "",
        "/// The decompositions of Hugging Face tokenizers (0.23.3), those of Unicode 9.0, in base 64.",
        "///",
        "/// Numbers are little-endian base-128 (a set high bit: more follows). A map is, for each scalar in",
        "/// order, the distance from the one before, the number of scalars it becomes, and these.",
        "enum UnicodeTables {",
    ]
    for index, (name, (text, data)) in enumerate(tables.items()):
        if index:
            lines.append("")
        lines += [f"  /// {text}", f'  static let {name} = """']
        code = base64.b64encode(data).decode()
        rows = [code[i:i + 94] for i in range(0, len(code), 94)]
        lines += [f"    {row}\\" for row in rows[:-1]] + [f"    {rows[-1]}", '    """']
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text("\n".join(lines + ["}", ""]), encoding="utf-8")


main()
