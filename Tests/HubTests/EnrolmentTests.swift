import Basics
import Crypto
import System
import Testing
import Transport

@testable import Hub

struct EnrolmentCodeTests {
    @Test func `a code is read as people write it`() throws {
        let code = EnrolmentCode.make()
        let text = code.text
        #expect(text.utf8.count == 13)
        #expect(EnrolmentCode(typed: text) == code)
        #expect(EnrolmentCode(typed: " " + text.lowercased().filter { $0 != "-" } + "\n") == code)
        let looks = text.map { $0 == "0" ? "o" : $0 == "1" ? "l" : $0 }
        #expect(EnrolmentCode(typed: String(looks)) == code)
    }

    @Test func `every mistyped character and every two that changed places are found`() throws {
        let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        for _ in 0..<20 {
            let typed = Array(EnrolmentCode.make().text.filter { $0 != "-" })
            for place in typed.indices {
                for character in alphabet where character != typed[place] {
                    var wrong = typed
                    wrong[place] = character
                    #expect(EnrolmentCode(typed: String(wrong)) == nil)
                }
                for other in typed.indices where other > place && typed[other] != typed[place] {
                    var wrong = typed
                    wrong.swapAt(place, other)
                    #expect(EnrolmentCode(typed: String(wrong)) == nil)
                }
            }
        }
        #expect(EnrolmentCode(typed: "") == nil && EnrolmentCode(typed: "U123456789A") == nil)
    }

    @Test func aProofIsGoodForOneAuthorityAndForWhatWasSaid() throws {
        let (site, other) = (try Site(), try Site())
        let code = EnrolmentCode.make()
        let keys = try #require(code.keys(anchor: try site.authority))
        let foreign = try #require(code.keys(anchor: try other.authority))
        let request = keys.request(nonce: SecureRandom.bytes(16), device: "T1", isFixed: false)
        #expect(keys.accepts(request))
        #expect(!foreign.accepts(request), "what a man in the middle gets is of no use at the hub")
        var changed = EnrolmentRequest(nonce: request.nonce, device: "T2", isFixed: false, proof: request.proof)
        #expect(!keys.accepts(changed))
        changed.proof = []
        #expect(!keys.accepts(changed))
        let answer = keys.answer(key: "k", device: "T1", groups: ["counters"], to: request)
        #expect(keys.accepts(answer, to: request))
        let later = keys.request(nonce: SecureRandom.bytes(16), device: "T1", isFixed: false)
        #expect(!keys.accepts(answer, to: later), "an answer belongs to its request")
        #expect(
            !keys.accepts(
                EnrolmentAnswer(key: "x", device: "T1", groups: ["counters"], proof: answer.proof), to: request))
        #expect(EnrolmentRequest(request.bytes) == request && EnrolmentAnswer(answer.bytes) == answer)
    }
}

/// An authority made for one test, and a data directory that has one.
struct Site {
    let directory = try! TempDirectory()
    let certificates: SiteCertificates
    let time = ManualTimeSource()

    init() throws {
        certificates = SiteCertificates(dataDirectory: directory.path)
        _ = try certificates.make(names: ["hub.test"], now: time.now())
    }

    var authority: Certificate { get throws { try certificates.authority() } }
}

@Suite(.timeLimit(.minutes(5)))
struct EnrolmentDeskTests {
    let site: Site
    let tls: HubTLS

