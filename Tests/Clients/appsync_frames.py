"""Realtime frames one by one, AppSync's (appsync-protocol.md 4) and graphql-transport-ws', spoken with websockets.

    python3 appsync_frames.py URL COUNTER_KEY DESK_KEY        (pip install websockets httpx)
"""

import asyncio
import base64
import json
import sys
import uuid

import httpx
import websockets
from checks import PATIENCE, Checks
from websockets.exceptions import ConnectionClosed

check = Checks("frames")


def base(fields, url_safe=False):
    text = json.dumps(fields).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=") if url_safe else base64.b64encode(text).decode()


async def receive(socket, greets=False):
    """The next frame; of what only keeps the connection alive the one that belongs to the greeting alone."""
    while True:
        frame = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))
        if greets or frame not in ({"type": "ka"}, {"type": "ping"}):
            return frame


async def closed(socket):
    """What a connection is closed with; frames before that are dropped."""
    try:
        while True:
            await asyncio.wait_for(socket.recv(), PATIENCE)
    except ConnectionClosed:
        return socket.close_code, socket.close_reason


class Floor:
    def __init__(self, url, counter_key, desk_key):
        self.url = url
        self.socket_url = url.replace("http", "ws", 1)
        self.key, self.desk = counter_key, desk_key
        self.fields = {"host": "hub.example", "x-api-key": counter_key}

    def open(self, path="", query=True, fields=None, subprotocols=("graphql-ws",), headers=None):
        url = self.socket_url + path
        if query:
            url += f"?header={base(fields or self.fields)}&payload=e30="
        return websockets.connect(url, subprotocols=list(subprotocols) or None, additional_headers=headers)

    async def greeted(self):
        socket = await self.open()
        await socket.send('{"type":"connection_init"}')
        check.equal((await receive(socket))["type"], "connection_ack", "the greeting")
        check.equal((await receive(socket, True))["type"], "ka", "is followed by ka")
        return socket

    def start(self, id, query, variables=None, authorization=True, **extra):
        payload = {"data": json.dumps({"query": query, "variables": variables or {}}), **extra}
        if authorization:
            payload["extensions"] = {"authorization": authorization if isinstance(authorization, dict) else self.fields}
        return json.dumps({"id": id, "type": "start", "payload": payload})

    async def zone(self, **fields):
        zone = {"id": f"frame-{uuid.uuid4().hex[:8]}", "code": "F", "name": "F", "walkSequence": 1, **fields}
        query = "mutation C($i: CreateZoneInput!) { createZone(input: $i) { id } }"
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            answer = await client.post(self.url, json={"query": query, "variables": {"i": zone}}, headers={"x-api-key": self.desk})
        check("errors" not in answer.json(), "a zone is made", answer.text)
        return zone["id"]


async def handshakes(floor):
    ways = []
    for path in ("", "/realtime"):
        ways.append(floor.open(path))
        ways.append(floor.open(path, query=False, subprotocols=("graphql-ws", "header-" + base(floor.fields, True))))
        ways.append(floor.open(path, query=False, headers={"x-api-key": floor.key, "x-amz-date": "20261121T094100Z"}))
    escaped = base({**floor.fields, "pad": "\u00fb\u00ff?>"}).replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    raw = base({**floor.fields, "X-API-KEY-NOTE": "\u00fb\u00ff?>~~"})
    for text in (escaped, raw, base(floor.fields, True), raw.replace("+", " ").replace(" ", "%20")):
        ways.append(websockets.connect(f"{floor.socket_url}?header={text}&payload=e30=&x-custom=1", subprotocols=["graphql-ws"]))
    mixed = {"Host": "h", "X-Api-Key": floor.key}
    ways.append(floor.open(fields=mixed))
    for way in ways:
        async with way as socket:
            check.equal(socket.subprotocol, "graphql-ws", "graphql-ws is echoed alone")
            await socket.send(floor.start("early", "subscription { onCreateZone { id } }"))
            await socket.send('{"type":"connection_init","payload":{}}')
            ack = await receive(socket)
            check.equal(ack, {"type": "connection_ack", "payload": {"connectionTimeoutMs": 300000}}, "the ack, and nothing before it")
            check.equal(await receive(socket, True), {"type": "ka"}, "ka at once")


