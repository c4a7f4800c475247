import Basics
import System
import Testing
import Transport

@testable import Hub

/// Functions as they are: programs and endpoints.
@Suite struct FunctionRunnerTests {
    /// An endpoint that answers what the path asks for.
    final class Endpoint: HTTPServerHandler {
        let requests = Locked<[HTTPRequest]>([])

        func request(_ request: HTTPRequest, _ responder: HTTPResponder) {
            requests.withLock { $0.append(request) }
            switch request.path {
            case "/echo":
                responder.respond(
                    HTTPResponse(status: 200, headers: ["content-type": "application/json"], body: request.body))
            case "/empty": responder.respond(HTTPResponse(status: 204))
            case "/down": responder.respond(.text(503, "no database\nat all"))
            case "/text": responder.respond(.text(200, "hello"))
            case "/long": responder.respond(.text(200, "\"" + String(repeating: "x", count: 3_000) + "\""))
            default: break  // never answered
            }
        }
    }

    private func call(_ function: FunctionDefinition, _ payload: JSONValue = ["a": 1]) async throws -> FunctionOutcome {
        let runner = try FunctionRunner([function], time: SystemTimeSource())
        let outcome = await outcome(of: function.name, runner, payload)
        runner.stop()
        return outcome
    }

    private func outcome(
        of name: String, _ runner: FunctionRunner, _ payload: JSONValue = ["a": 1]
    ) async -> FunctionOutcome {
        await withCheckedContinuation { continuation in
            runner.call(name, payload.bytes) { continuation.resume(returning: $0) }
        }
    }

    private func shell(_ script: String) -> FunctionDefinition {
        FunctionDefinition(name: "f", target: .program(["/bin/sh", "-c", script]))
    }

    @Test func aProgramReadsJSONAndWritesJSON() async throws {
        #expect(try await call(shell("cat"), ["text": "ü \"q\""]) == .success(["text": "ü \"q\""]))
        #expect(try await call(shell("cat >/dev/null")) == .success(.null), "nothing said is null")
        #expect(try await call(shell("printf '[1,2]\\n'")) == .success([1, 2]), "it need not read its input")
    }

