"""AppSync's HTTP answers, status by status (appsync-protocol.md 5.1, 5.2, 5.3), asked for with httpx.

    python3 appsync_http.py URL COUNTER_KEY DESK_KEY        (pip install httpx)
"""

import json
import sys
import uuid

import httpx
from checks import PATIENCE, Checks

check = Checks("http")


def run(url, counter_key, desk_key):
    client = httpx.Client(timeout=PATIENCE)
    key = {"x-api-key": counter_key}
    small = {"query": "{ listZones(limit: 1) { items { id } } }"}

    def post(body, headers=key, **arguments):
        if isinstance(body, (dict, list)):
            return client.post(url, json=body, headers=headers, **arguments)
        return client.post(url, content=body, headers=headers, **arguments)

    def refused(answer, status, error_type, message, text):
        check.equal(answer.status_code, status, text)
        errors = answer.json()["errors"]
        check.equal([(e["errorType"], e["message"]) for e in errors], [(error_type, message)], text)
        check("data" not in answer.json(), f"{text}: without data")

    # 5.2, row by row.
    malformed = "MalformedHttpRequestException"
    refused(post(b""), 400, malformed, "Request body is empty.", "an empty body")
    for body in (b"{", b"{}", b"[]", b"null", b"5", b'"x"', b'{"query":5}', b'{"query":null}', b"\xff", b'{"query":"{"}'):
        refused(post(body), 400, malformed, "Unable to parse GraphQL query.", f"the body {body!r}")
    refused(post([small]), 400, malformed, "Unable to parse GraphQL query.", "a batch in an array")
    refused(post({**small, "variables": []}), 400, malformed, "Unable to parse GraphQL query.", "variables in a list")
    two = "query A { __typename } query B { listZones { nextToken } }"
    refused(post({"query": two}), 400, malformed, "Missing operation name.", "two operations and no name")
    refused(
        post({"query": two, "operationName": "C"}), 400, malformed, "Unknown operation named 'C'.", "a name of neither"
    )
    check.equal(post({"query": two, "operationName": "A"}).json()["data"], {"__typename": "Query"}, "the one named")
    unauthorized = "UnauthorizedException"
    answer = post(small, headers={})
    refused(answer, 401, unauthorized, "Valid authorization header not provided.", "no credentials")
    check.equal(answer.headers["x-amzn-errortype"], unauthorized, "the kind stands in a header")
    refused(post(small, headers={"x-api-key": "wrong"}), 401, unauthorized, "You are not authorized to make this call.", "a wrong key")
    answer = post(small, headers={"authorization": "no.such.token"})
    check.equal((answer.status_code, answer.json()["errors"][0]["errorType"]), (401, unauthorized), "a bad token")
    signed = "AWS4-HMAC-SHA256 Credential=A/20261121/eu-west-1/appsync/aws4_request, SignedHeaders=host, Signature=0"
    answer = post(small, headers={"authorization": signed, "x-amz-date": "20261121T094100Z"})
    check.equal((answer.status_code, answer.json()["errors"][0]["errorType"]), (401, unauthorized), "a signature of AWS")

    # What the body says with status 200.
    answer = post({"query": "{ listBookLines { items { id } } a: listZones(limit: 1) { nextToken } }"})
    check.equal(answer.status_code, 200, "a denied field")
    found = answer.json()
    check.equal(found["data"]["listBookLines"], None, "is null")
    check(found["data"]["a"] is not None, "and the other is there")
    error = found["errors"][0]
    check.equal(error["errorType"], "Unauthorized", "errorType stands at the top")
    check.equal(error["message"], "Not Authorized to access listBookLines on type Query", "the message names the field")
    check.equal(error["path"], ["listBookLines"], "and the path too")
    check.equal(error["locations"], [{"line": 1, "column": 3, "sourceName": None}], "with its place")
    check({"data", "errorInfo"} <= error.keys() and "extensions" not in error, "in AppSync's shape")
    for query, message in (
        ("{ nope }", "Validation error of type FieldUndefined: Field 'nope' in type 'Query' is undefined @ 'nope'"),
        ("{ getZone { id } }", "Validation error of type MissingFieldArgument: Missing field argument id @ 'getZone'"),
        (
            '{ getZone(id: "1", foo: 1) { id } }',
            "Validation error of type UnknownArgument: Unknown field argument foo @ 'getZone'",
        ),
    ):
        answer = post({"query": query})
        check.equal(answer.status_code, 200, query)
        check.equal(answer.json()["data"], None, query)
        check.equal([e["message"] for e in answer.json()["errors"]], [message], query)
        check("errorType" not in answer.json()["errors"][0], "validation errors have no errorType")
    create = "mutation C($input: CreateZoneInput!) { createZone(input: $input) { id _version _deleted } }"
    for variables, message in (
        ({}, "Variable 'input' has coerced Null value for NonNull type 'CreateZoneInput!'"),
        (
            {"input": {"foo": 1}},
            "The variables input contains a field name 'foo' that is not defined for input object type "
            "'CreateZoneInput' ",
        ),
    ):
        answer = post({"query": create, "variables": variables}, headers={"x-api-key": desk_key})
        check.equal(answer.status_code, 200, message)
        check.equal(answer.json()["errors"][0]["message"], message, "the text that clients look for")
    answer = post({"query": "subscription { onCreateZone { id } }"})
    check.equal((answer.status_code, answer.json()["errors"][0]["errorType"]), (200, "UnsupportedOperation"), "a subscription")

    # Headers, kinds of body, GET.
    answer = post(small)
    check.equal(answer.headers["content-type"], "application/json;charset=UTF-8", "the kind of answer")
    check(len(answer.headers["x-amzn-requestid"]) == 36, "a request has an id")
    check(answer.headers["x-amzn-requestid"] != post(small).headers["x-amzn-requestid"], "of its own")
    for kind in ("application/graphql", "text/plain", "application/json; charset=utf-8"):
        headers = {**key, "content-type": kind}
        check(post(json.dumps(small).encode(), headers).json()["data"], f"JSON as {kind}")
    bare = post(b"{ __typename }", {**key, "content-type": "application/graphql"})
    check.equal(bare.json()["data"], {"__typename": "Query"}, "a bare document as application/graphql")
    got = client.get(url, params={"query": "query Q($n: Int) { listZones(limit: $n) { items { id } } }", "variables": '{"n":1}', "operationName": "Q"}, headers=key)
    check(got.status_code == 200 and got.json()["data"]["listZones"], "a query by GET")
    zone = {"id": f"http-{uuid.uuid4().hex[:8]}", "code": "H", "name": "H", "walkSequence": 1}
    desk = {"x-api-key": desk_key}
    got = client.get(url, params={"query": create, "variables": json.dumps({"input": zone})}, headers=desk)
    refused(got, 405, malformed, "Mutations are sent by POST.", "a mutation by GET")
    got = client.get(url, params={"query": create, "variables": "{"}, headers=desk)
    check.equal(got.status_code, 400, "variables that are no JSON, by GET")
    check.equal(client.get(url, headers=key).status_code, 400, "a GET without a query")
    check.equal(client.put(url, headers=key).status_code, 405, "another method")
    check.equal(client.get(url.replace("/graphql", "/nothing")).status_code, 404, "another path")
    large = post(b" " * (9 << 20))
    check.equal(large.status_code, 413, "a body that is too large")

    # Errors of resolvers: 3.4.
    answer = post({"query": create, "variables": {"input": zone}}, headers=desk).json()
    check.equal(answer["data"]["createZone"], {"id": zone["id"], "_version": 1, "_deleted": None}, "a create")
    answer = post({"query": create, "variables": {"input": {**zone, "name": "other"}}}, headers=desk).json()
    check.equal(answer["errors"][0]["errorType"], "ConditionalCheckFailedException", "the same id with other content")
    check.equal(answer["data"], {"createZone": None}, "with the field null")
    update = "mutation U($input: UpdateZoneInput!) { updateZone(input: $input) { __typename id name _version _deleted } }"
    changed = {"id": zone["id"], "name": "b", "_version": 1}
    check.equal(post({"query": update, "variables": {"input": changed}}, headers=desk).json()["data"]["updateZone"]["_version"], 2, "an update")
    lease = {"id": f"http-{uuid.uuid4().hex[:8]}", "holder": "a", "beat": 1, "beatAt": "2026-11-21T09:41:00.000Z"}
    made = "mutation C($input: CreateDeskLeaseInput!) { createDeskLease(input: $input) { _version } }"
    check("errors" not in post({"query": made, "variables": {"input": lease}}, headers=desk).json(), "a lease is made")
    update = (
        "mutation U($input: UpdateDeskLeaseInput!) { updateDeskLease(input: $input) "
        "{ __typename id holder _version _deleted _lastChangedAt } }"
    )
    stale = {"id": lease["id"], "holder": "b", "_version": 2}
    error = post({"query": update, "variables": {"input": stale}}, headers=desk).json()["errors"][0]
    conflict = ("ConflictUnhandled", "Conflict resolver rejects mutation.")
    check.equal((error["errorType"], error["message"]), conflict, "a version that is not the record's")
    kept = {"__typename": "DeskLease", "holder": "a", "_version": 1, "_deleted": None}
    check.equal({key: error["data"][key] for key in kept}, kept, "carries the record")
    check(isinstance(error["data"]["_lastChangedAt"], int), "with its stamp")
    check.equal(error["path"], ["updateDeskLease"], "at its path")
    deep = "{ __type(name: \"Zone\") " + "{ ofType " * 30 + "{ name }" + " }" * 31
    check.equal(post({"query": deep}).json()["errors"][0]["errorType"], "QueryDepthLimitReached", "a document too deep")
    cyclic = "{ __schema { types { fields { type { fields { name } } } } } }"
    check.equal(post({"query": cyclic}).json()["errors"][0]["errorType"], "BadFaithIntrospection", "a cyclic introspection")
    check.done()


if __name__ == "__main__":
    run(*sys.argv[1:])
