"""Writes the activations and gradients of one step of a Hugging Face model, as `apus debug dump`.

    pip install torch transformers safetensors
    python dump_transformers.py FOLDER 1,2,3 dump.safetensors
"""
import collections
import sys

import torch
import transformers
from safetensors.torch import save_file

folder, ids, output = sys.argv[1:]
architecture = transformers.AutoConfig.from_pretrained(folder).architectures[0]
model = getattr(transformers, architecture).from_pretrained(
    folder, dtype=torch.float32, attn_implementation="eager").eval()
dump, calls = {}, collections.Counter()


def record(name):
    def hook(module, inputs, result):
        result = result[0] if isinstance(result, tuple) else result
        if isinstance(result, torch.Tensor):
            calls[name] += 1
            key = name if calls[name] == 1 else f"{name}#{calls[name]}"
            if result.dim() == 4 and result.shape[1] != ids.shape[1]:  # [B, H, T, D] (Gemma 3)
                result = result.transpose(1, 2)
            dump[key] = result.detach().float().contiguous().clone()
    return hook


for name, module in model.named_modules():
    if name:
        module.register_forward_hook(record(name))
ids = torch.tensor([[int(id) for id in ids.split(",")]])
loss = model(input_ids=ids, labels=ids).loss
loss.backward()
dump["loss"] = loss.detach()
for name, parameter in model.named_parameters():
    if parameter.grad is not None:
        dump[f"grad.{name}"] = parameter.grad.float().contiguous()
save_file(dump, output)
