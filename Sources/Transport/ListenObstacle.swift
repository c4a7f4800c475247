import Glibc

/// Why an address cannot be listened on.
public enum ListenObstacle: Equatable, Sendable, CustomStringConvertible {
    /// Somebody listens there already.
    case taken
    /// It is no address of this machine's.
    case elsewhere
    /// The system's words for anything else, such as a port that this user may not have.
    case refused(String)

    /// Tries an address, without listening: nobody who connects meanwhile is kept waiting. Nil where nothing stands in the
    /// way; port 0 is the system's to choose.
    public init?(host: String, port: Int) {
        self.init(ListenerAddress(host: host, port: port))
    }

    init?(_ address: ListenerAddress) {
        // An interface's name is taken as well, for all that it has.
        if if_nametoindex(address.host) != 0 { return nil }
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let host = address.host == "localhost" ? "127.0.0.1" : address.host
        let code = getaddrinfo(host, String(address.port), &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        guard code == 0, let first = list?.pointee else {
            self = .elsewhere
            return
        }
        let descriptor = socket(first.ai_family, first.ai_socktype, 0)
        guard descriptor >= 0 else {
            self = .refused(String(cString: strerror(errno)))
            return
        }
        defer { close(descriptor) }
        // As servers have it: what a server before has left in the system is no obstacle, one that listens is.
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard bind(descriptor, first.ai_addr, first.ai_addrlen) != 0 else { return nil }
        switch errno {
        case EADDRINUSE: self = .taken
        case EADDRNOTAVAIL: self = .elsewhere
        case let code: self = .refused(String(cString: strerror(code)))
        }
    }

    /// The reason, in the system's words where they say it.
    public var description: String {
        switch self {
        case .taken: String(cString: strerror(EADDRINUSE))
        case .elsewhere: "the address is not one of this machine's"
        case .refused(let reason): reason
        }
    }
}
