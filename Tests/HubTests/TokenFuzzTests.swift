import AppSync
import Basics
import Crypto
import System
import Testing

@testable import Hub

/// Tokens, key sets and sign-ins that strangers write: nothing crashes, and nothing but a true token is believed.
@Suite struct TokenFuzzTests {
    private let directory: TempDirectory
    private let time = ManualTimeSource()
    private let identity: HubIdentity
    private let issuer: IssuerValidator
    private let good: [String]

    init() throws {
        directory = try TempDirectory("fuzz")
        let store = try AccessStore.open(dataDirectory: directory.path, time: time)
        let person = try store.setPIN(badge: "ann", person: "p1", pin: "4711", parameters: AccessStoreTests.cheap)
        let options = HubOptions(
            dataDirectory: directory.path, schema: HubFixture.notes, keys: try APIKeys(["all:everyone"]), time: time)
        identity = try HubIdentity(options)
        try identity.open(path: directory.file("hub.sqlite")) {}
        issuer = IssuerValidator(
            try IssuerOptions(url: "http://127.0.0.1:1", audiences: ["a"]), time: time, log: .none)
        issuer.restore(IssuerKey.set([.rsa, .p256]))
        let now = time.now().milliseconds
        let claims: JSONObject = [
            "iss": "http://127.0.0.1:1", "aud": "a", "sub": "u", "exp": .integer(now / 1000 + 600),
        ]
        good = [
            identity.service.tokens.make(
                person, device: nil, signedIn: now, secret: identity.service.snapshot.secret, now: now, id: "1"
            ).token, IssuerKey.rsa.token(claims), IssuerKey.p256.token(claims),
        ]
    }

    /// Who is believed for a text, by all that judge tokens.
    private func believed(_ text: String) -> [Caller] {
        let now = time.now().milliseconds
        var result: [Caller] = []
        for credentials in [
            Credentials(authorization: text), Credentials(["authorization": text]),
            Credentials(RealtimeAuthorization(["Authorization": .string(text)])),
        ] {
            if case .success(let caller) = identity.authenticator.caller(credentials, now: now) {
                result.append(caller)
            }
        }
        let parsed = Result { () throws(JSONWebToken.Malformed) in try JSONWebToken(parsing: text) }
        let presented = PresentedToken(text: text, fingerprint: "", parsed: parsed)
        if case .caller(let caller) = issuer.validate(presented, now: now) { result.append(caller) }
        if case .success = identity.service.renew(Credentials(authorization: text)) {
            result.append(Caller(groups: ["renewed"]))
        }
        return result
    }

    private static var corpus: [(name: String, text: String)] {
        get throws {
            let folder = Files.parent(of: #filePath) + "/Corpus/tokens"
            return try Files.list(folder).sorted().map { ($0, try Files.readText(folder + "/" + $0)) }
        }
    }

    @Test func nothingOfTheCorpusIsBelieved() throws {
        let corpus = try Self.corpus
        #expect(corpus.count >= 25)
        for (name, text) in corpus { #expect(believed(text).isEmpty, "\(name)") }
        for text in good { #expect(!believed(text).isEmpty) }
    }

    @Test func whatIsMadeOfTrueTokensAndTheCorpusIsBelievedOnlyWhereItIsTheTrueToken() throws {
        var random = SplitMix64(seed: 4711)
        let seeds = try Self.corpus.map(\.text) + good
        for round in 0..<4000 {
            let text = Self.mutated(seeds[Int(random.next() % UInt64(seeds.count))], seeds, &random)
            guard !believed(text).isEmpty else { continue }
            // A scheme or blanks around it do not make it another token.
            let bare = Credentials(authorization: text).token
            #expect(good.contains { $0 == bare }, "round \(round): \(text)")
        }
    }

    private static func mutated(_ text: String, _ seeds: [String], _ random: inout SplitMix64) -> String {
        var bytes = Array(text.utf8)
        func below(_ bound: Int) -> Int { bound <= 0 ? 0 : Int(random.next() % UInt64(bound)) }
        for _ in 0...below(4) {
            switch below(7) {
            case 0 where !bytes.isEmpty: bytes[below(bytes.count)] ^= UInt8(1 << below(8))
            case 1 where !bytes.isEmpty: bytes.remove(at: below(bytes.count))
            case 2: bytes.insert(UInt8(below(256)), at: below(bytes.count + 1))
            case 3: bytes.removeLast(min(bytes.count, below(40)))
            case 4:
                // A part of one under the other parts of another: what splicing attacks do.
                let other = seeds[below(seeds.count)].split(separator: ".", omittingEmptySubsequences: false)
                var parts = String(decoding: bytes, as: UTF8.self).split(
                    separator: ".", omittingEmptySubsequences: false)
                if !parts.isEmpty, !other.isEmpty { parts[below(parts.count)] = other[below(other.count)] }
                bytes = Array(parts.joined(separator: ".").utf8)
            case 5: bytes = Array("Bearer ".utf8) + bytes
            default: bytes.append(UInt8(ascii: "."))
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func keySetsThatStrangersWriteNeverStopTheHub() {
        var random = SplitMix64(seed: 99)
        let seed = IssuerKey.set([.rsa, .p256])
        var readable = 0
        for _ in 0..<400 {
            var bytes = seed
            for _ in 0...random.next() % 6 {
                let place = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 3 {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: place)
                default: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
                }
            }
            guard let set = JSONWebKeySet(parsing: bytes) else { continue }
            readable += 1
            for entry in set.entries { _ = entry.key.isValid([1, 2, 3], for: [4]) }
        }
        #expect(readable > 20)
    }
}
