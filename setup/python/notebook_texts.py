"""Prints the texts of notebooks as jupytext writes them (percent format), as one JSON object by path.

    python notebook_texts.py NOTEBOOK...
"""
import json
import sys

import jupytext


def text_of(path):
    notebook = jupytext.read(path)
    # Only what belongs to the content: a new jupytext is no change of a notebook.
    notebook.metadata.setdefault("jupytext", {})["notebook_metadata_filter"] = "kernelspec,-all"
    notebook.metadata["jupytext"]["cell_metadata_filter"] = "tags,-all"
    return jupytext.writes(notebook, fmt="ts:percent")


print(json.dumps({path: text_of(path) for path in sys.argv[1:]}))
