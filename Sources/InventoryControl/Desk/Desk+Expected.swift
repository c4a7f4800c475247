import DataStore
import Models
import WarehouseModels

/// What a guided count shows of the book is there as long as it is counted, and no longer: counters read the lines of
/// every count, and the next one over the same bins may be blind.
extension Desk {
    /// Whether a count still shows its counters what it shows in advance.
    static func isShowing(_ session: CountSession) -> Bool {
        switch session.state {
        case .draft, .released, .counting, .stopped, .approved: true
        case .exported, .closed, .cancelled: false
        }
    }

    /// Finds the counts that are over and still show quantities.
    mutating func findShowing(in tx: StoreTransaction) throws {
        showing = [:]
        let groups = try tx.groups(
            ExpectedLine.self, by: [.by(ExpectedLine.sessionID)], where: ExpectedLine.quantity.exists(true))
        for id in groups.compactMap({ $0.key(ExpectedLine.sessionID) }) {
            guard let session = try tx.get(CountSession.self, id: id), !Desk.isShowing(session) else { continue }
            showing[id] = ""
        }
    }

    /// Takes note that a count is over.
    mutating func endShowing(_ session: CountSession) {
        if session.visibility == .GUIDED { showing[session.id] = "" }
    }

    /// Takes the next quantities away; gives whether there were any.
    mutating func emptyExpected(in tx: StoreTransaction) throws -> Bool {
        guard let (session, last) = showing.min(by: { $0.key < $1.key }) else { return false }
        let lines = try tx.query(
            ExpectedLine.self,
            where: ExpectedLine.sessionID == session && ExpectedLine.id > last && ExpectedLine.quantity.exists(true),
            sort: [.ascending(ExpectedLine.id)], page: .first(Desk.tasksPerStep))
        for line in lines { try tx.save(line.updating { $0.quantity = nil }) }
        showing[session] = lines.count == Desk.tasksPerStep ? lines.last?.id : nil
        return true
    }
}
