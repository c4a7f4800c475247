import Basics
import COpenSSL
import Crypto
import Testing

@testable import Transport

/// TLS between two sessions in memory: no sockets, and the clock is the test's.
struct TLSSessionTests {
    let site: TestSite

    init() throws {
        site = try TestSite()
    }

    private func failure(_ pair: SessionPair) -> CertificateProblem.Kind? {
        guard case .failed(.untrusted(let problem)) = pair.client.phase else { return nil }
        return problem.kind
    }

    @Test func `both sides agree on TLS 1.3 and bytes go both ways, however many`() throws {
        let pair = try SessionPair(try site.server(), try site.client())
        pair.run()
        #expect(pair.client.isOpen && pair.server.isOpen)
        #expect(pair.client.agreement.hasPrefix("TLSv1.3 "))
        let large = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        #expect(pair.send(Array("up".utf8), from: pair.client) && pair.send(large, from: pair.server))
        let heard = pair.run()
        #expect(heard.server == Array("up".utf8))
        #expect(heard.client == large)
        #expect(pair.client.peerChain.last == site.authority)
    }

    @Test func `a connection that is cut at any byte of the handshake is never taken for open, and harms nobody`()
        throws
    {
        let server = try site.server()
        let client = try site.client()
        let whole = try SessionPair(server, client)
        whole.client.start()
        let hello = whole.client.takeOutgoing()
        whole.give(hello, to: whole.server)
        let answer = whole.server.takeOutgoing()
        for cut in stride(from: 0, to: hello.count, by: 1) {
            let half = try SessionPair(server, client)
            half.give(Array(hello[..<cut]), to: half.server)
            #expect(half.server.phase == .handshaking && half.server.outgoing.isEmpty, "\(cut)")
        }
        // The server's answer in two pieces, cut at every byte.
        for cut in stride(from: 0, through: answer.count, by: answer.count > 400 ? 3 : 1) {
            let half = try SessionPair(server, client)
            half.client.start()
            half.give(half.client.takeOutgoing(), to: half.server)
            let bytes = half.server.takeOutgoing()
            half.give(Array(bytes[..<min(cut, bytes.count)]), to: half.client)
            if cut < bytes.count { #expect(!half.client.isOpen, "\(cut)") }
            half.give(Array(bytes[min(cut, bytes.count)...]), to: half.client)
            half.run()
            #expect(half.client.isOpen && half.server.isOpen, "\(cut)")
        }
    }

    @Test func `bytes that were changed on the way end the connection, and what they said is not believed`() throws {
        let pair = try SessionPair(try site.server(), try site.client())
        pair.run()
        #expect(pair.send(Array("ten pieces".utf8), from: pair.client))
        var bytes = pair.client.takeOutgoing()
        bytes[bytes.count - 3] ^= 1
        #expect(pair.give(bytes, to: pair.server) == [])
        guard case .failed(.secureChannelFailed) = pair.server.phase else {
            Issue.record("\(pair.server.phase)")
            return
        }
        #expect(!pair.send([1], from: pair.server))
    }

    @Test func `garbage is refused with an alert or nothing, never with an open connection`() throws {
        let server = try site.server()
        let random = SeededRandom(seed: 7)
        for _ in 0..<500 {
            let pair = try SessionPair(server, try site.client())
            var bytes = (0..<Int(random.next() % 200)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            // Half of them begin like a handshake.
            if random.next() % 2 == 0 { bytes = [22, 3, 1, 0, UInt8(random.next() % 100)] + bytes }
            pair.give(bytes, to: pair.server)
            #expect(!pair.server.isOpen)
            #expect(pair.server.outgoing.count < 100)
        }
    }

    @Test func `whoever speaks plain HTTP to a TLS port is told so in plain HTTP`() throws {
        let pair = try SessionPair(try site.server(), try site.client())
        pair.give(Array("GET /graphql HTTP/1.1\r\nHost: x\r\n\r\n".utf8), to: pair.server)
        let text = String(decoding: pair.server.outgoing, as: UTF8.self)
        #expect(
            text.hasPrefix("HTTP/1.1 400 ") && text.hasSuffix("\r\n\r\nThis port speaks TLS: use https:// or wss\n"))
    }

    @Test func `a client that is answered in plain HTTP says that it is no TLS`() throws {
        let pair = try SessionPair(try site.server(), try site.client())
        pair.client.start()
        pair.give(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8), to: pair.client)
        guard case .failed(let error) = pair.client.phase else {
            Issue.record("not refused")
            return
        }
        #expect("\(error)".contains("does not speak TLS"))
    }

