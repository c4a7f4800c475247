import Basics
import Crypto
import Models
import SQLite

extension AccessStore {
    /// Makes a key. The key itself is told once and kept by nobody here.
    ///
    /// - Parameters:
    ///   - groups: what it may act as.
    ///   - name: what a person calls it.
    ///   - device: the only terminal that it is for.
    ///   - lifetime: milliseconds until it ends; nil for never.
    /// - Throws: ``HubError`` for names that cannot be, or what SQLite says.
    @discardableResult
    public func addKey(
        groups: Set<String>, name: String, device: String? = nil, lifetime: Int64? = nil
    ) throws -> (key: String, stored: StoredKey) {
        try change { try insertKey(groups, name, device, lifetime) }
    }

    /// Makes the key of a terminal. Keys that it had before are withdrawn: a terminal that enrols anew has lost them.
    public func addKey(
        forDevice device: String, groups: Set<String> = ["counters"], name: String = "", lifetime: Int64? = nil
    ) throws -> (key: String, stored: StoredKey) {
        try change {
            try connection.run(
                "UPDATE _api_keys SET revoked=? WHERE device=? AND revoked IS NULL", [.integer(now), .text(device)])
            return try insertKey(groups, name, device, lifetime)
        }
    }

    private func insertKey(
        _ groups: Set<String>, _ name: String, _ device: String?, _ lifetime: Int64?
    ) throws -> (key: String, stored: StoredKey) {
        guard !groups.isEmpty else { throw HubError("a key needs a group, such as counters") }
        for group in groups { try Self.check(group, "group") }
        if let device { try Self.check(device, "device code") }
        if !name.isEmpty { try Self.check(name, "name") }
        // 40 bits that tell keys apart, 160 that nobody guesses.
        let id = Self.text(SecureRandom.bytes(5))
        let key = "bk-\(id)-\(Self.text(SecureRandom.bytes(20)))"
        let now = now
        let stored = StoredKey(
            id: id, groups: groups, name: name, device: device, created: now, expires: lifetime.map { now + $0 },
            revoked: nil, used: nil, digest: SHA256.hexDigest(key))
        try connection.run(
            "INSERT INTO _api_keys(id,digest,groups,name,device,created,expires) VALUES(?,?,?,?,?,?,?)",
            [
                .text(stored.id), .text(stored.digest), Self.text(groups), .text(name),
                device.map { .text($0) } ?? .null, .integer(now), stored.expires.map { .integer($0) } ?? .null,
            ])
        return (key, stored)
    }

    /// All keys, the oldest first.
    public func keys() throws -> [StoredKey] {
        try connection.rows(
            "SELECT id,digest,groups,name,device,created,expires,revoked,used FROM _api_keys ORDER BY created,id"
        ).map { row in
            StoredKey(
                id: row[0].text ?? "", groups: Self.groups(row[2]), name: row[3].text ?? "", device: row[4].text,
                created: row[5].integer ?? 0, expires: row[6].integer, revoked: row[7].integer,
                used: row[8].integer, digest: row[1].text ?? "")
        }
    }

    /// Withdraws a key by its id, its name, its device, or the key itself; a hub that runs notices within a second.
    ///
    /// - Returns: the keys that were withdrawn.
    /// - Throws: ``HubError`` where no valid key is meant.
    @discardableResult
    public func revokeKey(_ word: String) throws -> [StoredKey] {
        let digest = SHA256.hexDigest(word)
        let all = try keys()
        let meant = all.filter { $0.id == word || $0.digest == digest }
        let named = meant.isEmpty ? all.filter { $0.name == word || $0.device == word } : meant
        let found = named.filter { $0.revoked == nil }
        guard !found.isEmpty else {
            throw HubError(
                named.isEmpty
                    ? "there is no such key; `bincount hub key list` shows their ids" : "it is withdrawn already")
        }
        try change {
            for key in found {
                try connection.run("UPDATE _api_keys SET revoked=? WHERE id=?", [.integer(now), .text(key.id)])
            }
        }
        return found
    }

    /// Notes when keys were last used. Nobody's rights change by it, so that nothing is counted.
    func noteUse(_ uses: [String: Int64]) throws {
        guard !uses.isEmpty else { return }
        try connection.transaction(durability: .normal) {
            for (id, at) in uses {
                try connection.run("UPDATE _api_keys SET used=? WHERE id=?", [.integer(at), .text(id)])
            }
        }
    }

    /// Crockford's alphabet: read aloud without doubt.
    static func text(_ bytes: [UInt8]) -> String {
        let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
        var text: [UInt8] = []
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 5 {
                count -= 5
                text.append(alphabet[Int(bits >> count & 31)])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
