"""Whether thresholds learned on training people keep their word on people held out.

LDA on time-domain features, leave one person out. In every fold the thresholds are learned from
the training people alone (each judged by models of other training people), class by class, so that
each class's answers are right, or given, as often as asked. What is counted here is about the
person left out: windows and whole recordings, right, wrong and refused, with 95 % intervals over
people. One threshold for all classes at the same share of answers stands beside it.

    MYOGRAPH_MIRROR=FOLDER python benchmarks/science/rejection.py [--out FILE]

Writes benchmarks/results/rejection.json.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from myograph.config.schema import ModelConfig, PipelineConfig, RejectionConfig, WindowingConfig
from myograph.core.decision import Estimate
from myograph.datasets import load
from myograph.pipeline.pipeline import Pipeline
from myograph.validate.refusals import Refused
from myograph.validate.run import RunOptions, evaluate
from myograph.validate.splits import make_split

RESULTS = Path(__file__).parents[1] / "results" / "rejection.json"
DATA = ("myo-cotellard", "uci-gestures")
AIMS = ({"accuracy": 0.9}, {"accuracy": 0.95}, {"coverage": 0.9})
#: Of a class that fewer people are answered for nothing can be said.
FEW_PEOPLE = 10
CONFIG = PipelineConfig(
    windowing=WindowingConfig(length_ms=300.0, step_ms=150.0),
    features=("hudgins",),
    model=ModelConfig(name="lda"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    if not os.environ.get("MYOGRAPH_MIRROR"):
        print("real recordings needed: set MYOGRAPH_MIRROR")
        return 1
    started = time.perf_counter()
    told: dict[str, Any] = {"aims": AIMS, "data": {name: measured(name) for name in DATA}}
    told["seconds"] = round(time.perf_counter() - started, 1)
    given.out.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return 0


def measured(name: str) -> dict[str, Any]:
    table = Pipeline(CONFIG).prepare(list(load(name).recordings))
    rows = []
    for aim in AIMS:
        config = CONFIG.model_copy(update={"reject": RejectionConfig(**aim)})
        options = RunOptions(baselines=False, bootstrap=2000)
        result = evaluate(config, table, make_split("leave-one-subject-out"), options=options)
        if result.refusals is None:
            raise SystemExit("nothing was refused: the pipeline has no thresholds")
        for part in result.refusals.parts:
            rows.append({"aim": aim, **judged(part, aim)})
            show(name, rows[-1])
    return {"people": len(np.unique(table.index.subject)), "windows": len(table), "rows": rows}


def judged(part: Refused, aim: dict[str, float]) -> dict[str, Any]:
    """Sum up one working point, class by class, beside one threshold for all classes."""
    key, asked = next(iter(aim.items()))
    figures = {
        each.name: each.right if key == "accuracy" else each.answered for each in part.classes
    }
    known = {name: figure for name, figure in figures.items() if figure is not None}
    same = min(part.curve, key=lambda each: abs(each.coverage.value - part.outcome.coverage.value))
    return {
        "unit": part.unit,
        "outcome": part.outcome.to_dict(),
        "everything answered": part.curve[0].to_dict(),
        "one threshold, nearest share": same.to_dict(),
        "classes": {name: figure.to_dict() for name, figure in known.items()},
        "reached": [name for name, figure in known.items() if figure.value >= asked],
        "missed": [name for name, figure in known.items() if figure.high < asked],
        "few people": [name for name, figure in known.items() if figure.n < FEW_PEOPLE],
        "never": [name for name, figure in figures.items() if figure is None],
    }


def show(name: str, row: dict[str, Any]) -> None:
    aim = ", ".join(f"{key} {value:g}" for key, value in row["aim"].items())
    outcome, single = row["outcome"], row["one threshold, nearest share"]
    print(
        f"{name}, {aim}, {row['unit']}s: answered {told(outcome['coverage'])}, right among "
        f"answers {told(outcome['accuracy'])} (all answered "
        f"{told(row['everything answered']['accuracy'])}; one threshold answering "
        f"{told(single['coverage'])}: {told(single['accuracy'])}); classes "
        f"that reach it {len(row['reached'])}, miss it {len(row['missed'])}, for few people "
        f"{len(row['few people'])}, never answered {len(row['never'])}, of "
        f"{len(row['classes']) + len(row['never'])}",
        flush=True,
    )


def told(data: dict[str, Any] | None) -> str:
    if data is None:
        return "nothing"
    found = Estimate(**data)
    return f"{100 * found.value:.1f} % [{100 * found.low:.1f}, {100 * found.high:.1f}]"


if __name__ == "__main__":
    raise SystemExit(main())
