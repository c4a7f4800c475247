import CSystem
import Glibc

extension Files {
    /// A line of a file that is longer than whoever reads it takes.
    public struct LongLine: Error, Equatable, Sendable, CustomStringConvertible {
        /// The file.
        public let path: String
        /// The line, from 1.
        public let line: Int
        /// How many bytes a line may have.
        public let limit: Int
        /// One line for a person.
        public var description: String { "\(path):\(line): the line is longer than \(limit) bytes" }
    }

    /// Gives a text file's lines one by one with their numbers, from 1, so that memory does not grow with the file.
    ///
    /// Lines end with LF or CR LF; a byte-order mark is left out.
    /// - Parameter limit: How many bytes a line may have.
    /// - Throws: `SystemError`, ``NotText``, ``LongLine``, or what `body` throws.
    public static func readLines(_ path: String, limit: Int, _ body: (String, Int) throws -> Void) throws {
        let file = try systemCall("open", path) { csystem_open(path, O_RDONLY, 0) }
        defer { close(file) }
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        var line: [UInt8] = []
        var number = 0
        func give() throws {
            number += 1
            if number == 1, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
            if line.last == 13 { line.removeLast() }
            guard line.withUnsafeBytes(UTF8Check.firstInvalidOffset) == nil else {
                throw NotText(path: path, line: number)
            }
            try body(String(decoding: line, as: UTF8.self), number)
            line.removeAll(keepingCapacity: true)
        }
        while true {
            let count = try systemCall("read", path) { Glibc.read(file, &chunk, chunk.count) }
            guard count > 0 else {
                if !line.isEmpty { try give() }
                return
            }
            var rest = chunk[..<count]
            while let end = rest.firstIndex(of: 10) {
                line.append(contentsOf: rest[..<end])
                guard line.count <= limit else { throw LongLine(path: path, line: number + 1, limit: limit) }
                try give()
                rest = rest[(end + 1)...]
            }
            line.append(contentsOf: rest)
            guard line.count <= limit else { throw LongLine(path: path, line: number + 1, limit: limit) }
        }
    }
}
