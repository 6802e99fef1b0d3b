"""Executes notebooks with Jupyter's own tools, all in one process (importing them takes longer than a small notebook does).

    python jupyter_tools.py FOLDER

Reads FOLDER/jobs.json, a list of {"tool": "nbconvert" | "papermill" | "nbmake", "file": ..., "parameters": {...}, "timeout": seconds}, and
writes FOLDER/results.json: for each job {"ok": bool, "error": text, "cells": [{"outputs": [...], "execution_count": ...}]}.
"""
import concurrent.futures
import json
import multiprocessing
import os
import pathlib
import sys

import nbformat
import papermill
import pytest
from nbconvert.preprocessors import ExecutePreprocessor
from nbmake.nb_run import NotebookRun  # noqa: F401  (imported once, before the processes part)


def nbconvert(file, out, job):
    notebook = nbformat.read(file, as_version=4)
    executor = ExecutePreprocessor(timeout=job["timeout"])
    try:
        executor.preprocess(notebook, {"metadata": {"path": str(file.parent)}})
    finally:
        nbformat.write(notebook, out)


def with_papermill(file, out, job):
    papermill.execute_notebook(str(file), str(out), parameters=job.get("parameters", {}), cwd=str(file.parent), execution_timeout=job["timeout"], progress_bar=False, log_output=False)


class Reports:
    """pytest's own words on a notebook."""

    def __init__(self):
        self.failures = []

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failures.append(str(report.longrepr))


def nbmake(file, out, job):
    reports = Reports()
    options = ["--nbmake", f"--nbmake-timeout={job['timeout']}", "--overwrite", "-q", "-q", "-p", "no:cacheprovider", "--rootdir", str(file.parent)]
    out.write_bytes(file.read_bytes())  # nbmake writes into the file that it runs
    code = pytest.main([*options, str(out)], plugins=[reports])
    if code != 0:
        raise RuntimeError("\n".join(reports.failures) or f"pytest ended with {code}")


TOOLS = {"nbconvert": nbconvert, "papermill": with_papermill, "nbmake": nbmake}


def run(folder, number, job):
    file = pathlib.Path(folder, job["file"])
    out = file.with_name(f"{file.stem}.{job['tool']}.{number}.ipynb")
    error = ""
    try:
        TOOLS[job["tool"]](file, out, job)
    except Exception as problem:
        error = f"{type(problem).__name__}: {problem}"
    cells = []
    if out.exists():
        notebook = nbformat.read(out, as_version=4)
        nbformat.validate(notebook)
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return {"ok": error == "", "error": error, "cells": cells}


def main(folder):
    jobs = json.loads(pathlib.Path(folder, "jobs.json").read_text())
    sys.stdout = sys.stderr = open(os.devnull, "w")
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as pool:
        results = list(pool.map(run, [folder] * len(jobs), range(len(jobs)), jobs))
    pathlib.Path(folder, "results.json").write_text(json.dumps(results))


main(sys.argv[1])
