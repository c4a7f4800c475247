import Glibc

/// A new directory that is removed, with all that is in it, when the last reference goes.
public final class TempDirectory: Sendable {
    /// Where it is.
    public let path: String

    /// Makes it below `TMPDIR`, or below `/tmp`.
    public init(_ name: String = "bincount") throws(SystemError) {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/\(name)-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw SystemError(call: "make a temporary directory in", subject: base)
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        try? Files.removeTree(path)
    }

    /// The path of a name in it.
    public func file(_ name: String) -> String { "\(path)/\(name)" }
}
