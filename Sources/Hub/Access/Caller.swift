import AppSync
import Basics
import Crypto
import Models

/// Who sends a request: what the hub believes of its credentials.
public struct Caller: Sendable, Hashable {
    /// The groups of the API key: `counters`, `supervisors`, `auditors`, `desk`, `admins`.
    public let groups: Set<String>
    /// The person signed in at the terminal (`x-bincount-person`), believed because the key is.
    public let person: String?
    /// The terminal's device code (`x-bincount-device`), believed because the key is.
    public let device: String?
    /// A short fingerprint of the key, safe to log; tells apart callers that name neither person nor device.
    let fingerprint: String

    /// Names a caller; `fingerprint` tells apart those that name neither person nor device.
    public init(groups: Set<String>, person: String? = nil, device: String? = nil, fingerprint: String = "") {
        self.groups = groups
        self.person = person
        self.device = device
        self.fingerprint = fingerprint
    }

    /// The value of a claim that owner rules compare: `device`, or the person for any other name.
    func claim(_ name: String?) -> String? { name == "device" ? device : person }

    /// What mutation ids belong to: a device's retries are its own, whoever's key it holds by then.
    var scope: String {
        guard person != nil || device != nil else { return "k:\(fingerprint)" }
        return "d:\(device ?? "")|p:\(person ?? "")"
    }
}

/// The API keys of a hub, kept as digests only.
public struct APIKeys: Sendable {
    /// One key and what it may do.
    private struct Entry: Sendable {
        let digest: [UInt8]
        let groups: Set<String>
    }

    private var entries: [Entry] = []

    /// No keys: nobody gets in.
    public init() {}

    /// Reads keys written `KEY` or `KEY:GROUP,GROUP`; a key without groups is a counter's device.
    ///
    /// - Throws: ``HubError`` for an empty key or group; the message never holds the key.
    public init(_ specifications: [String]) throws(HubError) {
        for specification in specifications { try add(specification) }
    }

    /// Adds one key written `KEY` or `KEY:GROUP,GROUP`.
    ///
    /// - Throws: ``HubError`` for an empty key or group.
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
        entries.append(Entry(digest: SHA256.digest(String(key)), groups: groups))
    }

    /// Whether there is any key.
    public var isEmpty: Bool { entries.isEmpty }

    /// The caller that a key and its claims stand for; nil where the key is unknown.
    ///
    /// Every key is compared, in constant time, so that neither time nor order tells anything.
    public func caller(key: String?, person: String? = nil, device: String? = nil) -> Caller? {
        guard let key else { return nil }
        let digest = SHA256.digest(key)
        var found: Set<String>?
        for entry in entries where constantTimeEqual(entry.digest, digest) { found = found ?? entry.groups }
        guard let found else { return nil }
        func claim(_ text: String?) -> String? { text.flatMap { $0.isEmpty || $0.utf8.count > 256 ? nil : $0 } }
        return Caller(
            groups: found, person: claim(person), device: claim(device), fingerprint: Hex.encode(digest.prefix(8)))
    }

    /// The caller that a realtime authorisation object stands for; nil where its key is unknown or missing.
    func caller(_ authorization: RealtimeAuthorization) -> Caller? {
        caller(
            key: authorization[HeaderName.apiKey], person: authorization[HeaderName.person],
            device: authorization[HeaderName.device])
    }
}
