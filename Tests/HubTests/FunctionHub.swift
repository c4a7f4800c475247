import Basics
import GraphQL
import Models
import SQLite
import Testing

@testable import Hub

/// A hub in memory whose functions the test plays: what they are asked is noted, and they answer when told to.
final class FunctionHub {
    let core: HubCore
    let time: ManualTimeSource
    let connection: Connection
    private(set) var events: [CommittedChange] = []
    /// Calls without an outcome yet.
    private(set) var calls: [FunctionCall] = []
    /// All calls ever, as JSON.
    private(set) var asked: [JSONValue] = []
    /// Answers that came later, by ticket.
    private(set) var finished: [UInt64: JSONValue] = [:]
    private(set) var statuses: [UInt64: Int] = [:]

    static let schema = try! Schema(
        sdl: """
            type Spot { row: Int name: String tags: [String] more: AWSJSON }
            type Note @model @conflict(strategy: LAMBDA) \(rules) {
              id: ID!
              title: String!
              body: String
              tags: [String!]
              meta: AWSJSON
              amount: Float @decimal(places: 3)
              dueAt: AWSDateTime
              hits: Int @counter
              spot: Spot
              owner: String
            }
            type Plain @model \(rules) { id: ID! title: String! body: String }
            type Strict @model @conflict(strategy: OPTIMISTIC_CONCURRENCY) \(rules) { id: ID! title: String! body: String }
            type Diary @model @conflict(strategy: LAMBDA)
              @auth(rules: [{ allow: owner, ownerField: "author", operations: [create, update, delete, read] }]) {
              id: ID!
              author: String
              title: String
            }
            """)
    private static let rules =
        "@auth(rules: [{ allow: groups, groups: [\"everyone\"], operations: [create, update, delete, read] }])"

    init(
        connection: Connection? = nil, time: ManualTimeSource = ManualTimeSource(), schema: Schema = FunctionHub.schema,
        _ configure: (inout ResolverOptions) throws -> Void = { try $0.addConflictHandler("*=decide") }
    ) throws {
        var options = ResolverOptions()
        options.functions = ["decide", "before", "after"].map { FunctionDefinition(name: $0, target: .program([$0])) }
        try configure(&options)
        self.connection = try connection ?? Connection.memory()
        self.time = time
        core = try HubCore(
            schema: schema, connection: self.connection, keys: try APIKeys(["all:everyone", "counter"]), time: time,
            random: SeededRandom(seed: 1), resolvers: options)
    }

    /// A turn of the hub.
    @discardableResult
    func turn(
        _ requests: [HubRequest], answered: [(id: FunctionCall.ID, outcome: FunctionOutcome)] = []
    ) -> HubOutcome {
        let outcome = core.perform(requests, answered: answered)
        events += outcome.events
        calls += outcome.calls
        asked += outcome.calls.map { (try? JSONValue(parsing: $0.payload)) ?? .null }
        for (ticket, answer) in outcome.finished {
            #expect(finished[ticket] == nil, "a request is answered once")
            finished[ticket] = (try? JSONValue(parsing: answer.body)) ?? .null
            statuses[ticket] = answer.status
        }
        return outcome
    }

    static func request(
        _ query: String, _ variables: JSONValue = .object([:]), ids: JSONValue? = nil, atomic: JSONValue? = nil,
        operations: JSONValue? = nil, key: String = "all", person: String? = nil, device: String? = "T1"
    ) -> HubRequest {
        var ours = JSONObject()
        ours["mutationIds"] = ids
        ours["atomic"] = atomic
        ours["operations"] = operations
        let body: JSONValue = [
            "query": .string(query), "variables": variables, "extensions": ["bincount": .object(ours)],
        ]
        return HubRequest(apiKey: key, person: person, device: device, body: body.bytes)
    }

    /// Sends one request; nil where it waits.
    func begin(_ request: HubRequest) -> (ticket: UInt64?, answer: JSONValue?) {
        let outcome = turn([request])
        return (outcome.tickets[0], outcome.answers[0].flatMap { try? JSONValue(parsing: $0.body) })
    }

    /// Sends one request that waits; gives its ticket.
    func wait(_ request: HubRequest) throws -> UInt64 {
        try #require(begin(request).ticket)
    }

    /// The function answers the oldest open call.
    func answer(_ json: JSONValue) throws { try settle(.success(json)) }
    func fail(_ failure: FunctionFailure) throws { try settle(.failure(failure)) }

    /// The function answers all open calls in one turn.
    func answerAll(_ json: JSONValue) {
        let open = calls
        calls = []
        turn([], answered: open.map { ($0.id, .success(json)) })
    }

    private func settle(_ outcome: FunctionOutcome) throws {
        try #require(!calls.isEmpty, "no function is asked")
        let call = calls.removeFirst()
        turn([], answered: [(call.id, outcome)])
    }

    /// Sends one request and lets the function answer whatever it is asked.
    func send(
        _ request: HubRequest, _ function: (JSONValue) -> FunctionOutcome = { _ in .success(.null) }
    ) throws -> JSONValue {
        let (ticket, answer) = begin(request)
        if let answer { return answer }
        var turns = 0
        while !calls.isEmpty, turns < 50 {
            let call = calls.removeFirst()
            turn([], answered: [(call.id, function((try? JSONValue(parsing: call.payload)) ?? .null))])
            turns += 1
        }
        let waited = try #require(ticket)
        return try #require(finished[waited])
    }

    static func create(_ model: String, _ input: JSONValue) -> HubRequest {
        request(
            "mutation M($i: Create\(model)Input!) { create\(model)(input: $i) { id title _version } }", ["i": input])
    }

    static func update(
        _ model: String, _ input: JSONValue, ids: JSONValue? = nil, fields: String = "id title body _version _deleted"
    ) -> HubRequest {
        request(
            "mutation M($i: Update\(model)Input!) { m: update\(model)(input: $i) { __typename \(fields) } }",
            ["i": input], ids: ids)
    }

    static func delete(_ model: String, _ input: JSONValue) -> HubRequest {
        request(
            "mutation M($i: Delete\(model)Input!) { m: delete\(model)(input: $i) { __typename id title body _version _deleted } }",
            ["i": input])
    }

    /// A record with two versions: created as `theirs`, changed once.
    func prepare(_ model: String, deleted: Bool = false) throws {
        _ = try send(Self.create(model, ["id": "1", "title": "first"]))
        _ = try send(Self.update(model, ["id": "1", "title": "theirs", "_version": 1]))
        if deleted { _ = try send(Self.delete(model, ["id": "1", "_version": 2])) }
    }

    func stored(_ model: String, _ id: String = "1") throws -> JSONValue? {
        try send(Self.request("{ get\(model)(id: \"\(id)\") { title body _version _deleted } }")).result
    }
}
