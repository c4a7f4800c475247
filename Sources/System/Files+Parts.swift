import CSystem
import Glibc

extension Files {
    /// Gives a file's bytes in parts, so that memory does not grow with it.
    public static func readParts(_ path: String, _ body: (ArraySlice<UInt8>) -> Void) throws(SystemError) {
        let file = try systemCall("open", path) { csystem_open(path, O_RDONLY, 0) }
        defer { close(file) }
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = try systemCall("read", path) { Glibc.read(file, &chunk, chunk.count) }
            if count == 0 { return }
            body(chunk[..<count])
        }
    }
}

/// Lets this thread rest; for work in the background on a thread of its own, never on Swift's pool.
public func rest(milliseconds: Int32) { _ = poll(nil, 0, milliseconds) }
