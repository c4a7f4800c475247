import Basics
import Crypto
import Models
import SQLite

extension AccessStore {
    /// Sets a person's PIN, or takes a new person in. Tokens made under an older PIN are not good any more.
    ///
    /// It takes some tens of milliseconds: scrypt is meant to.
    ///
    /// - Parameters:
    ///   - badge: what he shows or types to sign in.
    ///   - person: the id that owner rules compare; the badge for nil, or what it was.
    ///   - groups: what he may act as; what it was for nil, `counters` for a new person.
    /// - Throws: ``HubError`` for a PIN that is easily guessed, or what SQLite says.
    @discardableResult
    public func setPIN(
        badge: String, person: String? = nil, groups: Set<String>? = nil, pin: String,
        parameters: Scrypt.Parameters = .interactive
    ) throws -> StoredPerson {
        try Self.check(badge, "badge")
        if let person { try Self.check(person, "person's id") }
        for group in groups ?? [] { try Self.check(group, "group") }
        if groups?.isEmpty == true { throw HubError("a person needs a group, such as counters") }
        try PINRules.check(pin, badge: badge)
        guard let verifier = PINVerifier(pin: pin, parameters: parameters) else {
            throw HubError("scrypt cannot work with these parameters")
        }
        return try change {
            let all = try people()
            let old = all.first { $0.badge == badge }
            let id = person ?? old?.id ?? badge
            if let other = all.first(where: { $0.id == id && $0.badge != badge }) {
                throw HubError("\(printable(id)) signs in with the badge \(printable(other.badge)); remove that first")
            }
            let made = StoredPerson(
                id: id, badge: badge, groups: groups ?? old?.groups ?? ["counters"],
                // Time, so that nobody who is removed and taken in again has old tokens back.
                generation: max(now, (old?.generation ?? 0) + 1), changed: now, unlocks: (old?.unlocks ?? 0) + 1,
                verifier: verifier)
            try connection.run("DELETE FROM _people WHERE badge=?", [.text(badge)])
            try connection.run(
                """
                INSERT INTO _people(id,badge,groups,salt,derived,cost,block,parallel,generation,changed,unlocks) \
                VALUES(?,?,?,?,?,?,?,?,?,?,?)
                """,
                [
                    .text(id), .text(badge), Self.text(made.groups), .text(Hex.encode(verifier.salt)),
                    .text(Hex.encode(verifier.derived)), .integer(Int64(parameters.cost)),
                    .integer(Int64(parameters.blockSize)), .integer(Int64(parameters.parallelization)),
                    .integer(made.generation), .integer(now), .integer(made.unlocks),
                ])
            try forgetWrongPINs(badge)
            return made
        }
    }

    /// Everyone who may sign in, by badge.
    public func people() throws -> [StoredPerson] {
        try connection.rows(
            """
            SELECT id,badge,groups,salt,derived,cost,block,parallel,generation,changed,unlocks FROM _people \
            ORDER BY badge
            """
        ).map { row in
            StoredPerson(
                id: row[0].text ?? "", badge: row[1].text ?? "", groups: Self.groups(row[2]),
                generation: row[8].integer ?? 0, changed: row[9].integer ?? 0, unlocks: row[10].integer ?? 0,
                verifier: PINVerifier(
                    salt: Hex.decode(row[3].text ?? "") ?? [],
                    parameters: Scrypt.Parameters(
                        cost: UInt64(clamping: row[5].integer ?? 0), blockSize: UInt64(clamping: row[6].integer ?? 0),
                        parallelization: UInt64(clamping: row[7].integer ?? 0)),
                    derived: Hex.decode(row[4].text ?? "") ?? []))
        }
    }

    /// Puts a person into other groups, at once also where he is signed in.
    public func setGroups(badge: String, _ groups: Set<String>) throws {
        guard !groups.isEmpty else { throw HubError("a person needs a group, such as counters") }
        for group in groups { try Self.check(group, "group") }
        try changePerson(badge, "groups=?", [Self.text(groups)])
    }

    /// Takes a lock away that wrong PINs have made.
    public func unlock(badge: String) throws {
        try changePerson(badge, "unlocks=unlocks+1", [])
        try forgetWrongPINs(badge)
    }

    /// Takes a person out; his tokens are not good any more.
    public func removePerson(badge: String) throws {
        try change {
            let count = try connection.run("DELETE FROM _people WHERE badge=?", [.text(badge)])
            guard count > 0 else { throw Self.unknown(badge) }
            try connection.run("DELETE FROM _sign_in_places WHERE badge=?", [.text(badge)])
        }
    }

    private func changePerson(_ badge: String, _ assignment: String, _ values: [Value]) throws {
        try change {
            let count = try connection.run("UPDATE _people SET \(assignment) WHERE badge=?", values + [.text(badge)])
            guard count > 0 else { throw Self.unknown(badge) }
        }
    }

    private static func unknown(_ badge: String) -> HubError {
        HubError("nobody signs in with the badge \(printable(badge)); `bincount hub person list` shows who does")
    }
}

/// What a PIN must be.
package enum PINRules {
    /// Refuses one that is too short, too long, or that everybody guesses.
    package static func check(_ pin: String, badge: String) throws(HubError) {
        let characters = Array(pin.utf8)
        guard (4...64).contains(characters.count) else { throw HubError("a PIN has 4 to 64 characters") }
        let steps = Set(zip(characters, characters.dropFirst()).map { Int($1) - Int($0) })
        guard steps != [0], steps != [1], steps != [-1], pin != badge else {
            throw HubError("everybody guesses that PIN; take one that is no row of digits and not the badge")
        }
    }
}
