import AppSync
import Basics
import DataStore
import Models
import Testing

@testable import SyncEngine

/// A session over a store in memory, whose backend is the test.
final class SessionFixture {
    static let task = ModelSchema(
        "Task", pluralName: "Tasks",
        fields: [
            FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("title", .scalar(.string), isRequired: true),
            FieldSchema("state", .scalar(.string)), FieldSchema("owner", .scalar(.string)),
        ],
        authRules: [
            AuthRule(
                allow: .owner, ownerField: "owner", operations: AuthRule.Operation.read.union([.create, .update])),
            AuthRule(allow: .groups, groups: ["all"], operations: AuthRule.Operation.read.union([.delete])),
        ])
    static let zone = ModelSchema(
        "Zone", pluralName: "Zones",
        fields: [
            FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("code", .scalar(.string), isRequired: true),
        ], syncPolicy: .downstream)
    static let schema = Schema(models: [task, zone])
    /// A model whose fields take operations.
    static let shelf = ModelSchema(
        "Shelf", pluralName: "Shelves",
        fields: [
            FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("label", .scalar(.string)),
            FieldSchema("count", .scalar(.int), merge: .counter),
            FieldSchema("weight", .scalar(.decimal(places: 3)), merge: .counter),
            FieldSchema("marks", .scalar(.string), isList: true, isElementRequired: true, merge: .set),
        ])

    struct Sent {
        let id: Int
        let body: JSONValue
        let person: String?
        var modes: [AuthProvider] = []
        var personal = false
        var query: String { body["query"]?.string ?? "" }
        var variables: JSONValue { body["variables"] ?? .null }
    }

    let time = ManualTimeSource()
    let core: StoreCore
    private(set) var session: SyncSession!
    private let schema: Schema
    private(set) var sent: [Sent] = []
    private(set) var frames: [RealtimeFrame] = []
    private(set) var events: [StoreEvent] = []
    let problems = Locked<[StoreProblem]>([])
    private(set) var results: [SyncResult] = []
    private(set) var cancelled: [Int] = []
    private(set) var opened: [(socket: Int, person: String?)] = []
    private(set) var closed: [Int] = []
    private(set) var status = SyncStatus()
    private(set) var wakeAt: Int64?

    init(
        person: String? = "ann", profile: RemoteProfile = .hub, scope: SyncScope = .all,
        schema: Schema = SessionFixture.schema, configure: (inout StoreOptions) -> Void = { _ in },
        sync: (inout SyncOptions) -> Void = { _ in }
    ) throws {
        self.schema = schema
        var storeOptions = StoreOptions(time: time, random: SeededRandom(seed: 1))
        storeOptions.errorHandler = { [problems] problem in problems.withLock { $0.append(problem) } }
        configure(&storeOptions)
        core = try StoreCore(schema: schema, at: .memory, options: storeOptions)
        begin(person, profile, scope, sync)
    }

    private init(of other: SessionFixture, person: String?) {
        (schema, core) = (other.schema, other.core)
        begin(person, .hub, .all) { _ in }
    }

    /// The program starts again on the same store, with this person to name to its session.
    func restarted(as person: String?) -> SessionFixture { SessionFixture(of: self, person: person) }

    private func begin(
        _ person: String?, _ profile: RemoteProfile, _ scope: SyncScope, _ sync: (inout SyncOptions) -> Void
    ) {
        var options = SyncOptions { RealtimeAuthorization(host: "h", apiKey: "k", person: $0) }
        options.person = person
        options.profile = profile
        options.scope = scope
        sync(&options)
        session = SyncSession(core: core, options: options) { [unowned self] in take($0) }
        core.onEvent = { [unowned self] in events.append($0) }
    }

    private func take(_ action: SyncAction) {
        switch action {
        case .http(let id, let body, let person, let modes, let personal):
            sent.append(
                Sent(
                    id: id, body: (try? JSONValue(parsing: body)) ?? .null, person: person, modes: modes,
                    personal: personal))
        case .cancelHTTP(let id): cancelled.append(id)
        case .openSocket(let socket, let person): opened.append((socket, person))
        case .sendText(_, let bytes): if let frame = try? RealtimeFrame(parsing: bytes) { frames.append(frame) }
        case .closeSocket(let socket): closed.append(socket)
        case .wake(let wait): wakeAt = time.uptime() + wait
        case .status(let status): self.status = status
        case .event(let event):
            events.append(event)
            // As the store does with its driver's.
            if case .failure(let problem) = event { problems.withLock { $0.append(problem) } }
        case .synced(_, let result): results.append(result)
        }
    }

