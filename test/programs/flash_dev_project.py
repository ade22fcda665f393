"""A small project for `flash dev`: one function and one class, each on its own endpoint."""

from runpod_flash import Endpoint, GpuType


@Endpoint(name="dev-double", gpu=GpuType.NVIDIA_GEFORCE_RTX_4090, workers=(0, 1), idle_timeout=30)
async def double(number: int):
    import os

    if number < 0:
        raise ValueError("negative numbers are not doubled")
    return {"doubled": number * 2, "endpoint": os.environ.get("RUNPOD_ENDPOINT_ID")}
