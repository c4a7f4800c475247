"""gql as it speaks to any GraphQL server: graphql-transport-ws, Apollo's graphql-ws, and gql-cli printing the schema.

    python3 generic_gql.py URL COUNTER_KEY DESK_KEY        (pip install 'gql[aiohttp,websockets]')
"""

import asyncio
import os
import sys
import uuid

from checks import PATIENCE, Checks
from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.websockets import WebsocketsTransport
from graphql import build_schema

check = Checks("gql, generic")


def socket(url, key, **arguments):
    if "ping_interval" in arguments:
        arguments["pong_timeout"] = PATIENCE
    return WebsocketsTransport(
        url=url.replace("http", "ws", 1), init_payload={"x-api-key": key}, connect_timeout=PATIENCE,
        ack_timeout=PATIENCE, **arguments)


def create(id):
    return gql(f'mutation {{ createZone(input: {{id: "{id}", code: "G", name: "g", walkSequence: 1}}) {{ id _version }} }}')


async def transport_ws(url, counter_key, desk_key):
    id = f"generic-{uuid.uuid4().hex[:8]}"
    live = Client(execute_timeout=PATIENCE, transport=socket(url, counter_key, ping_interval=1), fetch_schema_from_transport=True)
    async with live as session, Client(execute_timeout=PATIENCE, transport=socket(url, desk_key)) as desk:
        check.equal(session.transport.subprotocol, "graphql-transport-ws", "what both speak")
        check("ModelZoneConnection" in session.client.schema.type_map, "introspection over the socket")
        events = session.subscribe(gql('subscription { onCreateZone(filter: {code: {eq: "G"}}) { id name } }'))
        first = asyncio.ensure_future(events.__anext__())
        # A later answer on the same socket says that the subscription has begun.
        await session.execute(gql("{ __typename }"))
        check.equal((await desk.execute(create(id)))["createZone"], {"id": id, "_version": 1}, "a mutation")
        check.equal((await asyncio.wait_for(first, PATIENCE))["onCreateZone"], {"id": id, "name": "g"}, "another's subscription")
        got = await session.execute(gql(f'{{ getZone(id: "{id}") {{ name }} }}'))
        check.equal(got, {"getZone": {"name": "g"}}, "a query")
        try:
            await session.execute(gql("{ listBookLines { items { id } } }"))
            check(False, "what is denied")
        except TransportQueryError as error:
            check("Not Authorized" in str(error), "is an error of the query")
        await events.aclose()


async def apollo(url, counter_key, desk_key):
    id = f"apollo-{uuid.uuid4().hex[:8]}"
    old = socket(url, counter_key, subprotocols=["graphql-ws"])
    async with Client(execute_timeout=PATIENCE, transport=old) as session, Client(execute_timeout=PATIENCE, transport=socket(url, desk_key)) as desk:
        events = session.subscribe(gql("subscription { onUpdateZone { id name } }"))
        first = asyncio.ensure_future(events.__anext__())
        await desk.execute(create(id))
        version = 1
        # Apollo's form has no answer to wait for, so that the record is changed until the subscription hears of it.
        while not first.done():
            change = f'mutation {{ updateZone(input: {{id: "{id}", name: "n{version}", _version: {version}}}) {{ _version }} }}'
            version = (await desk.execute(gql(change)))["updateZone"]["_version"]
            await asyncio.wait([first], timeout=0.05)
        check.equal(first.result()["onUpdateZone"]["id"], id, "Apollo's subscription")
        await events.aclose()


async def command_line(url, counter_key, transport):
    cli = os.path.join(os.path.dirname(sys.executable), "gql-cli")
    process = await asyncio.create_subprocess_exec(
        sys.executable, cli, url, "--transport", transport, "--api-key", counter_key, "--print-schema",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    check.equal(process.returncode, 0, f"gql-cli --print-schema: {errors.decode()[-400:]}")
    text = output.decode()
    schema = build_schema(text)
    check("createCountEntry" in schema.mutation_type.fields, "the printed schema names the mutations")
    check("onDeleteZone" in schema.subscription_type.fields, "and the subscriptions")
    check.equal(str(schema.query_type.fields["syncZones"].args["lastSync"].type), "AWSTimestamp", "with their arguments")
    zone = schema.type_map["Zone"]
    check.equal(str(zone.fields["_version"].type), "Int!", "and types")
    check(any(field.description for field in schema.type_map["CountEntry"].fields.values()), "and descriptions")


async def run(url, counter_key, desk_key):
    await asyncio.gather(
        transport_ws(url, counter_key, desk_key),
        apollo(url, counter_key, desk_key),
        command_line(url, counter_key, "appsync_http"),
    )
    check.done()


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
