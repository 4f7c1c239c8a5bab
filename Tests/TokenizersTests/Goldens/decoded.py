"""Writes decoded.json: lists of new token ids and the text that transformers decodes for them.

python decoded.py   (transformers 5.24, tokenizers 0.23.3)

The lists are random tokens of pipelines/*.json, among them broken characters, and texts that are cut
after every token; "text" is tokenizer.decode(ids, skip_special_tokens=True).
"""

import json
import random
from pathlib import Path

from transformers import PreTrainedTokenizerFast

folder = Path(__file__).parent
result = {}
for name in ["llama2", "gpt2", "llama3"]:
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / f"pipelines/{name}.json"))
    source = random.Random(7)
    lists = []
    for text in ["ceiling", " the sea", "é→🙂 swift", "雨燕\n\n  in the air"]:
        ids = tokenizer.encode(text, add_special_tokens=False)
        lists += [ids[:end] for end in range(1, len(ids) + 1)]
    special = set(tokenizer.all_special_ids) | {
        i for i, t in tokenizer.added_tokens_decoder.items() if t.special
    }
    ordinary = [i for i in range(len(tokenizer)) if i not in special]
    lists += [[source.choice(ordinary) for _ in range(12)] for _ in range(60)]
    result[name] = [
        {"ids": ids, "text": tokenizer.decode(ids, skip_special_tokens=True)} for ids in lists
    ]
(folder / "decoded.json").write_text(
    json.dumps(result, ensure_ascii=True, separators=(",", ":")) + "\n"
)
