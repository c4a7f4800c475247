import Basics
import System
import Testing
import Transport

@testable import Hub

/// What a browser lets a page do with the hub.
@Suite struct CrossOriginTests {
    @Test func `a page may ask the API and read its answers, and nothing else of the hub`() async throws {
        let directory = try TempDirectory("cors")
        let loop = try WebSocketLoop()
        let hub = try await HubServer.start(
            HubOptions(
                dataDirectory: directory.path, schema: HubFixture.notes, keys: try APIKeys(["all:everyone"]),
                time: SystemTimeSource()))
        let client = try HTTPClient(loop: loop, origin: try URLParts(hub.url))
        func send(_ method: String, _ path: String, _ more: HTTPHeaders = [:], _ body: [UInt8] = []) async throws
            -> HTTPResponse
        {
            var headers = more
            headers.append("origin", "https://shop.example")
            return try await client.send(HTTPRequest(method: method, path: path, headers: headers, body: body))
        }
        for path in ["/graphql", "/login", "/login/refresh"] {
            let answer = try await send(
                "OPTIONS", path,
                [
                    "access-control-request-method": "POST",
                    "access-control-request-headers": "content-type,x-api-key,x-amz-user-agent,x-mine",
                ])
            #expect(answer.status == 200)
            #expect(answer.headers["access-control-allow-origin"] == "*")
            #expect(answer.headers["access-control-allow-methods"]?.contains("POST") == true)
            #expect(
                answer.headers["access-control-allow-headers"] == "content-type,x-api-key,x-amz-user-agent,x-mine")
            #expect(answer.headers["access-control-max-age"] != nil)
            // Nothing that is no list of names goes back.
            let odd = try await send("OPTIONS", path, ["access-control-request-headers": "x;y=\"z\""])
            #expect(odd.headers["access-control-allow-headers"]?.contains("x-api-key") == true)
            #expect(odd.headers["access-control-allow-headers"]?.contains(";") == false)
        }
        let query: JSONValue = ["query": "{ listNotes { items { id } } }"]
        for (key, status) in [("all", 200), ("wrong", 401)] {
            let answer = try await send("POST", "/graphql", ["x-api-key": key], query.bytes)
            #expect(answer.status == status)
            #expect(answer.headers["access-control-allow-origin"] == "*")
            let exposed = answer.headers["access-control-expose-headers"] ?? ""
            #expect(exposed.contains("x-amzn-requestid") && exposed.contains("x-amzn-errortype"))
        }
        let login = try await send("POST", "/login", [:], Array("{\"badge\":\"a\",\"pin\":\"1\"}".utf8))
        #expect(login.status == 401)
        #expect(login.headers["access-control-allow-origin"] == "*")
        for path in ["/schema", "/deliveries", "/enrol", "/metrics", "/health"] {
            #expect(try await send("OPTIONS", path).status == 405)
            for method in ["OPTIONS", "GET", "POST"] {
                let answer = try await send(method, path, ["x-api-key": "all"])
                #expect(answer.headers["access-control-allow-origin"] == nil, "\(method) \(path)")
            }
        }
        await hub.stop()
        loop.stop()
    }
}
