import Basics
import Models
import System
import Testing
import Transport

/// A hub's process whose schema is pushed while it runs, and everything that it has told its clients.
///
/// The schema has a model Note with some fields `extra…` that come and go; a hub is always started with none of them.
final class SchemaSite: Sendable {
    static let base: [Int] = []

    let directory: TempDirectory
    let ledger = Locked(NoteLedger())
    private var keys: String { directory.file("keys") }
    private var schemaFile: String { directory.file("schema.graphql") }
    var data: String { directory.file("hub") }

    init(_ name: String) throws {
        directory = try TempDirectory(name)
        try Files.writeAtomically("all:everyone\nadmin:admins,everyone\n", to: directory.file("keys"), mode: 0o600)
        try Files.writeAtomically(Self.text(Self.base), to: directory.file("schema.graphql"))
    }

    /// The schema with these additional fields.
    static func text(_ extras: [Int]) -> String {
        let fields = extras.map { "  extra\($0): Int @default(value: \"\($0)\")\n" }.joined()
        return "type Note @model @auth(rules: [{ allow: groups, groups: [\"everyone\"] }]) {\n"
            + "  id: ID!\n  title: String!\n\(fields)}\n"
    }

    func start(
        data other: String? = nil, port: Int = 0, environment: [String: String]? = nil
    ) async throws -> RunningHub {
        try await RunningHub(
            [
                "--data", other ?? data, "--listen", "127.0.0.1:\(port)", "--no-desk", "--schema", schemaFile,
                "--api-key-file",
                keys,
            ], environment: environment)
    }

    /// Pushes; whether the hub says that it serves the schema now, nil where it died over it.
    func push(_ extras: [Int], to client: SiteClient) async throws -> Bool? {
        let body: JSONValue = ["schema": .string(Self.text(extras)), "allowDestructive": true]
        let answer: HTTPResponse
        do { answer = try await client.send("POST", "/schema", body, key: "admin") } catch is TransportError {
            return nil
        }
        // 409: what was to go was written faster than it could be backed up.
        #expect(
            answer.status == 200 || answer.status == 409, "\(String(decoding: answer.body, as: UTF8.self))")
        return answer.status == 200
    }

    /// The schema that a hub serves: one of two, whole.
    func served(_ client: SiteClient, _ before: [Int], _ after: [Int], _ name: String) async throws -> [Int]? {
        let answer = try await client.send("GET", "/schema", key: "admin")
        let text = String(decoding: answer.body, as: UTF8.self)
        guard let found = [before, after].first(where: { Self.text($0) == text }) else {
            Issue.record("\(name): the hub serves neither schema: \(text)")
            return nil
        }
        let fields = Set(before).union(after)
        for field in fields {
            let asked = try await client.ask("{ listNotes(limit: 1) { items { extra\(field) } } }", key: "all")
            let isThere = asked.json?["errors"] == nil
            #expect(isThere == found.contains(field), "\(name): extra\(field) \(asked.json?.text ?? "")")
        }
        return found
    }

    /// Sends one change and notes what becomes of it; false where the hub is gone.
    func send(_ change: NoteChange, to client: SiteClient, acknowledged: () -> Void = {}) async throws -> Bool {
        ledger.withLock { $0.begin(change) }
        let body: JSONValue = [
            "query": .string(change.document),
            "extensions": ["bincount": ["mutationIds": ["m": .string(change.mutation)]]],
        ]
        let answer: HTTPResponse
        do { answer = try await client.send("POST", "/graphql", body, key: "all") } catch is TransportError {
            return false
        }
        let json = try JSONValue(parsing: answer.body)
        let record = json["data"]?["m"]
        guard let version = record?["_version"]?.integer, let title = record?["title"]?.string else {
            Issue.record("\(change.document): \(answer.status) \(json.text)")
            return false
        }
        ledger.withLock { $0.end(change, version: version, title: title) }
        acknowledged()
        return true
    }

    /// Sends again what was not answered: each is taken once, as if nothing had happened between.
    func resend(to client: SiteClient) async throws {
        for change in ledger.current.pending { #expect(try await send(change, to: client)) }
    }

    /// Reads every note that the hub has and compares it with what it has said of it.
    func compare(_ client: SiteClient, _ name: String) async throws {
        var found: [String: (version: Int64, title: String)] = [:]
        var token = "null"
        while true {
            let query = "{ listNotes(limit: 1000, nextToken: \(token)) { nextToken items { id title _version } } }"
            let json = try await client.ask(query, key: "all").json?["data"]?["listNotes"]
            for item in json?["items"]?.array ?? [] {
                found[item["id"]?.string ?? ""] = (item["_version"]?.integer ?? 0, item["title"]?.string ?? "")
            }
            guard let next = json?["nextToken"], !next.isNull else { break }
            token = next.text
        }
        let notes = ledger.current.notes
        for (id, note) in notes {
            let own = try #require(found[id], "\(name): \(id) is lost, \(note)")
            // A push that takes a value from a record makes it a newer one.
            #expect(own.version >= note.version && own.title == note.title, "\(name): \(id) is \(own), was \(note)")
        }
        ledger.withLock { ledger in
            for (id, own) in found { ledger.saw(id, own.version, own.title) }
        }
    }
}

/// One change of a note, with the id under which it is sent again.
struct NoteChange: Sendable {
    let id: String
    let title: String
    /// The version that it changes; 0 for a create.
    let base: Int64
    let mutation: String

    var document: String {
        let name = base == 0 ? "createNote" : "updateNote"
        let version = base == 0 ? "" : ", _version: \(base)"
        return "mutation { m: \(name)(input: {id: \"\(id)\", title: \"\(title)\"\(version)}) { id title _version } }"
    }
}

/// What a hub has acknowledged, and what it was asked and has not answered.
struct NoteLedger: Sendable {
    private(set) var notes: [String: (version: Int64, title: String)] = [:]
    private(set) var contents: [String: [Int64: String]] = [:]
    private(set) var acknowledged = 0
    private var unanswered: [String: NoteChange] = [:]

    var pending: [NoteChange] { unanswered.values.sorted { $0.id < $1.id } }

    mutating func begin(_ change: NoteChange) { unanswered[change.mutation] = change }

    mutating func end(_ change: NoteChange, version: Int64, title: String) {
        // A push that takes a value from a record in between makes the change stale: the merge keeps what is there.
        let isStale = version > change.base + 1 && title == notes[change.id]?.title
        #expect(version > change.base && (title == change.title || isStale), "\(change): \(version) \(title)")
        unanswered[change.mutation] = nil
        notes[change.id] = (version, title)
        acknowledged += 1
        saw(change.id, version, title)
    }

    /// A version stands for one content.
    mutating func saw(_ id: String, _ version: Int64, _ title: String) {
        let known = contents[id, default: [:]].updateValue(title, forKey: version)
        #expect(known == nil || known == title, "\(id): version \(version) was \(known ?? ""), is \(title)")
    }
}
