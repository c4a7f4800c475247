import Glibc

extension Files {
    /// Who may do what with a file or directory, as `chmod` writes it; links are followed. Nil where there is none.
    public static func rights(_ path: String) -> UInt32? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o7777 : nil
    }
}
