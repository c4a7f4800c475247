/// All connections of one server.
// Guard of @unchecked Sendable: made before the loop's thread starts, then touched on that thread only.
final class ServerHub: @unchecked Sendable {
    let core: LoopCore
    let handler: any HTTPServerHandler
    let options: HTTPServerOptions
    private var connections: [ObjectIdentifier: ServerConnection] = [:]
    private var census: AddressCensus
    /// What connections hold of messages that are not whole yet, and what requests hold that were taken.
    private var incomingBytes = 0
    private let taken = TakenBytes()
    private var nextID: UInt64 = 0
    private var sweep: LoopTimer?

    init(_ core: LoopCore, handler: any HTTPServerHandler, options: HTTPServerOptions) {
        self.core = core
        self.handler = handler
        self.options = options
        census = AddressCensus(options.perAddress)
    }

    /// Takes connections from now on. The loop keeps this object until it ends.
    func start() {
        core.accept = { [self] socket in
            guard connections.count < options.maximumConnections else { return nil }
            let address = socket.peerAddress
            let key = AddressCensus.key(address)
            if let key, !census.admit(key, now: core.now) { return nil }
            let connection = ServerConnection(self, socket, address: address, censusKey: key)
            connections[ObjectIdentifier(connection)] = connection
            if socket.isReady { agreed(key) }
            return connection
        }
        core.add(
            .closure { [self] in
                sweep = LoopTimer(core, milliseconds: 1_000, repeating: true) { [weak self] in self?.closeLate() }
            })
    }

    func agreed(_ key: String?) {
        if let key { census.agreed(key) }
    }

    func remove(_ connection: ServerConnection, key: String?, wasAgreed: Bool) {
        connections[ObjectIdentifier(connection)] = nil
        if let key { census.left(key, wasAgreed: wasAgreed) }
    }

    func newID() -> UInt64 {
        nextID += 1
        return nextID
    }

    /// Notes that a connection holds so much more, or less; false where all together hold too much.
    func holds(_ change: Int) -> Bool {
        incomingBytes += change
        return change <= 0 || incomingBytes + taken.total <= options.maximumIncomingBytes
    }

    /// The share of a request that holds so much; nil where all together would hold too much.
    func take(_ count: Int) -> TakenBytes.Share? {
        guard incomingBytes + taken.total + count <= options.maximumIncomingBytes else { return nil }
        return TakenBytes.Share(count, of: taken)
    }

    /// Closes those who have had much to read for longest, until all together have no more waiting than they may.
    func dropLongestWaiting() {
        let waiting = connections.values.filter(\.hasMuchWaiting).sorted { $0.waitsSince < $1.waitsSince }
        for connection in waiting {
            guard options.held.total > options.maximumHeldBytes else { return }
            connection.dropSlowReader()
        }
    }

    /// One timer for all: deadlines here are coarse, and a timer for each request would cost more than the request.
    private func closeLate() {
        let now = core.now
        for connection in connections.values { connection.checkDeadline(now) }
        census.forget(now: now)
    }
}
