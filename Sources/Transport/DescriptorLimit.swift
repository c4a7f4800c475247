import Glibc

/// The number of files and sockets that this process may have open.
public enum DescriptorLimit {
    /// What a server keeps for files and other programs, where the system gives that many.
    private static let forFiles = 1_000

    /// How many of the connections that a server would take the system lets it have: where its hard limit is lower than
    /// they need, a part is kept for files. Without that, a process out of descriptors could neither open a file nor turn
    /// anybody away.
    public static func connections(of wanted: Int) -> Int {
        guard let limit = current else { return wanted }
        return connections(of: wanted, hardLimit: limit.rlim_max)
    }

    static func connections(of wanted: Int, hardLimit: rlim_t) -> Int {
        guard let hard = Int(exactly: hardLimit) else { return wanted }
        return max(1, min(wanted, hard - min(forFiles, hard / 2)))
    }

    /// Raises it as far as a server of so many connections needs and the system allows; systems begin with 1,024.
    /// libwebsockets makes its tables as large as the limit is, hence not without bounds.
    static func raise(forConnections count: Int) {
        guard var limit = current else { return }
        let wanted = rlim_t(count + forFiles)
        guard limit.rlim_cur < wanted else { return }
        limit.rlim_cur = min(wanted, limit.rlim_max)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    private static var current: rlimit? {
        var limit = rlimit()
        return getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? limit : nil
    }
}
