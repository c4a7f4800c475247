import AppSync
import Basics
import DataStore
import Models
import Testing

@testable import SyncEngine

@Suite("A session fetches and hears")
struct SessionPullTests {
    private func fetches(_ fixture: SessionFixture) -> [SessionFixture.Sent] {
        fixture.takeSent().filter { $0.query.hasPrefix("query Sync") }
    }

    @Test("after it has subscribed, model by model, page by page, from the mark of the last run (D63, D64)")
    func round() throws {
        let fixture = try SessionFixture()
        fixture.handle(.start)
        #expect(fetches(fixture).isEmpty)
        fixture.shakeHands()
        let first = fetches(fixture)
        #expect(first.count == 2)
        #expect(first.allSatisfy { $0.variables["lastSync"] == nil && $0.person == "ann" })
        let tasks = try #require(first.first { $0.query.contains("syncTasks") })
        fixture.answerFetch(tasks, [SessionFixture.json("a", "one")], next: "t2", startedAt: 500)
        let second = try #require(fetches(fixture).first)
        #expect(second.variables["nextToken"] == "t2")
        fixture.answerFetch(second, [SessionFixture.json("b", "two")], startedAt: 500)
        #expect(try fixture.core.mark(of: "Task").lastSync == 500)
        #expect(!fixture.status.isComplete)
        fixture.answerFetch(first[first[0].id == tasks.id ? 1 : 0])
        #expect(fixture.status.isComplete)
        #expect(fixture.events.contains(.ready))
        fixture.handle(.socketClosed(socket: 1, reason: "cut"))
        fixture.pass(1_000)
        fixture.shakeHands()
        let again = try #require(fetches(fixture).first { $0.query.contains("syncTasks") })
        #expect(again.variables["lastSync"] == 500)
    }