    init() throws {
        site = try Site()
        tls = try #require(
            try HubTLS(.site, dataDirectory: site.directory.path, time: site.time, log: .none))
    }

    private func desk(fails: Bool = false, digests: [String: [String]] = [:], log: Log = .none) -> EnrolmentDesk {
        EnrolmentDesk(
            dataDirectory: site.directory.path, tls: tls, time: site.time, log: log, digests: { digests[$0] ?? [] }
        ) { device, groups, done in
            done(fails ? .failure(HubError("full")) : .success("key-of-\(device)-\(groups.sorted().joined())"))
        }
    }

    private func code(device: String? = nil, groups: [String] = ["counters"], minutes: Int64 = 30) throws
        -> EnrolmentCode
    {
        try EnrolmentCodes.make(
            dataDirectory: site.directory.path, source: .site, device: device, groups: groups,
            expires: site.time.now().advanced(by: minutes * 60_000))
    }

    private func request(_ code: EnrolmentCode, device: String = "T1", isFixed: Bool = false) throws -> (
        EnrolmentKeys, EnrolmentRequest
    ) {
        let keys = try #require(code.keys(anchor: try site.authority))
        return (keys, keys.request(nonce: SecureRandom.bytes(16), device: device, isFixed: isFixed))
    }

    private func ask(_ desk: EnrolmentDesk, _ body: [UInt8], from address: String = "10.0.0.1") async -> HTTPResponse {
        await withCheckedContinuation { continuation in
            desk.answer(body, from: address) { continuation.resume(returning: $0) }
        }
    }

    @Test func aTerminalThatKnowsTheCodeGetsAKeyOnceAndMayAskAgainForTheSameAnswer() async throws {
        let desk = desk()
        let (keys, request) = try request(try code(groups: ["supervisors"]))
        let response = await ask(desk, request.bytes)
        let answer = try #require(EnrolmentAnswer(response.body))
        #expect(response.status == 200 && keys.accepts(answer, to: request))
        #expect(answer.key == "key-of-T1-supervisors" && answer.groups == ["supervisors"])
        #expect(await ask(desk, request.bytes).body == response.body, "the answer was lost on the way")
        let second = keys.request(nonce: SecureRandom.bytes(16), device: "T2", isFixed: false)
        #expect(await ask(desk, second.bytes).status == 403, "a code is good once")
        desk.stop()
    }

    @Test func twoTerminalsWithOneCodeAndOneGetsIn() async throws {
        let desk = desk()
        let code = try code()
        let statuses = await withTaskGroup(of: Int.self) { group in
            for device in ["A", "B", "C"] {
                group.addTask { (try? await ask(desk, request(code, device: device).1.bytes).status) ?? 0 }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses.sorted() == [200, 403, 403])
        desk.stop()
    }

    @Test func aCodeEndsWithItsTimeAndWithItsAuthority() async throws {
        let desk = desk()
        let old = try request(try code(minutes: 30)).1
        site.time.advance(milliseconds: 30 * 60_000)
        #expect(await ask(desk, old.bytes).status == 403)
        #expect(try Files.list(site.directory.path + "/enrolment") == [], "what is over is removed")
        let other = try Site()
        let foreign = try #require(try code().keys(anchor: try other.authority))
        let request = foreign.request(nonce: SecureRandom.bytes(16), device: "T1", isFixed: false)
        #expect(await ask(desk, request.bytes).status == 403)
        desk.stop()
    }

    @Test func `a code for one device gives it its name, and no other data takes it`() async throws {
        let desk = desk()
        let code = try code(device: "GATE-3")
        #expect(await ask(desk, try request(code, device: "T9", isFixed: true).1.bytes).status == 409)
        let answer = EnrolmentAnswer(await ask(desk, try request(code, device: "T9").1.bytes).body)
        #expect(answer?.device == "GATE-3" && answer?.key == "key-of-GATE-3-counters")
        desk.stop()
    }

    @Test func whoeverGuessesWaitsAndOthersDoNot() async throws {
        let desk = desk()
        let good = try request(try code()).1
        func guess() throws -> [UInt8] {
            EnrolmentRequest(nonce: SecureRandom.bytes(16), device: "X", isFixed: false, proof: SecureRandom.bytes(32))
                .bytes
        }
        for _ in 0..<5 { #expect(await ask(desk, try guess()).status == 403) }
        let refused = await ask(desk, try guess())
        #expect(refused.status == 429 && refused.headers["retry-after"] == "12")
        #expect(await ask(desk, good.bytes).status == 429, "not even with the right code")
        #expect(await ask(desk, good.bytes, from: "10.0.0.2").status == 200)
        site.time.advance(milliseconds: 12_000)
        #expect(await ask(desk, try guess()).status == 403)
        desk.stop()
    }

    @Test(arguments: ["", "{}", "[]", "{\"nonce\":\"AA==\",\"device\":\"x\",\"fixed\":true,\"proof\":\"\"}", "\u{0}"])
    func `what is no request is refused before anything is read`(body: String) async throws {
        let desk = desk()
        #expect(await ask(desk, Array(body.utf8)).status == 400)
        #expect(await ask(desk, [UInt8](repeating: 32, count: 5_000)).status == 400)
        desk.stop()
    }

    @Test func aCodesFileHoldsNeitherTheCodeNorAKeyAndIsForTheHubsUserAlone() async throws {
        let code = try code()
        let folder = site.directory.path + "/enrolment"
        let name = try #require(try Files.list(folder).first)
        let text = try Files.readText("\(folder)/\(name)")
        #expect(!text.contains(code.characters) && !text.contains(code.text))
        #expect(Files.rights(folder) == 0o700 && Files.rights("\(folder)/\(name)") == 0o600)
        #expect(Files.rights(site.certificates.authorityKeyFile) == 0o600)
        #expect(Files.rights(site.certificates.serverFile) == 0o600)
    }

    /// A code that is for any terminal must not become another's: that one would lose its key to whoever has the code.
    @Test func nobodyTakesAnotherTerminalsNameWithACodeThatIsForAny() async throws {
        let desk = desk(digests: ["GATE": [SHA256.hexDigest("an older key"), SHA256.hexDigest("the key of GATE")]])
        let (keys, stranger) = try request(try code(), device: "GATE")
        #expect(await ask(desk, stranger.bytes).status == 409)
        var guess = stranger
        guess.show(formerKey: "a guess")
        #expect(await ask(desk, guess.bytes).status == 409)
        var shown = keys.request(nonce: SecureRandom.bytes(16), device: "GATE", isFixed: true)
        shown.show(formerKey: "the key of GATE")
        guess.former = shown.former
        #expect(await ask(desk, guess.bytes).status == 409, "what was shown belongs to its request")
        #expect(await ask(desk, shown.bytes).status == 200, "and the code was not used up")
        #expect(!String(decoding: shown.bytes, as: UTF8.self).contains("the key of GATE"))
        let (_, named) = try request(try code(device: "GATE"), device: "T7")
        #expect(await ask(desk, named.bytes).status == 200, "whoever made the code has said whose it is")
        let (_, other) = try request(try code(), device: "T8")
        #expect(await ask(desk, other.bytes).status == 200)
        desk.stop()
    }

    @Test func guessersAtManyAddressesShutNobodyElseOutAndAnIPv6NetworkIsOneAddress() async throws {
        let lines = Locked<[String]>([])
        let desk = desk(log: Log(level: .warning) { _, line in lines.withLock { $0.append(line) } })
        let good = try request(try code()).1
        func guess(_ address: String) async throws -> Int {
            let body = EnrolmentRequest(
                nonce: SecureRandom.bytes(16), device: "X", isFixed: false, proof: SecureRandom.bytes(32))
            return await ask(desk, body.bytes, from: address).status
        }
        for number in 0..<70 { #expect(try await guess("10.1.0.\(number)") == 403) }
        #expect(try await guess("10.1.0.0") == 429, "all guessers together have had their tries")
        #expect(lines.current.count == LogAllowance.burst, "nor do they fill the log")
        #expect(await ask(desk, good.bytes, from: "10.2.0.1").status == 200)
        site.time.advance(milliseconds: 600_000)
        for number in 0..<5 { #expect(try await guess("2001:db8:0:7::\(number)") == 403) }
        #expect(try await guess("2001:db8:0:7:ffff::1") == 429)
        #expect(try await guess("2001:db8:0:8::1") == 403)
        desk.stop()
    }

    @Test func `a code whose key cannot be made is used up, and its terminal is told to ask for another`() async throws
    {
        let desk = desk(fails: true)
        let (keys, first) = try request(try code())
        let refused = await ask(desk, first.bytes)
        #expect(refused.status == 500 && String(decoding: refused.body, as: UTF8.self).contains("ask for a new code"))
        let second = keys.request(nonce: SecureRandom.bytes(16), device: "T1", isFixed: false)
        #expect(await ask(desk, second.bytes).status == 403)
        desk.stop()
    }
}
