"""Prints the entries of a lock whose packages this Python lacks; packages of the base image stay unchanged. `missing.py requirements.lock`"""

import importlib.metadata
import re
import sys


def is_present(name):
    try:
        importlib.metadata.version(name)
        return True
    except importlib.metadata.PackageNotFoundError:
        return False


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        # An entry continues in indented lines.
        entries = re.split(r"\n(?=\S)", file.read().strip())
    for entry in entries:
        if not entry.startswith("#") and not is_present(re.match(r"[\w.-]+", entry).group()):
            print(entry)


if __name__ == "__main__":
    main()
