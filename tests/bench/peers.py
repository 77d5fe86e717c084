#!/usr/bin/env python3
"""Our search beside faiss and usearch: the same vectors, in one run, in turn.

    python3 tests/bench/peers.py [--json] [--rows 1000000] [--dimension 128 512] [--threads 1 2]
                                 [--batch 1 8 32] [--k 50] [--runs 9] [--data uniform|clustered]
                                 [--openblas NAME] [--keep DIR]

It starts `cargo bench --bench search -- --serve` (and builds it), has the vectors written by it,
and then asks in turn, run by run:

- ours, in its own process: exact, timed around the call of the library;
- faiss `IndexFlatIP` (f32, exact but for rounding) with each of SETTINGS; one that takes more than
  twice the best one's time in the first round stays at that one round;
- usearch `search(exact=True)` on int8 (so not exact in f32): rows and probes are converted outside
  the timed call.

Each library's own switch sets its threads; the processor's milliseconds beside the wall's show
whether it held. Threads that wait sleep (OMP_WAIT_POLICY), so that none of a peer's spins while
another contestant is measured. The wheel's OpenBLAS knows no processor younger than itself and
takes slower kernels there: where there is AVX-512 it is told so, whatever OPENBLAS_CORETYPE says
outside; `--openblas Haswell` tells it otherwise.
Each vector is held once by each contestant: with a million rows of 512 about 8 GB in all.
"""

import argparse
import ctypes
import functools
import glob
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PIP = "python3 -m pip install faiss-cpu==1.15.1 usearch==2.26.6"
# What makes faiss fast or slow; what a setting doesn't name is as faiss has it. BLAS for every
# batch needs a low threshold.
KNOBS = (
    "distance_compute_blas_threshold",
    "distance_compute_blas_database_bs",
    "distance_compute_blas_query_bs",
    "distance_compute_min_k_reservoir",
)
SETTINGS = {
    "default": {},
    "reservoir": {"distance_compute_min_k_reservoir": 1},
    "BLAS": {"distance_compute_blas_threshold": 1},
    "BLAS, 256 rows": {
        "distance_compute_blas_threshold": 1,
        "distance_compute_blas_database_bs": 256,
    },
    "BLAS, 4096 rows": {
        "distance_compute_blas_threshold": 1,
        "distance_compute_blas_database_bs": 4096,
    },
    "BLAS, 4096 rows, reservoir": {
        "distance_compute_blas_threshold": 1,
        "distance_compute_blas_database_bs": 4096,
        "distance_compute_min_k_reservoir": 1,
    },
}
# Peer's milliseconds over ours that are wanted at least: a million rows, one thread.
WANTED = {
    ("faiss", 512): {1: 4.2, 8: 12, 32: 6},
    ("faiss", 128): {1: 4, 8: 16, 32: 7},
    ("usearch", 512): {1: 4.2, 8: 10, 32: 10.5},
    ("usearch", 128): {1: 8, 8: 26, 32: 28},
}
# Scores nearer than this may be told apart differently in f32: a few hundred roundings of a number
# below one.
ROUNDING = 2.0**-18
INT8_MAX = 127
# Rows looked at for the scale of int8, and converted at a time.
SCALE_ROWS = 20_000
CONVERT_ROWS = 50_000


def main() -> None:
    options = arguments()
    prepare_environment(options.openblas)
    try:
        import faiss
        import numpy
        import usearch
    except ImportError as missing:
        sys.exit(f"{missing.name} is missing, wanted faiss and usearch: {PIP}")
    program = build()
    say = Report(options.json)
    say.line({"bench": "peers", "versions": versions(faiss, numpy, usearch)})
    with tempfile.TemporaryDirectory(prefix="peers-", dir=options.keep) as folder:
        for dimension in options.dimension:
            measure(options, program, Path(folder), dimension, say)
    say.end()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Our search beside faiss and usearch: the same vectors, in one run, in turn."
    )
    every = len(os.sched_getaffinity(0))
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a line instead of tables"
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="N (1000000)")
    parser.add_argument("--dimension", type=int, nargs="+", default=[128, 512], help="D (128 512)")
    parser.add_argument(
        "--threads",
        type=int,
        nargs="+",
        default=sorted({1, every}),
        help=f"of one search (1 and {every})",
    )
    parser.add_argument(
        "--batch",
        type=int,
        nargs="+",
        default=[1, 8, 32],
        help="probes searched for together (1 8 32)",
    )
    parser.add_argument("--k", type=int, default=50, help="candidates for each probe (50)")
    parser.add_argument(
        "--runs", type=int, default=9, help="of each contestant, after one that doesn't count (9)"
    )
    parser.add_argument(
        "--data", choices=("uniform", "clustered"), default="uniform", help="vectors (uniform)"
    )
    parser.add_argument(
        "--openblas",
        metavar="NAME",
        default=best_kernels(),
        help="kernels of OpenBLAS, by its name for them (the best)",
    )
    parser.add_argument(
        "--keep", metavar="DIR", help="folder for the vectors while they are needed (the system's)"
    )
    return parser.parse_args()


