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

    @Test func `a proof is good for one authority and for what was said`() throws {
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

@Suite(.timeLimit(.minutes(1)))
struct EnrolmentDeskTests {
    let site: Site
    let tls: HubTLS

    init() throws {
        site = try Site()
        tls = try #require(
            try HubTLS(.site, dataDirectory: site.directory.path, time: site.time, log: .none))
    }

    private func desk(fails: Bool = false) -> EnrolmentDesk {
        EnrolmentDesk(dataDirectory: site.directory.path, tls: tls, time: site.time, log: .none) {
            device, groups, done in
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

    @Test func `a terminal that knows the code gets a key once, and may ask again for the same answer`() async throws {
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

    @Test func `two terminals with one code: one gets in`() async throws {
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

    @Test func `a code ends with its time and with its authority`() async throws {
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

    @Test func `whoever guesses waits, and others do not`() async throws {
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

    @Test func `a code's file holds neither the code nor a key, and is for the hub's user alone`() async throws {
        let code = try code()
        let folder = site.directory.path + "/enrolment"
        let name = try #require(try Files.list(folder).first)
        let text = try Files.readText("\(folder)/\(name)")
        #expect(!text.contains(code.characters) && !text.contains(code.text))
    }
}

struct SiteCertificatesTests {
    let day: Int64 = 86_400_000

    @Test func `a site is set up once, for its names and this machine's`() throws {
        let site = try Site()
        let before = try Files.read(site.certificates.serverFile)
        #expect(try site.certificates.make(names: ["HUB.test"], now: site.time.now()) == .unchanged)
        #expect(try Files.read(site.certificates.serverFile) == before)
        #expect(throws: HubError.self) { try site.certificates.make(names: ["other.test"], now: site.time.now()) }
        let (chain, key) = try site.certificates.server()
        #expect(chain[0].names == ["hub.test", "localhost", "127.0.0.1", "::1"])
        let authority = try site.authority
        #expect(chain[0].isSigned(by: authority) && key.belongs(to: chain[0]) && chain[1] == authority)
        #expect(try site.authority.isAuthority && !chain[0].isAuthority)
    }

    @Test func `an interrupted start is completed, and half an authority is refused`() throws {
        let site = try Site()
        try Files.remove(site.certificates.serverFile)
        #expect(try site.certificates.make(names: ["hub.test"], now: site.time.now()) == .completed)
        try Files.remove(site.certificates.serverFile)
        try Files.remove(site.certificates.authorityKeyFile)
        #expect(throws: HubError.self) { try site.certificates.make(names: ["hub.test"], now: site.time.now()) }
        #expect(throws: HubError.self) { try site.certificates.renew(now: site.time.now()) }
    }

    @Test func `a running hub renews its certificate in time and takes over what others change`() throws {
        let site = try Site()
        let tls = try #require(try HubTLS(.site, dataDirectory: site.directory.path, time: site.time, log: .none))
        let first = tls.certificate
        #expect(!site.certificates.isDue(first, now: site.time.now().advanced(by: 300 * day)))
        site.time.advance(milliseconds: 320 * day)
        #expect(site.certificates.isDue(first, now: site.time.now()))
        tls.update(isDue: true, now: site.time.now())
        #expect(tls.certificate != first && tls.certificate.names == first.names)
        #expect(tls.certificate.validUntil > site.time.now().advanced(by: 390 * day))
        #expect(tls.own.trust == .exactly(tls.certificate))
        let renewed = try site.certificates.renew(adding: ["more.test"], now: site.time.now())
        tls.update(isDue: false, now: site.time.now())
        #expect(tls.certificate == renewed && renewed.isFor("more.test") && renewed.isFor("hub.test"))
        // A broken file changes nothing.
        try Files.writeAtomically("nothing", to: site.certificates.serverFile)
        tls.update(isDue: false, now: site.time.now())
        #expect(tls.certificate == renewed)
    }

    @Test func `names that are none are refused`() throws {
        let directory = try TempDirectory()
        let site = SiteCertificates(dataDirectory: directory.path)
        for name in ["a b", "x,DNS:evil.test", "-a", "", "a..b", String(repeating: "a", count: 64)] {
            #expect(throws: HubError.self, "\(name)") { try site.make(names: [name], now: ManualTimeSource().now()) }
        }
        #expect(!site.isSetUp)
    }
}