    func handle(_ event: SyncEvent) { session.handle(event) }

    /// The requests since the last call.
    func takeSent() -> [Sent] {
        defer { sent = [] }
        return sent
    }

    /// The open request for a field, such as `syncTasks`; the others stay.
    func takeSent(of field: String) -> Sent? {
        guard let index = sent.firstIndex(where: { $0.query.contains(field) }) else { return nil }
        return sent.remove(at: index)
    }

    /// The events since the last call.
    func takeEvents() -> [StoreEvent] {
        defer { events = [] }
        return events
    }

    func answer(_ id: Int, _ json: JSONValue, status: Int = 200) {
        handle(.httpAnswer(id: id, HTTPAnswer(status: status, body: json.bytes)))
    }

    func hear(_ frames: [RealtimeFrame]) {
        handle(.socketText(socket: opened.last?.socket ?? 0, frames: frames.map(\.bytes)))
    }

    /// Moves the clock and wakes the session as its timer would.
    func pass(_ milliseconds: Int64) {
        let end = time.uptime() + milliseconds
        while let next = wakeAt, next <= end {
            time.advance(milliseconds: next - time.uptime())
            wakeAt = nil
            handle(.wake)
        }
        time.advance(milliseconds: end - time.uptime())
    }

    /// Starts and gets through to live; the fetches it asks for are left open.
    func connect() {
        handle(.start)
        shakeHands()
    }

    func shakeHands() {
        handle(.socketOpened(socket: opened.last?.socket ?? 0))
        hear([.connectionAck(timeoutMilliseconds: 60_000)])
        hear((1...3 * session.receivedModels.count).map { .startAck(id: String($0)) })
    }

    /// What a hub of the first kind announces; each session that takes its backend for a hub hears it once.
    static let hub: JSONValue = ["mutationIds": true, "batch": 100, "bases": true, "left": true]

    /// Answers all open fetches with empty last pages.
    func finishFetches(startedAt: Int64 = 1000, announcing: JSONValue? = nil) {
        for request in takeSent() { answerFetch(request, startedAt: startedAt, announcing: announcing) }
    }

    func answerFetch(
        _ request: Sent, _ items: [JSONValue] = [], next: String? = nil, startedAt: Int64 = 1000,
        announcing: JSONValue? = nil, isSilent: Bool = false
    ) {
        let isFirst = session.options.profile.knowsMutationIDs && !session.profile.isKnown
        let announcing: JSONValue? = announcing ?? (isFirst && !isSilent ? Optional(Self.hub) : Optional.none)
        let field = request.query.split(separator: " ").first { $0.hasPrefix("sync") }.map { $0.prefix { $0 != "(" } }
        let token: JSONValue = next.map { .string($0) } ?? .null
        var body: JSONObject = [
            "data": .object([
                String(field ?? ""): ["items": .array(items), "nextToken": token, "startedAt": .integer(startedAt)]
            ])
        ]
        if let announcing { body["extensions"] = ["bincount": announcing] }
        answer(request.id, .object(body))
    }

    static func json(
        _ id: String, _ title: String, state: String? = nil, owner: String? = "ann", version: Int64 = 1,
        deleted: Bool = false
    ) -> JSONValue {
        [
            "id": .string(id), "title": .string(title), "state": state.map { .string($0) } ?? .null,
            "owner": owner.map { .string($0) } ?? .null, "_version": .integer(version),
            "_deleted": deleted ? true : nil, "_lastChangedAt": .integer(version),
        ]
    }

    static func record(_ id: String, _ title: String, state: String? = nil, owner: String = "ann") -> Record {
        Record(schema: task, values: [.text(id), .text(title), state.map { .text($0) } ?? .null, .text(owner)])
    }

    func save(_ record: Record, as person: String = "ann") throws {
        try core.write(as: person) { try $0.save(record) }
        handle(.localCommit)
    }

    func get(_ id: String) throws -> Record? { try core.read { try $0.get(model: "Task", id: id) } }
    func state(_ id: String) throws -> SyncState { try core.read { try $0.syncState(model: "Task", id: id) } }

    /// A data frame of one of the task's subscriptions.
    static func event(_ operation: ModelOperation, _ json: JSONValue) -> RealtimeFrame {
        let number = (ModelOperation.subscriptions.firstIndex(of: operation) ?? 0) + 1
        return .data(
            id: String(number),
            payload: JSONValue.object(["data": .object([task.operationName(operation): json])]).bytes)
    }
}
