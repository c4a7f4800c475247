import Basics
import Crypto
import Glibc
import System
import Testing

@testable import Hub

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

    @Test func aRunningHubRenewsItsCertificateInTimeAndTakesOverWhatOthersChange() throws {
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

    /// A hub whose clock was years ahead for an hour has a certificate that begins years from now.
    @Test func aCertificateThatAClockAheadHasMadeIsReplacedWhenTheClockIsRightAgain() throws {
        let site = try Site()
        site.time.jump(milliseconds: 800 * day)
        let ahead = try site.certificates.renew(now: site.time.now())
        let tls = try #require(try HubTLS(.site, dataDirectory: site.directory.path, time: site.time, log: .none))
        #expect(tls.certificate == ahead)
        site.time.jump(milliseconds: -800 * day)
        #expect(ahead.validFrom > site.time.now())
        #expect(site.certificates.isDue(ahead, now: site.time.now()))
        tls.update(isDue: true, now: site.time.now())
        #expect(tls.certificate.validFrom <= site.time.now() && tls.certificate.isFor("hub.test"))
        #expect(!site.certificates.isDue(tls.certificate, now: site.time.now()))
        // Where the authority itself begins later, nothing is gained by trying for ever.
        site.time.jump(milliseconds: -800 * day)
        #expect(!site.certificates.isDue(tls.certificate, now: site.time.now()))
    }

    @Test func `near the authority's end nothing is renewed again and again, and after it is said what to do`() throws {
        let site = try Site()
        let end = try site.authority.validUntil
        let last = DateTime(milliseconds: end.milliseconds - 30 * day)
        let certificate = try site.certificates.renew(now: last)
        #expect(certificate.validUntil == end)
        #expect(!site.certificates.isDue(certificate, now: last))
        #expect(!site.certificates.isDue(certificate, now: end.advanced(by: day)))
        do {
            _ = try site.certificates.renew(now: end.advanced(by: day))
            Issue.record("a certificate that nobody believes")
        } catch {
            #expect("\(error)".contains("bincount hub init"))
        }
    }

    @Test func whatCannotBeRenewedIsTriedEachHourAndSaidAsOften() throws {
        let site = try Site()
        let lines = Locked<[String]>([])
        let log = Log(level: .notice) { level, line in lines.withLock { $0.append("\(level) \(line)") } }
        let tls = try #require(try HubTLS(.site, dataDirectory: site.directory.path, time: site.time, log: log))
        let first = tls.certificate
        try Files.writeAtomically(PrivateKey.make().pem, to: site.certificates.authorityKeyFile, mode: 0o600)
        site.time.advance(milliseconds: 320 * day)
        for _ in 0..<100 {
            if let work = tls.takeWork() { tls.update(isDue: work.isDue, now: site.time.now()) }
            site.time.advance(milliseconds: 60_000)
        }
        #expect(tls.certificate == first)
        #expect(lines.current.count { $0.hasPrefix("error ") } == 2, "\(lines.current)")
        #expect(lines.current.allSatisfy { $0.includes("cannot be renewed") })
    }

    @Test func aCertificateOfOnesOwnIsLookedAtAsClosely() throws {
        let site = try Site()
        let (chain, key) = try site.certificates.server()
        let directory = site.directory
        let source = CertificateSource.files(certificate: directory.file("own.pem"), key: directory.file("own.key"))
        let lines = Locked<[String]>([])
        let log = Log(level: .notice) { level, line in lines.withLock { $0.append("\(level) \(line)") } }
        func start() throws -> HubTLS? {
            lines.withLock { $0 = [] }
            return try HubTLS(source, dataDirectory: directory.path, time: site.time, log: log)
        }
        try Files.writeAtomically(chain[0].pem + chain[1].pem, to: directory.file("own.pem"))
        try Files.writeAtomically(key.pem, to: directory.file("own.key"), mode: 0o640)
        let tls = try #require(try start())
        #expect(lines.current == [])
        #expect(tls.metrics.hasSuffix("\nbincount_hub_certificate_expires_seconds \(397 * day / 1000)\n"))
        // Nobody renews it, and it is said each day until somebody does.
        site.time.advance(milliseconds: 390 * day)
        for _ in 0..<48 {
            #expect(tls.takeWork() == nil)
            site.time.advance(milliseconds: day / 24)
        }
        #expect(
            lines.current.count { $0.hasPrefix("warning the hub's certificate expires on") } == 2, "\(lines.current)")
        // Broken files are said once, and the certificate stays.
        lines.withLock { $0 = [] }
        try Files.writeAtomically("nothing", to: directory.file("own.pem"))
        for _ in 0..<10 { tls.update(isDue: false, now: site.time.now()) }
        #expect(lines.current.count == 1 && tls.certificate == chain[0], "\(lines.current)")
        // Terminals would pin it alone; and its key is no secret.
        try Files.writeAtomically(chain[0].pem, to: directory.file("own.pem"))
        try #require(chmod(directory.file("own.key"), 0o644) == 0)
        _ = try start()
        #expect(lines.current.contains { $0.includes("holds no certificate of an authority") })
        #expect(lines.current.contains { $0.includes("chmod o-rwx") })
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
