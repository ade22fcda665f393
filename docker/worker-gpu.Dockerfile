# The worker image with torch, as Runpod's own GPU images have it. Build it once runyard/worker is there, and name it in the settings:
#   docker build -t runyard/worker-gpu -f docker/worker-gpu.Dockerfile docker
#   defaultImages: { gpu: runyard/worker-gpu:latest }
# For another Python, build runyard/worker on it first (--build-arg BASE=python:3.10-slim), give that image another name, and name it in BASE here.
ARG BASE=runyard/worker:latest
FROM ${BASE}

# Arguments of pip: versions to pin, e.g. "torch==2.9.1 torchvision torchaudio", and an index of your own (--index-url …). The wheels bring the CUDA
# libraries.
ARG PACKAGES="torch torchvision torchaudio"
RUN python3 -m pip install --no-cache-dir --no-warn-script-location ${PACKAGES}
