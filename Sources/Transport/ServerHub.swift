/// All connections of one server.
// Guard of @unchecked Sendable: made before the loop's thread starts, then touched on that thread only.
final class ServerHub: @unchecked Sendable {
    let core: LoopCore
    let handler: any HTTPServerHandler
    let options: HTTPServerOptions
    private var connections: [ObjectIdentifier: ServerConnection] = [:]
    private var nextID: UInt64 = 0
    private var sweep: LoopTimer?

    init(_ core: LoopCore, handler: any HTTPServerHandler, options: HTTPServerOptions) {
        self.core = core
        self.handler = handler
        self.options = options
    }

    /// Takes connections from now on. The loop keeps this object until it ends.
    func start() {
        core.accept = { [self] socket in
            guard connections.count < options.maximumConnections else { return nil }
            let connection = ServerConnection(self, socket)
            connections[ObjectIdentifier(connection)] = connection
            return connection
        }
        core.add(
            .closure { [self] in
                sweep = LoopTimer(core, milliseconds: 1_000, repeating: true) { [weak self] in self?.closeLate() }
            })
    }

    func remove(_ connection: ServerConnection) {
        connections[ObjectIdentifier(connection)] = nil
    }

    func newID() -> UInt64 {
        nextID += 1
        return nextID
    }

    /// One timer for all: deadlines here are coarse, and a timer for each request would cost more than the request.
    private func closeLate() {
        let now = core.now
        for connection in connections.values { connection.checkDeadline(now) }
    }
}
