import Glibc

/// A system call that failed: which call, on what, and the system's reason.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was tried, in the words of a message ("open", "rename").
    public let call: String
    /// The file, address or command it was tried on; empty if there is none.
    public let subject: String
    /// The `errno` value.
    public let code: Int32

    /// Makes an error from the `errno` of the call that has just failed.
    public init(call: String, subject: String = "", code: Int32 = errno) {
        self.call = call
        self.subject = subject
        self.code = code
    }

    /// One line such as `cannot open /x/y: No such file or directory`.
    public var description: String {
        "cannot \(call)\(subject.isEmpty ? "" : " " + subject): \(String(cString: strerror(code)))"
    }

    /// Whether the file or directory does not exist.
    public var isMissing: Bool { code == ENOENT }

    /// Whether the disk (or the quota) is full.
    public var isDiskFull: Bool { code == ENOSPC || code == EDQUOT }
}

/// Runs a system call, again while a signal interrupts it, and throws its failure.
///
/// EBADF and EFAULT mean that this program is wrong (a closed descriptor may by now be somebody else's file),
/// so they trap instead of being handled.
@discardableResult
package func systemCall<R: FixedWidthInteger>(
    _ call: String, _ subject: @autoclosure () -> String = "", _ body: () -> R
) throws(SystemError) -> R {
    while true {
        let result = body()
        if result != -1 { return result }
        let code = errno
        if code == EINTR { continue }
        precondition(code != EBADF && code != EFAULT, "\(call) was given a bad descriptor or address")
        throw SystemError(call: call, subject: subject(), code: code)
    }
}