    @Test func whatAProgramMayDoWrongHasItsFailure() async throws {
        #expect(
            try await call(shell("echo 'no such\tbin' >&2; exit 3")) == .failure(.failed("exit code 3: no such?bin")))
        #expect(try await call(shell("kill -9 $$")) == .failure(.failed("signal 9")))
        #expect(try await call(shell("echo nonsense")) == .failure(.unreadable("it is no JSON")))
        var small = shell("head -c 5000 /dev/zero | tr '\\0' 1")
        small.answerLimit = 1_000
        #expect(try await call(small) == .failure(.unreadable("it is longer than 1000 bytes")))
        guard
            case .failure(.unreachable) = try await call(
                FunctionDefinition(name: "f", target: .program(["/nowhere/at-all"])))
        else {
            Issue.record("a program that is not there cannot be called")
            return
        }
    }

    @Test func aProgramThatTakesTooLongIsKilledWithAllItStarted() async throws {
        let directory = try TempDirectory("function")
        let file = directory.file("pid")
        var slow = shell("trap '' TERM; sh -c 'trap \"\" TERM; echo $$ >\(file); exec sleep 100' & wait; sleep 100")
        // Time enough to start all of it: on a busy machine more.
        var child: Int32?
        for limit: Int64 in [500, 4_000, 30_000] where child == nil {
            slow.timeoutMilliseconds = limit
            #expect(try await call(slow) == .failure(.timedOut))
            child = (try? Files.readText(file).split(separator: "\n").first).flatMap { Int32($0) }
        }
        let pid = try #require(child)
        // SIGKILL was sent to the whole group; its end is seen in /proc at once or when init has reaped it.
        let state = (try? Files.readText("/proc/\(pid)/stat")) ?? ""
        #expect(!state.contains(") S "), "what it started does not sleep on: \(state)")
    }

    @Test func aProgramLearnsNothingOfTheHubsEnvironmentOrFiles() async throws {
        let list = "for e in $(env | sed 's/=.*//'); do printf '%s ' $e; done | sed 's/.*/\"&\"/'"
        let names = try await call(shell(list)).get().string ?? ""
        #expect(
            Set(names.split(separator: " ")).subtracting(["PWD", "SHLVL", "_", "OLDPWD"])
                == ["PATH", "LANG", "BINCOUNT_FUNCTION"])
        let open = try await call(shell("ls /proc/self/fd | wc -l")).get()
        #expect((open.integer ?? 99) <= 5, "only its own input and outputs are open")
    }

    @Test func anEndpointTakesAPostAndAnswers() async throws {
        let handler = Endpoint()
        let server = try HTTPServer(handler: handler)
        let base = "http://127.0.0.1:\(server.port)"
        func endpoint(_ path: String) throws -> FunctionDefinition {
            var function = try FunctionDefinition(parsing: "f=\(base)\(path)")
            if path == "/never" { function.timeoutMilliseconds = 300 }
            function.answerLimit = 2_000
            return function
        }
        #expect(try await call(endpoint("/echo?key=1"), ["b": 2]) == .success(["b": 2]))
        let request = try #require(handler.requests.current.first)
        #expect(request.method == "POST")
        #expect(request.query == "key=1")
        #expect(request.headers["content-type"] == "application/json")
        #expect(request.headers["x-bincount-function"] == "f")
        #expect(try await call(endpoint("/empty")) == .success(.null))
        #expect(try await call(endpoint("/down")) == .failure(.failed("status 503: no database")))
        #expect(try await call(endpoint("/text")) == .failure(.unreadable("it is no JSON")))
        #expect(try await call(endpoint("/never")) == .failure(.timedOut))
        if case .success = try await call(endpoint("/long")) { Issue.record("a long answer is not taken") }
        server.stop()
        guard case .failure(.unreachable) = try await call(endpoint("/echo")) else {
            Issue.record("nobody answers there any more")
            return
        }
    }

    @Test func whenItStopsEveryCallEndsAtOnce() async throws {
        let runner = try FunctionRunner([shell("sleep 100")], time: SystemTimeSource())
        let (outcomes, sink) = AsyncStream<FunctionOutcome>.makeStream()
        for _ in 0..<12 { runner.call("f", [0x31]) { sink.yield($0) } }
        #expect(runner.counts["f"]?.running == 8)
        #expect(runner.counts["f"]?.waiting == 4)
        runner.stop()
        var count = 0
        for await outcome in outcomes {
            #expect(outcome == .failure(.stopped))
            count += 1
            if count == 12 { break }
        }
        #expect(await outcome(of: "f", runner) == .failure(.stopped))
        guard case .failure(.unreachable) = await outcome(of: "nobody", runner) else {
            Issue.record("there is no such function")
            return
        }
    }

    @Test func callsAndFailuresAreCounted() async throws {
        let runner = try FunctionRunner([shell("read x; [ \"$x\" = 1 ] && echo 1")], time: SystemTimeSource())
        _ = await outcome(of: "f", runner, 1)
        _ = await outcome(of: "f", runner, 2)
        let counts = try #require(runner.counts["f"])
        #expect(counts.calls == 2)
        #expect(counts.failures == 1)
        runner.stop()
    }

    // MARK: Configuration and turns

    @Test func aDefinitionIsReadAsItIsWritten() throws {
        let program = try FunctionDefinition(parsing: "merge=sh -c 'cat; echo \"a b\"' \"\" x")
        #expect(program.target == .program([try #require(Files.program("sh")), "-c", "cat; echo \"a b\"", "", "x"]))
        #expect(try FunctionDefinition(parsing: "a-b_9=https://erp.example/f?x=1").name == "a-b_9")
        for wrong in [
            "cat", "=cat", "a b=cat", "f=", "f=cat 'x", "f=/nowhere/at-all", "f=http://erp.example/", "f=https://",
        ] {
            #expect(throws: HubError.self, "\(wrong)") { try FunctionDefinition(parsing: wrong) }
        }
    }

    @Test func onlySoManyRunAndWaitAndNobodyWaitsTooLong() {
        var queue = FunctionQueue(concurrency: 2, waitingLimit: 2, patience: 100)
        #expect(queue.called(1, at: 0) == [.start(1)])
        #expect(queue.called(2, at: 0) == [.start(2)])
        #expect(queue.called(3, at: 0).isEmpty)
        #expect(queue.called(4, at: 50).isEmpty)
        #expect(queue.called(5, at: 50) == [.refuse(5, .busy)])
        #expect(queue.ended(1, at: 120) == [.refuse(3, .busy), .start(4)])
        #expect(queue.ended(1, at: 121).isEmpty, "it has ended already")
        #expect(queue.runningCount == 2)
        #expect(Set(queue.stop()) == [.refuse(2, .stopped), .refuse(4, .stopped)])
        #expect(queue.called(6, at: 130) == [.refuse(6, .stopped)])
    }

    @Test func whatIsPreferredHasPlacesOfItsOwnAndGoesFirst() {
        var queue = FunctionQueue(concurrency: 1, waitingLimit: 4, patience: 100)
        #expect(queue.called(1, at: 0) == [.start(1)])
        for call in 2...5 as ClosedRange<UInt64> { #expect(queue.called(call, at: 0).isEmpty) }
        #expect(queue.called(6, at: 0) == [.refuse(6, .busy)])
        #expect(queue.called(7, isPreferred: true, at: 0).isEmpty)
        #expect(queue.called(8, isPreferred: true, at: 0) == [.refuse(8, .busy)], "a quarter as many")
        #expect(queue.waitingCount == 5)
        #expect(queue.ended(1, at: 1) == [.start(7)])
        #expect(queue.called(9, isPreferred: true, at: 1).isEmpty)
        #expect(queue.ended(7, at: 2) == [.start(9)])
        #expect(queue.ended(9, at: 3) == [.start(2)])
        #expect(
            Set(queue.stop()) == [
                .refuse(2, .stopped), .refuse(3, .stopped), .refuse(4, .stopped), .refuse(5, .stopped),
            ])
    }
}
