"""Golden losses of KTO: TRL's own lines, run on fixed log-probabilities.

Run
    python3 -m venv /tmp/venv-torch
    /tmp/venv-torch/bin/pip install torch==2.15.0
    /tmp/venv-torch/bin/pip install --no-deps trl==1.16.0
    /tmp/venv-torch/bin/python Tests/ObjectivesTests/Goldens/generate_kto.py

The committed kto.json was written by Python 3.11, torch 2.15.0, trl 1.16.0. The lines from the KL
estimate to the weighted losses are cut out of KTOTrainer's source and executed in float64. A loss is the
sum over the answers: TRL's mean times their number.
"""

import json
import textwrap
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
source = (Path(find_spec("trl").submodule_search_locations[0]) / "trainer/kto_trainer.py").read_text()
lines = source.splitlines()
first = next(i for i, line in enumerate(lines) if "kl = (KL_logps - ref_KL_logps)" in line) - 1
last = next(i for i, line in enumerate(lines) if "losses = torch.cat(" in line) + 3
excerpt = textwrap.dedent("\n".join(lines[first : last + 1]))

COUNT = 6
generator = torch.Generator().manual_seed(11)
draw = lambda: torch.randint(-640, 641, (COUNT,), generator=generator) / 64.0 - 12.0
policy, reference = draw(), draw()
kl_policy, kl_reference = draw(), draw()
# The KL of these answers is below 0, and is cut.
below = kl_reference - 0.25
labels = [[True, False, True, True, False, False], [True] * COUNT, [False] * COUNT]

cases = []
for label in labels:
    for beta, good, bad, kl in [
        (0.1, 1.0, 1.0, kl_policy), (0.5, 1.5, 0.75, kl_policy), (0.1, 1.0, 1.0, below)]:
        own = policy.clone().requires_grad_()
        chosen = torch.nonzero(torch.tensor(label)).view(-1)
        rejected = torch.nonzero(~torch.tensor(label)).view(-1)
        accelerator = SimpleNamespace(gather_for_metrics=lambda x: x, device="cpu")
        scope = {
            "torch": torch, "F": F, "KL_logps": kl, "ref_KL_logps": kl_reference,
            "chosen_logps": own.index_select(0, chosen),
            "rejected_logps": own.index_select(0, rejected),
            "ref_chosen_logps": reference.index_select(0, chosen),
            "ref_rejected_logps": reference.index_select(0, rejected),
            "self": SimpleNamespace(
                calculate_KL=True, loss_type="kto", beta=beta, desirable_weight=good,
                undesirable_weight=bad, accelerator=accelerator),
        }
        exec(excerpt, scope)
        loss = scope["losses"].nanmean() * COUNT
        loss.backward()
        cases.append({
            "labels": label, "beta": beta, "desirableWeight": good, "undesirableWeight": bad,
            "klPolicy": kl.tolist(), "kl": scope["kl"].item(), "loss": loss.item(),
            "gradient": own.grad.tolist(),
            "chosenReward": scope["chosen_rewards"].mean().item() if any(label) else None,
            "rejectedReward": scope["rejected_rewards"].mean().item() if not all(label) else None})

out = {
    "policy": policy.tolist(), "reference": reference.tolist(),
    "klReference": kl_reference.tolist(), "cases": cases}
Path(__file__).with_name("kto.json").write_text(json.dumps(out) + "\n")
