import Glibc

extension Files {
    /// The path of a program that can be started: a path as it is, or a name looked up in `PATH`; nil where there is none.
    public static func program(_ name: String) -> String? {
        guard !name.isEmpty else { return nil }
        func isProgram(_ path: String) -> Bool {
            var status = stat()
            guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
            return access(path, X_OK) == 0
        }
        if name.contains("/") { return isProgram(name) ? name : nil }
        let places = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
        return places.split(separator: ":").map { "\($0)/\(name)" }.first(where: isProgram)
    }
}
