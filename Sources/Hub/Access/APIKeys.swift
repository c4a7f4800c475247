import Basics
import Crypto

/// The API keys of a hub, kept as digests only.
public struct APIKeys: Sendable {
    /// One key and what it may do.
    private struct Entry: Sendable {
        let digest: [UInt8]
        let groups: Set<String>
        var fingerprint: String { Hex.encode(digest.prefix(8)) }
    }

    private var entries: [Entry] = []

    /// No keys: nobody gets in.
    public init() {}

    /// Reads keys written `KEY` or `KEY:GROUP,GROUP`; a key without groups is a counter's device.
    ///
    /// - Throws: ``HubError`` as ``add(_:)`` does; the message never holds a key.
    public init(_ specifications: [String]) throws(HubError) {
        for specification in specifications { try add(specification) }
    }

    /// Adds one key written `KEY` or `KEY:GROUP,GROUP`; one that is there with the same groups stays as it is.
    ///
    /// - Throws: ``HubError`` for an empty key or group, and for a key that is there with other groups: nobody could tell
    ///   which of them hold. The message names it by its fingerprint.
    public mutating func add(_ specification: String) throws(HubError) {
        let parts = specification.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let key = parts.first, !key.isEmpty else {
            throw HubError("an API key is empty; write KEY or KEY:GROUP,…")
        }
        var groups: Set<String> = ["counters"]
        if parts.count == 2 {
            groups = Set(parts[1].split(separator: ",", omittingEmptySubsequences: false).map(String.init))
            guard !groups.contains("") else {
                throw HubError("an API key names an empty group; write KEY:GROUP,GROUP")
            }
        }
        let entry = Entry(digest: SHA256.digest(String(key)), groups: groups)
        if let other = entries.first(where: { constantTimeEqual($0.digest, entry.digest) }) {
            guard other.groups != groups else { return }
            throw HubError(
                "the API key \(entry.fingerprint) is given twice with other groups (\(Self.list(other.groups)); "
                    + "\(Self.list(groups))); a key that a file holds may be in BINCOUNT_API_KEY as well: give it once")
        }
        entries.append(entry)
    }

    private static func list(_ groups: Set<String>) -> String { groups.sorted().joined(separator: ",") }

    /// The groups that any key has.
    public var groups: Set<String> { entries.reduce(into: []) { $0.formUnion($1.groups) } }

    /// Whether there is any key.
    public var isEmpty: Bool { entries.isEmpty }

    /// The caller that a key and its claims stand for; nil where the key is unknown.
    ///
    /// Every key is compared, in constant time, so that neither time nor order tells anything.
    public func caller(key: String?, person: String? = nil, device: String? = nil) -> Caller? {
        guard let key else { return nil }
        let digest = SHA256.digest(key)
        var found: Set<String>?
        for entry in entries where constantTimeEqual(entry.digest, digest) { found = entry.groups }
        guard let found else { return nil }
        return Caller(
            groups: found, person: Self.claim(person), device: Self.claim(device),
            fingerprint: Hex.encode(digest.prefix(8)))
    }

    /// A caller as his key stands for him now; nil where the key is not among these any more.
    func refreshed(_ caller: Caller) -> Caller? {
        entries.first { $0.fingerprint == caller.fingerprint }.map { caller.moved(to: $0.groups) }
    }

    /// A name that a terminal gives; nil for none, and for one that can be none.
    static func claim(_ text: String?) -> String? { text.flatMap { $0.isEmpty || $0.utf8.count > 256 ? nil : $0 } }
}
