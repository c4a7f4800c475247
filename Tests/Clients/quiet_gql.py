"""gql over HTTP against an API without subscriptions, whose schema it asks for and checks before it sends anything.

    python3 quiet_gql.py URL KEY        (pip install 'gql[aiohttp,websockets]')
"""

import asyncio
import sys

from checks import PATIENCE, Checks
from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport

check = Checks("gql, without subscriptions")


async def main(url, key):
    transport = AIOHTTPTransport(url=url, headers={"x-api-key": key})
    client = Client(execute_timeout=PATIENCE, transport=transport, fetch_schema_from_transport=True)
    async with client as session:
        check(session.client.schema.subscription_type is None, "no root for what is not there")
        made = await session.execute(gql('mutation { createNote(input: {id: "q", title: "t"}) { id _version } }'))
        check.equal(made["createNote"], {"id": "q", "_version": 1}, "a mutation")
        got = await session.execute(gql('{ getNote(id: "q") { title } }'))
        check.equal(got["getNote"], {"title": "t"}, "a query")
    check.done()


asyncio.run(main(sys.argv[1], sys.argv[2]))
