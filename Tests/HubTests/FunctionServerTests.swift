import Basics
import System
import Testing
import Transport

@testable import Hub

/// A whole hub with real functions: scripts and an endpoint.
@Suite struct FunctionServerTests {
    private let directory: TempDirectory

    init() throws {
        directory = try TempDirectory("hub-functions")
    }

    /// Resolves every conflict with both titles, over HTTP.
    private final class Merger: HTTPServerHandler {
        func request(_ request: HTTPRequest, _ responder: HTTPResponder) {
            let event = try? JSONValue(parsing: request.body)
            let titles = [event?["existingItem"], event?["newItem"]].compactMap { $0?["title"]?.string }
            let answer: JSONValue = ["action": "RESOLVE", "item": ["title": .string(titles.joined(separator: "+"))]]
            responder.respond(HTTPResponse(status: 200, body: answer.bytes))
        }
    }

    private func script(_ name: String, _ text: String) throws -> String {
        let path = directory.file(name)
        try Files.writeAtomically(Array("#!/bin/sh\n\(text)\n".utf8), to: path, mode: 0o755)
        return path
    }

    private func options(_ configure: (inout ResolverOptions) throws -> Void) throws -> HubOptions {
        var options = HubOptions(
            dataDirectory: directory.file("hub"), schema: FunctionHub.schema, keys: try APIKeys(["all:everyone"]),
            time: SystemTimeSource())
        try configure(&options.resolvers)
        return options
    }

    private func post(_ client: HTTPClient, _ query: String) async throws -> (status: Int, json: JSONValue) {
        let response = try await client.send(
            HTTPRequest(
                path: "/graphql", headers: ["content-type": "application/json", "x-api-key": "all"],
                body: (["query": .string(query)] as JSONValue).bytes))
        return (response.status, try JSONValue(parsing: response.body))
    }

    @Test func aConflictIsDecidedByAProgramAndByAnEndpoint() async throws {
        let endpoint = try HTTPServer(handler: Merger())
        let program = try script("decide", "cat >/dev/null; echo '{\"action\":\"REJECT\"}'")
        let server = try await HubServer.start(
            options {
                try $0.addFunction("decide=\(program)")
                try $0.addFunction("merge=http://127.0.0.1:\(endpoint.port)/")
                try $0.addConflictHandler("Note=merge")
                try $0.addConflictHandler("*=decide")
            })
        let loop = try WebSocketLoop()
        let client = try HTTPClient(loop: loop, origin: try URLParts(server.url))
        _ = try await post(client, "mutation { createNote(input: {id: \"1\", title: \"theirs\"}) { id } }")
        let merged = try await post(
            client, "mutation { updateNote(input: {id: \"1\", title: \"mine\"}) { title _version } }")
        #expect(merged.json.result == ["title": "theirs+mine", "_version": 2])
        let metrics = try await client.send(HTTPRequest(method: "GET", path: "/metrics"))
        #expect(
            String(decoding: metrics.body, as: UTF8.self).contains(
                "bincount_hub_function_calls_total{function=\"2\"} 1"))
        await server.stop()
        endpoint.stop()
        loop.stop()
    }

    @Test func aFunctionBeforeRefusesAndOneAfterHearsOfIt() async throws {
        let heard = directory.file("heard")
        let before = try script(
            "before",
            "grep -q '\"title\":\"bad\"' && echo '{\"errorMessage\":\"Not this one.\",\"errorType\":\"Bad\"}'; exit 0")
        // What it writes is whole at once, so that the test may look at any time.
        let after = try script("after", "cat >\(heard).new && mv \(heard).new \(heard)")
        let server = try await HubServer.start(
            options {
                try $0.addFunction("before=\(before)")
                try $0.addFunction("after=\(after)")
                try $0.addFunction("decide=\(before)")
                try $0.addConflictHandler("*=decide")
                try $0.addBefore("Plain.create=before")
                try $0.addAfter("Plain.create=after")
            })
        let loop = try WebSocketLoop()
        let client = try HTTPClient(loop: loop, origin: try URLParts(server.url))
        let refused = try await post(client, "mutation { createPlain(input: {id: \"1\", title: \"bad\"}) { id } }")
        #expect(refused.json.errorMessage == "Not this one.")
        #expect(refused.json.errorType == "Bad")
        let made = try await post(client, "mutation { createPlain(input: {id: \"2\", title: \"good\"}) { id } }")
        #expect(made.json.result?["id"] == "2")
        var event: JSONValue?
        while event == nil {
            _ = try await post(client, "{ getPlain(id: \"2\") { id } }")
            event = (try? Files.read(heard)).flatMap { try? JSONValue(parsing: $0) }
        }
        #expect(event?["result"]?["title"] == "good")
        await server.stop()
        loop.stop()
    }

    @Test func aHubThatStopsTellsThoseWhoWaitToTryAgain() async throws {
        let began = directory.file("began")
        let slow = try script("slow", "touch \(began); sleep 100")
        let server = try await HubServer.start(
            options {
                try $0.addFunction("slow=\(slow)")
                try $0.addConflictHandler("*=slow")
            })
        let loop = try WebSocketLoop()
        let client = try HTTPClient(loop: loop, origin: try URLParts(server.url))
        _ = try await post(client, "mutation { createNote(input: {id: \"1\", title: \"theirs\"}) { id } }")
        async let waiting = post(client, "mutation { updateNote(input: {id: \"1\", title: \"mine\"}) { title } }")
        while !Files.exists(began) {
            _ = try await post(client, "mutation { createPlain(input: {title: \"x\"}) { id } }")
        }
        await server.stop()
        let answer = try? await waiting
        #expect(answer == nil || answer?.status == 503, "told, or cut off; never a lie")
        loop.stop()
    }

    @Test func aHubWithoutTheFunctionItNeedsDoesNotStart() async throws {
        await #expect(throws: HubError.self) { try await HubServer.start(options { _ in }) }
    }
}
