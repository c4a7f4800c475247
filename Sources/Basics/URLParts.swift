/// The parts of an `http`, `https`, `ws` or `wss` address.
///
/// No more than such an address needs: no user, no password, no relative form. The parts keep their escapes.
public struct URLParts: Hashable, Sendable, CustomStringConvertible {
    /// `http`, `https`, `ws` or `wss`, in small letters.
    public var scheme: String
    /// A name or address; an IPv6 address without its brackets.
    public var host: String
    /// The port, the scheme's own if the address names none.
    public var port: Int
    /// Begins with `/`.
    public var path: String
    /// What follows the `?`, nil without one.
    public var query: String?

    /// Why a text is not such an address.
    public struct ParseError: Error, Hashable, Sendable, CustomStringConvertible {
        /// The text that was given.
        public let text: String
        /// What is wrong with it.
        public let reason: String
        /// One line for a person.
        public var description: String { "“\(text)” is not an address of a server: \(reason)" }
    }

    /// Makes an address from its parts.
    public init(scheme: String, host: String, port: Int, path: String = "/", query: String? = nil) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path
        self.query = query
    }

    /// Reads an address such as `http://127.0.0.1:8080/graphql?x=1`.
    public init(_ text: String) throws(ParseError) {
        func wrong(_ reason: String) -> ParseError { ParseError(text: text, reason: reason) }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw wrong("it contains a space or a character that must be escaped")
        }
        guard let separator = text.range(of: "://") else {
            throw wrong("it must begin with http://, https://, ws:// or wss://")
        }
        scheme = text[..<separator.lowerBound].lowercased()
        guard let standardPort = Self.standardPorts[scheme] else {
            throw wrong("it must begin with http://, https://, ws:// or wss://")
        }
        let rest = text[separator.upperBound...]
        let authorityEnd = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        let authority = rest[..<authorityEnd]
        let tail = rest[authorityEnd...].prefix { $0 != "#" }
        if authority.contains("@") { throw wrong("a user name or password does not belong in it") }

        var portText: Substring?
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else {
                throw wrong("the ] after the IPv6 address is missing")
            }
            host = String(authority[authority.index(after: authority.startIndex)..<end])
            let after = authority[authority.index(after: end)...]
            if !after.isEmpty {
                guard after.first == ":" else { throw wrong("only a port may follow the IPv6 address") }
                portText = after.dropFirst()
            }
        } else if let colon = authority.firstIndex(of: ":") {
            host = String(authority[..<colon])
            portText = authority[authority.index(after: colon)...]
        } else {
            host = String(authority)
        }
        if host.isEmpty { throw wrong("the host is missing") }
        host = host.lowercased()
        if let portText {
            guard !portText.isEmpty, portText.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = Int(portText),
                (0...65535).contains(number)
            else { throw wrong("the port must be a number up to 65535") }
            port = number
        } else {
            port = standardPort
        }

        if let mark = tail.firstIndex(of: "?") {
            path = String(tail[..<mark])
            query = String(tail[tail.index(after: mark)...])
        } else {
            path = String(tail)
            query = nil
        }
        if path.isEmpty { path = "/" }
    }

    /// The address as text, without a port that is the scheme's own.
    public var description: String { "\(scheme)://\(hostAndPort)\(target)" }

    /// What a `Host` header says.
    public var hostAndPort: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == Self.standardPorts[scheme] ? name : "\(name):\(port)"
    }

    /// What a request line says: the path and the query.
    public var target: String { query.map { "\(path)?\($0)" } ?? path }

    /// Whether the scheme asks for TLS.
    public var isSecure: Bool { scheme == "https" || scheme == "wss" }

    /// Whether the host is this machine by its very address (or the name `localhost`).
    public var isLoopback: Bool { host == "localhost" || host == "::1" || Self.isLoopbackIPv4(host) }

    private static func isLoopbackIPv4(_ host: String) -> Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    private static let standardPorts = ["http": 80, "https": 443, "ws": 80, "wss": 443]
}
