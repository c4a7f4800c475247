import Basics
import Models
import SQLite

/// Whether an entry may go now, as far as other entries are concerned.
enum Standing: Hashable {
    case free
    /// It waits for another entry; nil where it waits for an answer or for the next batch, which is soon.
    case held(by: Int64?)
}

/// Entries that were stepped over because they wait for another entry, with that entry; or for a time, with themselves; or
/// until their model is sent, with no entry's number.
///
/// They are marked with it, and stand in no lane until it is sent, taken back or edited, or the time has come: else every
/// batch would step over them again, and a hundred thousand may wait for one record that was refused. The marks say
/// nothing that could not be found out again, so they are forgotten where much changes at once.
struct HeldEntries {
    private(set) var found: [(order: Int64, holder: Int64)] = []
    /// Whether any are kept: not where others than those that wait are passed over too, which may be what they wait for.
    var isOpen = true

    /// So many at a time, so that no batch waits for the writing of all; the others are found with the next ones.
    static let limit = 4096

    /// What holds an entry whose model is not sent.
    static let byPolicy: Int64 = 0
    /// So many that wait for a time are marked; fewer are sooner stepped over than written.
    static let manyRetries = 64

    var hasRoom: Bool { isOpen && found.count < Self.limit }

    mutating func note(_ order: Int64, by holder: Int64?) {
        if let holder, hasRoom { found.append((order, holder)) }
    }

    /// `[[entry, holder], …]`.
    fileprivate var json: String { JSONValue.array(found.map { [.integer($0.order), .integer($0.holder)] }).text }
}

extension StoreCore {
    /// Marks entries, in the transaction that found them.
    func hold(_ held: HeldEntries) throws {
        guard !held.found.isEmpty else { return }
        hasHeldEntries = true
        try connection.run(Self.holdText.sql, [.text(held.json)])
    }

    static let holdText = StatementText(
        """
        UPDATE "_outbox" SET "held"=h."holder" FROM (SELECT json_extract("value",'$[0]') AS "entry",\
        json_extract("value",'$[1]') AS "holder" FROM json_each(?)) AS h WHERE "ord"=h."entry"
        """)

    /// Lets go what waits for an entry that is gone, or is not what it was.
    func releaseHeld(by order: Int64) throws {
        guard hasHeldEntries else { return }
        try connection.withStatement(Self.releaseText) { statement in
            statement.bind(order, at: 1)
            _ = try statement.step()
        }
    }

    /// Lets go what waited for a time that came since entries were last looked through.
    func releaseDue(since last: Int64) throws {
        guard hasHeldEntries else { return }
        for (order, time) in retryAt where time > last && time <= gatheredAt { try releaseHeld(by: order) }
    }

    /// What keeps an entry from going that is no other entry; ``Standing/free`` where nothing does.
    func ownStanding(_ order: Int64, _ model: String) -> Standing {
        if !retryAt.isEmpty, let time = retryAt[order], time > gatheredAt {
            return .held(by: retryAt.count >= HeldEntries.manyRetries ? order : nil)
        }
        return context.tables[model]?.policy.sends == false ? .held(by: HeldEntries.byPolicy) : .free
    }

    /// Lets an entry be looked at again that is not what it was.
    func unhold(_ order: Int64) throws {
        guard hasHeldEntries else { return }
        try connection.run("UPDATE \"_outbox\" SET \"held\"=NULL WHERE \"ord\"=?", [.integer(order)])
    }

    static func forgetHeldEntries(_ connection: Connection) throws {
        try connection.run("UPDATE \"_outbox\" SET \"held\"=NULL WHERE \"held\" IS NOT NULL")
    }

    /// With what waits for the records of those that are let go: it may go in one batch with them. The next change of one
    /// record may not, so it stays until the one before it is gone.
    static let releaseText = StatementText(
        """
        WITH RECURSIVE "free"("ord","model","id") AS (SELECT "ord","model","id" FROM "_outbox" WHERE "held"=? UNION \
        SELECT o."ord",o."model",o."id" FROM "free" AS f JOIN "_outbox" AS o ON o."held"=f."ord" WHERE \
        o."model"<>f."model" OR o."id"<>f."id") UPDATE "_outbox" SET "held"=NULL WHERE "ord" IN (SELECT "ord" FROM "free")
        """)

    /// The change of a record right before one of it; nil where that is being sent or goes in this batch.
    func earlierChange(
        than order: Int64, _ model: String, _ id: String, _ batch: Gathering
    ) throws -> Int64? {
        try connection.withStatement(Self.earlierText) { statement in
            statement.bind(model, at: 1)
            statement.bind(id, at: 2)
            statement.bind(order, at: 3)
            guard try statement.step(), statement.integer(at: 1) != MutationState.sending.rawValue else { return nil }
            let earlier = statement.integer(at: 0)
            return batch.orders.contains(earlier) ? nil : earlier
        }
    }

    /// By the seal, which is the number of every entry of a record but the last.
    static let earlierText = StatementText(
        """
        SELECT "ord","state" FROM "_outbox" WHERE "model"=? AND "id"=? AND "seal"<?3 AND "seal"<>0 ORDER BY "seal" DESC \
        LIMIT 1
        """)
}
