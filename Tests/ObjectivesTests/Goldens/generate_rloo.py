"""Golden advantages of RLOO: TRL's own lines, run on fixed rewards and log-probabilities.

Run
    python3 -m venv /tmp/venv-torch
    /tmp/venv-torch/bin/pip install torch==2.15.0
    /tmp/venv-torch/bin/pip install --no-deps trl==1.16.0
    /tmp/venv-torch/bin/python Tests/ObjectivesTests/Goldens/generate_rloo.py

The committed rloo.json was written by Python 3.11, torch 2.15.0, trl 1.16.0. The lines from the KL
penalty to the advantages are cut out of RLOOTrainer's source and executed in float64.
"""

import json
import textwrap
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import torch

torch.set_default_dtype(torch.float64)
source = (Path(find_spec("trl").submodule_search_locations[0]) / "trainer/rloo_trainer.py").read_text()
lines = source.splitlines()
first = next(i for i, line in enumerate(lines) if "if self.beta != 0.0:" in line and "KL penalty" in lines[i - 1])
last = next(i for i, line in enumerate(lines) if "advantages = torch.nan_to_num" in line)
excerpt = textwrap.dedent("\n".join(lines[first : last + 1]))

PROMPTS, SAMPLES, LENGTH = 3, 4, 5
generator = torch.Generator().manual_seed(7)
draw = lambda *shape: torch.randint(-64, 65, shape, generator=generator) / 32.0
rewards = draw(PROMPTS * SAMPLES)
rewards[SAMPLES : 2 * SAMPLES] = 0.5  # A group of equal rewards.
policy, reference = draw(PROMPTS * SAMPLES, LENGTH), draw(PROMPTS * SAMPLES, LENGTH)
lengths = torch.arange(PROMPTS * SAMPLES) % LENGTH + 1
mask = (torch.arange(LENGTH) < lengths[:, None]).double()

cases = []
for beta in [0.0, 0.05]:
    scope = {
        "torch": torch, "gather": lambda x: x, "num_generations": SAMPLES,
        "rewards": rewards.clone(), "old_per_token_logps": policy, "ref_per_token_logps": reference,
        "completion_mask": mask, "nanstd": lambda x, dim=None: torch.std(x, dim=dim),
        "self": SimpleNamespace(beta=beta, normalize_advantages=False),
    }
    exec(excerpt, scope)
    cases.append({"beta": beta, "advantages": scope["advantages"].tolist()})

out = {
    "samples": SAMPLES, "rewards": rewards.tolist(),
    "policy": [row[:n].tolist() for row, n in zip(policy, lengths)],
    "reference": [row[:n].tolist() for row, n in zip(reference, lengths)], "cases": cases,
}
Path(__file__).with_name("rloo.json").write_text(json.dumps(out) + "\n")
