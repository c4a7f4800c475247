/// What messages of sockets hold that wait in one place of the hub, by socket and in all: both are bounded, for anybody
/// may send them, also while nobody takes them up for long. A value.
struct SocketBytes: Sendable {
    /// Bytes that may wait of one socket, and of all.
    static let perSocket = 4 << 20
    static let inAll = 64 << 20

    private var bySocket: [UInt64: Int] = [:]
    private(set) var total = 0

    /// Counts a message in; false where too much waits.
    mutating func take(_ count: Int, of socket: UInt64) -> Bool {
        let own = bySocket[socket, default: 0] + count
        guard own <= Self.perSocket, total + count <= Self.inAll else { return false }
        bySocket[socket] = own
        total += count
        return true
    }

    /// Counts out what was counted in and waits no more.
    mutating func giveBack(_ count: Int, of socket: UInt64) {
        total -= count
        let own = bySocket[socket, default: 0] - count
        bySocket[socket] = own > 0 ? own : nil
    }

    /// Counts out all that waited.
    mutating func giveBackAll() {
        bySocket.removeAll(keepingCapacity: true)
        total = 0
    }
}
