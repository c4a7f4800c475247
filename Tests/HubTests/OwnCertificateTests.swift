import AppSync
import Basics
import Crypto
import System
import Testing
import Transport

@testable import Hub

/// A hub with a certificate that somebody else makes and renews.
@Suite(.timeLimit(.minutes(5)))
struct OwnCertificateTests {
    @Test func `a hub serves it, and its successor to new connections while open ones go on`() async throws {
        let directory = try TempDirectory("own")
        let time = SystemTimeSource()
        let company = SiteCertificates(dataDirectory: directory.file("company"))
        _ = try company.make(names: ["127.0.0.1"], now: time.now())
        func deliver() throws -> Certificate {
            let (chain, key) = try company.server()
            try Files.writeAtomically(chain[0].pem + chain[1].pem, to: directory.file("hub.pem"))
            try Files.writeAtomically(key.pem, to: directory.file("hub.key"), mode: 0o600)
            return chain[0]
        }
        let first = try deliver()
        var options = HubOptions(
            dataDirectory: directory.file("hub"), schema: HubFixture.notes, keys: try APIKeys(["all:everyone"]),
            time: time)
        options.certificate = .files(certificate: directory.file("hub.pem"), key: directory.file("hub.key"))
        let hub = try await HubServer.start(options)
        #expect(hub.url.hasPrefix("https://"))
        let loop = try WebSocketLoop()
        let trust = try TLSClientContext(trust: .pinned(try company.authority()))
        func presented() async throws -> Certificate? {
            try await CertificateProbe.chain(loop: loop, host: "127.0.0.1", port: hub.port).first
        }
        #expect(try await presented() == first)

        var socketOptions = WebSocketClientOptions(try URLParts(hub.url.replacing("https:", with: "wss:")))
        socketOptions.subprotocols = [GraphQLTransportFrame.subprotocolName]
        socketOptions.headers = ["x-api-key": "all"]
        socketOptions.tls = trust
        let (socket, heard) = WebSocketClient.connect(loop: loop, options: socketOptions)
        var events = heard.makeAsyncIterator()
        func next() async throws -> String? {
            while let event = await events.next() {
                switch event {
                case .opened: socket.send(GraphQLTransportFrame.connectionInit(payload: [:]).bytes)
                case .text(let bytes):
                    let type = try JSONValue(parsing: Array(bytes))["type"]?.string
                    if type != "ping" { return type }
                case .closed(let code, let reason): return "\(code) \(reason)"
                case .failed(let error): return "\(error)"
                }
            }
            return nil
        }
        #expect(try await next() == "connection_ack")

        _ = try company.renew(now: time.now())
        let second = try deliver()
        #expect(second != first)
        // The hub looks by itself every two seconds; here it looks at once, if it has not just done so.
        let tls = try #require(hub.tls)
        if let work = tls.takeWork() { tls.update(isDue: work.isDue, now: time.now()) }
        while tls.certificate != second { await Task.yield() }
        #expect(try await presented() == second)
        let client = try HTTPClient(loop: loop, origin: try URLParts(hub.url), tls: trust)
        #expect(try await client.send(HTTPRequest(method: "GET", path: "/health")).status == 200)
        let query: JSONValue = ["query": "{ __typename }"]
        socket.send(GraphQLTransportFrame.subscribe(id: "1", request: query.bytes).bytes)
        #expect(try await next() == "next")
        await hub.stop()
        loop.stop()
    }

    @Test func `a key that does not belong to it is refused at the start, in one line`() async throws {
        let directory = try TempDirectory("own-wrong")
        let company = SiteCertificates(dataDirectory: directory.path)
        _ = try company.make(names: ["hub.example"], now: SystemTimeSource().now())
        try Files.writeAtomically(PrivateKey.make().pem, to: directory.file("other.key"), mode: 0o600)
        var options = HubOptions(
            dataDirectory: directory.file("hub"), schema: HubFixture.notes, keys: try APIKeys(["all:everyone"]),
            time: SystemTimeSource())
        for key in ["other.key", "none.key", "tls/authority.pem"] {
            options.certificate = .files(certificate: company.authorityFile, key: directory.file(key))
            do {
                let hub = try await HubServer.start(options)
                await hub.stop()
                Issue.record("it started with \(key)")
            } catch {
                #expect(!"\(error)".contains("\n") && "\(error)".contains("authority.pem"), "\(error)")
            }
            #expect(!Files.exists(directory.file("hub")), "nothing is made before that")
        }
    }
}
