import Models
import SQLite

/// A lock that wrong PINs have made.
public struct SignInLock: Sendable, Hashable {
    /// Whose badge it is.
    public let badge: String
    /// Where nobody signs in with it: at a key's terminal, an address, or all places where its owner never did.
    public let place: String
    /// Until when, in milliseconds since 1970.
    public let until: Int64
}

extension AccessStore {
    /// The locks that hold now, by badge and place, whether somebody has the badge or not.
    public func signInLocks() throws -> [SignInLock] {
        try signInRecords().compactMap { key, record in
            let isCrowd = SignInPlace.Crowd(rawValue: key.place) != nil
            guard let until = isCrowd ? record.crowdLockedUntil : record.lockedUntil, until > now else { return nil }
            return SignInLock(badge: key.badge, place: key.place, until: until)
        }.sorted { ($0.badge, $0.place) < ($1.badge, $1.place) }
    }

    /// What wrong PINs and right ones have come to; what is too old is left out.
    ///
    /// - Parameter limit: how many at most; where there are more, known places and those where most failed.
    func signInRecords(atMost limit: Int = .max) throws -> [SignInGate.Key: SignInRecord] {
        let rows = try connection.rows(
            """
            SELECT badge,place,failures,last,known FROM _sign_in_places WHERE last>? OR known>? \
            ORDER BY known IS NULL, failures DESC, last DESC LIMIT ?
            """, tooOld + [.integer(Int64(limit))])
        return Dictionary(
            rows.map { row in
                (
                    SignInGate.Key(row[0].text ?? "", row[1].text ?? ""),
                    SignInRecord(
                        count: Int(row[2].integer ?? 0), last: row[3].integer ?? 0, known: row[4].integer)
                )
            }, uniquingKeysWith: { first, _ in first })
    }

    /// Notes what a sign-in came to. A power cut may lose the last ones.
    func note(_ changes: [SignInGate.Key: SignInRecord?]) throws {
        try connection.transaction(durability: .normal) {
            for (key, record) in changes {
                guard let record else {
                    try connection.run(
                        "DELETE FROM _sign_in_places WHERE badge=? AND place=?", [.text(key.badge), .text(key.place)])
                    continue
                }
                try connection.run(
                    "INSERT OR REPLACE INTO _sign_in_places(badge,place,failures,last,known) VALUES(?,?,?,?,?)",
                    [
                        .text(key.badge), .text(key.place), .integer(Int64(record.count)), .integer(record.last),
                        record.known.map { .integer($0) } ?? .null,
                    ])
            }
        }
    }

    /// Forgets what is too old; called now and then. A power cut may bring the last ones back.
    func pruneSignIns() throws {
        try connection.transaction(durability: .normal) {
            _ = try connection.run(
                "DELETE FROM _sign_in_places WHERE last<=? AND (known IS NULL OR known<=?)", tooOld)
        }
    }

    /// Takes a badge's locks away; where its owner signed in stays known.
    func forgetWrongPINs(_ badge: String) throws {
        try connection.run("DELETE FROM _sign_in_places WHERE badge=? AND known IS NULL", [.text(badge)])
        try connection.run("UPDATE _sign_in_places SET failures=0 WHERE badge=?", [.text(badge)])
    }

    private var tooOld: [Value] {
        [.integer(now - SignInRecord.memory), .integer(now - SignInRecord.acquaintance)]
    }
}
