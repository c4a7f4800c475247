import Basics
import Glibc
import GraphQL
import Models

/// The command `modelgen SCHEMA OUT`.
///
/// Mistakes are printed to stderr one per line, `FILE:LINE:COLUMN: error: message`, so that a build shows them at their
/// place. The output is written only when its bytes change, so that nothing is compiled again for nothing.
public struct ModelGeneratorCommand {
    private let words: [String]
    private let complain: (String) -> Void

    /// Takes the words after the command's name, and where lines of complaint go (stderr).
    public init(_ words: [String], complain: @escaping (String) -> Void = ModelGeneratorCommand.standardError) {
        self.words = words
        self.complain = complain
    }

    /// Does the work and returns the exit code: 0, 1 on a mistake in the schema or a file, 2 on wrong usage.
    public func run() -> Int32 {
        do {
            let files = try CommandLineArguments(words).rest()
            guard files.count == 2 else { throw UsageError("usage: modelgen SCHEMA OUT") }
            let text = try read(files[0])
            let source: String
            do {
                source = try SwiftGenerator.source(fromSDL: text)
            } catch {
                for mistake in error.mistakes {
                    complain("\(files[0]):\(mistake.line):\(mistake.column): error: \(mistake.message)")
                }
                return 1
            }
            if (try? read(files[1])) != source { try write(source, to: files[1]) }
            return 0
        } catch let error as UsageError {
            complain(error.description)
            return 2
        } catch {
            complain("\(error)")
            return 1
        }
    }

    private struct FileError: Error, CustomStringConvertible {
        let description: String

        init(_ path: String, _ code: Int32) {
            description = "\(path): error: \(String(cString: strerror(code)))"
        }
    }

    /// Writes one line to stderr.
    public static func standardError(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    private func read(_ path: String) throws -> String {
        guard let file = fopen(path, "r") else { throw FileError(path, errno) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        guard ferror(file) == 0 else { throw FileError(path, EIO) }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw FileError(path, EILSEQ) }
        return text
    }

    /// Writes beside the file and renames, so that a broken build never leaves half a file.
    private func write(_ text: String, to path: String) throws {
        let temporary = "\(path).\(getpid())"
        guard let file = fopen(temporary, "w") else { throw FileError(temporary, errno) }
        let bytes = Array(text.utf8)
        let written = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, written == bytes.count, rename(temporary, path) == 0 else {
            let code = errno
            unlink(temporary)
            throw FileError(path, code)
        }
    }
}
