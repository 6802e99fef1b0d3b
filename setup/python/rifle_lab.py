"""Starts JupyterLab for `rifle lab`: rifle_lab.py PARENT ARGUMENT... It ends when the process PARENT has ended."""
import os
import signal
import sys
import threading
import time


def end_with(parent: int) -> None:
    """Ends this process as a polite kill does, so that the server ends its kernels first."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    parent = int(sys.argv.pop(1))
    threading.Thread(target=end_with, args=(parent,), daemon=True).start()
    from jupyterlab.labapp import main

    sys.exit(main())