def best_kernels() -> str | None:
    """The name of the widest kernels that OpenBLAS has here; none where it may choose."""
    return "SkylakeX" if "avx512bw" in Path("/proc/cpuinfo").read_text() else None


def prepare_environment(kernels: str | None) -> None:
    """What the libraries read when they are loaded."""
    os.environ["OMP_WAIT_POLICY"] = "passive"
    os.environ.pop("OPENBLAS_CORETYPE", None)
    if kernels:
        os.environ["OPENBLAS_CORETYPE"] = kernels


def build() -> str:
    """Builds our bench and gives its path."""
    command = ["cargo", "bench", "--bench", "search", "--no-run", "--message-format", "json"]
    built = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    for line in built.stdout.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "search":
            return message["executable"]
    sys.exit("cargo named no program, wanted that of the bench `search`")


def versions(faiss, numpy, usearch) -> dict:
    found = {
        "python": sys.version.split()[0],
        "faiss": faiss.__version__,
        "numpy": numpy.__version__,
        "usearch": usearch.__version__,
    }
    found["faiss_options"] = faiss.get_compile_options().strip()
    found["ours"] = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    for path in glob.glob(str(Path(faiss.__file__).parents[1] / "faiss_cpu.libs" / "libopenblas*")):
        blas = ctypes.CDLL(path)
        blas.openblas_get_config.restype = ctypes.c_char_p
        found["openblas"] = blas.openblas_get_config().decode()
    models = [
        line.split(":")[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    found["processor"] = f"{models[0]} x {len(models)}" if models else "unknown"
    return found


class Ours:
    """Our bench in its serving mode."""

    def __init__(self, program: str, folder: Path, dimension: int, k: int):
        files = [
            "--rows-file",
            str(folder / "rows.f32"),
            "--probes-file",
            str(folder / "probes.f32"),
        ]
        command = [program, "--serve", "--dimension", str(dimension), "--k", str(k), *files]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.ready = self.read()

    def read(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"our bench ended with status {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            sys.exit(f"our bench: {answer['error']}")
        return answer

    def search(self, **command) -> dict:
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return self.read()

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait()


@functools.cache
def defaults() -> dict:
    """The knobs as faiss has them, read once.

    They belong to the process and stay where the last setting put them.
    """
    import faiss

    return {knob: getattr(faiss.cvar, knob) for knob in KNOBS}


class Faiss:
    """faiss' flat index of inner products."""

    def __init__(self, rows, probes, k: int):
        import faiss

        self.faiss, self.probes, self.k = faiss, probes, k
        self.index = faiss.IndexFlatIP(rows.shape[1])
        self.index.add(rows)

    def search(self, setting: str, threads: int, offset: int, batch: int):
        self.faiss.omp_set_num_threads(threads)
        for knob, value in {**defaults(), **SETTINGS[setting]}.items():
            setattr(self.faiss.cvar, knob, value)
        probes = self.probes[offset : offset + batch]
        return timed(lambda: self.index.search(probes, self.k))


class Usearch:
    """usearch's exact search over int8 codes of one scale."""

    def __init__(self, rows, probes, k: int):
        import numpy
        from usearch.index import MetricKind, search

        self.call, self.metric, self.k = search, MetricKind.IP, k
        scale = INT8_MAX / numpy.abs(rows[:SCALE_ROWS]).max()

        def codes(vectors):
            return numpy.clip(numpy.rint(vectors * scale), -INT8_MAX, INT8_MAX).astype(numpy.int8)

        self.rows = numpy.empty(rows.shape, numpy.int8)
        for first in range(0, len(rows), CONVERT_ROWS):
            self.rows[first : first + CONVERT_ROWS] = codes(rows[first : first + CONVERT_ROWS])
        self.probes = codes(probes)

    def search(self, threads: int, offset: int, batch: int):
        probes = self.probes[offset : offset + batch]
        return timed(
            lambda: self.call(self.rows, probes, self.k, self.metric, exact=True, threads=threads)
        )


def timed(call):
    """Milliseconds by the wall and by the processor, and what came back."""
    processor, wall = time.process_time(), time.perf_counter()
    found = call()
    return (time.perf_counter() - wall) * 1e3, (time.process_time() - processor) * 1e3, found


def measure(
    options: argparse.Namespace, program: str, folder: Path, dimension: int, say: "Report"
) -> None:
    import numpy

    made = ["--rows", str(options.rows), "--dimension", str(dimension), "--data", options.data]
    subprocess.run([program, *made, "--write", str(folder)], check=True)
    ours = Ours(program, folder, dimension, options.k)
    rows = numpy.fromfile(folder / "rows.f32", dtype="<f4").reshape(-1, dimension)
    probes = numpy.fromfile(folder / "probes.f32", dtype="<f4").reshape(-1, dimension)
    faiss, usearch = Faiss(rows, probes, options.k), Usearch(rows, probes, options.k)
    del rows
    say.line(
        {
            "bench": "peers",
            "n": options.rows,
            "d": dimension,
            "data": options.data,
            "device": ours.ready["device"],
        }
    )
    say.line(
        {
            "bench": "peers",
            "n": options.rows,
            "d": dimension,
            "k": options.k,
            "answers": compare(ours, faiss, usearch, options),
        }
    )
    for threads in options.threads:
        shown, load = {}, os.getloadavg()[0]
        for key, runs in in_turn(options, ours, faiss, usearch, len(probes), threads).items():
            name, setting, batch = key
            wall = [run[0] for run in runs]
            shown[key] = {
                "bench": "peers",
                "contestant": name,
                "setting": setting,
                "n": options.rows,
                "d": dimension,
                "k": options.k,
                "batch": batch,
                "threads": threads,
                "ms": statistics.median(wall),
                "ms_min": min(wall),
                "cpu_ms": statistics.median(run[1] for run in runs),
                "runs": len(runs),
                "load_before": load,
            }
        say.figures(dimension, threads, options.batch, shown)
    ours.end()


def in_turn(options, ours: Ours, faiss: Faiss, usearch: Usearch, probes: int, threads: int) -> dict:
    """Runs of (contestant, setting, batch), each after the other in every round.

    The first round doesn't count.
    """
    runs = {}
    slow = {}
    for run in range(options.runs + 1):
        for batch in options.batch:
            offset = run * batch % (probes - batch + 1)
            answer = ours.search(batch=batch, threads=threads, offset=offset)
            found = {("ours", "", batch): (answer["ms"], answer["cpu_ms"])}
            for setting in SETTINGS:
                if ("faiss", setting, batch) not in slow:
                    found["faiss", setting, batch] = faiss.search(setting, threads, offset, batch)[
                        :2
                    ]
            found["usearch", "int8", batch] = usearch.search(threads, offset, batch)[:2]
            if run > 0:
                for key, figures in found.items():
                    runs.setdefault(key, []).append(figures)
                continue
            best = min(figures[0] for key, figures in found.items() if key[0] == "faiss")
            slow |= {
                key: [figures]
                for key, figures in found.items()
                if key[0] == "faiss" and figures[0] > 2 * best
            }
    return runs | slow


def compare(ours: Ours, faiss: Faiss, usearch: Usearch, options) -> dict:
    """What share of our top-k the peers give, and whether faiss' is ours but for rounding."""
    batch, threads = max(options.batch), max(options.threads)
    exact = ours.search(batch=batch, threads=threads, offset=0, answers=True)
    told = {"probes": batch}
    for setting in ("default", "BLAS"):
        scores, rows = faiss.search(setting, threads, 0, batch)[2]
        told[f"faiss_{setting}_recall"] = recall(exact["rows"], rows)
        told[f"faiss_{setting}_equal_but_for_rounding"] = all(
            same_but_for_rounding(*probe)
            for probe in zip(exact["rows"], exact["scores"], rows, scores)
        )
    found = usearch.search(threads, 0, batch)[2]
    told["usearch_int8_recall"] = recall(exact["rows"], found.keys.reshape(batch, -1))
    return told


def recall(ours, theirs) -> float:
    return statistics.mean(
        len(set(a) & {int(row) for row in b}) / len(a) for a, b in zip(ours, theirs)
    )


def same_but_for_rounding(rows, scores, their_rows, their_scores) -> bool:
    """Whether two lists are the same but for rounding.

    What only one of both has scores like the last one of the other, and what both have scores
    alike.
    """
    mine, theirs = dict(zip(rows, scores)), {
        int(row): float(score) for row, score in zip(their_rows, their_scores)
    }
    last, their_last = min(mine.values()), min(theirs.values())
    return (
        len(mine) == len(theirs)
        and all(
            abs(score - theirs[row]) < ROUNDING if row in theirs else score < their_last + ROUNDING
            for row, score in mine.items()
        )
        and all(row in mine or score > last - ROUNDING for row, score in theirs.items())
    )


class Report:
    """Tables for people, or JSON lines."""

    def __init__(self, as_json: bool):
        self.as_json = as_json
        self.missed = 0

    def line(self, found: dict) -> None:
        if self.as_json:
            print(json.dumps(found), flush=True)
        else:
            print(
                *(f"{key}: {value}" for key, value in found.items() if key != "bench"),
                sep="; ",
                flush=True,
            )

    def figures(self, dimension: int, threads: int, batches: list, shown: dict) -> None:
        if self.as_json:
            for figure in shown.values():
                print(json.dumps(figure), flush=True)
        else:
            load = next(iter(shown.values()))["load_before"]
            plural = "s" if threads > 1 else ""
            print(
                f"\nD = {dimension}, {threads} thread{plural}; median ms (of the processor); "
                f"load average before: {load:.1f}"
            )
            for name, setting, batch in sorted(
                shown, key=lambda key: (key[2], list(shown).index(key))
            ):
                figure = shown[name, setting, batch]
                once = " once" if figure["runs"] == 1 else ""
                print(
                    f"  b{batch:<3} {name:8} {setting:28} {figure['ms']:9.2f} "
                    f"({figure['cpu_ms']:.1f}){once}"
                )
        for batch in batches:
            for peer in ("faiss", "usearch"):
                self.ratio(dimension, threads, batch, peer, shown)

    def ratio(self, dimension: int, threads: int, batch: int, peer: str, shown: dict) -> None:
        theirs = [
            figure
            for (name, _, theirs), figure in shown.items()
            if name == peer and theirs == batch
        ]
        best = min(theirs, key=lambda figure: figure["ms"])
        ours = shown["ours", "", batch]
        ratio = best["ms"] / ours["ms"]
        # Where others use the machine, this one is steadier: time taken away doesn't count.
        cpu_ratio = min(figure["cpu_ms"] for figure in theirs) / ours["cpu_ms"]
        wanted = (
            WANTED.get((peer, dimension), {}).get(batch)
            if threads == 1 and best["n"] == 1_000_000
            else None
        )
        self.missed += wanted is not None and ratio < wanted
        if self.as_json:
            told = {
                "peer": peer,
                "setting": best["setting"],
                "d": dimension,
                "batch": batch,
                "threads": threads,
            }
            print(
                json.dumps(
                    {
                        "bench": "peers",
                        **told,
                        "ratio": ratio,
                        "cpu_ratio": cpu_ratio,
                        "wanted": wanted,
                    }
                ),
                flush=True,
            )
        else:
            aim = f", wanted {wanted}{'' if ratio >= wanted else ': MISSED'}" if wanted else ""
            print(
                f"  b{batch:<3} {peer} ({best['setting']}) takes {ratio:.2f} times as long as "
                f"ours ({cpu_ratio:.2f} by the processor){aim}"
            )

    def end(self) -> None:
        if not self.as_json:
            print(f"\n{self.missed} of the wanted ratios missed")


if __name__ == "__main__":
    main()
