"""Entry point of the Python side: `python supervisor.py <socket> <fifo> <marker> <vendor dir>`, or
`python supervisor.py --beside <vendor dir> <command of the agent>`, which becomes the agent and has the supervisor as its child.

Keeps our own packages at the END of sys.path, so that they never hide packages of the user's image or dependencies.
Needs Python 3.9 or newer and nothing but its standard library.
"""

import sys

_HERE = sys.path.pop(0)
sys.path.append(_HERE)

if sys.version_info < (3, 9):
    sys.exit("Runyard needs Python 3.9 or newer in the worker, this is %s" % sys.version.split()[0])

if sys.argv[1] == "--beside":
    from runyard_runner import launch

    sys.argv[1:] = [*launch.become_agent(sys.argv[3:]), sys.argv[2]]

sys.path.append(sys.argv[4])
sys.path.insert(0, "")

from runyard_runner import supervisor  # noqa: E402

if __name__ == "__main__":
    supervisor.main(socket_path=sys.argv[1], fifo_path=sys.argv[2], marker=sys.argv[3], vendor_dir=sys.argv[4])
