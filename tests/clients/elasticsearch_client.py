"""Ships numbered documents with the elasticsearch client; prints what it saw as one JSON object.

Modes: probe (what applications ask and set up), bulk (helpers.bulk), stream (helpers.streaming_bulk,
which tries again for as long as it takes).
"""

import datetime
import json
import os
import sys
import time
import urllib.parse

from elastic_transport import NodeConfig
from elasticsearch import ApiError, ConnectionError, ConnectionTimeout, Elasticsearch, helpers

URL = os.environ["BERGFRIED_URL"]
TOKEN = os.environ["BERGFRIED_TOKEN"]
COUNT = int(os.environ.get("COUNT", "100"))
CHUNK = int(os.environ.get("CHUNK", "500"))


def client(**options):
    return Elasticsearch(URL, basic_auth=("elastic", TOKEN), request_timeout=60, **options)


def documents(count, operation="create", with_id=False):
    for number in range(count):
        now = datetime.datetime.now(datetime.timezone.utc)
        document = {
            "_op_type": operation,
            "_index": "logs-app.access-default",
            "@timestamp": now.isoformat(),
            "host": {"name": "web"},
            "message": f"document {number} of the client",
            "number": number,
        }
        if with_id:
            document["_id"] = f"document-{number}"
        yield document


def probe():
    es = client()
    info = es.info()
    seen = {
        "product": info.meta.headers["x-elastic-product"],
        "version": info["version"]["number"],
        "uuid": es.info()["cluster_uuid"] == info["cluster_uuid"],
        "ping": es.ping(),
        "health": es.cluster.health()["status"],
        "exists": bool(es.indices.exists(index="logs-app.access-default")),
        "template": bool(es.indices.exists_index_template(name="logs")),
        "license": es.license.get()["license"]["status"],
    }
    es.indices.put_index_template(name="logs", index_patterns=["logs-*"], priority=500)
    es.indices.create(index="plain")
    es.ingest.put_pipeline(id="mine", processors=[])
    es.ilm.put_lifecycle(name="mine", policy={"phases": {}})
    one = es.index(index="plain", document={"message": "one", "number": 1})
    seen["one"] = [one["result"], one["_index"], one["_version"], one.meta.status]
    es.create(index="plain", id="seven", document={"message": "seven"})
    try:
        es.create(index="plain", id="seven", document={"message": "seven"})
    except ApiError as error:
        seen["again"] = [error.status_code, error.body["error"]["type"]]
    es.indices.refresh(index="plain")
    for name, options in [
        ("stranger", {"basic_auth": ("elastic", "wrong")}),
        ("api_key", {"api_key": ("any id", TOKEN)}),
        ("bare_api_key", {"api_key": TOKEN}),
        ("bearer", {"bearer_auth": TOKEN}),
        ("compressed", {"bearer_auth": TOKEN, "http_compress": True}),
    ]:
        try:
            other = Elasticsearch(URL, **options)
            seen[name] = other.index(index="plain", document={"message": name}).meta.status
        except ApiError as error:
            seen[name] = error.status_code
    # The client asks for nodes without the credentials of its requests, only with those of a node.
    address = urllib.parse.urlsplit(URL)
    authorization = {"authorization": f"Bearer {TOKEN}"}
    node = NodeConfig("http", address.hostname, address.port, headers=authorization)
    sniffing = Elasticsearch([node], sniff_on_start=True)
    seen["sniffed"] = [node.config.port for node in sniffing.transport.node_pool.all()]
    return seen


def bulk():
    es = client(http_compress=os.environ.get("COMPRESS") == "yes")
    stored, errors = helpers.bulk(es, documents(COUNT), chunk_size=CHUNK, raise_on_error=False)
    wrong = [
        {"_op_type": "create", "_index": "logs-app.access-default", "_id": "a", "message": "first"},
        {"_op_type": "create", "_index": "logs-app.access-default", "_id": "a", "message": "again"},
        {"_op_type": "delete", "_index": "logs-app.access-default", "_id": "a"},
        {"_op_type": "index", "_index": "logs-app.access-default", "message": "last"},
    ]
    results = [
        (name, item["status"], item.get("error", {}).get("type"))
        for ok, action in helpers.streaming_bulk(es, wrong, raise_on_error=False)
        for name, item in action.items()
    ]
    return {"stored": stored, "errors": errors, "results": results}


def stream():
    """Each chunk is sent again until it is acknowledged, as shippers do."""
    es = client(max_retries=0)
    acknowledged = refused = broken = 0
    chunk = []
    for document in documents(COUNT):
        chunk.append(document)
        if len(chunk) < CHUNK and document["number"] + 1 < COUNT:
            continue
        actions = [part for one in chunk for part in _lines(one)]
        while True:
            try:
                answer = es.bulk(operations=actions, filter_path="errors,items.*.error,items.*.status")
                if answer["errors"]:
                    raise SystemExit(f"errors: {answer}")
                acknowledged += sum(item["create"]["status"] == 201 for item in answer["items"])
                break
            except ApiError as error:
                if error.status_code != 429:
                    raise
                refused += 1
                time.sleep(min(float(error.meta.headers.get("retry-after", "1")), 5))
            except (ConnectionError, ConnectionTimeout):
                broken += 1
                time.sleep(0.05)
        chunk = []
        print(acknowledged, file=sys.stderr, flush=True)
    return {"acknowledged": acknowledged, "refused": refused, "broken": broken}


def _lines(document):
    source = {name: value for name, value in document.items() if not name.startswith("_")}
    return {"create": {"_index": document["_index"]}}, source


def patient():
    """helpers.bulk with its own way of trying again."""
    es = client()
    stored, errors = helpers.bulk(
        es, documents(COUNT), chunk_size=CHUNK, max_retries=20, initial_backoff=0.2, max_backoff=2
    )
    return {"stored": stored, "errors": errors}


modes = {"probe": probe, "bulk": bulk, "stream": stream, "patient": patient}
print(json.dumps(modes[sys.argv[1]]()))
