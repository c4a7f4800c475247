"""An AppSync client made by others against a hub: python-gql creates, queries, syncs and subscribes.

    python3 appsync_gql.py URL COUNTER_KEY DESK_KEY        (pip install 'gql[aiohttp,websockets]')

Exit 0 when every check holds; else 1 with the check that failed. URL is what the hub prints, ending in /graphql.
"""

import asyncio
import sys
import uuid

from checks import PATIENCE
from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.appsync_auth import AppSyncApiKeyAuthentication
from gql.transport.appsync_websockets import AppSyncWebsocketsTransport
from gql.transport.exceptions import TransportQueryError, TransportServerError

checks = 0


def check(condition, text):
    global checks
    checks += 1
    if not condition:
        print(f"failed: {text}")
        sys.exit(1)


def http(url, key):
    auth = AppSyncApiKeyAuthentication(host="hub.example", api_key=key)
    return AIOHTTPTransport(url=url, auth=auth)


def realtime(url, key):
    auth = AppSyncApiKeyAuthentication(host="hub.example", api_key=key)
    return AppSyncWebsocketsTransport(url=url.replace("http://", "ws://"), auth=auth, connect_timeout=PATIENCE, ack_timeout=PATIENCE)


CREATE_TEXT = """
    mutation CreateZone($input: CreateZoneInput!) {
      createZone(input: $input) {
        id code name walkSequence createdAt updatedAt _version _deleted _lastChangedAt
      }
    }
"""
ON_CREATE_TEXT = """
    subscription OnCreateZone($filter: ModelSubscriptionZoneFilterInput) {
      onCreateZone(filter: $filter) { id code name walkSequence _version _deleted _lastChangedAt }
    }
"""


# gql 4 carries variables in the request object, gql 3 takes them when it is run.
try:
    from gql import GraphQLRequest

    USES_KEYWORD = False
except ImportError:
    USES_KEYWORD = True


def with_variables(text, **variables):
    return GraphQLRequest(text, variable_values=variables)


def subscribe(session, text, **variables):
    if USES_KEYWORD:
        return session.subscribe(gql(text), variable_values=variables)
    return session.subscribe(with_variables(text, **variables))


async def execute(session, text, **variables):
    if USES_KEYWORD:
        return await session.execute(gql(text), variable_values=variables)
    return await session.execute(with_variables(text, **variables))


