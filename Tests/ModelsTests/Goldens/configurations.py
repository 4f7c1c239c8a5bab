"""Writes configurations.json: the keys of transformers' configuration classes with their defaults.

`keys` are those that a class writes when it is made without arguments. `others` are further keys
that it accepts (found in the source of the functions that take them) or that the family's networks
read from it. `aliases` is its attribute_map.

    python configurations.py        # transformers 5.24.0
"""

import importlib
import inspect
import json
import pathlib
import re

import transformers
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

MODULES = {"gemma3_text": "gemma3"}
TYPES = ["gpt2", "llama", "mistral", "qwen2", "qwen3", "gemma", "gemma3_text", "bert", "t5", "mt5"]
READERS = ["__post_init__", "convert_rope_params_to_dict", "standardize_rope_params"]


def accepted(cls):
    names = set()
    for base in cls.__mro__:
        for reader in READERS:
            if reader in vars(base):
                source = inspect.getsource(vars(base)[reader])
                names |= set(re.findall(r'kwargs\.(?:get|pop)\(\s*"(\w+)"', source))
                names |= set(re.findall(r'attr\(self, "(\w+)"', source))
    return names


def read_by_networks(module):
    source = inspect.getsource(module)
    return set(re.findall(r"\bconfig\.(\w+)", source)) | set(
        re.findall(r'getattr\((?:self\.)?config,\s*"(\w+)"', source)
    )


families = {}
for name in TYPES:
    cls = CONFIG_MAPPING[name]
    module = MODULES.get(name, name)
    network = importlib.import_module(f"transformers.models.{module}.modeling_{module}")
    keys = json.loads(json.dumps(cls().to_dict()))
    attributes = {key for key in read_by_networks(network) if not hasattr(cls, key)}
    others = accepted(cls) | attributes
    # Of rotary positions only for classes that have them.
    if "rope_parameters" not in keys:
        others = {key for key in others if "rope" not in key and "rotary" not in key}
    others -= set(keys) | set(cls.attribute_map) | {"name_or_path", "_rope_type_labels"}
    others -= {"original_max_position_embeddings"} if "rope_parameters" not in keys else set()
    families[name] = {
        "class": cls.__name__,
        "aliases": cls.attribute_map,
        "keys": keys,
        "others": sorted(others),
    }

path = pathlib.Path(__file__).with_suffix(".json")
contents = {"transformers": transformers.__version__, "families": families}
path.write_text(json.dumps(contents, indent=1, sort_keys=True) + "\n")