    @Test("from the beginning again where the backend had nothing at all the last time")
    func emptyBackend() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        fixture.finishFetches(startedAt: 0)
        #expect(fixture.status.isComplete)
        #expect(try fixture.core.mark(of: "Task").lastSync == nil)
        fixture.handle(.socketClosed(socket: 1, reason: "cut"))
        fixture.pass(1_000)
        fixture.shakeHands()
        #expect(fetches(fixture).allSatisfy { $0.variables["lastSync"] == nil })
    }

    @Test("once more where a run of pages is older than the subscriptions")
    func resumed() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        let tasks = try #require(fetches(fixture).first { $0.query.contains("syncTasks") })
        fixture.answerFetch(tasks, [SessionFixture.json("a", "one")], next: "t2", startedAt: 500)
        fixture.handle(.stop)
        _ = fixture.takeSent()
        fixture.connect()
        let resumed = try #require(fetches(fixture).first { $0.query.contains("syncTasks") })
        #expect(resumed.variables["nextToken"] == "t2")
        fixture.answerFetch(resumed, startedAt: 500)
        let again = try #require(fetches(fixture).first { $0.query.contains("syncTasks") })
        #expect(again.variables["lastSync"] == 500)
        #expect(again.variables["nextToken"] == nil)
    }

    @Test("and applies what it hears meanwhile after the pages (D63, D73)")
    func buffered() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        let tasks = try #require(fetches(fixture).first { $0.query.contains("syncTasks") })
        fixture.hear([SessionFixture.event(.onUpdate, SessionFixture.json("a", "newer", version: 3))])
        #expect(try fixture.get("a") == nil)
        fixture.answerFetch(tasks, [SessionFixture.json("a", "older", version: 2)])
        #expect(try fixture.get("a")?["title"] == .text("newer"))
        fixture.hear([SessionFixture.event(.onDelete, SessionFixture.json("a", "newer", version: 4, deleted: true))])
        #expect(try fixture.get("a") == nil)
    }

    @Test("several changes in one transaction")
    func batched() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        fixture.finishFetches()
        var commits = 0
        let token = fixture.core.addObserver { _ in commits += 1 }
        fixture.hear((1...5).map { SessionFixture.event(.onCreate, SessionFixture.json("n\($0)", "x")) })
        fixture.core.removeObserver(token)
        #expect(commits == 1)
        #expect(try fixture.core.read { try $0.query(model: "Task") }.count == 5)
    }

    @Test("around a row that it does not understand, and shows it (D93)")
    func quarantine() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        let tasks = try #require(fetches(fixture).first { $0.query.contains("syncTasks") })
        fixture.answerFetch(
            tasks,
            [
                SessionFixture.json("a", "one"), ["id": "b", "title": 7, "_version": 1],
                SessionFixture.json("c", "three"),
            ])
        #expect(try fixture.core.read { try $0.query(model: "Task") }.map(\.id) == ["a", "c"])
        #expect(try fixture.core.quarantined().map(\.id) == ["b"])
        #expect(fixture.status.quarantined == 1)
    }

    @Test("on without a model that it may not have (D66, D73)")
    func denied() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        for request in fetches(fixture) {
            if request.query.contains("syncZones") {
                fixture.answer(
                    request.id,
                    [
                        "data": ["syncZones": nil],
                        "errors": [["path": ["syncZones"], "errorType": "Unauthorized", "message": "Not Authorized"]],
                    ])
            } else {
                fixture.answerFetch(request)
            }
        }
        #expect(fixture.status.deniedModels == ["Zone"])
        #expect(fixture.status.isComplete)
    }

    @Test("from the beginning where its token is worn out (D64)")
    func wornToken() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        let tasks = try #require(fetches(fixture).first { $0.query.contains("syncTasks") })
        fixture.answerFetch(tasks, next: "t2", startedAt: 500)
        let second = try #require(fetches(fixture).first)
        fixture.answer(
            second.id, ["data": ["syncTasks": nil], "errors": [["message": "Invalid pagination token given."]]])
        let anew = try #require(fetches(fixture).first)
        #expect(anew.variables["nextToken"] == nil)
    }

    /// A session that waits for the second page of its tasks.
    private func atSecondPage() throws -> (SessionFixture, SessionFixture.Sent) {
        let fixture = try SessionFixture()
        fixture.connect()
        for request in fetches(fixture) {
            let isTasks = request.query.contains("syncTasks")
            fixture.answerFetch(request, next: isTasks ? "t2" : nil, startedAt: 500)
        }
        return (fixture, try #require(fetches(fixture).first))
    }

    private static let worn: JSONValue = [
        "data": ["syncTasks": nil], "errors": [["message": "Invalid pagination token given."]],
    ]

    @Test("from the beginning once where each token is worn out, and then with the next round (C11, D64)")
    func wornTokens() throws {
        var (fixture, page) = try atSecondPage()
        fixture.answer(page.id, Self.worn)
        let anew = try #require(fetches(fixture).first)
        #expect(anew.variables["nextToken"] == nil)
        fixture.answerFetch(anew, next: "t2", startedAt: 500)
        page = try #require(fetches(fixture).first)
        fixture.answer(page.id, Self.worn)
        #expect(fetches(fixture).isEmpty, "it began anew without end")
        #expect(fixture.problems.current.map(\.model) == ["Task"])
        #expect(fixture.status.unfetchedModels == ["Task"])
        #expect(fixture.status.isComplete)
        #expect(try fixture.core.mark(of: "Task").nextToken == nil, "the next round begins at the first page")
    }

    @Test("a later page again under its token after a pause, from the beginning once, and tells (C11, D66)")
    func brokenPage() throws {
        for status in [200, 400] {
            var (fixture, page) = try atSecondPage()
            let error: JSONValue = [
                "data": ["syncTasks": nil], "errors": [["errorType": "Lambda:Unhandled", "message": "broken"]],
            ]
            for run in 1...2 {
                for failure in 1...PageTrouble.limit {
                    #expect(page.variables["nextToken"] == "t2")
                    fixture.answer(page.id, error, status: status)
                    if failure == PageTrouble.limit { break }
                    #expect(fetches(fixture).isEmpty, "it was asked for again at once")
                    fixture.pass(5_000)
                    fixture.hear([.keepAlive])
                    page = try #require(fetches(fixture).first)
                }
                #expect(fixture.problems.current.count == run)
                guard run == 1 else { break }
                let anew = try #require(fetches(fixture).first)
                #expect(anew.variables["nextToken"] == nil)
                fixture.answerFetch(anew, next: "t2", startedAt: 500)
                page = try #require(fetches(fixture).first)
            }
            #expect(fetches(fixture).isEmpty)
            #expect(fixture.status.unfetchedModels == ["Task"])
            #expect(fixture.problems.current.allSatisfy { $0.message.contains("broken") })
        }
    }

    @Test("on from the page that failed where it comes later")
    func brokenPageComes() throws {
        var (fixture, page) = try atSecondPage()
        fixture.answer(page.id, ["data": ["syncTasks": nil], "errors": [["message": "broken"]]])
        fixture.pass(1_000)
        page = try #require(fetches(fixture).first)
        #expect(page.variables["nextToken"] == "t2")
        fixture.answerFetch(page, [SessionFixture.json("b", "two")], startedAt: 500)
        #expect(try fixture.core.mark(of: "Task").lastSync == 500)
        #expect(fixture.status.isComplete)
        #expect(fixture.problems.current.isEmpty)
    }

    @Test("the others on where one model is not answered, in smaller pages, and tells", arguments: [504, 503])
    func silentModel(status: Int) throws {
        let fixture = try SessionFixture()
        fixture.connect()
        fixture.pass(1)
        let first = fetches(fixture)
        var tasks = try #require(first.first { $0.query.contains("syncTasks") })
        fixture.answerFetch(try #require(first.first { $0.query.contains("syncZones") }))
        var limits: [Int64] = []
        for failure in 1...PageTrouble.limit {
            limits.append(try #require(tasks.variables["limit"]?.integer))
            fixture.answer(tasks.id, .null, status: status)
            if failure == PageTrouble.limit { break }
            #expect(fetches(fixture).isEmpty && !fixture.status.isComplete)
            fixture.pass(10_000)
            fixture.hear([.keepAlive])
            tasks = try #require(fetches(fixture).first)
        }
        #expect(limits == (status == 504 ? [1000, 500, 250, 125, 62] : [1000, 1000, 1000, 1000, 1000]))
        #expect(fetches(fixture).isEmpty)
        #expect(fixture.status.isComplete && fixture.status.unfetchedModels == ["Task"])
        #expect(fixture.problems.current.map(\.model) == ["Task"])
    }

    @Test("no model up because its connections are cut")
    func cutConnections() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        var cuts = 0
        for _ in 1...300 {
            for request in fetches(fixture) {
                cuts += 1
                fixture.handle(.httpFailed(id: request.id, reason: "cut"))
            }
            fixture.pass(1_000)
            fixture.hear([.keepAlive])
        }
        #expect(cuts > 2 * PageTrouble.limit)
        #expect(fixture.problems.current.isEmpty && fixture.status.unfetchedModels.isEmpty)
        #expect(fetches(fixture).allSatisfy { $0.variables["limit"] == 1000 })
    }

    @Test("nobody up while nothing is heard at all")
    func silentBackend() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        for _ in 1...3 * PageTrouble.limit {
            for request in fetches(fixture) { fixture.answer(request.id, .null, status: 504) }
            fixture.pass(31_000)
        }
        #expect(fixture.problems.current.isEmpty && fixture.status.unfetchedModels.isEmpty)
        let again = fetches(fixture)
        #expect(!again.isEmpty && again.allSatisfy { $0.variables["limit"] == 1000 })
    }

    @Test("again from time to time, though nothing was lost")
    func resync() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        fixture.finishFetches()
        for _ in 0..<11 {
            fixture.pass(29_000)
            fixture.hear([.keepAlive])
        }
        #expect(fetches(fixture).count == 2)
    }

    @Test("everything anew from a backend whose database is another")
    func epoch() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        func finish(_ epoch: String) {
            for request in fetches(fixture) {
                let field = request.query.contains("syncTasks") ? "syncTasks" : "syncZones"
                fixture.answer(
                    request.id,
                    [
                        "data": .object([field: ["items": [], "nextToken": nil, "startedAt": 9]]),
                        "extensions": ["bincount": ["epoch": .string(epoch)]],
                    ])
            }
        }
        finish("one")
        #expect(try fixture.core.mark(of: "Task").lastSync == 9)
        fixture.handle(.socketClosed(socket: 1, reason: "cut"))
        fixture.pass(1_000)
        fixture.shakeHands()
        finish("two")
        fixture.shakeHands()
        #expect(fetches(fixture).allSatisfy { $0.variables["lastSync"] == nil })
        #expect(fixture.events.contains { if case .failure = $0 { true } else { false } })
    }

    @Test("for the person who signed in, and lets go of what the one before was shown (D95)")
    func person() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        let tasks = fetches(fixture)
        fixture.answerFetch(
            try #require(tasks.first { $0.query.contains("syncTasks") }), [SessionFixture.json("a", "ann's")])
        fixture.answerFetch(try #require(tasks.first { $0.query.contains("syncZones") }))
        try fixture.save(SessionFixture.record("b", "unsent"))
        _ = fixture.takeSent()
        fixture.handle(.personChanged("bob"))
        #expect(try fixture.get("a") == nil)
        #expect(try fixture.get("b") != nil, "unsent work was evicted")
        #expect(fixture.opened.last?.person == "bob")
        fixture.shakeHands()
        let again = fetches(fixture)
        #expect(again.allSatisfy { $0.person == "bob" })
        #expect(try #require(again.first { $0.query.contains("syncTasks") }).variables["lastSync"] == nil)
        #expect(try #require(again.first { $0.query.contains("syncZones") }).variables["lastSync"] == 1000)
    }

    @Test("only what its scope keeps, and evicts the rest when that narrows (D65, D86)")
    func scope() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        let first = fetches(fixture)
        fixture.answerFetch(
            try #require(first.first { $0.query.contains("syncZones") }),
            [
                ["id": "z1", "code": "A", "_version": 1, "_lastChangedAt": 1],
                ["id": "z2", "code": "B", "_version": 1, "_lastChangedAt": 1],
            ])
        fixture.handle(.scopeChanged(SyncScope(filters: ["Zone": .field("code", .equal(.text("A")))])))
        #expect(try fixture.core.read { try $0.query(model: "Zone") }.map(\.id) == ["z1"])
        fixture.shakeHands()
        let zones = try #require(fetches(fixture).first { $0.query.contains("syncZones") })
        #expect(zones.variables["filter"] == ["and": [["code": ["eq": "A"]]]])
        #expect(zones.variables["lastSync"] == nil)
        let starts = fixture.frames.compactMap { frame -> String? in
            if case .start(_, let data, _) = frame, data.contains("onCreateZone") { return data }
            return nil
        }
        #expect(try JSONValue(parsing: try #require(starts.last))["variables"]?["filter"] == ["code": ["eq": "A"]])
    }
}

