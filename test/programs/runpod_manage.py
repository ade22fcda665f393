"""Endpoints for existing images as `runpod` creates them, in 1.x over GraphQL and in 2.0 over REST v2:
`runpod_manage.py IMAGE INPUT` (the input of one job as JSON)."""

import json
import os
import sys

import runpod

runpod.api_key = os.environ["RUNPOD_API_KEY"]
IMAGE, INPUT = sys.argv[1], json.loads(sys.argv[2])
REST = runpod.__version__.startswith("2")


def template(name, **more):
    return runpod.create_template(name, IMAGE, container_disk_in_gb=10, is_serverless=True, **more)


def refusal(call, *args, **more):
    try:
        return {"returned": call(*args, **more)}
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def delete(kind, thing):
    if REST:
        from runpod.api.rest import run_rest_request

        return run_rest_request("DELETE", f"/v2/{kind}/{thing['id']}")
    from runpod.api.graphql import run_graphql_query

    if kind == "templates":
        return run_graphql_query(f'mutation {{ deleteTemplate(templateName: "{thing["name"]}") }}')
    return run_graphql_query(f'mutation {{ deleteEndpoint(id: "{thing["id"]}") }}')


def manage():
    first = template("first", env={"MODE": "a"}, ports="8000/http")
    endpoint = runpod.create_endpoint("managed", first["id"], gpu_ids="AMPERE_16", workers_max=1, idle_timeout=60)
    output = runpod.Endpoint(endpoint["id"]).run_sync({"input": INPUT}, timeout=90)
    second = template("second", env={"MODE": "b"})
    swapped = runpod.update_endpoint_template(endpoint["id"], second["id"])
    found = {
        "template": first,
        "endpoint": endpoint,
        "output": output,
        "swapped": swapped,
        "after": runpod.Endpoint(endpoint["id"]).run_sync({"input": INPUT}, timeout=90),
        "listed": runpod.get_endpoints(),
        "again": template("second", env={"MODE": "b"})["id"] == second["id"],
        "otherContent": refusal(template, "second", env={"MODE": "c"}),
        "unknownTemplate": refusal(runpod.create_endpoint, "none", "no-such-template"),
        "podTemplate": refusal(
            lambda: runpod.create_endpoint("pods", runpod.create_template("for pods", IMAGE)["id"])
        ),
        # Over REST an endpoint keeps no link to its template.
        "inUse": None if REST else refusal(delete, "templates", second),
    }
    delete("serverless", endpoint)
    delete("templates", first)
    delete("templates", second)
    return {**found, **registries(), "left": runpod.get_endpoints(), **catalogue(), **out_of_scope()}


def registries():
    made = runpod.create_container_registry_auth("mine", "me", "open sesame")
    private = template("private", registry_auth_id=made["id"])
    endpoint = runpod.create_endpoint("private", private["id"], workers_max=0)
    found = {
        "registry": made,
        "updated": runpod.update_container_registry_auth(made["id"], "you", "another one"),
        "sameName": refusal(runpod.create_container_registry_auth, "mine", "me", "x"),
        "unknownRegistry": refusal(template, "unknown", registry_auth_id="no-such-registry"),
        "registryInUse": refusal(runpod.delete_container_registry_auth, made["id"]),
    }
    delete("serverless", endpoint)
    delete("templates", private)
    return {**found, "deleted": runpod.delete_container_registry_auth(made["id"])}


def catalogue():
    return {
        "gpus": len(runpod.get_gpus()),
        "gpu": runpod.get_gpu("NVIDIA GeForce RTX 4090"),
        "unknownGpu": refusal(runpod.get_gpu, "NVIDIA Voodoo"),
        "user": runpod.get_user(),
    }


def out_of_scope():
    calls = {
        "getPods": (runpod.get_pods,),
        "stopPod": (runpod.stop_pod, "x"),
        "terminatePod": (runpod.terminate_pod, "x"),
        "userSettings": (runpod.update_user_settings, "ssh-ed25519 x"),
    }
    return {name: refusal(*call) for name, call in calls.items()}


if __name__ == "__main__":
    print("@@ " + json.dumps(manage()))
