# The default worker image: Python with the packages that functions commonly need. It contains nothing of Runyard: the agent is mounted.
# Any base image with Python and apt works, e.g. one with CUDA: docker build --build-arg BASE=… -f worker.Dockerfile .
# Pin the base by its digest, `python:3.12-slim@sha256:…`; docs/operations.md says where to find it. Its own packages stay unchanged.
ARG BASE=python:3.12-slim

# Downloads the Python packages. What Flash imports is in a directory of its own: the agent adds it to the path of deployed apps that do not bring it.
# Only /staged is copied on: files next to this one that name an index (pip.conf, perhaps with a password) or
# trusted certificates (build-ca.pem, behind a company proxy) are in no layer and no history of the image.
FROM ${BASE} AS packages
ARG BUILD=none
LABEL runyard.build=${BUILD}
ENV PIP_BREAK_SYSTEM_PACKAGES=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.lock flash.lock missing.py pip.conf* build-ca.pem* /tmp/build/
RUN set -eu; \
    cd /tmp/build; \
    if [ -f pip.conf ]; then export PIP_CONFIG_FILE=/tmp/build/pip.conf; fi; \
    if [ -f build-ca.pem ]; then export PIP_CERT=/tmp/build/build-ca.pem; fi; \
    python3 missing.py requirements.lock >missing.lock; \
    mkdir /staged; \
    if [ -s missing.lock ]; then \
      python3 -m pip install --no-cache-dir --no-warn-script-location --root /staged --no-deps --only-binary :all: --require-hashes -r missing.lock; \
    fi; \
    flash=/staged/usr/local/lib/runyard-flash/$(python3 -c 'import sys; print("python%d.%d" % sys.version_info[:2])'); \
    python3 -m pip install --no-cache-dir --target "$flash" --no-deps --only-binary :all: --require-hashes -r flash.lock

FROM ${BASE}

# Packages are installed into the system's Python at request time, even if Debian marks it as externally managed.
ENV PIP_BREAK_SYSTEM_PACKAGES=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    UV_SYSTEM_PYTHON=1 \
    UV_BREAK_SYSTEM_PACKAGES=1 \
    UV_LINK_MODE=copy \
    PYTHONUNBUFFERED=1 \
    DEBIAN_FRONTEND=noninteractive

# git and compilers, for packages that are distributed as source. A distribution's own Python also needs its headers.
RUN set -eu; \
    headers=""; if [ "$(command -v python3)" = /usr/bin/python3 ]; then headers=python3-dev; fi; \
    apt-get update; \
    apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io \
      ca-certificates curl git gcc g++ libc6-dev make $headers; \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb; \
    command -v python >/dev/null || ln -s python3 /usr/bin/python

COPY --from=packages /staged/ /

WORKDIR /work
