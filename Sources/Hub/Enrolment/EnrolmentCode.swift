import Basics
import Crypto

/// A one-time code with which a terminal enrols: ten characters of Crockford's alphabet, which are 50 bits, and one that
/// finds mistyped ones.
///
/// What it protects against. A terminal that enrols knows nothing of the hub but its URL, so whoever stands in between
/// can answer in the hub's place with a certificate of his own. Both sides therefore prove that they know the code, with
/// keys that scrypt derives from the code *and* the authority's certificate. What a man in the middle gets from the
/// terminal is bound to his own certificate and of no use at the hub; to pass as the hub he would have to find the code
/// from it, 2⁵⁰ tries of 32 MiB and some tens of milliseconds each, before it ends minutes later. The hub never answers
/// a wrong proof with anything made from the code, so nobody gets that material by asking, and it slows down who asks.
/// The code is used up by the first terminal. A password-authenticated key exchange would allow shorter codes; these are
/// short enough to type.
package struct EnrolmentCode: Sendable, Hashable {
    /// The ten characters.
    package let characters: String

    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    /// Makes a code that nobody can guess.
    package static func make() -> EnrolmentCode {
        let random = SecureRandom.bytes(10)
        return EnrolmentCode(characters: String(decoding: random.map { alphabet[Int($0 & 31)] }, as: UTF8.self))
    }

    private init(characters: String) {
        self.characters = characters
    }

    /// Reads what a person typed: small letters, blanks and hyphens are fine, and letters that look like digits are.
    ///
    /// Nil where it has not eleven characters or the last does not fit the others: something was mistyped.
    package init?(typed text: String) {
        var values: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 32, 45, 9, 13, 10: continue
            case 79, 111: values.append(0)
            case 73, 105, 76, 108: values.append(1)
            default:
                let capital = byte >= 97 && byte <= 122 ? byte - 32 : byte
                guard let value = Self.alphabet.firstIndex(of: capital) else { return nil }
                values.append(UInt8(value))
            }
        }
        guard values.count == 11, Self.check(values[..<10]) == values[10] else { return nil }
        characters = String(decoding: values[..<10].map { Self.alphabet[Int($0)] }, as: UTF8.self)
    }

    /// The code as it is shown: `K7Q2-M9XR-4TD`.
    package var text: String {
        let values = characters.utf8.compactMap { Self.alphabet.firstIndex(of: $0).map { UInt8($0) } }
        let all = Array(characters.utf8) + [Self.alphabet[Int(Self.check(values[...]))]]
        return [all[0..<4], all[4..<8], all[8..<11]].map { String(decoding: $0, as: UTF8.self) }.joined(separator: "-")
    }

    /// A sum in the field of 32 elements with a different factor for each place: every wrong character and every two that
    /// changed places are found.
    private static func check(_ values: ArraySlice<UInt8>) -> UInt8 {
        values.reduce(UInt8(0)) { sum, value in doubled(sum ^ value) }
    }

    private static func doubled(_ value: UInt8) -> UInt8 {
        value & 16 == 0 ? value << 1 : (value << 1 ^ 0b100101) & 31
    }

    /// The keys of both proofs for a hub with this certificate at the end of its chain; nil where memory lacks.
    package func keys(anchor: Certificate) -> EnrolmentKeys? {
        let salt = Array("bincount enrolment 1 ".utf8) + SHA256.digest(anchor.der)
        guard let secret = Scrypt.derive(characters, salt: salt, .interactive) else { return nil }
        return EnrolmentKeys(
            terminal: HMACSHA256.authenticate(Array("terminal".utf8), key: secret),
            hub: HMACSHA256.authenticate(Array("hub".utf8), key: secret))
    }
}

/// What both sides prove their knowledge of a code with.
package struct EnrolmentKeys: Sendable, Hashable {
    package let terminal: [UInt8]
    package let hub: [UInt8]

    package init(terminal: [UInt8], hub: [UInt8]) {
        self.terminal = terminal
        self.hub = hub
    }

    /// A terminal's request for these parts.
    package func request(nonce: [UInt8], device: String, isFixed: Bool) -> EnrolmentRequest {
        var request = EnrolmentRequest(nonce: nonce, device: device, isFixed: isFixed, proof: [])
        request.proof = HMACSHA256.authenticate(request.proven, key: terminal)
        return request
    }

    /// A hub's answer to a request.
    package func answer(key: String, device: String, groups: [String], to request: EnrolmentRequest) -> EnrolmentAnswer
    {
        var answer = EnrolmentAnswer(key: key, device: device, groups: groups, proof: [])
        answer.proof = HMACSHA256.authenticate(answer.proven(request), key: hub)
        return answer
    }

    /// Whether whoever sent the request knows the code.
    package func accepts(_ request: EnrolmentRequest) -> Bool {
        HMACSHA256.isValid(request.proof, for: request.proven, key: terminal)
    }

    /// Whether whoever answered knows the code, and answered this request.
    package func accepts(_ answer: EnrolmentAnswer, to request: EnrolmentRequest) -> Bool {
        HMACSHA256.isValid(answer.proof, for: answer.proven(request), key: hub)
    }
}
