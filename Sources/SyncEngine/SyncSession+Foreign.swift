import AppSync
import Basics
import DataStore
import Models

/// A row that somebody made here who is not signed in any more.
struct ForeignRow: Hashable {
    let model: String
    let id: String
}

/// Signing out discards nothing unsent; but once it is sent, who is signed in now keeps only what he may read himself.
/// Whether he may is the backend's to say, so each such row is asked for under his name.
extension SyncSession {
    /// Notes which of these entries, about to be settled, leave rows of somebody else. Kept in the store before they are
    /// settled, so that a restart between the two forgets none.
    func noteForeign(_ entries: [OutboxEntry]) {
        // What is under way for these rows was asked before their changes were answered.
        if !askedForeign.isEmpty {
            for entry in entries { askedForeign[ForeignRow(model: entry.model, id: entry.id)] = nil }
        }
        let found = entries.filter { entry in
            guard entry.identity != options.person, let model = core.schema.model(entry.model) else { return false }
            return model.isReadByOwner(options.groups) && model.primaryKey.count == 1
                && core.options.policy(of: model).receives
        }
        guard !found.isEmpty else { return }
        foreign.formUnion(found.map { ForeignRow(model: $0.model, id: $0.id) })
        keepForeign()
    }

    /// Asks for the rows that are noted and not asked for yet. What the store could not settle yet stays unsent there and
    /// could not go: it is asked for afterwards.
    func askForForeign() {
        let waiting = unsettled.flatMap { $0.entries.map { ForeignRow(model: $0.model, id: $0.id) } }
        let rows = foreign.subtracting(askedForeign.keys).subtracting(waiting)
        for row in rows.sorted(by: { ($0.model, $0.id) < ($1.model, $1.id) }) {
            guard let model = core.schema.model(row.model) else {
                foreign.remove(row)
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
        guard case .graphQL = answer.kind, let model = core.schema.model(row.model),
            let (found, tail) = try? answers.record(answer.body, of: model),
            found != nil || tail.errors.allSatisfy({ ErrorType.isAuthorization($0.errorType) })
        else { return }
        let isDone = attempt {
            if case .success(let wire)? = found {
                try core.applyRemote([RemoteRecord(wire)])
            } else {
                // Another change of it may be unsent: then the row stays, and its answer notes it once more.
                try core.evict(model: row.model, where: .field(model.primaryKey[0], .equal(.text(row.id))))
            }
        }
        if isDone {
            foreign.remove(row)
            keepForeign()
        }
    }

    /// Reads what was noted before a restart.
    func loadForeign() throws {
        guard let text = try core.driverState(Self.foreignKey), let list = (try? JSONValue(parsing: text))?.array else {
            return
        }
        foreign = Set(
            list.compactMap { item in
                guard let model = item[0]?.string, let id = item[1]?.string else { return nil }
                return ForeignRow(model: model, id: id)
            })
    }

    private func keepForeign() {
        attempt {
            let list = foreign.sorted { ($0.model, $0.id) < ($1.model, $1.id) }
            let json = JSONValue.array(list.map { [.string($0.model), .string($0.id)] })
            try core.setDriverState(Self.foreignKey, list.isEmpty ? nil : json.text)
        }
    }

    private static let foreignKey = "foreignRows"
}
