import Transport

/// What comes over sockets and waits for the thread that commits: nobody has judged yet who sends it, so it is counted.
extension HubWorker {
    /// Adds a message that came over a socket; false where too much waits, so that the socket must go.
    func add(message text: [UInt8], from socket: WebSocketConnection) -> Bool {
        let isTaken = queue.withLock { queue in
            queue.messageBytes.take(text.count, of: socket.id)
        }
        if isTaken { add(.received(socket, text, at: .now)) }
        return isTaken
    }

    /// Adds a connection that shows credentials of so many bytes; false where too much waits, so that it must go.
    func add(
        opened socket: WebSocketConnection, _ credentials: RealtimeCredentials, bytes: Int, _ mark: RequestMark
    ) -> Bool {
        let isTaken = queue.withLock { queue in
            queue.messageBytes.take(bytes, of: socket.id)
        }
        if isTaken { add(.opened(socket, credentials, mark)) }
        return isTaken
    }
}
