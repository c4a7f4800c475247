// HTTP and WebSocket, client and server, over libwebsockets.
