import Glibc

/// The number of files and sockets that this process may have open.
enum DescriptorLimit {
    /// Raises it as far as a server needs and the system allows; systems begin with 1,024. libwebsockets makes its tables
    /// as large as the limit is, hence not without bounds.
    static func raise(to wanted: rlim_t) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < wanted else {
            return
        }
        limit.rlim_cur = min(wanted, limit.rlim_max)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
