import AppSync
import Basics
import Models
import SQLite

/// What `after` functions are to get and have got: the rows, the queues, and what is yet to be written of them.
struct Deliveries {
    /// One queue a function, so that one that fails holds up no other.
    var queues: [String: DeliveryQueue] = [:]
    /// What was decided of rows and is not committed yet.
    var unsaved: [(function: String, action: DeliveryQueue.Action)] = []
    var calls: [FunctionCall] = []
    /// Which act of a person on the table was the last to be noticed.
    var acts: Int64 = 0

    static let table = [
        """
        CREATE TABLE IF NOT EXISTS _deliveries(number INTEGER PRIMARY KEY AUTOINCREMENT, function TEXT NOT NULL, \
        record TEXT NOT NULL, payload TEXT NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL, \
        parked INTEGER NOT NULL, reason TEXT, since INTEGER, next INTEGER) STRICT
        """,
        "CREATE INDEX IF NOT EXISTS _deliveries_waiting ON _deliveries(function, number) WHERE parked=0",
        "CREATE INDEX IF NOT EXISTS _deliveries_of_record ON _deliveries(function, record, number) WHERE parked=0",
    ]
    /// What a person is told of a delivery, in milliseconds since 1970: when it was committed, and when it is tried next.
    /// `due` is in hub time, which only counts while the hub runs.
    static let shownTimes = ["since", "next"]
    static let nextText = StatementText(
        "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name='_deliveries'),0)+1")
    static let insertText = StatementText(
        "INSERT INTO _deliveries(number,function,record,payload,attempts,due,parked,since) "
            + "VALUES(?1,?2,?3,?4,0,0,0,?5)")
    static let loadText = StatementText(
        "SELECT number,record,payload,attempts,due FROM _deliveries WHERE function=?1 AND number>?2 AND parked=0 "
            + "ORDER BY number LIMIT ?3")
    static let findText = StatementText(
        "SELECT number,record,payload,attempts,due FROM _deliveries WHERE function=?1 AND record=?2 AND number<=?3 "
            + "AND parked=0 ORDER BY number")
    static let deleteText = StatementText("DELETE FROM _deliveries WHERE number=?1")
    static let tryText = StatementText(
        "UPDATE _deliveries SET attempts=?2,due=?3,parked=?4,reason=?5,next=?6 WHERE number=?1")

    /// Gives a table of an earlier version the columns that it has not.
    static func upgrade(_ connection: Connection) throws {
        let columns = try connection.rows("SELECT name FROM pragma_table_info('_deliveries')").compactMap { $0[0].text }
        for name in shownTimes where !columns.contains(name) {
            try connection.execute("ALTER TABLE _deliveries ADD COLUMN \(name) INTEGER")
        }
    }
}

extension HubCore {
    /// Takes up what waited when the hub stopped.
    func openDeliveries(retriesParked: Bool) throws {
        try Deliveries.upgrade(connection)
        if retriesParked {
            try connection.transaction(.immediate) {
                _ = try connection.run("UPDATE _deliveries SET parked=0,attempts=0,due=0,next=NULL WHERE parked=1")
            }
        }
        // Hub time stood still while the hub did.
        try connection.run(
            "UPDATE _deliveries SET next=due-?1+?2 WHERE parked=0 AND due>?1",
            [.integer(state.hubTime), .integer(time.now().milliseconds)])
        try connection.execute(DeliveryStore.actsTable)
        deliveries.acts = try DeliveryStore.acts(connection)
        for function in resolvers.afterFunctions {
            deliveries.queues[function] = DeliveryQueue()
            follow(function, .tick)
        }
        try countDeliveries()
        if statistics.deliveriesParked > 0 {
            log(
                .warning,
                "\(statistics.deliveriesParked) deliveries to functions were given up; `bincount hub deliveries` shows them"
            )
        }
        for row in try connection.rows("SELECT function,count(*) FROM _deliveries WHERE parked=0 GROUP BY function") {
            guard let function = row[0].text, deliveries.queues[function] == nil else { continue }
            log(
                .warning,
                "\(row[1].integer ?? 0) deliveries wait for the function \(function), which no --after names any more; "
                    + "name it again, or drop them with `bincount hub deliveries drop`")
        }
    }

