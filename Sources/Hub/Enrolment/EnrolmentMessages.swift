import Basics
import Crypto

/// What a terminal posts to `/enrol`.
package struct EnrolmentRequest: Sendable, Hashable {
    /// Random, so that no two requests are the same.
    package let nonce: [UInt8]
    /// The terminal's code.
    package let device: String
    /// Whether the terminal has data under that code already, so that it can take no other.
    package let isFixed: Bool
    package var proof: [UInt8]
    /// Shows that the terminal has the key of an earlier enrolment under its code; nil where it has none.
    package var former: [UInt8]?

    package init(nonce: [UInt8], device: String, isFixed: Bool, proof: [UInt8], former: [UInt8]? = nil) {
        self.nonce = nonce
        self.device = device
        self.isFixed = isFixed
        self.proof = proof
        self.former = former
    }

    /// Shows, without telling it, that the terminal has this key.
    package mutating func show(formerKey key: String) { former = Self.former(SHA256.hexDigest(key), nonce, device) }

    /// Whether the terminal has a key of which the hub keeps this digest.
    func hasKey(digest: String) -> Bool {
        former.map { constantTimeEqual($0, Self.former(digest, nonce, device)) } ?? false
    }

    private static func former(_ digest: String, _ nonce: [UInt8], _ device: String) -> [UInt8] {
        HMACSHA256.authenticate(Array("former".utf8) + nonce + Array(device.utf8), key: Array(digest.utf8))
    }

    /// Reads a request; nil where it is none.
    package init?(_ body: [UInt8]) {
        guard body.count <= 4096, let json = try? JSONValue(parsing: body),
            let nonce = json["nonce"]?.string.flatMap(Base64.decode), nonce.count == 16,
            let device = json["device"]?.string, !device.isEmpty, device.utf8.count <= 200,
            let isFixed = json["fixed"]?.bool, let proof = json["proof"]?.string.flatMap(Base64.decode),
            proof.count == SHA256.byteCount
        else { return nil }
        self.init(
            nonce: nonce, device: device, isFixed: isFixed, proof: proof,
            former: json["former"]?.string.flatMap(Base64.decode))
    }

    package var bytes: [UInt8] {
        var object: JSONObject = [
            "nonce": .string(Base64.encode(nonce)), "device": .string(device), "fixed": .bool(isFixed),
            "proof": .string(Base64.encode(proof)),
        ]
        if let former { object["former"] = .string(Base64.encode(former)) }
        return JSONValue.object(object).bytes
    }

    /// What the proof is about.
    var proven: [UInt8] { nonce + [isFixed ? 1 : 0] + Array(device.utf8) }
}

/// What the hub answers.
package struct EnrolmentAnswer: Sendable, Hashable {
    /// The terminal's API key, told this once.
    package let key: String
    /// The terminal's code.
    package let device: String
    /// What the key may act as.
    package let groups: [String]
    package var proof: [UInt8]

    package init(key: String, device: String, groups: [String], proof: [UInt8]) {
        self.key = key
        self.device = device
        self.groups = groups
        self.proof = proof
    }

    /// Reads an answer; nil where it is none.
    package init?(_ body: [UInt8]) {
        guard let json = try? JSONValue(parsing: body), let key = json["key"]?.string, !key.isEmpty,
            let device = json["device"]?.string, !device.isEmpty, let groups = json["groups"]?.array,
            let proof = json["proof"]?.string.flatMap(Base64.decode)
        else { return nil }
        self.init(key: key, device: device, groups: groups.compactMap(\.string), proof: proof)
    }

    package var bytes: [UInt8] {
        JSONValue.object([
            "key": .string(key), "device": .string(device), "groups": .array(groups.map { .string($0) }),
            "proof": .string(Base64.encode(proof)),
        ]).bytes
    }

    /// What the proof is about: the answer and the request that it belongs to.
    func proven(_ request: EnrolmentRequest) -> [UInt8] {
        let parts = JSONValue.array([.string(key), .string(device)] + groups.map { .string($0) })
        return SHA256.digest(request.proven) + parts.bytes
    }
}
