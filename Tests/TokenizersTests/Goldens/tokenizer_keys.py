"""Writes tokenizer_keys.json: the keys that transformers reads from tokenizer_config.json, by class.

They are the parameters of a class's __init__ and the keywords that its base classes take out of the
settings, from their source.

    python tokenizer_keys.py        # transformers 5.24.0
"""

import inspect
import json
import pathlib
import re

import transformers
from transformers import tokenization_utils_base, tokenization_utils_tokenizers
from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING_NAMES

CLASSES = [
    "BertTokenizer", "GemmaTokenizer", "GPT2Tokenizer", "LlamaTokenizer", "PreTrainedTokenizerFast",
    "Qwen2Tokenizer", "T5Tokenizer",
]
BASES = [
    tokenization_utils_base.PreTrainedTokenizerBase, tokenization_utils_tokenizers.TokenizersBackend,
]

common = set(tokenization_utils_base.PreTrainedTokenizerBase.SPECIAL_TOKENS_ATTRIBUTES)
for base in BASES:
    for name in ["__init__", "_from_pretrained", "_patch_mistral_regex"]:
        if name in vars(base):
            source = inspect.getsource(vars(base)[name])
            common |= set(re.findall(r'kwargs\.(?:get|pop|setdefault)\(\s*"(\w+)"', source))
            common |= set(re.findall(r'"(\w+)" in (?:init_)?kwargs', source))

classes = {}
for name in CLASSES:
    parameters = inspect.signature(getattr(transformers, name).__init__).parameters.values()
    own = {one.name for one in parameters if one.kind == one.POSITIONAL_OR_KEYWORD} - {"self"}
    classes[name] = sorted(own)

settings = {"transformers": transformers.__version__, "common": sorted(common), "classes": classes}
# The classes by model_type: the first list is of those that take a tokenizer.json as it is.
backends = ["TokenizersBackend", "MistralCommonBackend"]
settings["backends"] = sorted(t for t, name in TOKENIZER_MAPPING_NAMES.items() if name in backends)
settings["registered"] = {
    kind: name for kind, name in sorted(TOKENIZER_MAPPING_NAMES.items()) if name in CLASSES
}
taken = CLASSES + backends
settings["others"] = sorted(
    t for t, name in TOKENIZER_MAPPING_NAMES.items()
    if name and name not in taken and getattr(transformers, name).__name__ not in taken)
settings["generation"] = sorted(transformers.GenerationConfig().to_dict())
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(settings, indent=1) + "\n")