    /// Keeps a committed mutation for the function after it, in the same commit.
    func enqueueDelivery(_ mutation: Mutation, _ row: HubRow, previous: HubRow?) throws {
        guard let position = mutation.root.kind.mutationPosition,
            let function = resolvers[mutation.model].after[position]
        else { return }
        let number = try connection.withStatement(Deliveries.nextText) { statement in
            _ = try statement.step()
            return statement.integer(at: 0)
        }
        try connection.withStatement(Deliveries.insertText) { statement in
            statement.bind(number, at: 1)
            statement.bind(function, at: 2)
            statement.bind("\(mutation.model.schema.name)#\(row.rowID)", at: 3)
            statement.bind(afterPayload(mutation, row, previous: previous, number: number).text, at: 4)
            statement.bind(time.now().milliseconds, at: 5)
            _ = try statement.step()
        }
        deliveriesWritten += 1
    }

    var hasUnsavedDeliveries: Bool { !deliveries.unsaved.isEmpty }

    /// Whether a turn without requests would do something.
    package var hasWork: Bool { hasUnsavedDeliveries || !deliveries.calls.isEmpty }

    /// Time has passed: what is due is called in this turn or the next.
    package func tick() {
        do {
            try noticeActs()
            for function in deliveries.queues.keys { follow(function, .tick) }
            if !deliveries.queues.isEmpty { try countDeliveries() }
        } catch {
            log(.warning, "deliveries could not be looked at: \(error)")
        }
    }

    /// Reads the table anew where a person has changed it. What came of deliveries is committed first: else one that was
    /// taken would be read as if it waited.
    private func noticeActs() throws {
        guard deliveries.unsaved.isEmpty else { return }
        let acts = try DeliveryStore.acts(connection)
        guard acts != deliveries.acts else { return }
        deliveries.acts = acts
        for (function, queue) in deliveries.queues {
            let gone = try queue.underWay.filter { number in
                try connection.rows("SELECT 1 FROM _deliveries WHERE number=?", [.integer(number)]).isEmpty
            }
            follow(function, .changed(gone: gone))
        }
        try countDeliveries()
    }

    func delivered(_ function: String, _ number: Int64, _ outcome: FunctionOutcome) {
        follow(function, .answered(number, outcome))
    }

    /// The calls that are due, once.
    func dueDeliveries() -> [FunctionCall] {
        defer { deliveries.calls = [] }
        return deliveries.calls
    }

    /// Writes what came of deliveries, within the open transaction.
    func saveDeliveries() throws {
        for (_, action) in deliveries.unsaved {
            switch action {
            case .delete(let number):
                try connection.withStatement(Deliveries.deleteText) { statement in
                    statement.bind(number, at: 1)
                    _ = try statement.step()
                }
            case .postpone(let delivery, let reason): try save(delivery, reason, isParked: false)
            case .park(let delivery, let reason): try save(delivery, reason, isParked: true)
            case .load, .find, .call: continue
            }
        }
    }

    private func save(_ delivery: Delivery, _ reason: String, isParked: Bool) throws {
        try connection.withStatement(Deliveries.tryText) { statement in
            statement.bind(delivery.number, at: 1)
            statement.bind(delivery.attempts, at: 2)
            statement.bind(delivery.due, at: 3)
            statement.bind(isParked ? 1 : 0, at: 4)
            statement.bind(reason, at: 5)
            statement.bind(
                isParked ? .null : .integer(time.now().milliseconds + max(0, delivery.due - state.hubTime)), at: 6)
            _ = try statement.step()
        }
    }

    /// The transaction has committed.
    func deliveriesSaved() {
        deliveries.unsaved = []
        guard deliveriesWritten > 0 else { return }
        deliveriesWritten = 0
        for function in deliveries.queues.keys { follow(function, .written) }
    }

