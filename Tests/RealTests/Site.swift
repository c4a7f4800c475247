import Basics
import Crypto
import Glibc
import SyncEngine
import System
import Testing
import Transport

/// What a run of the program left.
struct Outcome: Sendable {
    let code: System.ExitStatus
    let out: String
    let error: String
}

/// Runs the built program to its end; `input` is its standard input.
func bincount(_ words: String..., input: String = "") async throws -> Outcome {
    let result = try await ChildProcess.run(
        [Built.program] + words, input: Array(input.utf8))
    return Outcome(
        code: result.status, out: String(decoding: result.standardOutput, as: UTF8.self),
        error: String(decoding: result.standardError, as: UTF8.self))
}

/// A site as who runs it sets it up: a directory, and the hub's process on a port of its own.
struct Site: Sendable {
    let directory: TempDirectory
    var hub: String { directory.file("hub") }

    init() throws { directory = try TempDirectory("site") }

    /// Starts the hub; it has no keys but those in its tables.
    func start(_ options: String..., host: String = "127.0.0.1", port: Int = 0) async throws -> RunningHub {
        try await RunningHub(["--data", hub, "--listen", "\(host):\(port)", "--no-desk"] + options)
    }

    /// Makes a key.
    func key(_ groups: String..., options: [String] = []) async throws -> String {
        let words = ["hub", "key", "add", "--data", hub] + groups.flatMap { ["--group", $0] } + options
        let result = try await ChildProcess.run([Built.program] + words)
        try #require(result.status.isSuccess, "\(String(decoding: result.standardError, as: UTF8.self))")
        return String(decoding: result.standardOutput, as: UTF8.self).trimmed
    }

    /// Makes a one-time code.
    func code(_ options: String...) async throws -> String {
        let result = try await ChildProcess.run([Built.program, "hub", "enrol-code", "--data", hub] + options)
        try #require(result.status.isSuccess, "\(String(decoding: result.standardError, as: UTF8.self))")
        return String(decoding: result.standardOutput, as: UTF8.self).trimmed
    }

    /// The authority that `hub init` made.
    var authority: String { hub + "/tls/authority.pem" }
}

/// A hub's process that listens.
final class RunningHub: Sendable {
    let child: ChildProcess
    let url: String
    let port: Int

    init(_ options: [String], environment: [String: String]? = nil) async throws {
        child = try ChildProcess([Built.program, "hub"] + options, environment: environment)
        guard let line = await child.readLine(), line.hasPrefix("listening on ") else {
            _ = await child.wait()
            throw HubProcess.Failure(description: "the hub did not start: \(child.standardErrorText)")
        }
        url = String(line.dropFirst("listening on ".count))
        port = try URLParts(url).port
    }

    deinit { child.send(.kill) }

    func stop() async {
        child.send(.terminate)
        #expect(await child.wait() == .code(0))
    }
}

/// Requests to a hub, one after the other.
final class SiteClient: Sendable {
    private let loop: WebSocketLoop
    private let client: HTTPClient

    init(_ hub: RunningHub, authority: String? = nil) throws {
        loop = try WebSocketLoop(name: "test")
        let anchor = try authority.map { try Certificate.read(pem: try Files.read($0))[0] }
        client = try HTTPClient(
            loop: loop, origin: try URLParts(hub.url),
            tls: try anchor.map { try TLSClientContext(trust: .pinned($0)) })
    }

    deinit { loop.stop() }

    func ask(
        _ query: String, key: String? = nil, token: String? = nil
    ) async throws -> (status: Int, json: JSONValue?) {
        var headers: HTTPHeaders = ["content-type": "application/json"]
        if let key { headers.append("x-api-key", key) }
        if let token { headers.append("authorization", token) }
        let body: JSONValue = ["query": .string(query)]
        let answer = try await client.send(HTTPRequest(path: "/graphql", headers: headers, body: body.bytes))
        return (answer.status, try? JSONValue(parsing: answer.body))
    }

    /// Sends any request.
    func send(_ method: String, _ path: String, _ body: JSONValue? = nil, key: String) async throws -> HTTPResponse {
        let headers: HTTPHeaders = ["content-type": "application/json", "x-api-key": key]
        return try await client.send(
            HTTPRequest(method: method, path: path, headers: headers, body: body?.bytes ?? []))
    }

    /// Asks until the answer is as wished: a hub notices what commands change within a second.
    func ask(
        _ query: String, key: String? = nil, token: String? = nil, until isRight: (Int, JSONValue?) throws -> Bool
    ) async throws {
        let end = SystemTimeSource().uptime() + 60_000
        while true {
            let answer = try await ask(query, key: key, token: token)
            if try isRight(answer.status, answer.json) { return }
            guard SystemTimeSource().uptime() < end else {
                throw HubProcess.Failure(description: "\(query): \(answer.status) \(answer.json?.text ?? "")")
            }
        }
    }
}

/// A file's rights, as `ls` means them.
func rights(_ path: String) -> UInt32 {
    var found = stat()
    return stat(path, &found) == 0 ? found.st_mode & 0o777 : 0
}

extension String {
    /// Without white space around it.
    var trimmed: String {
        var text = self[...].drop { $0.isWhitespace }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
