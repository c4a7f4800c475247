"""gql, websockets and httpx over TLS, believing the authority that `bincount hub init` made, and no other.

    python3 tls_clients.py PORT COUNTER_KEY DESK_KEY AUTHORITY OTHER_AUTHORITY
                                                          (pip install 'gql[aiohttp,websockets]' websockets httpx)

The hub listens on all of this machine's addresses, so that one of them is not in its certificate.
"""

import asyncio
import base64
import json
import ssl
import sys
import uuid
import warnings

import aiohttp
import httpx
import websockets
from checks import PATIENCE, Checks
from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.appsync_auth import AppSyncApiKeyAuthentication
from gql.transport.appsync_websockets import AppSyncWebsocketsTransport
from gql.transport.exceptions import TransportError
from gql.transport.websockets import WebsocketsTransport

check = Checks("clients over TLS")


def trusting(authority):
    context = ssl.create_default_context(cafile=authority)
    # What newer Pythons ask of certificates by themselves.
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


class Hub:
    def __init__(self, port, counter_key, desk_key):
        self.port, self.counter_key, self.desk_key = port, counter_key, desk_key

    def https(self, host="127.0.0.1"):
        return f"https://{host}:{self.port}/graphql"

    def wss(self, host="127.0.0.1"):
        return f"wss://{host}:{self.port}/graphql"

    def http_client(self, context, host="127.0.0.1"):
        auth = AppSyncApiKeyAuthentication(host="hub.example", api_key=self.desk_key)
        return Client(execute_timeout=PATIENCE, transport=AIOHTTPTransport(url=self.https(host), auth=auth, ssl=context))

    def appsync_client(self, context, host="127.0.0.1"):
        auth = AppSyncApiKeyAuthentication(host="hub.example", api_key=self.counter_key)
        return Client(execute_timeout=PATIENCE, transport=AppSyncWebsocketsTransport(url=self.wss(host), auth=auth, ssl=context, connect_timeout=PATIENCE, ack_timeout=PATIENCE))

    def generic_client(self, context, host="127.0.0.1"):
        return Client(execute_timeout=PATIENCE, transport=WebsocketsTransport(url=self.wss(host), init_payload={"x-api-key": self.counter_key}, ssl=context, connect_timeout=PATIENCE, ack_timeout=PATIENCE))

    def socket(self, context, host="127.0.0.1", path="/realtime"):
        fields = base64.b64encode(json.dumps({"host": "hub.example", "x-api-key": self.counter_key}).encode()).decode()
        url = f"{self.wss(host)}{path}?header={fields}&payload=e30="
        return websockets.connect(url, subprotocols=["graphql-ws"], ssl=context)


def create():
    id = f"tls-{uuid.uuid4().hex[:8]}"
    return id, f'mutation {{ createZone(input: {{id: "{id}", code: "T", name: "t", walkSequence: 1}}) {{ id }} }}'


async def with_gql(hub, context):
    for way in (hub.appsync_client, hub.generic_client):
        async with hub.http_client(context, "localhost") as desk, way(context) as live:
            events = live.subscribe(gql("subscription { onCreateZone { id } }"))
            first = asyncio.ensure_future(events.__anext__())
            try:
                async for _ in live.subscribe(gql("subscription { onCreateZone { nope } }")):
                    pass
            except TransportError as error:
                check("FieldUndefined" in str(error), f"{way.__name__}: frames are answered in their order")
            id, document = create()
            check.equal((await desk.execute(gql(document)))["createZone"], {"id": id}, "gql: a mutation by https")
            check.equal((await asyncio.wait_for(first, PATIENCE))["onCreateZone"], {"id": id}, f"{way.__name__}: its event by wss")
            await events.aclose()


async def with_websockets(hub, context):
    async with hub.socket(context) as socket:
        await socket.send('{"type":"connection_init"}')
        check.equal(json.loads(await socket.recv())["type"], "connection_ack", "websockets: the greeting by wss")
        version = socket.transport.get_extra_info("ssl_object").version()
        check(version in ("TLSv1.2", "TLSv1.3"), "websockets: a version of today", version)


def with_httpx(hub, context):
    with httpx.Client(verify=context, timeout=PATIENCE, headers={"x-api-key": hub.desk_key}) as client:
        id, document = create()
        answer = client.post(hub.https(), json={"query": document})
        check.equal(answer.json()["data"], {"createZone": {"id": id}}, "httpx: a mutation by https")
        answer = client.post(hub.https("localhost"), json={"query": f'{{ getZone(id: "{id}") {{ id }} }}'})
        check.equal(answer.json()["data"], {"getZone": {"id": id}}, "httpx: a query, by the machine's name")


async def nothing_gets_through(hub, context, text, host="127.0.0.1", words="certificate verify failed"):
    """Each client refuses the hub before anything of a request has left."""

    def is_refusal(error):
        seen = []
        while error and error not in seen:
            seen.append(error)
            if isinstance(error, (ssl.SSLError, aiohttp.ClientConnectorCertificateError)) and words in str(error):
                return True
            error = error.__cause__ or error.__context__
        return False

    async def asks(way):
        async with way(context, host) as session:
            await session.execute(gql("{ __typename }"))

    async def connects():
        async with hub.socket(context, host):
            pass

    async def posts():
        async with httpx.AsyncClient(verify=context, timeout=PATIENCE) as client:
            await client.post(hub.https(host), json={"query": "{ __typename }"}, headers={"x-api-key": hub.desk_key})

    ways = [lambda way=way: asks(way) for way in (hub.http_client, hub.appsync_client, hub.generic_client)]
    for name, way in zip(("gql by https", "gql by wss", "gql by transport-ws", "websockets", "httpx"), [*ways, connects, posts]):
        try:
            await way()
        except Exception as error:
            check(is_refusal(error) or words in str(error), f"{name}: {text}", repr(error))
        else:
            check(False, f"{name}: {text}")


async def run(port, counter_key, desk_key, authority, other):
    hub = Hub(port, counter_key, desk_key)
    context = trusting(authority)
    await with_gql(hub, context)
    await with_websockets(hub, context)
    with_httpx(hub, context)
    await nothing_gets_through(hub, trusting(other), "another site's authority")
    await nothing_gets_through(hub, ssl.create_default_context(), "an authority that the system does not know")
    await nothing_gets_through(hub, context, "an address that is not in the certificate", "127.0.0.2")
    warnings.simplefilter("ignore", DeprecationWarning)
    old = trusting(authority)
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    await nothing_gets_through(hub, old, "TLS 1.1", words="ALERT_PROTOCOL_VERSION")
    answer = httpx.post(f"http://127.0.0.1:{port}/graphql", json={"query": "{ __typename }"}, headers={"x-api-key": "no-key"})
    check.equal(answer.status_code, 400, "in the clear nothing is answered")
    check("speaks TLS" in answer.text, "but what to do", answer.text)
    check.done()


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