async def refused_handshakes(floor):
    unauthorized = {"errorType": "UnauthorizedException", "message": "You are not authorized to make this call.", "errorCode": 400}
    missing = {"message": "Required headers are missing.", "errorCode": 400}
    bad = {"errorType": "BadRequest", "message": "The authorization header is malformed.", "errorCode": 400}
    for way, error in (
        (floor.open(fields={"host": "h", "x-api-key": "wrong"}), unauthorized),
        (floor.open(query=False, headers={"x-api-key": "wrong"}), unauthorized),
        (floor.open(query=False), missing),
        (floor.open(fields={"host": "h"}), missing),
        (websockets.connect(floor.socket_url + "?header=%7B%7D", subprotocols=["graphql-ws"]), bad),
        (floor.open(query=False, subprotocols=("graphql-ws", "header-bm90IGpzb24")), bad),
        (floor.open(subprotocols=()), {"message": "NoProtocolError", "errorCode": 400}),
    ):
        async with way as socket:
            await socket.send('{"type":"connection_init"}')
            check.equal(await receive(socket), {"type": "connection_error", "payload": {"errors": [error]}}, "the reason comes as a frame")
            check.equal((await closed(socket))[0], 1008, "and then the end")


async def frames(floor):
    socket = await floor.greeted()

    async def refused(frame, id, error_type, message):
        await socket.send(frame)
        answer = await receive(socket)
        check.equal(answer["type"], "error", message)
        check.equal(answer.get("id", "none"), id, f"{message}: of its id")
        errors = answer["payload"]["errors"]
        check(isinstance(errors, list) and len(errors) >= 1, "errors is an array")
        check.equal(errors[0].get("errorType"), error_type, message)
        check(message in errors[0]["message"], message, errors[0]["message"])

    start = floor.start
    zones = "subscription { onCreateZone { id } }"
    await refused(start("a", "subscription {"), "a", "BadRequestException", "Unable to parse GraphQL query.")
    await refused(start("b", "subscription { onCreateZone { nope } }"), "b", None, "FieldUndefined: Field 'nope' in type 'Zone' is undefined")
    await refused(start("c", "{ listZones { nextToken } }"), "c", "UnsupportedOperation", "query and mutations are not supported through the realtime channel")
    await refused(start("d", zones, authorization={"x-api-key": "wrong"}), "d", "UnauthorizedException", "You are not authorized to make this call.")
    await refused(start("e", zones, authorization=False), "e", "UnauthorizedException", "You are not authorized to make this call.")
    await refused(start("f", "subscription { onCreateBookLine { id } }"), "f", "Unauthorized", "Not Authorized to access onCreateBookLine on type Subscription")
    await refused('{"type":"nonsense"}', "none", "UnsupportedOperation", "nonsense not supported through the realtime channel")
    await refused('{"type":"nonsense","id":"n"}', "n", "UnsupportedOperation", "nonsense not supported through the realtime channel")
    await refused("no json", "none", "BadRequestException", "The frame cannot be read")
    await refused('{"id":"x","type":"start","payload":{}}', "none", "BadRequestException", "The frame cannot be read")

    # Filters: 4.7, in the words that amplify-js looks for.
    filtered = "subscription S($f: ModelSubscriptionZoneFilterInput) { onCreateZone(filter: $f) { id } }"
    for filter, message in (
        ({"not": {"code": {"eq": "a"}}}, "The variables input contains a field name 'not'"),
        ({"nope": {"eq": "a"}}, "that is not defined for input object type"),
        ({"or": [{"code": {"eq": str(n)}} for n in range(11)]}, "Filters combination exceed maximum limit"),
        ({"code": {"in": list("abcdef")}}, "Filters combination exceed maximum limit"),
        ({"code": {"eq": "x" * 257}}, "Filter values exceed maximum length"),
        (
            {"id": {"ne": "1"}, "code": {"ne": "1"}, "name": {"ne": "1"}, "walkSequence": {"ne": 9}, "createdAt": {"ne": "1"}, "updatedAt": {"ne": "1"}},
            "Filters exceed maximum attributes limit",
        ),
    ):
        await refused(start("g", filtered, {"f": filter}), "g", None, message)
    await refused(start("h", "subscription { onCreateZone(nope: 1) { id } }"), "h", None, "UnknownArgument: Unknown field argument nope")

    # Two subscriptions; one stops, the other goes on.
    await socket.send(start("1", "subscription { onCreateZone { id __typename _version _deleted } }"))
    check.equal(await receive(socket), {"type": "start_ack", "id": "1"}, "start_ack")
    await refused(start("1", zones), "1", "DuplicatedOperationError", "The id is in use by another subscription.")
    await socket.send(start("2", filtered, {"f": {"code": {"in": ["Z1", "Z2"]}, "walkSequence": {"between": [1, 5]}}}))
    check.equal((await receive(socket))["type"], "start_ack", "a filter that fits")
    first = await floor.zone(code="Z1", walkSequence=5)
    found = sorted([await receive(socket), await receive(socket)], key=lambda frame: frame["id"])
    record = {"id": first, "__typename": "Zone", "_version": 1, "_deleted": None}
    check.equal(found[0], {"id": "1", "type": "data", "payload": {"data": {"onCreateZone": record}}}, "what is selected")
    check.equal(found[1]["payload"]["data"], {"onCreateZone": {"id": first}}, "to both")
    await socket.send('{"id":"1","type":"stop"}')
    check.equal(await receive(socket), {"id": "1", "type": "complete"}, "stop is answered")
    await socket.send('{"id":"unknown","type":"stop"}')
    check.equal(await receive(socket), {"id": "unknown", "type": "complete"}, "also of an unknown id")
    await floor.zone(code="Z3")
    await floor.zone(code="Z1", walkSequence=6)
    last = await floor.zone(code="Z2")
    check.equal((await receive(socket))["payload"]["data"]["onCreateZone"]["id"], last, "the other goes on, filtered")

    for number in range(3, 202):
        await socket.send(start(str(number), zones))
        check.equal((await receive(socket))["type"], "start_ack", "up to 200 subscriptions")
    await refused(start("more", zones), "more", "MaxSubscriptionsReachedError", "Max number of 200 subscriptions reached")
    await socket.send('{"type":"connection_terminate"}')
    check.equal((await closed(socket))[0], 1000, "connection_terminate ends it")

    for frame, code in ((b"binary", 1003), ("x" * (241 << 10), 1009)):
        socket = await floor.greeted()
        await socket.send(frame)
        check.equal((await closed(socket))[0], code, f"a frame that ends the connection with {code}")


