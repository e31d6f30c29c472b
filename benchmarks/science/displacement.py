"""Whether a displaced armband is noticed: 21 people before and after it was moved (CIIL).

Calibration is the first three repetitions before the band was moved; the other two are the same
place (any event is a false alarm), and the four sessions after it are another. The rule is the
default one, which was set on simulated rings.

    python benchmarks/science/displacement.py [--mirror FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import numpy as np

from myograph.core.recording import Recording
from myograph.datasets import load
from myograph.preprocess import Bandpass, find_displacement
from myograph.validate.stats import exact_interval

RESULTS = Path(__file__).resolve().parents[1] / "results" / "displacement.json"
BEFORE = "training"


def joined(parts: list[Recording]) -> Recording:
    band = Bandpass(low_hz=15.0, high_hz=90.0, order=2)
    samples = np.concatenate([band.apply(part).samples for part in parts], axis=1)
    return Recording(samples, parts[0].layout)


def repetition(recording: Recording) -> int:
    return int(recording.events[0].trial)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mirror", default=os.environ.get("MYOGRAPH_MIRROR"))
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    people: dict[str, dict[str, list[Recording]]] = {}
    for recording in load("ciil/electrode-shift", mirror=given.mirror).recordings:
        sessions = people.setdefault(recording.subject.pseudonym, {})
        sessions.setdefault(recording.session, []).append(recording)
    rows = []
    for person, sessions in sorted(people.items()):
        before = sessions.pop(BEFORE)
        calibration = joined([r for r in before if repetition(r) <= 3])
        same = joined([r for r in before if repetition(r) > 3])
        found = {
            session: find_displacement(joined(parts), calibration, ring=True)
            for session, parts in sessions.items()
        }
        rows.append(
            {
                "person": person,
                "false_alarm": bool(find_displacement(same, calibration, ring=True)),
                "found": {session: bool(events) for session, events in found.items()},
            }
        )
    first = sorted(people[rows[0]["person"]])[0]
    figures = {
        "people": len(rows),
        "false alarms": sum(r["false_alarm"] for r in rows),
        "noticed in the first session after": sum(r["found"][first] for r in rows),
        "noticed in any session after": sum(any(r["found"].values()) for r in rows),
    }
    report = {"benchmark": "displaced armband", "figures": figures, "rows": rows}
    for name, count in figures.items():
        low, high = exact_interval(count, len(rows))
        print(f"{name}: {count} ({100 * low:.0f} to {100 * high:.0f} %)")
    given.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
