# The default worker image: a Python with what functions commonly need. Nothing of Runyard is in it: the agent is mounted.
# Any base with a Python and apt will do, e.g. one with CUDA: docker build --build-arg BASE=… -f worker.Dockerfile .
ARG BASE=python:3.12-slim
FROM ${BASE}

# Used while building where they are set, and not kept.
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_TRUSTED_HOST
ARG UV_INDEX_URL
ARG UV_DEFAULT_INDEX

# Packages are installed into the system's Python at request time, also where Debian marks it as externally managed.
ENV PIP_BREAK_SYSTEM_PACKAGES=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    UV_SYSTEM_PYTHON=1 \
    UV_BREAK_SYSTEM_PACKAGES=1 \
    UV_LINK_MODE=copy \
    PYTHONUNBUFFERED=1 \
    DEBIAN_FRONTEND=noninteractive

# git and compilers, for packages that come as source. A distribution's own Python needs its headers beside them.
RUN set -eu; \
    headers=""; if [ "$(command -v python3)" = /usr/bin/python3 ]; then headers=python3-dev; fi; \
    apt-get update; \
    apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io \
      ca-certificates curl git gcc g++ libc6-dev make $headers; \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb; \
    command -v python >/dev/null || ln -s python3 /usr/bin/python

# A file called build-ca.pem beside this one is trusted while building, for registries behind a company proxy.
COPY worker.Dockerfile build-ca.pem* /tmp/build/

# uv for quick installs; aiohttp and cloudpickle because stacked calls import them on the worker; the rest is what functions reach for first.
RUN set -eu; \
    if [ -f /tmp/build/build-ca.pem ]; then \
      export PIP_CERT=/tmp/build/build-ca.pem SSL_CERT_FILE=/tmp/build/build-ca.pem REQUESTS_CA_BUNDLE=/tmp/build/build-ca.pem; \
    fi; \
    pip install --no-cache-dir uv; \
    uv pip install --no-cache --compile-bytecode aiohttp cloudpickle requests httpx pydantic numpy; \
    rm -rf /tmp/build

WORKDIR /work
