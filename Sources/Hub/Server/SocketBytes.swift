/// What messages of sockets hold that wait in one place of the hub, by socket and in all: both are bounded, for anybody
/// may send them, also while nobody takes them up for long. A message without a byte takes its place too. A value.
struct SocketBytes: Sendable {
    /// Bytes that may wait of one socket, and of all.
    static let perSocket = 4 << 20
    static let inAll = 64 << 20
    /// What a message holds beside its bytes at most: an event and the head of an array.
    static let perMessage = 512

    private var bySocket: [UInt64: Int] = [:]
    private(set) var total = 0

    /// Counts a message of so many bytes in; false where too much waits.
    mutating func take(_ bytes: Int, of socket: UInt64) -> Bool {
        let count = bytes + Self.perMessage
        let own = bySocket[socket, default: 0] + count
        guard own <= Self.perSocket, total + count <= Self.inAll else { return false }
        bySocket[socket] = own
        total += count
        return true
    }

    /// Counts out a message that was counted in and waits no more.
    mutating func giveBack(_ bytes: Int, of socket: UInt64) {
        let count = bytes + Self.perMessage
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