    /// How often the table is read in one go: commits wait meanwhile, and one record may have more rows than all others.
    private static let loadsAtOnce = 4

    private func follow(_ function: String, _ event: DeliveryQueue.Event) {
        var actions = deliveries.queues[function]?.handle(event, at: state.hubTime) ?? []
        var loads = 0
        while !actions.isEmpty {
            let action = actions.removeFirst()
            switch action {
            case .call(let delivery):
                deliveries.calls.append(
                    FunctionCall(
                        id: .delivery(function: function, number: delivery.number), function: function,
                        payload: delivery.payload))
            case .load(let number, let limit):
                loads += 1
                guard loads <= Self.loadsAtOnce else {
                    actions += deliveries.queues[function]?.handle(.putOff, at: state.hubTime) ?? []
                    continue
                }
                let rows = load(function, after: number, limit)
                actions +=
                    deliveries.queues[function]?.handle(
                        .loaded(rows, isAll: rows.count < limit), at: state.hubTime) ?? []
            case .find(let record, let number):
                guard let row = find(function, record, through: number) else { continue }
                actions +=
                    deliveries.queues[function]?.handle(.found(record: record, row), at: state.hubTime) ?? []
            case .delete:
                statistics.deliveries += 1
                deliveries.unsaved.append((function, action))
            case .postpone(let delivery, let reason):
                log(.notice, "delivery \(delivery.number) is tried again: \(function) \(reason)")
                deliveries.unsaved.append((function, action))
            case .park(let delivery, let reason):
                log(
                    .error,
                    "delivery \(delivery.number) is given up after \(delivery.attempts) tries: \(function) \(reason)")
                deliveries.unsaved.append((function, action))
            }
        }
    }

    private func load(_ function: String, after number: Int64, _ limit: Int) -> [Delivery] {
        reading(function) {
            try connection.withStatement(Deliveries.loadText) { statement in
                statement.bind(function, at: 1)
                statement.bind(number, at: 2)
                statement.bind(limit, at: 3)
                var rows: [Delivery] = []
                while try statement.step() { rows.append(Delivery(statement)) }
                return rows
            }
        } ?? []
    }

    /// The first row of a record that is not decided on in the next commit, if there is one; nil where it cannot be read.
    private func find(_ function: String, _ record: String, through number: Int64) -> Delivery?? {
        let decided = deliveries.unsaved.compactMap { item -> Int64? in
            switch item.action {
            case .delete(let number): number
            case .park(let delivery, _): delivery.number
            case .load, .find, .call, .postpone: nil
            }
        }
        return reading(function) {
            try connection.withStatement(Deliveries.findText) { statement in
                statement.bind(function, at: 1)
                statement.bind(record, at: 2)
                statement.bind(number, at: 3)
                while try statement.step() {
                    if !decided.contains(statement.integer(at: 0)) { return Delivery(statement) }
                }
                return nil
            }
        }
    }

    private func reading<Result>(_ function: String, _ body: () throws -> Result) -> Result? {
        do {
            return try body()
        } catch {
            log(.error, "what waits for the function \(function) cannot be read: \(error)")
            return nil
        }
    }

    private func countDeliveries() throws {
        func count(_ sql: String) throws -> Int { Int((try connection.value(sql))?.integer ?? 0) }
        statistics.deliveriesWaiting = try count("SELECT count(*) FROM _deliveries WHERE parked=0")
        statistics.deliveriesParked = try count("SELECT count(*) FROM _deliveries WHERE parked=1")
    }
}

extension Delivery {
    /// The row that a statement over the table stands at.
    fileprivate init(_ statement: borrowing Statement) {
        self.init(
            number: statement.integer(at: 0), record: statement.text(at: 1),
            payload: Array(statement.text(at: 2).utf8), attempts: Int(statement.integer(at: 3)),
            due: statement.integer(at: 4))
    }
}
