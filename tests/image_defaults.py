"""Asks a real API server for the default pull policy of each image in the table, and writes the table.

`make image-defaults` runs it. To add an image, add it to tests/data/image_defaults.json with null as its policy.
"""

import json
from contextlib import closing
from pathlib import Path

from local_cluster.api import Client
from local_cluster.control_plane import control_plane
from local_cluster.isolation import isolated

_CHECKOUT = Path(__file__).resolve().parent.parent
TABLE = _CHECKOUT / "tests" / "data" / "image_defaults.json"


def ask(client: Client, image: str) -> str:
    """Return the policy that the API server gives a container and an image volume that do not state any."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {
            "containers": [{"name": "c", "image": image}],
            "volumes": [{"name": "v", "image": {"reference": image}}],
        },
    }
    answer = client.request("POST", "/api/v1/namespaces/default/pods?dryRun=All", pod)
    assert answer.code == 201, f"{image}: {answer.message}"
    spec = answer.body["spec"]
    policy: str = spec["containers"][0]["imagePullPolicy"]
    assert spec["volumes"][0]["image"]["pullPolicy"] == policy, image
    return policy


def main() -> None:
    """Write the table."""
    images = json.loads(TABLE.read_text("utf-8"))["images"]
    with (
        isolated() as folder,
        control_plane(
            _CHECKOUT / ".tools" / "bin", folder, users={}, options={"disable-admission-plugins": "ServiceAccount"}
        ) as plane,
        closing(plane.client()) as client,
    ):
        version = client.request("GET", "/version").body["gitVersion"]
        table = {
            "source": f"kube-apiserver {version}, of a container and an image volume that state no pull policy",
            "images": {image: ask(client, image) for image in images},
        }
    TABLE.write_text(json.dumps(table, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
