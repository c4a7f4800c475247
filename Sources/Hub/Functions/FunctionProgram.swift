import Basics
import System

/// One call of a function that is a program: JSON on its standard input, JSON on its standard output, exit code 0.
enum FunctionProgram {
    /// How long a program that took too long has to end by itself.
    static let grace: Int64 = 500

    /// Starts the program; `completion` is called once, on the thread that watches it.
    ///
    /// It gets no environment but a path, a language and the function's name: nothing of the hub's secrets.
    static func start(
        _ command: [String], _ function: FunctionDefinition, _ payload: [UInt8],
        completion: @escaping @Sendable (FunctionOutcome) -> Void
    ) throws(SystemError) -> ChildProcess {
        let child = try ChildProcess(
            command,
            environment: [
                "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "BINCOUNT_FUNCTION": function.name,
            ], input: payload, outputLimit: function.answerLimit + 1, ownsGroup: true)
        child.whenEnded { completion(read($0, limit: function.answerLimit)) }
        child.end(afterMilliseconds: function.timeoutMilliseconds, graceMilliseconds: grace)
        return child
    }

    static func read(_ result: ChildResult, limit: Int) -> FunctionOutcome {
        if result.timedOut { return .failure(.timedOut) }
        guard result.status.isSuccess else {
            let complaint = printable(firstLine(result.standardError))
            return .failure(.failed("\(result.status)" + (complaint.isEmpty ? "" : ": \(complaint)")))
        }
        return answer(result.standardOutput, limit: limit)
    }

    /// Reads what a function says; nothing at all is null.
    static func answer(_ bytes: [UInt8], limit: Int) -> FunctionOutcome {
        guard bytes.count <= limit else { return .failure(.unreadable("it is longer than \(limit) bytes")) }
        guard bytes.contains(where: { $0 != 32 && $0 != 10 && $0 != 13 && $0 != 9 }) else { return .success(.null) }
        guard let json = try? JSONValue(parsing: bytes) else { return .failure(.unreadable("it is no JSON")) }
        return .success(json)
    }

    static func firstLine(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.prefix { $0 != 10 }.prefix(300), as: UTF8.self)
    }
}
