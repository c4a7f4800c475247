import AppSync
import Basics
import DataStore
import Models

/// A row that somebody made here who is not signed in any more.
struct ForeignRow: Hashable {
    let model: String
    private let key: ByteText

    var id: String { key.text }

    init(_ model: String, _ id: String) {
        self.model = model
        key = ByteText(id)
    }
}

/// Another's signing in discards nothing unsent; but once it is sent, he keeps only what he may read himself. Whether he
/// may is the backend's to say, so each such row is asked for under his name.
extension SyncSession {
    /// Notes which of these entries, about to be settled, leave rows of somebody else. Kept in the store before they are
    /// settled, so that a restart between the two forgets none.
    func noteForeign(_ entries: [OutboxEntry]) {
        // What is under way for these rows was asked before their changes were answered.
        if !askedForeign.isEmpty {
            for entry in entries { askedForeign[ForeignRow(entry.model, entry.id)] = nil }
        }
        let found = entries.filter { entry in
            guard entry.identity != reader, let model = core.schema.model(entry.model) else { return false }
            return !model.isReadByAll(options.groups)
        }
        unkeptForeign.formUnion(Set(found.map { ForeignRow($0.model, $0.id) }).subtracting(foreign))
        foreign.formUnion(unkeptForeign)
        guard !unkeptForeign.isEmpty else { return }
        let isKept = attempt {
            try core.setDriverState(unkeptForeign.map { ($0.stateKey, "1") })
        }
        if isKept { unkeptForeign.removeAll() }
    }

    /// Asks for the rows that are noted and not asked for yet, those that could not be decided among them.
    func askForForeign() {
        foreignQueue = []
        if !foreign.isEmpty {
            foreignQueue += foreign.subtracting(askedForeign.keys).sorted { ($0.model, $0.id) < ($1.model, $1.id) }
        }
        askForMoreForeign()
    }

    /// Asks for the rows of entries that were settled just now, in their turn.
    func askForForeign(of entries: [OutboxEntry]) {
        let rows = entries.map { ForeignRow($0.model, $0.id) }.filter(foreign.contains)
        foreignQueue += rows.sorted { ($0.model, $0.id) < ($1.model, $1.id) }
        askForMoreForeign()
    }

    /// Asks for so many at a time: a morning's work of one person is many thousand rows. While nobody is signed in they
    /// wait for whoever comes.
    private func askForMoreForeign() {
        guard options.person == reader else { return }
        // What the store could not settle yet stays unsent there and could not go: it is asked for afterwards.
        let waiting = Set(unsettled.flatMap { $0.entries.map { ForeignRow($0.model, $0.id) } })
        while askedForeign.count < Self.foreignWindow, let row = foreignQueue.popFirst() {
            guard foreign.contains(row), askedForeign[row] == nil, !waiting.contains(row) else { continue }
            guard let model = core.schema.model(row.model) else {
                forget(row)
                continue
            }
            let id = newRequest(.readable(row))
            askedForeign[row] = id
            perform(
                .http(
                    id: id, body: requests.get(model, id: row.id), person: options.person,
                    modes: authModes(model, .get), personal: true))
        }
    }

    /// No answer came, or none is waited for any more: it is asked again.
    func foreignFailed(_ id: Int, _ row: ForeignRow) {
        if askedForeign[row] == id { askedForeign[row] = nil }
    }

    func foreignAnswered(_ id: Int, _ row: ForeignRow, _ answer: HTTPAnswer) {
        guard askedForeign[row] == id else { return }
        askedForeign[row] = nil
        // Whoever is overloaded, or knows this caller no more, is asked for no more of them now.
        guard case .graphQL = answer.kind else { return }
        defer { askForMoreForeign() }
        guard let model = core.schema.model(row.model),
            let (found, tail) = try? answers.record(answer.body, of: model),
            found != nil || tail.errors.allSatisfy({ ErrorType.isAuthorization($0.errorType) })
        else { return }
        let isDone = attempt {
            if case .success(let wire)? = found {
                try core.applyRemote([RemoteRecord(wire)])
            } else {
                // Another change of it may be unsent: then the row stays, and its answer notes it once more.
                try core.letGo(model: row.model, ids: [row.id]) { _ in false }
            }
        }
        if isDone { forget(row) }
    }

    private func forget(_ row: ForeignRow) {
        foreign.remove(row)
        unkeptForeign.remove(row)
        attempt { try core.setDriverState(row.stateKey, nil) }
    }

    /// Reads what was noted before a restart.
    func loadForeign() throws {
        if let text = try core.driverState(Self.listKey) {
            // As it was kept once: all in one text.
            let rows = ((try? JSONValue(parsing: text))?.array ?? []).compactMap { item -> ForeignRow? in
                guard let model = item[0]?.string, let id = item[1]?.string else { return nil }
                return ForeignRow(model, id)
            }
            try core.setDriverState([(Self.listKey, nil)] + rows.map { ($0.stateKey, "1") })
        }
        foreign = Set(try core.driverKeys(after: ForeignRow.prefix).compactMap { ForeignRow(keyed: $0) })
    }

    private static let listKey = "foreignRows"
    /// So many are asked for at a time.
    static let foreignWindow = 20
}

extension ForeignRow {
    static let prefix = "foreign."

    /// Under which it is kept.
    var stateKey: String { Self.prefix + model + "." + id }

    /// Reads what follows the prefix; no model's name holds a point.
    init?(keyed text: String) {
        guard let point = text.utf8.firstIndex(of: UInt8(ascii: ".")) else { return nil }
        self.init(String(text[..<point]), String(text[text.utf8.index(after: point)...]))
    }
}
