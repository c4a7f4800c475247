import Basics
import SQLite

extension AccessStore {
    /// The keys that an issuer had last; kept, so that a hub which starts while the issuer is away knows its people.
    func issuerKeys(_ url: String) throws -> [UInt8]? {
        try connection.value("SELECT keys FROM _issuers WHERE url=?", [.text(url)])?.text.map { Array($0.utf8) }
    }

    /// Keeps an issuer's keys.
    func keep(issuerKeys bytes: [UInt8], of url: String) throws {
        try connection.run(
            "INSERT OR REPLACE INTO _issuers(url,keys,fetched) VALUES(?,?,?)",
            [.text(url), .text(String(decoding: bytes, as: UTF8.self)), .integer(now)])
    }
}

extension IdentityService {
    func issuerKeys(_ url: String) throws -> [UInt8]? { try read { try $0.issuerKeys(url) } }

    func keep(issuerKeys bytes: [UInt8], of url: String) {
        perform("an issuer's keys could not be kept") { try $0.keep(issuerKeys: bytes, of: url) }
    }
}