    @Test func `a close is told from a cut`() throws {
        let pair = try SessionPair(try site.server(), try site.client())
        pair.run()
        #expect(pair.send([1, 2], from: pair.server))
        pair.server.close()
        #expect(pair.run().client == [1, 2])
        #expect(pair.client.phase == .ended)
    }

    // MARK: Certificates

    @Test func `a certificate whose time is over is refused with both dates`() throws {
        let pair = try SessionPair(try site.server(), try site.client(day: 398))
        pair.run()
        #expect(failure(pair) == .expired(since: TestSite.start.advanced(by: 397 * TestSite.day)))
        guard case .failed(let error) = pair.client.phase, case .failed = pair.server.phase else {
            Issue.record("the server was not told")
            return
        }
        #expect(
            "\(error)"
                == "the certificate of hub.test is refused: it expired on 2028-02-16T08:00Z; this device's clock "
                + "says 2028-02-17T08:00Z. Renew it on the hub (bincount hub renew)")
    }

    @Test func `a clock that is years off is named as the cause`() throws {
        let slow = try SessionPair(try site.server(), try site.client(day: -3 * 366))
        slow.run()
        #expect(failure(slow) == .notYetValid(from: TestSite.start))
        guard case .failed(let error) = slow.client.phase else { return }
        #expect("\(error)".contains("the clock is about 3 years slow. Set the clock"))
        let fast = try SessionPair(try site.server(), try site.client(day: 397 + 800))
        fast.run()
        guard case .failed(let other) = fast.client.phase else {
            Issue.record("taken")
            return
        }
        #expect("\(other)".contains("If that date is wrong, set the clock; else renew"))
    }

    @Test(arguments: ["other.test", "hub.test.evil.test", "10.0.0.1", "test"])
    func `a certificate for other names is refused with the names it is for`(host: String) throws {
        let pair = try SessionPair(try site.server(), try site.client(), host: host)
        pair.run()
        #expect(failure(pair) == .otherName(["hub.test", "127.0.0.1"]))
        guard case .failed(let error) = pair.client.phase else { return }
        #expect("\(error)".contains("it is for hub.test, 127.0.0.1. "))
        #expect("\(error)".contains("bincount hub renew --name \(host)"))
    }

    @Test(arguments: ["hub.test", "HUB.test", "127.0.0.1"])
    func `each of its names is taken`(host: String) throws {
        let pair = try SessionPair(try site.server(), try site.client(), host: host)
        pair.run()
        #expect(pair.client.isOpen)
    }

    @Test func `another authority is refused with both fingerprints, even under the same name`() throws {
        let other = try TestSite()
        #expect(other.authority.commonName == site.authority.commonName)
        let pair = try SessionPair(try other.server(), try site.client())
        pair.run()
        #expect(
            failure(pair)
                == .otherAuthority(pinned: site.authority.fingerprint, presented: other.authority.fingerprint))
        guard case .failed(let error) = pair.client.phase else { return }
        #expect("\(error)".contains(other.authority.fingerprint) && "\(error)".contains(site.authority.fingerprint))
    }

    @Test func `a server's certificate can sign no other server's`() throws {
        let own = try site.chain()[0]
        let rogueKey = PrivateKey.make()
        let rogue = try CertificateMaking.server(
            names: ["hub.test"], key: rogueKey, authority: own, authorityKey: site.key, from: TestSite.start,
            until: TestSite.start.advanced(by: 30 * TestSite.day))
        let server = try TLSServerContext(chain: [rogue, own, site.authority], key: rogueKey)
        let pair = try SessionPair(server, try site.client())
        pair.run()
        #expect(!pair.client.isOpen && failure(pair) != nil)
    }

    @Test func `a private authority is not believed by a client that trusts the system's`() throws {
        let pair = try SessionPair(try site.server(), try site.client(trust: .system))
        pair.run()
        #expect(failure(pair) == .unknownAuthority(issuer: "Site"))
    }

    @Test func `a single certificate can be pinned, and another of the same authority is not it`() throws {
        let chain = try site.chain()
        let server = try TLSServerContext(chain: [chain[0]], key: site.key)
        let pair = try SessionPair(server, try site.client(trust: .pinned(chain[0])))
        pair.run()
        #expect(pair.client.isOpen)
        let second = try SessionPair(try site.server(), try site.client(trust: .pinned(chain[0])))
        second.run()
        #expect(!second.client.isOpen)
    }

    @Test func `whoever answers is believed only where nothing matters, and shows its chain`() throws {
        let pair = try SessionPair(try site.server(), try site.client(trust: .anyone), host: "elsewhere.test")
        pair.run()
        #expect(pair.client.isOpen && pair.client.peerChain.last == site.authority)
    }

    @Test func `a key and a certificate that do not belong together are refused, and the old ones stay`() throws {
        let server = try site.server()
        let before = server.chain
        #expect(throws: CertificateError.self) { try server.replace(chain: try site.chain(), key: PrivateKey.make()) }
        #expect(throws: CertificateError.self) { try server.replace(chain: [], key: site.key) }
        #expect(server.chain == before)
        let pair = try SessionPair(server, try site.client())
        pair.run()
        #expect(pair.client.isOpen)
    }

    @Test func `a renewed certificate is given to new connections and old ones go on`() throws {
        let server = try site.server()
        let old = try SessionPair(server, try site.client())
        old.run()
        try server.replace(
            chain: try site.chain(
                from: TestSite.start.advanced(by: 300 * TestSite.day),
                until: TestSite.start.advanced(by: 700 * TestSite.day)),
            key: site.key)
        #expect(old.send([1], from: old.client))
        #expect(old.run().server == [1])
        let new = try SessionPair(server, try site.client(day: 500))
        new.run()
        #expect(new.client.isOpen)
        let late = try SessionPair(server, try site.client(day: 1))
        late.run()
        #expect(failure(late) == .notYetValid(from: TestSite.start.advanced(by: 300 * TestSite.day)))
    }

    @Test func `clients of TLS 1.1, of old ciphers and of HTTP/2 alone are refused`() throws {
        let server = try site.server()
        for change: (OpaquePointer) -> Void in [
            { _ = cossl_set_versions($0, TLS1_1_VERSION, TLS1_1_VERSION) },
            { handle in
                _ = cossl_set_versions(handle, TLS1_2_VERSION, TLS1_2_VERSION)
                SSL_set_cipher_list(handle, "AES128-SHA:AES256-SHA256:ECDHE-ECDSA-AES128-SHA")
            },
            { _ = SSL_set_alpn_protos($0, [2, 104, 50], 3) },
        ] {
            let pair = try SessionPair(server, try site.client())
            change(pair.client.handle)
            pair.run()
            #expect(!pair.server.isOpen && !pair.client.isOpen)
        }
        let old = try SessionPair(server, try site.client())
        _ = cossl_set_versions(old.client.handle, TLS1_2_VERSION, TLS1_2_VERSION)
        old.run()
        #expect(old.client.isOpen && old.client.agreement.hasPrefix("TLSv1.2 ECDHE-ECDSA-"))
        // TLS 1.2 could agree anew in the middle; nobody may, for it costs the server more than the client.
        SSL_renegotiate(old.client.handle)
        #expect(!old.send([1], from: old.client) || old.run().server == [1])
    }
}