async def apollo(floor):
    """The old library's form of graphql-ws: who it is stands in connection_init, the request is the payload itself."""
    async with floor.open(query=False) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"x-api-key": floor.key}}))
        check.equal((await receive(socket))["type"], "connection_ack", "Apollo's greeting")
        await receive(socket, True)
        await socket.send(json.dumps({"id": "1", "type": "start", "payload": {"query": "subscription { onCreateZone { id } }"}}))
        await socket.send(json.dumps({"id": "2", "type": "start", "payload": {"query": "subscription { nope { id } }"}}))
        check.equal((await receive(socket))["id"], "2", "nothing answers a start but what is wrong with it")
        zone = await floor.zone()
        check.equal((await receive(socket))["payload"]["data"]["onCreateZone"]["id"], zone, "Apollo's data")


async def transport(floor):
    def open(headers=None):
        return floor.open(query=False, subprotocols=("graphql-ws", "graphql-transport-ws"), headers=headers)

    init = json.dumps({"type": "connection_init", "payload": {"x-api-key": floor.key}})

    async def greeted():
        socket = await open()
        check.equal(socket.subprotocol, "graphql-transport-ws", "it is chosen where it is offered")
        await socket.send(init)
        check.equal(await receive(socket), {"type": "connection_ack"}, "connection_ack")
        return socket

    def subscribe(id, query, **variables):
        return json.dumps({"id": id, "type": "subscribe", "payload": {"query": query, "variables": variables}})

    # Close codes.
    socket = await open()
    await socket.send(subscribe("1", "{ __typename }"))
    check.equal(await closed(socket), (4401, "Unauthorized"), "subscribe before the ack")
    socket = await open()
    await socket.send('{"type":"connection_init","payload":{"x-api-key":"wrong"}}')
    check.equal(await closed(socket), (4403, "Forbidden"), "a wrong key")
    socket = await open(headers={"x-api-key": floor.key})
    await socket.send('{"type":"connection_init"}')
    check.equal((await receive(socket))["type"], "connection_ack", "credentials in the upgrade's headers")
    await socket.send(init)
    check.equal(await closed(socket), (4429, "Too many initialisation requests"), "twice connection_init")
    for frame in ("no json", '{"type":"start","id":"1"}', '{"type":"subscribe","id":"1"}', '{"type":"connection_ack"}'):
        socket = await greeted()
        await socket.send(frame)
        check.equal(await closed(socket), (4400, "Invalid message"), f"the message {frame}")
    socket = await greeted()
    await socket.send(subscribe("1", "subscription { onCreateZone { id } }"))
    await socket.send(subscribe("1", "subscription { onCreateZone { id } }"))
    check.equal(await closed(socket), (4409, "Subscriber for 1 already exists"), "an id in use")

    # Operations.
    socket = await greeted()
    await socket.send('{"type":"ping","payload":{"n":1}}')
    check.equal(await receive(socket), {"type": "pong", "payload": {"n": 1}}, "ping")
    await socket.send(subscribe("s", "subscription { onCreateZone { id } }"))
    await socket.send(subscribe("q", "query Q($n: Int) { listZones(limit: $n) { items { __typename } } }", n=1))
    answer = await receive(socket)
    check.equal((answer["type"], answer["id"]), ("next", "q"), "a query's answer")
    check.equal(answer["payload"]["data"]["listZones"]["items"], [{"__typename": "Zone"}], "is whole")
    check.equal(await receive(socket), {"id": "q", "type": "complete"}, "and complete")
    await socket.send(subscribe("m", 'mutation { createZone(input: {code: "a", name: "a", walkSequence: 1}) { id } }'))
    answer = await receive(socket)
    check.equal((answer["id"], answer["payload"]["errors"][0]["errorType"]), ("m", "Unauthorized"), "a mutation that is denied")
    check.equal((await receive(socket))["type"], "complete", "is complete too")
    await socket.send(subscribe("e", "{ nope }"))
    answer = await receive(socket)
    check.equal((answer["type"], answer["id"]), ("error", "e"), "a document that is invalid")
    check("FieldUndefined" in answer["payload"][0]["message"], "its payload is the list of errors")
    zone = await floor.zone()
    check.equal(await receive(socket), {"id": "s", "type": "next", "payload": {"data": {"onCreateZone": {"id": zone}}}}, "the subscription's next")
    await socket.send('{"type":"complete","id":"s"}')
    await floor.zone()
    await socket.send('{"type":"ping"}')
    check.equal(await receive(socket), {"type": "pong"}, "after complete nothing comes but the pong")
    await socket.close()


async def run(*arguments):
    floor = Floor(*arguments)
    await asyncio.gather(handshakes(floor), refused_handshakes(floor))
    # Each hears every zone, so that one follows the other.
    for part in (frames, apollo, transport):
        await part(floor)
    check.done()


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
