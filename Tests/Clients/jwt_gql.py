"""python-gql with tokens of an OpenID Connect issuer: RS256 and ES256, over HTTP and both realtime protocols.

    python3 jwt_gql.py URL ISSUER [--clock]        (pip install 'gql[aiohttp,websockets]' httpx)

The hub serves tokens.graphql, and the issuer is oidc_issuer.py. With --clock it also looks at what time does: a line
`clock N` asks whoever started this to let N seconds pass for the hub.
"""

import asyncio
import sys
import uuid

import httpx
from checks import PATIENCE, Checks
from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.appsync_auth import AppSyncJWTAuthentication
from gql.transport.appsync_websockets import AppSyncWebsocketsTransport
from gql.transport.exceptions import TransportError, TransportQueryError
from gql.transport.websockets import WebsocketsTransport

check = Checks("gql with tokens")


class Site:
    def __init__(self, url, issuer):
        self.url, self.issuer = url, issuer
        self.client = httpx.Client(timeout=PATIENCE)

    def token(self, person="ann", groups=(), alg="RS256", **asked):
        claims = {"sub": person, "groups": list(groups), **asked.pop("claims", {})}
        return self.client.post(f"{self.issuer}/token", json={"alg": alg, "claims": claims, **asked}).json()["access_token"]

    def rotate(self, retire):
        self.client.post(f"{self.issuer}/rotate", json={"retire": retire})

    def http(self, token):
        return Client(execute_timeout=PATIENCE, transport=AIOHTTPTransport(url=self.url, auth=AppSyncJWTAuthentication("hub.example", token)))

    def bearer(self, token):
        return Client(execute_timeout=PATIENCE, transport=AIOHTTPTransport(url=self.url, headers={"Authorization": f"Bearer {token}"}))

    def appsync(self, token):
        url = self.url.replace("http", "ws", 1)
        return Client(execute_timeout=PATIENCE, transport=AppSyncWebsocketsTransport(url=url, auth=AppSyncJWTAuthentication("hub.example", token), connect_timeout=PATIENCE, ack_timeout=PATIENCE))

    def generic(self, token):
        url = self.url.replace("http", "ws", 1)
        return Client(execute_timeout=PATIENCE, transport=WebsocketsTransport(url=url, init_payload={"authorization": f"Bearer {token}"}, connect_timeout=PATIENCE, ack_timeout=PATIENCE))


def create(author=None, model="Note"):
    id = f"jwt-{uuid.uuid4().hex[:8]}"
    owner = f', author: "{author}"' if author else ""
    return id, gql(f'mutation {{ create{model}(input: {{id: "{id}", title: "t"{owner}}}) {{ id _version }} }}')


async def denied(session, document, text):
    try:
        await session.execute(document)
        check(False, text)
    except TransportQueryError as error:
        check.equal(error.errors[0]["errorType"], "Unauthorized", text)


async def rights(site, alg):
    """What @auth gives and denies a token's person and groups, in a query, a mutation and a subscription."""
    ann, bob = site.token("ann", alg=alg), site.token("bob", alg=alg)
    sue = site.token("sue", ["supervisors", "other"], alg=alg)
    async with site.http(ann) as session, site.bearer(bob) as other, site.http(sue) as lead:
        id, document = create()
        check.equal((await session.execute(document))["createNote"], {"id": id, "_version": 1}, f"{alg}: a mutation")
        query = gql(f'{{ getNote(id: "{id}") {{ author }} listNotes(limit: 1000) {{ items {{ id }} }} }}')
        check.equal((await session.execute(query))["getNote"], {"author": "ann"}, f"{alg}: the author is the token's person")
        listed = (await other.execute(gql("{ listNotes(limit: 1000) { items { author } } }")))["listNotes"]["items"]
        check(all(note["author"] == "bob" for note in listed), f"{alg}: nobody sees another's")
        check(id in [note["id"] for note in (await lead.execute(query))["listNotes"]["items"]], f"{alg}: but a supervisor")
        await denied(session, create("bob")[1], f"{alg}: in another's name")
        await denied(session, create(model="Plan")[1], f"{alg}: a group's model")
        await denied(session, gql("{ listPlans { items { id } } }"), f"{alg}: a group's model, read")
        await lead.execute(create(model="Plan")[1])

        for way in (site.appsync, site.generic):
            name = f"{alg} over {way.__name__}"
            async with way(ann) as live, way(sue) as watching:
                own = live.subscribe(gql("subscription { onCreateNote { id author } }"))
                heard = asyncio.ensure_future(own.__anext__())
                all_of_them = watching.subscribe(gql("subscription { onCreateNote { id author } }"))
                first = asyncio.ensure_future(all_of_them.__anext__())
                try:
                    async for _ in live.subscribe(gql("subscription { onCreatePlan { id } }")):
                        check(False, f"{name}: a subscription to a group's model")
                except TransportQueryError as error:
                    check("Not Authorized to access onCreatePlan" in str(error), f"{name}: is refused with the reason")
                await begun(site, watching, way)
                theirs = (await other.execute(create()[1]))["createNote"]["id"]
                mine = (await session.execute(create()[1]))["createNote"]["id"]
                event = (await asyncio.wait_for(heard, PATIENCE))["onCreateNote"]
                check.equal(event, {"id": mine, "author": "ann"}, f"{name}: an event of his own, and no other's before it")
                event = (await asyncio.wait_for(first, PATIENCE))["onCreateNote"]
                check.equal(event, {"id": theirs, "author": "bob"}, f"{name}: the supervisor hears everybody's")
                await own.aclose()
                await all_of_them.aclose()


