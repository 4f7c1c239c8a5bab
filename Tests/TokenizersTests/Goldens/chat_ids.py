"""Goldens of chat ids: every published template with every small tokenizer.

Made with Python 3.11.7, transformers 5.24.0, tokenizers 0.23.3 and jinja2 3.1.6:
    /tmp/venv/bin/python chat_ids.py [COUNT]
Reads pipelines/ (pipelines.py) and the templates of published.py, and writes chat_ids.json: for each
pair of a template and a tokenizer a digest (FNV-1a, 64 bits) of the ids and loss masks of COUNT random
conversations (12 in the file; 1,000 have been compared).

The ids are those of `apply_chat_template`: the rendered text is encoded as a whole, and special tokens
in it are found. Contents hold no special token here, because Apus leaves those of a content as text. A
token is in the loss when a byte of it is in the range that published.py finds; a special token, whose
offsets may include white space, when its first byte other than white space is.
"""
import json
import sys

from tokenizers import AddedToken, Tokenizer, processors

import published

NAMES = ["gpt2", "roberta", "smollm2", "llama3", "qwen", "o200k", "llama2", "bert", "bert_cased",
         "mixed", "t5"]
# As published: Phi-3's special tokens take the white space on their right. The others are made up, to
# try both sides.
STRIPS = {"phi3": (False, True), "phi3_5": (False, True), "exaone": (True, True),
          "cohere": (True, False)}


def opened(name, template):
    tokenizer = Tokenizer.from_file(str(published.HERE / "pipelines" / f"{name}.json"))
    # It would take the white space out of the offsets.
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    before = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
    left, right = STRIPS.get(template, (False, False))
    new = [s for s in published.specials_of(template) if s not in before]
    tokenizer.add_special_tokens(
        [AddedToken(s, lstrip=left, rstrip=right, normalized=False, special=True) for s in new])
    return tokenizer, [[tokenizer.token_to_id(s), s] for s in new]


def encoded(tokenizer, text, trained):
    encoding = tokenizer.encode(text, add_special_tokens=False)
    special = {i for i, t in tokenizer.get_added_tokens_decoder().items() if t.special}
    mask = []
    for number, (start, end) in zip(encoding.ids, encoding.offsets):
        if number in special:
            while start < end and text[start] in " \t\n\v\f\r":
                start += 1
            end = min(end, start + 1)
        mask.append(int(any(start < b and a < end for a, b in trained)))
    return encoding.ids, mask


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    pairs = []
    for template in published.TEMPLATES:
        for name in NAMES:
            tokenizer, new = opened(name, template)
            special = [t.content for t in tokenizer.get_added_tokens_decoder().values() if t.special]
            words = [w for w in published.WORDS if not any(s in w for s in special)]
            digest = 0xCBF29CE484222325
            for index in range(count):
                conversation, prompt = published.random_conversation(index, words)
                text, trained = published.case(template, conversation, prompt)
                line = "!" if text.startswith("!") else " ".join(
                    f"{i}{'+' if m else ''}" for i, m in zip(*encoded(tokenizer, text, trained)))
                for byte in (line + "\n").encode():
                    digest = ((digest ^ byte) * 0x100000001B3) & published.MASK
            pairs.append({
                "template": template, "tokenizer": name, "new": new,
                "strips": STRIPS.get(template, (False, False)), "digest": f"{digest:016x}"})
        print(template)
    lines = ",\n".join(
        json.dumps(pair, ensure_ascii=False, separators=(",", ":")) for pair in pairs)
    (published.HERE / "chat_ids.json").write_text(
        '{"count": ' + str(count) + ',\n"pairs": [\n' + lines + "\n]}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
