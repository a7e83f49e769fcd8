"""Speaks to a running server with the `websockets` library, as anybody's program would.

Usage: socket_check.py ADDRESS TOKEN FRIEND. The token's user writes to the user FRIEND.
"""

import asyncio
import json
import sys

import websockets
from websockets.exceptions import ConnectionClosed, InvalidStatus

PATIENCE_S = 20


async def ask(socket, number, op, **fields):
    """Sends a request and waits for its answer; events in between are kept."""
    await socket.send(json.dumps({"id": number, "op": op, **fields}))
    events = []
    while True:
        frame = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))
        if frame.get("id") == number:
            return frame, events
        assert "event" in frame, frame
        events.append(frame)


async def closed_with(socket):
    """The close code with which the server ends this connection."""
    try:
        while True:
            await asyncio.wait_for(socket.recv(), PATIENCE_S)
    except ConnectionClosed as closed:
        assert closed.rcvd is not None, "cut without a close frame"
        return closed.rcvd.code


async def exchange(url, token, user):
    async with websockets.connect(url, subprotocols=["myim.v1"]) as socket:
        assert socket.subprotocol == "myim.v1", socket.subprotocol
        hello, _ = await ask(socket, 1, "hello", token=token)
        assert hello["ok"]["user"]["id"] != user, hello
        assert hello["ok"]["heartbeat"] > 0, hello
        message = {
            "to": {"user": user},
            "client_id": "python-1",
            "segments": [{"type": "text", "text": "hello from Python, 你好 😀"}],
        }
        sent, _ = await ask(socket, 2, "message.send", **message)
        assert sent["ok"]["seq"] >= 1, sent
        repeated, _ = await ask(socket, 3, "message.send", **message)
        assert repeated["ok"] == sent["ok"], (repeated, sent)
        refused, _ = await ask(socket, 4, "no.such.op")
        assert refused["error"]["code"] and refused["error"]["message"], refused
        # A large message in many frames.
        parts = json.dumps({"id": 5, "op": "message.send", "to": {"user": user},
                            "client_id": "python-2",
                            "segments": [{"type": "text", "text": "x" * 30_000}]})
        await socket.send(parts[at:at + 1000] for at in range(0, len(parts), 1000))
        frame = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))
        assert frame["id"] == 5 and "ok" in frame, frame
        delay = await asyncio.wait_for(await socket.ping(), PATIENCE_S)
        assert delay >= 0
        await socket.close()
        assert socket.close_code == 1000, socket.close_code


async def main(address, token, friend):
    url = f"ws://{address}/api/v1/ws"
    await exchange(url, token, friend)
    async with websockets.connect(url, subprotocols=["myim.v1"]) as socket:
        await socket.send(json.dumps({"id": 1, "op": "hello", "token": "forged"}))
        assert await closed_with(socket) == 4001
    async with websockets.connect(url, subprotocols=["myim.v1"]) as socket:
        await ask(socket, 1, "hello", token=token)
        await socket.send(b"\x00\x01")
        assert await closed_with(socket) == 4003
    try:
        async with websockets.connect(url, subprotocols=["myim.v1"],
                                      origin="https://evil.example"):
            raise AssertionError("a page of another site was let in")
    except InvalidStatus as refused:
        assert refused.response.status_code == 403, refused
    print("websockets (Python): all well")


asyncio.run(main(*sys.argv[1:4]))
