"""The real huggingface_hub: loads a model from the hub of HF_ENDPOINT, or offline from a cache, and says what it sees."""

import json
import os
import sys

from huggingface_hub import hf_hub_download, scan_cache_dir, snapshot_download, try_to_load_from_cache

repo, file = sys.argv[1:3]
directory = snapshot_download(repo)
with open(hf_hub_download(repo, file)) as opened:
    text = opened.read()
cache = os.environ["HF_HUB_CACHE"]
seen = scan_cache_dir(cache)
home = os.path.join(cache, "models--" + repo.replace("/", "--"))
blobs = {name: os.path.getsize(os.path.join(home, "blobs", name)) for name in os.listdir(os.path.join(home, "blobs"))}
print(
    "@@",
    json.dumps(
        {
            "text": text,
            "files": sorted(os.path.relpath(os.path.join(at, name), directory) for at, _, names in os.walk(directory) for name in names),
            "links": {name: os.readlink(os.path.join(directory, name)) for name in sorted(os.listdir(directory)) if os.path.islink(os.path.join(directory, name))},
            "blobs": blobs,
            "is_cached": isinstance(try_to_load_from_cache(repo, file), str),
            "revisions": sorted(revision.commit_hash for one in seen.repos for revision in one.revisions),
            "refs": sorted(ref for one in seen.repos for ref in one.refs),
            "warnings": [str(warning) for warning in seen.warnings],
        }
    ),
)