async def begun(site, session, way):
    """The frames of one socket are answered in their order: once this is refused, what was subscribed before has begun."""
    try:
        async for _ in session.subscribe(gql("subscription { onCreateNote { nope } }")):
            check(False, "an unknown field")
    except TransportQueryError:
        pass


def chain(error):
    """An error with all that stands behind it: how a socket was closed, or why an answer could not be read. Whatever goes
    wrong while gql reads a body of status 401, it raises the bare status, and the cause shows here alone."""
    errors = []
    while error is not None and error not in errors:
        errors.append(error)
        error = error.__cause__ or error.__context__
    return " <- ".join(repr(one) for one in errors)


async def refused(site, token, words, text):
    """By every way in, with the reason where its protocol has room for one."""
    ways = ((site.http, words), (site.bearer, words), (site.appsync, words), (site.generic, "4403"))
    for way, said in ways:
        try:
            async with way(token) as session:
                if way in (site.http, site.bearer):
                    await session.execute(gql("{ listNotes { items { id } } }"))
                else:
                    async for _ in session.subscribe(gql("subscription { onCreateNote { id } }")):
                        pass
            check(False, f"{text} over {way.__name__}")
        except TransportError as error:
            reason = chain(error)
            check(said in reason, f"{text} over {way.__name__}", reason)
    body = {"query": "{ listNotes { items { id } } }"}
    answer = site.client.post(site.url, json=body, headers={"authorization": token})
    check.equal((answer.status_code, answer.json()["errors"][0]["errorType"]), (401, "UnauthorizedException"), text)


async def strangers(site):
    expired = "Token has expired."
    await refused(site, site.token(life=-120), expired, "an expired token")
    await refused(site, site.token(life=-120, alg="ES256"), expired, "an expired token of ES256")
    wrong = "Unable to parse JWT token."
    await refused(site, site.token(claims={"aud": "another"}), wrong, "a token for another")
    await refused(site, site.token(claims={"iss": "http://elsewhere.example"}), wrong, "another issuer's token")
    head, claims, signature = site.token().split(".")
    _, others, _ = site.token("sue", ["supervisors"]).split(".")
    await refused(site, f"{head}.{others}.{signature}", wrong, "another's claims under this signature")


async def accepted(site, token, text):
    """The hub asks for keys that it does not know, but not at once again."""
    for _ in range(200):
        try:
            async with site.http(token) as session:
                await session.execute(gql("{ listNotes { items { id } } }"))
            return check(True, text)
        except TransportError:
            await asyncio.sleep(0.05)
    check(False, text)


async def rotation(site):
    before = site.token(life=6000)
    async with site.appsync(before) as live:
        events = live.subscribe(gql("subscription { onCreateNote { id } }"))
        pending = asyncio.ensure_future(events.__anext__())
        await begun(site, live, site.appsync)
        site.rotate(retire=False)
        passes(31)
        for alg in ("RS256", "ES256"):
            await accepted(site, site.token(alg=alg, life=6000), f"the new key of {alg}, while the hub runs")
        await accepted(site, before, "the old one, which is published too")
        async with site.http(before) as session:
            id = (await session.execute(create()[1]))["createNote"]["id"]
        check.equal((await asyncio.wait_for(pending, PATIENCE))["onCreateNote"]["id"], id, "an open subscription goes on")

        # The old keys are taken back: what they signed is refused, and ended where it is open.
        last = asyncio.ensure_future(events.__anext__())
        site.rotate(retire=True)
        passes(31)
        await accepted(site, site.token(life=6000), "the third key")
        try:
            await asyncio.wait_for(last, PATIENCE)
            check(False, "a subscription under a key that was taken back ends")
        except (TransportError, StopAsyncIteration) as error:
            check("expired" in str(error), "with the reason", repr(error))
    for generation in (0, 1):
        await refused(site, site.token(life=6000, generation=generation), "Unable to parse JWT token.", "a key taken back")


async def expiry(site):
    async with site.appsync(site.token(life=1000)) as live:
        events = live.subscribe(gql("subscription { onCreateNote { id } }"))
        pending = asyncio.ensure_future(events.__anext__())
        await begun(site, live, site.appsync)
        passes(1200)
        try:
            await asyncio.wait_for(pending, PATIENCE)
            check(False, "an open subscription ends with its token")
        except (TransportError, StopAsyncIteration) as error:
            check("expired" in str(error), "with the reason", repr(error))
    await refused(site, site.token(life=600), "Token has expired.", "what has run out by the hub's clock")
    await accepted(site, site.token(life=6000), "a token that is good for longer")


def passes(seconds):
    print(f"clock {seconds}", flush=True)


async def run(url, issuer, clock=None):
    site = Site(url, issuer)
    await rights(site, "RS256")
    await rights(site, "ES256")
    await strangers(site)
    if clock:
        await rotation(site)
        await expiry(site)
    check.done()


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
