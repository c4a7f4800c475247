/// What one address that is not this machine's own may do to a server.
public struct AddressLimits: Sendable, Hashable {
    /// How many connections it may have; a whole site may come through one router.
    public var connections = 512
    /// How many of them may still be agreeing on TLS.
    public var handshakes = 128
    /// How many connections it may begin in a second, in the long run.
    public var perSecond = 50
    /// How many it may begin at once.
    public var burst = 256

    /// The usual limits.
    public init() {}
}

/// Who is connected, by address, and who may connect. Pure: no sockets, no clock.
package struct AddressCensus {
    private struct Count {
        var connections = 0
        var handshakes = 0
        /// Connections that may begin now, in thousandths.
        var credit: Int64
        var creditAt: Int64
    }

    private let limits: AddressLimits
    private var counts: [String: Count] = [:]

    init(_ limits: AddressLimits) {
        self.limits = limits
    }

    /// How many addresses are remembered.
    var remembered: Int { counts.count }

    /// What is counted together: an IPv4 address, or the network of an IPv6 address, of which one host has very many.
    /// Nil for this machine's own, which are no strangers.
    package static func key(_ address: String) -> String? {
        let plain = address.hasPrefix("::ffff:") ? address.dropFirst(7) : address[...]
        if plain.isEmpty || plain.hasPrefix("127.") || plain == "::1" { return nil }
        guard plain.utf8.contains(UInt8(ascii: ":")) else { return String(plain) }
        // The first four groups; `::` within them stands for zeros, and then the rest does not matter.
        let groups = plain.split(separator: ":", maxSplits: 4, omittingEmptySubsequences: false).prefix(4)
        if let gap = groups.firstIndex(of: ""), gap > 0 { return groups[..<gap].joined(separator: ":") + "::/64" }
        return groups.joined(separator: ":") + "::/64"
    }

    /// Counts a connection in; false where its address has had its share.
    mutating func admit(_ key: String, now: Int64) -> Bool {
        let full = Int64(limits.burst) * 1000
        var count = counts[key] ?? Count(credit: full, creditAt: now)
        count.credit = min(full, count.credit + (now - count.creditAt) * Int64(limits.perSecond))
        count.creditAt = now
        let isAdmitted =
            count.connections < limits.connections && count.handshakes < limits.handshakes && count.credit >= 1000
        if isAdmitted {
            count.connections += 1
            count.handshakes += 1
            count.credit -= 1000
        }
        counts[key] = count
        return isAdmitted
    }

    /// Its first bytes can go both ways.
    mutating func agreed(_ key: String) {
        counts[key]?.handshakes -= 1
    }

    /// A connection has ended.
    mutating func left(_ key: String, wasAgreed: Bool) {
        counts[key]?.connections -= 1
        if !wasAgreed { counts[key]?.handshakes -= 1 }
    }

    /// Forgets who is gone and would be admitted like a newcomer, so that strangers do not fill the memory.
    mutating func forget(now: Int64) {
        let full = Int64(limits.burst) * 1000
        counts = counts.filter { _, count in
            count.connections > 0 || count.credit + (now - count.creditAt) * Int64(limits.perSecond) < full
        }
    }
}
