import Testing

@testable import Transport

/// The names that a server's requests have.
@Suite(.timeLimit(.minutes(5)))
struct RequestNameTests {
    private func server(_ handler: TestHandler = TestHandler()) throws -> HTTPServer {
        var options = HTTPServerOptions()
        options.requestIDField = "x-name"
        options.requestID = { "name-of-\($0["x-who"] ?? "nobody")" }
        options.maximumBodyBytes = 100
        return try HTTPServer(handler: handler, options: options)
    }

    @Test func `every answer bears the name that the handler saw`() throws {
        let server = try server(
            TestHandler { request, responder in responder.respond(.text(200, request.id)) })
        let client = try RawSocket(port: server.port)
        client.send(
            "GET / HTTP/1.1\r\nHost: x\r\nX-Who: ann\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        let text = client.readAll()
        #expect(text.contains("\r\nx-name: name-of-ann\r\n") && text.contains("\r\n\r\nname-of-annHTTP/1.1 200 OK\r\n"))
        #expect(text.contains("\r\nx-name: name-of-nobody\r\n") && text.hasSuffix("\r\n\r\nname-of-nobody"))
        server.stop()
    }

    @Test(arguments: [
        "nonsense\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n",
        upgradeRequest.replacing("Version: 13", with: "Version: 12"),
    ])
    func `a refusal has a name too`(_ request: String) throws {
        let server = try server()
        let client = try RawSocket(port: server.port)
        client.send(request)
        let text = client.readAll()
        #expect(text.hasPrefix("HTTP/1.1 4"))
        #expect(text.contains("\r\nx-name: name-of-nobody\r\n"))
        server.stop()
    }

    @Test func `a WebSocket's first answer bears its name`() throws {
        let server = try server()
        let client = try RawSocket(port: server.port)
        client.send(upgradeRequest.replacing("Host: x\r\n", with: "Host: x\r\nX-Who: ann\r\n"))
        let text = client.read(until: "\r\n\r\n")
        #expect(text.hasPrefix("HTTP/1.1 101 "))
        #expect(text.contains("\r\nx-name: name-of-ann\r\n"))
        server.stop()
    }

    @Test func `without names nothing is added`() throws {
        let server = try HTTPServer(handler: TestHandler())
        let client = try RawSocket(port: server.port)
        client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        #expect(!client.readAll().contains("x-amzn-requestid"))
        server.stop()
    }
}
