"""Generation by GPT-2 124M with random weights in Hugging Face transformers, the same work as
Sources/Benchmarks/GenerationBenchmark.swift.

    python generate_gpt2.py --batch 8 --dtype bf16 --threads 2

The last line on standard output is JSON: new tokens per second after a short run to warm up, and
the peak memory of the process (MiB).
"""

import argparse
import json
import resource
import time

import torch
from transformers import GPT2Config, GPT2LMHeadModel


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--prompt", type=int, default=16, help="tokens of the prompt")
    parser.add_argument("--tokens", type=int, default=64, help="new tokens per sequence")
    parser.add_argument("--dtype", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    dtype = torch.bfloat16 if options.dtype == "bf16" else torch.float32
    model = GPT2LMHeadModel(GPT2Config()).to(dtype).eval()
    prompt = torch.arange(100, 100 * (options.prompt + 1), 100).repeat(options.batch, 1)
    seconds = 0.0
    for new in (4, options.tokens):
        start = time.perf_counter()
        with torch.inference_mode():
            # Without an end-of-text token, every sequence gets all of its tokens.
            result = model.generate(
                prompt, attention_mask=torch.ones_like(prompt), do_sample=False, use_cache=True,
                min_new_tokens=new, max_new_tokens=new, pad_token_id=0)
        seconds = time.perf_counter() - start
        assert result.shape == (options.batch, options.prompt + new)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rate": options.batch * options.tokens / seconds, "memory": memory}))


main()