@Suite("A session's link")
struct SessionLinkTests {
    @Test("is told from its sockets, with the age of the last word")
    func status() throws {
        let fixture = try SessionFixture()
        fixture.handle(.start)
        #expect(fixture.status.link == .connecting)
        fixture.shakeHands()
        #expect(fixture.status.link == .live)
        fixture.pass(5_000)
        fixture.handle(.socketClosed(socket: 1, reason: "cut"))
        #expect(fixture.status.link == .down(reason: "cut"))
        #expect(fixture.status.linkSince == 5_000)
        #expect(fixture.status.lastContact == 0)
    }

    @Test("is given up when no sign of life comes in time, and built anew (D83)")
    func keepAlive() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        fixture.finishFetches()
        fixture.pass(59_000)
        fixture.hear([.keepAlive])
        fixture.pass(59_000)
        #expect(fixture.status.isLive)
        fixture.pass(2_000)
        #expect(fixture.closed == [1])
        fixture.pass(1_000)
        #expect(fixture.opened.last?.socket == 2)
    }

    @Test("rests where the key is refused, says why, and does not ask without end (D67, D77)")
    func refused() throws {
        let fixture = try SessionFixture()
        fixture.handle(.start)
        fixture.handle(.socketOpened(socket: 1))
        fixture.hear([.connectionError([ResponseError("no", errorType: "UnauthorizedException", errorCode: 400)])])
        #expect(fixture.status.pausedReason == "UnauthorizedException: no")
        fixture.pass(140_000)
        #expect(fixture.opened.count == 1)
        fixture.handle(.tryAgain)
        #expect(fixture.opened.count == 2)
    }

    @Test("works without a subscription that is refused, and polls where it is not for want of rights (D87)")
    func refusedSubscription() throws {
        let fixture = try SessionFixture()
        fixture.handle(.start)
        fixture.handle(.socketOpened(socket: 1))
        fixture.hear([.connectionAck(timeoutMilliseconds: 300_000)])
        fixture.hear((1...4).map { .startAck(id: String($0)) })
        fixture.hear([
            .error(id: "5", errors: [ResponseError("no", errorType: "Unauthorized")]),
            .error(id: "6", errors: [ResponseError("too many", errorType: "MaxSubscriptionsReachedError")]),
        ])
        #expect(fixture.status.isLive)
        #expect(fixture.events.contains { if case .failure = $0 { true } else { false } })
        fixture.finishFetches()
        fixture.pass(31_000)
        #expect(fixture.takeSent().count == 2)
    }

    @Test("starts each subscription of a model without the filter that the backend does not take")
    func refusedFilter() throws {
        let fixture = try SessionFixture(scope: SyncScope(filters: ["Task": .field("state", .equal(.text("open")))]))
        fixture.handle(.start)
        fixture.handle(.socketOpened(socket: 1))
        fixture.hear([.connectionAck(timeoutMilliseconds: 300_000)])
        func starts() -> [(id: String, data: String)] {
            fixture.frames.compactMap { frame in
                if case .start(let id, let data, _) = frame, data.contains("Task") { (id, data) } else { nil }
            }
        }
        let ids = starts().map(\.id)
        #expect(ids.count == 3)
        fixture.hear(ids.map { .error(id: $0, errors: [ResponseError("too many conditions")]) })
        let again = starts().dropFirst(3)
        #expect(again.map(\.id) == ids)
        #expect(again.allSatisfy { !$0.data.contains("open") })
        #expect(fixture.problems.current.isEmpty)
        fixture.hear((1...6).map { .startAck(id: String($0)) })
        #expect(fixture.status.isLive)
        fixture.finishFetches()
        fixture.pass(31_000)
        #expect(fixture.takeSent().isEmpty, "it is fetched for want of subscriptions")
    }

    @Test("subscribes under the names that AppSync cuts")
    func longNames() throws {
        let name = "Shelf" + String(repeating: "Label", count: 10)
        let model = ModelSchema(
            name, pluralName: name + "s", fields: [FieldSchema("id", .scalar(.id), isRequired: true)])
        let fixture = try SessionFixture(schema: Schema(models: [model]))
        fixture.connect()
        let starts = fixture.frames.compactMap { frame -> String? in
            if case .start(_, let data, _) = frame { data } else { nil }
        }
        #expect(starts.count == 3)
        #expect(!starts.contains { $0.contains("onCreate" + name) })
        #expect(starts.contains { $0.contains(("onCreate" + name).prefix(45)) })
    }

    @Test("forgets its failures only where it stays")
    func steady() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        for _ in 1...3 {
            fixture.handle(.socketClosed(socket: fixture.opened.last?.socket ?? 0, reason: "cut"))
            fixture.pass(5_000)
            fixture.shakeHands()
            #expect(fixture.status.isLive)
        }
        #expect(fixture.session.connection.attempt == 3)
        fixture.pass(31_000)
        #expect(fixture.session.connection.attempt == 0)
    }

    @Test("measures the backend's clock against the middle of an exchange")
    func clock() throws {
        let fixture = try SessionFixture()
        fixture.connect()
        let request = try #require(fixture.takeSent().first)
        fixture.time.advance(milliseconds: 100)
        let server = fixture.time.now().milliseconds - 50 + 7_000
        fixture.handle(.httpAnswer(id: request.id, HTTPAnswer(status: 200, body: [], serverTime: server)))
        #expect(fixture.status.clockOffsetMilliseconds == 7_000)
        fixture.time.jump(milliseconds: 3_600_000)
        fixture.hear([.keepAlive])
        #expect(fixture.status.clockOffsetMilliseconds == 7_000 - 3_600_000)
    }
}
