/// Answers and messages that leave a server together: one word to its loop for all of them, and for each client one
/// system call for all that is for it.
///
/// What was added first leaves first. All of it belongs to one server.
public struct ServerOutput: Sendable {
    private enum Item: Sendable {
        case answer(HTTPResponse, HTTPResponder)
        case message(WebSocketFrame, [WebSocketConnection])
        case close(WebSocketConnection, code: UInt16, reason: String)
    }

    /// As much as one system call takes.
    private static let flushBytes = 64 << 10

    private var items: [Item] = []
    private var core: LoopCore?

    /// Nothing yet.
    public init() {}

    /// Adds the answer to a request; the first answer counts.
    public mutating func respond(_ response: HTTPResponse, to responder: HTTPResponder) {
        core = responder.core
        items.append(.answer(response, responder))
    }

    /// Adds a message to some clients; it is encoded and held once.
    public mutating func send(_ frame: WebSocketFrame, to connections: [WebSocketConnection]) {
        guard let first = connections.first else { return }
        core = first.core
        items.append(.message(frame, connections))
    }

    /// Adds the end of a connection, behind what was added for it.
    public mutating func close(_ connection: WebSocketConnection, code: UInt16, reason: String) {
        core = connection.core
        items.append(.close(connection, code: code, reason: reason))
    }

    /// Hands everything to the loop. May be called from any thread.
    public func deliver() {
        guard let core else { return }
        let items = items
        core.perform {
            var queued = 0
            for item in items {
                switch item {
                case .answer(let response, let responder): responder.give(response)
                case .message(let frame, let connections):
                    for connection in connections { connection.connection.send(frame) }
                    queued += frame.count
                    // What goes to the system now is not held here: a large commit must not look like a slow reader.
                    if queued >= Self.flushBytes {
                        queued = 0
                        core.flushDirty()
                    }
                case .close(let connection, let code, let reason):
                    connection.connection.close(code: code, reason: reason)
                }
            }
        }
    }
}
