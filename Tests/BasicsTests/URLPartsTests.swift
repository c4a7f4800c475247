import Basics
import Testing

@Suite("Addresses of servers are taken apart")
struct URLPartsTests {
    @Test func anAddressHasItsParts() throws {
        let parts = try URLParts("WSS://Hub.Example:8443/graphql/realtime?header=a%20b#x")
        #expect(parts.scheme == "wss")
        #expect(parts.host == "hub.example")
        #expect(parts.port == 8443)
        #expect(parts.path == "/graphql/realtime")
        #expect(parts.query == "header=a%20b")
        #expect(parts.isSecure)
        #expect(!parts.isLoopback)
        #expect(parts.description == "wss://hub.example:8443/graphql/realtime?header=a%20b")
    }

    @Test(arguments: [
        ("http://a", "http://a/", 80), ("https://a/", "https://a/", 443), ("ws://a?q", "ws://a/?q", 80),
        ("http://[::1]:20/x", "http://[::1]:20/x", 20), ("http://a:80/", "http://a/", 80),
        ("http://a/#f?x", "http://a/", 80),
    ])
    func whatIsLeftOutIsFilledIn(text: String, whole: String, port: Int) throws {
        let parts = try URLParts(text)
        #expect(parts.description == whole)
        #expect(parts.port == port)
    }

    @Test(arguments: ["http://localhost/", "http://127.0.0.1:9", "ws://[::1]/", "http://127.255.0.3/"])
    func loopbackIsKnown(text: String) throws {
        #expect(try URLParts(text).isLoopback)
    }

    @Test(arguments: ["http://127.0.0.1.evil/", "http://128.0.0.1/", "http://localhost.evil/", "http://127.0.0/"])
    func whatOnlyLooksLikeLoopbackIsNot(text: String) throws {
        #expect(try !URLParts(text).isLoopback)
    }

    @Test(arguments: [
        ("", "it must begin with http://, https://, ws:// or wss://"),
        ("ftp://a", "it must begin with http://, https://, ws:// or wss://"),
        ("http://a b", "it contains a space or a character that must be escaped"),
        ("http://é", "it contains a space or a character that must be escaped"),
        ("http://", "the host is missing"), ("http://:80", "the host is missing"),
        ("http://u:p@a", "a user name or password does not belong in it"),
        ("http://a:x", "the port must be a number up to 65535"),
        ("http://a:65536", "the port must be a number up to 65535"),
        ("http://a:", "the port must be a number up to 65535"),
        ("http://[::1", "the ] after the IPv6 address is missing"),
        ("http://[::1]x", "only a port may follow the IPv6 address"),
    ])
    func anythingElseIsRefusedWithItsReason(text: String, reason: String) throws {
        let error = try #require(throws: URLParts.ParseError.self) { try URLParts(text) }
        #expect(error.reason == reason)
    }
}
