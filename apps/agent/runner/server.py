"""Entry point of the server of a load-balanced endpoint: `python server.py <vendor dir>`, started by the agent in place of supervisor.py.

Keeps our own packages at the END of sys.path, as supervisor.py does.
"""

import sys

_HERE = sys.path.pop(0)
sys.path.append(_HERE)
sys.path.append(sys.argv[1])
sys.path.insert(0, "")

if sys.version_info < (3, 9):
    sys.exit("Runyard needs Python 3.9 or newer in the worker, this is %s" % sys.version.split()[0])

from runyard_runner import server  # noqa: E402

if __name__ == "__main__":
    server.main(vendor_dir=sys.argv[1])
