import AppSync
import Basics
import Testing

@Suite("Realtime frames")
struct RealtimeFrameTests {
    static let authorization = RealtimeAuthorization(host: "h", apiKey: "k", person: "p", device: "d")

    @Test(
        "read what they write",
        arguments: [
            .connectionInit, .keepAlive, .connectionAck(timeoutMilliseconds: 12_000), .stop(id: "1"),
            .startAck(id: "1"), .complete(id: "1"), .data(id: "7", payload: Array(#"{"data":{"x":null}}"#.utf8)),
            .start(id: "2", data: #"{"query":"subscription"}"#, authorization: authorization),
            .error(id: "3", errors: [ResponseError("no", errorType: "Unauthorized", errorCode: 401)]),
            .error(id: nil, errors: [ResponseError("no", errorType: "UnsupportedOperation")]),
            .connectionError([ResponseError("no", errorType: "UnauthorizedException", errorCode: 400)]),
        ] as [RealtimeFrame])
    func roundTrip(_ frame: RealtimeFrame) throws {
        #expect(try RealtimeFrame(parsing: frame.bytes) == frame)
        #expect(throws: Never.self) { try JSONValue(parsing: frame.bytes) }
    }

    @Test("read AppSync's own words")
    func foreign() throws {
        func read(_ text: String) throws -> RealtimeFrame { try RealtimeFrame(parsing: Array(text.utf8)) }
        #expect(
            try read(#" { "payload" : {"connectionTimeoutMs": 300000} , "type":"connection_ack"} "#)
                == .connectionAck(timeoutMilliseconds: 300_000))
        #expect(try read(#"{"type":"connection_ack"}"#) == .connectionAck(timeoutMilliseconds: 300_000))
        let object = try read(
            #"{"id":"a","type":"error","payload":{"errors":{"errorType":"MaxSubscriptionsReachedError","message":"m"}}}"#
        )
        #expect(object == .error(id: "a", errors: [ResponseError("m", errorType: "MaxSubscriptionsReachedError")]))
        #expect(try read(#"{"type":"news","id":"4"}"#) == .unknown(type: "news", id: "4"))
        #expect(
            try read(#"{"type":"connection_init","payload":{}}"#) == .connectionInit)
    }

    @Test(
        "refuse what is no frame",
        arguments: [
            "", "[]", "{", #"{"id":"1"}"#, #"{"type":"data"}"#, #"{"type":"start","id":"1"}"#, #"{"type":"ka"}x"#,
        ])
    func refusals(_ text: String) {
        #expect(throws: JSONError.self) { try RealtimeFrame(parsing: Array(text.utf8)) }
    }

    @Test("find the authorisation in each of its three forms, whatever the case of its names")
    func authorizationForms() throws {
        let fields = Self.authorization
        #expect(RealtimeAuthorization(base64: fields.queryValue) == fields)
        #expect(RealtimeAuthorization(subprotocols: ["graphql-ws", fields.subprotocol]) == fields)
        #expect(RealtimeAuthorization(subprotocols: ["graphql-ws"]) == nil)
        #expect(RealtimeAuthorization(base64: "!") == nil)
        #expect(RealtimeAuthorization(base64: fields.queryValue.replacing("+", with: " ")) == fields)
        #expect(fields["X-API-Key"] == "k")
        #expect(fields["x-bincount-person"] == "p")
        #expect(fields["authorization"] == nil)
    }
}
