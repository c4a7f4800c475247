import Basics
import GraphQL
import Models
import SQLite
import Testing

@testable import Hub

/// A hub in memory, with keys of every group, that tests talk to in JSON.
final class HubFixture {
    let core: HubCore
    let time: ManualTimeSource
    let connection: Connection
    private(set) var events: [CommittedChange] = []

    static let keys = [
        "counter", "super:supervisors", "audit:auditors", "desk:desk", "admin:admins", "all:everyone", "blind:writers",
    ]

    init(
        _ schema: Schema = HubFixture.notes, connection: Connection? = nil, limits: HubLimits = HubLimits(),
        authenticator: Authenticator? = nil, time: ManualTimeSource = ManualTimeSource(),
        clock: (any TimeSource)? = nil
    ) throws {
        self.connection = try connection ?? Connection.memory()
        self.time = time
        core = try HubCore(
            engine: try HubEngine(
                schema, authenticator ?? Authenticator(keys: try APIKeys(Self.keys)), limits: limits),
            schema: schema, connection: self.connection, time: clock ?? time, random: SeededRandom(seed: 1))
    }

    /// A schema with each kind of field, rule and strategy.
    static let notes = try! Schema(
        sdl: """
            enum Mood { calm cross }
            type Spot { row: Int! name: String }
            type Note @model @auth(rules: [
              { allow: groups, groups: ["everyone"], operations: [create, update, delete, read] }
              { allow: groups, groups: ["writers"], operations: [update, create] }
            ]) {
              id: ID!
              title: String!
              body: String
              size: Int
              amount: Float @decimal(places: 3)
              mood: Mood @default(value: "calm")
              tags: [String!]
              spot: Spot
              dueAt: AWSDateTime
              boxID: ID @index(name: "notesByBox", queryField: "notesByBox", sortKeyFields: ["size"])
              box: Box @belongsTo(fields: ["boxID"])
            }
            type Strict @model @conflict(strategy: OPTIMISTIC_CONCURRENCY)
              @auth(rules: [{ allow: groups, groups: ["everyone"], operations: [create, update, delete, read] }]) {
              id: ID!
              title: String!
            }
            type Box @model @auth(rules: [{ allow: groups, groups: ["everyone"], operations: [create, update, delete, read] }]) {
              id: ID!
              label: String!
              notes: [Note] @hasMany(indexName: "notesByBox", fields: ["id"])
            }
            type Diary @model @auth(rules: [{ allow: owner, ownerField: "author", operations: [create, update, delete, read] }]) {
              id: ID!
              author: String
              text: String
            }
            """)

    /// Sends one request and gives the body as JSON.
    @discardableResult
    func send(
        _ query: String, _ variables: JSONValue = .object([:]), key: String? = "all", person: String? = nil,
        device: String? = nil, ids: JSONValue? = nil, operations: JSONValue? = nil, operation: String? = nil
    ) -> JSONValue {
        var body: JSONObject = ["query": .string(query), "variables": variables]
        if let operation { body["operationName"] = .string(operation) }
        var ours = JSONObject()
        ours["mutationIds"] = ids
        ours["operations"] = operations
        if !ours.isEmpty { body["extensions"] = ["bincount": .object(ours)] }
        let answer = raw(JSONValue.object(body).bytes, key: key, person: person, device: device)
        return (try? JSONValue(parsing: answer.body)) ?? .null
    }

    /// Sends any bytes.
    func raw(_ body: [UInt8], key: String? = "all", person: String? = nil, device: String? = nil) -> HubAnswer {
        let outcome = core.execute([HubRequest(apiKey: key, person: person, device: device, body: body)])
        events += outcome.events
        return outcome.answers[0]
    }

    static let noteFields = "id title body size amount mood tags spot { row name } _version _deleted _lastChangedAt"

    /// Creates a note and gives it.
    @discardableResult
    func create(_ input: JSONValue) -> JSONValue {
        send(
            "mutation M($i: CreateNoteInput!) { createNote(input: $i) { \(Self.noteFields) } }", ["i": input])
    }

    /// Updates a note.
    @discardableResult
    func update(_ input: JSONValue, condition: JSONValue = .null) -> JSONValue {
        send(
            """
            mutation M($i: UpdateNoteInput!, $c: ModelNoteConditionInput) {
              updateNote(input: $i, condition: $c) { __typename \(Self.noteFields) }
            }
            """, ["i": input, "c": condition])
    }

    /// Deletes a note.
    @discardableResult
    func delete(_ id: String, version: Int64?) -> JSONValue {
        var input: JSONObject = ["id": .string(id)]
        if let version { input["_version"] = .integer(version) }
        return send(
            "mutation M($i: DeleteNoteInput!) { deleteNote(input: $i) { __typename \(Self.noteFields) } }",
            ["i": .object(input)])
    }

    /// One page of a sync of notes.
    func sync(lastSync: Int64? = nil, limit: Int? = nil, token: String? = nil, filter: JSONValue = .null) -> SyncPage {
        let json = send(
            """
            query S($l: Int, $t: String, $s: AWSTimestamp, $f: ModelNoteFilterInput) {
              syncNotes(limit: $l, nextToken: $t, lastSync: $s, filter: $f) {
                items { \(Self.noteFields) } nextToken startedAt
              }
            }
            """,
            [
                "l": limit.map { .integer(Int64($0)) } ?? .null, "t": token.map { .string($0) } ?? .null,
                "s": lastSync.map { .integer($0) } ?? .null, "f": filter,
            ])
        return SyncPage(json: json)
    }

    /// All pages of a sync of notes; `between` runs before each further page.
    func syncAll(
        lastSync: Int64? = nil, limit: Int? = nil, filter: JSONValue = .null, between: () -> Void = {}
    ) -> (items: [JSONValue], startedAt: Int64) {
        var items: [JSONValue] = []
        var page = sync(lastSync: lastSync, limit: limit, filter: filter)
        let startedAt = page.startedAt
        items += page.items
        while let token = page.token {
            between()
            page = sync(lastSync: lastSync, limit: limit, token: token, filter: filter)
            #expect(page.startedAt == startedAt)
            items += page.items
        }
        return (items, startedAt)
    }
}

struct SyncPage {
    let items: [JSONValue]
    let token: String?
    let startedAt: Int64
    let json: JSONValue

    init(json: JSONValue) {
        self.json = json
        let connection = json["data"]?["syncNotes"]
        items = connection?["items"]?.array ?? []
        token = connection?["nextToken"]?.string
        startedAt = connection?["startedAt"]?.integer ?? -1
    }
}

extension JSONValue {
    /// The first error's text or kind.
    var errorMessage: String? { self["errors"]?[0]?["message"]?.string }
    var errorType: String? { self["errors"]?[0]?["errorType"]?.string }
    /// The value of the only field of `data`.
    var result: JSONValue? { self["data"]?.object?.members.first?.value }
}
