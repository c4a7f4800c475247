import Transport

/// What comes in from the network, in the order in which it came.
enum HubEvent: Sendable {
    case request(HubRequest, HTTPResponder)
    /// A connection was made; the mark names it.
    case opened(WebSocketConnection, RealtimeCredentials, RequestMark)
    case received(WebSocketConnection, [UInt8], at: ContinuousClock.Instant)
    case closed(WebSocketConnection)
    /// The credentials can be judged now that a frame of the connection waited for.
    case judged(WebSocketConnection)
    /// A query or mutation that came over a WebSocket, and what the reader says of one.
    case operation(RealtimeOperation)
    case read(RealtimeOperation, HubAnswer, WorkKind)
    /// One that the reader has left to this thread, where too much waits already.
    case refused(RealtimeOperation)
    case keepAlive
    /// Old connections and those that never said who they are.
    case sweep
    /// Credentials may have been withdrawn or have ended.
    case recheck
    case prune
    /// The checkpointer has moved what the log held when it began.
    case checkpointed
    /// A function has answered, or has not.
    case answered(FunctionCall.ID, FunctionOutcome)
    /// A second has passed, or a person has decided on deliveries: some may be due.
    case tick
    /// Another schema takes the place of the one that is served.
    case schema(SchemaSwap)
}
