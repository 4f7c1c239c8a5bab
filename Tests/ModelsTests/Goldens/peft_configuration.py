"""Writes peft_configuration.json: the keys of PEFT's LoraConfig with their defaults.

    python peft_configuration.py        # PEFT 0.21.2
"""

import dataclasses
import json
import pathlib

import peft

MISSING = dataclasses.MISSING


def default(field):
    value = field.default if field.default is not MISSING else field.default_factory()
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value


keys = {field.name: default(field) for field in dataclasses.fields(peft.LoraConfig)}
path = pathlib.Path(__file__).with_suffix(".json")
contents = {"peft": peft.__version__, "keys": keys}
path.write_text(json.dumps(contents, indent=1, sort_keys=True) + "\n")
