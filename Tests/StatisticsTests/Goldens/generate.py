"""Golden values for Statistics, computed by SciPy, scikit-learn, statsmodels and irrCAC.

Run
    python3 -m venv /tmp/venv-statistics
    /tmp/venv-statistics/bin/pip install irrCAC==0.4.4 numpy==1.26.4 scipy==1.12.0
    /tmp/venv-statistics/bin/pip install scikit-learn==1.9.1 statsmodels==0.15.0
    /tmp/venv-statistics/bin/python Tests/StatisticsTests/Goldens/generate.py

The committed statistics.json was written by Python 3.11 and these versions; the same versions write
the same file. Every case holds its input and the value that the other library computes; NaN is
written as null.
"""

import json
import math
import os

import numpy as np
import pandas as pd
from irrCAC.raw import CAC
from scipy import stats
from sklearn.calibration import calibration_curve
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import fleiss_kappa
from statsmodels.stats.proportion import proportion_confint

rng = np.random.default_rng(20260101)


def number(x):
    return None if math.isnan(x) else float(x)


def normal():
    points = [1e-300, 1e-20, 1e-9, 0.001, 0.02, 0.0749, 0.0751, 0.3, 0.5, 0.6, 0.9249, 0.9251,
              0.975, 0.995, 1 - 1e-12]
    return [{"probability": p, "quantile": float(stats.norm.ppf(p)),
             "cumulative": float(stats.norm.cdf(stats.norm.ppf(p)))} for p in points]


def wilson():
    cases = [(0, 1), (1, 1), (0, 10), (10, 10), (5, 10), (7.5, 20), (81, 263), (998, 1000),
             (1, 100000)]
    rows = []
    for successes, trials in cases:
        for confidence in (0.8, 0.95, 0.99):
            low, high = proportion_confint(successes, trials, alpha=1 - confidence, method="wilson")
            rows.append({"successes": successes, "trials": trials, "confidence": confidence,
                         "lower": float(low), "upper": float(high)})
    return rows


def binomial():
    cases = [(0, 1, 0.5), (5, 10, 0.5), (9, 10, 0.5), (7, 7, 0.5), (60, 100, 0.5), (3, 20, 0.3),
             (11, 20, 0.3), (0, 5, 0.0), (5, 5, 1.0), (1, 5, 0.0), (5200, 10000, 0.5),
             (100, 100000, 0.001)]
    return [{"successes": k, "trials": n, "probability": p,
             "p": float(stats.binomtest(k, n, p).pvalue)} for k, n, p in cases]


def cohen():
    cases = []
    for items, labels, noise in ((4, 2, 0.5), (50, 2, 0.2), (200, 4, 0.4), (333, 5, 1.0)):
        first = rng.integers(0, labels, items)
        second = np.where(rng.random(items) < noise, rng.integers(0, labels, items), first)
        cases.append((first.tolist(), second.tolist()))
    cases += [([0, 0, 1, 1], [1, 1, 0, 0]), ([1, 1, 1], [1, 1, 1]), ([0, 0], [1, 1])]
    return [{"first": a, "second": b, "kappa": number(cohen_kappa_score(a, b))} for a, b in cases]


def fleiss():
    rows = []
    for items, raters, labels in ((10, 14, 5), (30, 3, 4), (200, 6, 2)):
        tables = []
        for _ in range(items):
            shares = rng.dirichlet(np.full(labels, 0.4))
            tables.append(rng.multinomial(raters, shares).tolist())
        rows.append({"counts": tables, "kappa": number(fleiss_kappa(np.array(tables)))})
    # Items with 2 to 5 of 5 annotators, for Gwet's generalisation.
    items, raters, labels = 40, 5, 3
    ratings = rng.integers(0, labels, (items, 1)).repeat(raters, 1).astype(float)
    wrong = rng.random(ratings.shape) < 0.4
    ratings[wrong] = rng.integers(0, labels, wrong.sum())
    for item in range(items):
        absent = rng.permutation(raters)[:rng.integers(0, raters - 1)]
        ratings[item, absent] = np.nan
    # irrCAC rounds to the given number of digits.
    cac = CAC(pd.DataFrame(ratings), digits=15)
    counts = [[int((row == label).sum()) for label in range(labels)] for row in ratings]
    rows.append({"counts": counts, "kappa": number(cac.fleiss()["est"]["coefficient_value"])})
    return rows


def correlation():
    cases = []
    for count in (2, 3, 10, 100):
        x = rng.normal(size=count).round(6)
        cases.append((x, (0.5 * x + rng.normal(size=count)).round(6)))
    x = rng.integers(0, 6, 120).astype(float)
    cases.append((x, x * x + rng.integers(0, 4, 120)))
    cases.append((np.array([1e200, 2e200, 3e200]), np.array([1e-200, -2e-200, 5e-200])))
    cases.append((1e9 + np.arange(8.0), rng.normal(size=8)))
    rows = []
    for x, y in cases:
        # SciPy's sums overflow and underflow at 1e±200.
        scaled = (x / np.abs(x).max(), y / np.abs(y).max())
        rows.append({"x": x.tolist(), "y": y.tolist(),
                     "pearson": number(stats.pearsonr(*scaled).statistic),
                     "spearman": number(stats.spearmanr(x, y).statistic)})
    return rows


def calibration():
    rows = []
    for count, bins, shift in ((1, 10, 0), (300, 10, 0), (600, 15, 0.2)):
        p = rng.random(count).round(6)
        outcomes = rng.random(count) < np.clip(p + shift, 0, 1)
        share, mean = calibration_curve(outcomes, p, n_bins=bins, strategy="uniform")
        counts = np.histogram(p, bins=np.linspace(0, 1, bins + 1))[0]
        counts = counts[counts > 0]
        distances = np.abs(share - mean)
        rows.append({"probabilities": p.tolist(), "outcomes": outcomes.tolist(), "bins": bins,
                     "expected": float((counts * distances).sum() / count)})
    return rows


def bootstrap():
    rows = []
    for count in (20, 200):
        values = (rng.normal(0.1, 1, count) ** 3).round(6)
        result = stats.bootstrap((values,), np.mean, n_resamples=200_000, batch=10_000,
                                 method="percentile", confidence_level=0.95, random_state=rng)
        rows.append({"values": values.tolist(), "lower": float(result.confidence_interval.low),
                     "upper": float(result.confidence_interval.high),
                     "standardError": float(result.standard_error)})
    return rows


golden = {maker.__name__: maker() for maker in (
    normal, wilson, binomial, cohen, fleiss, correlation, calibration, bootstrap)}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "statistics.json")
with open(path, "w") as file:
    # One line per case.
    parts = [f'"{name}": [\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]"
             for name, rows in golden.items()]
    file.write("{\n" + ",\n".join(parts) + "\n}\n")
print(f"{path}: {os.path.getsize(path)} bytes")