async def run(url, counter_key, desk_key):
    tag = uuid.uuid4().hex[:8]
    zone = {"id": f"gql-{tag}", "code": f"Z{tag}", "name": "Zone of gql", "walkSequence": 7}

    # Introspection, and validation against the schema it gave.
    async with Client(execute_timeout=PATIENCE, transport=http(url, desk_key), fetch_schema_from_transport=True) as session:
        schema = session.client.schema
        check("CountEntry" in schema.type_map, "introspection names CountEntry")
        check("syncZones" in schema.query_type.fields, "introspection names syncZones")
        check(schema.get_type("ModelZoneFilterInput") is not None, "introspection names the filter")
        check({d.name for d in schema.directives} >= {"include", "skip"}, "introspection names the directives")

    async with Client(execute_timeout=PATIENCE, transport=http(url, desk_key)) as desk, Client(
        transport=realtime(url, counter_key)
    ) as live, Client(execute_timeout=PATIENCE, transport=http(url, counter_key)) as counter:
        created = subscribe(live, ON_CREATE_TEXT, filter={"code": {"eq": zone["code"]}})
        updated = live.subscribe(gql("subscription { onUpdateZone { id name _version } }"))
        first = asyncio.ensure_future(created.__anext__())
        second = asyncio.ensure_future(updated.__anext__())
        # A subscription that the schema refuses fails alone; the connection and the others stay.
        try:
            async for _ in live.subscribe(gql("subscription { onCreateBookLine { id } }")):
                check(False, "a counter may not hear of book lines")
        except TransportQueryError as error:
            check("Not Authorized" in str(error), "the refusal says why")
        try:
            async for _ in live.subscribe(gql("subscription { onCreateZone { nope } }")):
                check(False, "an unknown field is refused")
        except TransportQueryError as error:
            check("FieldUndefined" in str(error), "the validation error says why")

        answer = (await execute(desk, CREATE_TEXT, input=zone))["createZone"]
        check(answer["_version"] == 1 and answer["_deleted"] is None, "create gives version 1")
        event = await asyncio.wait_for(first, PATIENCE)
        check(event["onCreateZone"]["id"] == zone["id"], "the subscription hears of the create")
        check(event["onCreateZone"]["_lastChangedAt"] == answer["_lastChangedAt"], "with the same stamp")

        got = await execute(counter, "query G($id: ID!) { getZone(id: $id) { __typename id name } }", id=zone["id"])
        check(got["getZone"] == {"__typename": "Zone", "id": zone["id"], "name": zone["name"]}, "get gives the record")
        listed = await execute(
            counter,
            "query L($f: ModelZoneFilterInput) { listZones(filter: $f, limit: 1000) { items { id } nextToken } }",
            f={"and": [{"code": {"eq": zone["code"]}}]},
        )
        check(listed["listZones"]["items"] == [{"id": zone["id"]}], "list filters")

        sync = """
            query S($lastSync: AWSTimestamp, $limit: Int, $nextToken: String) {
              syncZones(lastSync: $lastSync, limit: $limit, nextToken: $nextToken) {
                items { id name _version _deleted _lastChangedAt } nextToken startedAt
              }
            }
        """
        items, token, started = [], None, None
        while True:
            page = (await execute(counter, sync, limit=2, nextToken=token))["syncZones"]
            items += page["items"]
            check(started in (None, page["startedAt"]), "startedAt stays the same over pages")
            started, token = page["startedAt"], page["nextToken"]
            if token is None:
                break
        check(zone["id"] in [item["id"] for item in items], "a base sync gives the record")

        update = "mutation U($input: UpdateZoneInput!) { updateZone(input: $input) { id name _version } }"
        await execute(desk, update, input={"id": zone["id"], "name": "Renamed", "_version": 1})
        event = await asyncio.wait_for(second, PATIENCE)
        check(event["onUpdateZone"]["name"] == "Renamed", "the second subscription goes on")
        delta = (await execute(counter, sync, lastSync=started))["syncZones"]["items"]
        check([i for i in delta if i["id"] == zone["id"]][0]["_version"] == 2, "a delta sync gives the change")

        try:
            await execute(counter, CREATE_TEXT, input=zone)
            check(False, "a counter may not create a zone")
        except TransportQueryError as error:
            check(error.errors[0]["errorType"] == "Unauthorized", "the refusal is Unauthorized")
        try:
            await execute(desk, CREATE_TEXT, input={**zone, "nope": 1})
            check(False, "an unknown input field is refused")
        except TransportQueryError as error:
            check("contains a field name 'nope'" in str(error), "as AppSync says it")
        try:
            await execute(counter, "{ listBookLines { items { id } } }")
            check(False, "a counter may not list book lines")
        except TransportQueryError as error:
            check(error.errors[0]["errorType"] == "Unauthorized", "book lines are Unauthorized")
        await created.aclose()
        await updated.aclose()

    for transport in (http(url, "wrong-key"), realtime(url, "wrong-key")):
        try:
            async with Client(execute_timeout=PATIENCE, transport=transport) as session:
                await session.execute(gql("{ listZones { items { id } } }"))
            check(False, "a wrong key is refused")
        except (TransportQueryError, TransportServerError) as error:
            check("not authorized" in str(error).lower(), f"with a reason: {error}")
    print(f"gql: {checks} checks hold")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        print(__doc__)
        sys.exit(2)
    asyncio.run(run(*sys.argv[1:]))
