import Basics
import GraphQL
import Models
import SQLite
import System
import Testing

@testable import Hub

/// A hub's schema changed while it runs.
@Suite struct SchemaPushTests {
    private let hub: SchemaPushFixture

    init() throws {
        hub = try SchemaPushFixture()
    }

    private func texts(_ json: JSONValue) -> [String] {
        json["changes"]?.array?.compactMap { $0["text"]?.string } ?? []
    }

    @Test func whatIsAddedIsTakenOverUnderWritesAndSubscriptions() async throws {
        try await hub.start()
        let subscriber = try await hub.subscribe([
            "subscription { onCreateNote { id title } }", "subscription { onCreateBox { id } }",
        ])
        let hub = hub
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    for number in 0..<25 {
                        // As a client of the older schema has it, before, while and after the schema changes.
                        let made = try await hub.ask(
                            "mutation { createNote(input: {id: \"\(writer)-\(number)\", title: \"t\", mood: calm}) "
                                + "{ id title body mood _version } }")
                        #expect(made["errors"] == nil)
                        #expect(made.result?["_version"] == 1)
                    }
                }
            }
            group.addTask {
                let pushed = try await hub.push(SchemaPushFixture.larger)
                #expect(pushed.status == 200)
                #expect(pushed.json["applied"] == true)
                #expect(
                    pushed.json["changes"]?.array?.map { $0["text"]?.string } == [
                        "Note.size: the field is new", "Note: the index notesByMood is new", "Shelf: the model is new",
                        "Mood.glad: the case is new",
                    ])
                #expect(pushed.json["backup"] == nil, "nothing can be lost")
            }
            try await group.waitForAll()
        }
        var heard: Set<String> = []
        while heard.count < 100 {
            let frame = try await subscriber.next()
            #expect(frame["type"] == "data")
            heard.insert(frame["payload"]?["data"]?["onCreateNote"]?["id"]?.string ?? "")
        }
        // The socket serves the new schema too.
        #expect(
            try await hub.ask("mutation { createBox(input: {id: \"b\", label: \"l\"}) { id label } }")["errors"] == nil)
        #expect(try await subscriber.next()["payload"]?["data"]?["onCreateBox"]?["id"] == "b")
        let glad = try await hub.ask(
            "mutation { createNote(input: {id: \"n\", title: \"t\", mood: glad, size: 9}) { size } }")
        #expect(glad.result?["size"] == 9)
        #expect(try await subscriber.next()["payload"]?["data"]?["onCreateNote"]?["id"] == "n")
        #expect(try await hub.ask("{ getNote(id: \"0-0\") { size } }").result?["size"] == 7, "its default")
        #expect(try await hub.ask("{ notesByMood(mood: glad) { items { id } } }").result?["items"]?.array?.count == 1)
        try await hub.stop()

        try await hub.start()
        #expect(try await hub.ask("{ getNote(id: \"n\") { size mood } }").result?["size"] == 9)
        #expect(try await hub.ask("{ syncShelves { items { id } } }")["errors"] == nil)
        let pulled = try await hub.send("GET", "/schema", key: "admin")
        #expect(String(decoding: pulled.body, as: UTF8.self) == SchemaPushFixture.larger)
        #expect(try HubCheck.pushedSchema(of: hub.data) == SchemaPushFixture.larger)
        try await hub.stop()
    }

    @Test func whatTakesSomethingAwayIsRefusedWithModelAndField() async throws {
        try await hub.start()
        try await hub.ask("mutation { createNote(input: {id: \"1\", title: \"t\", body: \"kept\"}) { id } }")
        let refused = try await hub.push(SchemaPushFixture.smaller)
        #expect(refused.status == 409)
        #expect(texts(refused.json) == ["Note.body: the field goes, with its values"])
        #expect(refused.json["message"]?.string?.contains("--allow-destructive") == true)
        #expect(try await hub.ask("{ getNote(id: \"1\") { body } }").result?["body"] == "kept")
        #expect(try Files.list(hub.data).filter { $0.hasPrefix("before-schema-") }.isEmpty)
        try await hub.stop()
    }

    @Test func whatIsTakenAwayOnPurposeIsInTheBackup() async throws {
        try await hub.start()
        let made =
            "mutation { m: createNote(input: {id: \"1\", title: \"first\", body: \"gone\"}) { id title _version } }"
        try await hub.ask(made, id: "retry")
        try await hub.ask("mutation { updateNote(input: {id: \"1\", title: \"second\", _version: 1}) { id } }")
        try await hub.ask("mutation { createBox(input: {id: \"b\", label: \"l\"}) { id } }")
        let subscriber = try await hub.subscribe([
            "subscription { onCreateNote { id body } }", "subscription { onCreateNote { id title } }",
        ])
        let withoutBox = SchemaPushFixture.smaller.split(separator: "\n").filter { !$0.hasPrefix("type Box") }
        let pushed = try await hub.push(withoutBox.joined(separator: "\n"), destructive: true)
        #expect(pushed.status == 200)
        #expect(
            texts(pushed.json) == [
                "Note.body: the field goes, with its values", "Box: the model goes, with its records",
            ])
        let backup = try #require(pushed.json["backup"]?.string)
        let copy = try Connection.open(path: backup, options: .readOnly)
        #expect(try copy.value("SELECT body FROM Note") == .text("gone"))
        #expect(try copy.value("SELECT count(*) FROM Box") == .integer(1))
        #expect(Files.exists(BackupManifest.path(of: backup)))
        #expect(try CopyMark.isSet(copy))

        // The subscription that asks for what is gone ends with the reason; the other one and the socket go on.
        let error = try await subscriber.next()
        #expect(error["type"] == "error" && error["id"] == "0")
        #expect(error["payload"]?["errors"]?[0]?["message"]?.string?.contains("'body'") == true)
        #expect(try await subscriber.next() == ["type": "complete", "id": "0"])
        #expect(try await hub.ask("{ getNote(id: \"1\") { body } }").errorMessage?.contains("'body'") == true)
        #expect(try await hub.ask("{ listBoxes { items { id } } }")["errors"] != nil)
        // A retry is still answered with what it made.
        let retried = try await hub.ask(
            made.replacing(", body: \\\"gone\\\"", with: "").replacing(", body: \"gone\"", with: ""), id: "retry")
        #expect(retried.result?["title"] == "first" && retried.result?["_version"] == 1)
        try await hub.ask("mutation { createNote(input: {id: \"2\", title: \"t\"}) { id title } }")
        #expect(try await subscriber.next()["id"] == "1")
        try await hub.stop()
        try await hub.start()
        #expect(try await hub.ask("{ getNote(id: \"1\") { title } }").result?["title"] == "second")
        try await hub.stop()
    }

    @Test func `a model that goes and comes back counts its versions on, and no delta from before is whole`()
        async throws
    {
        try await hub.start()
        try await hub.ask("mutation { createNote(input: {id: \"n\", title: \"t\"}) { id } }")
        try await hub.ask("mutation { createBox(input: {id: \"k\", label: \"1\"}) { id } }")
        for version in 1..<5 {
            try await hub.ask(
                "mutation { updateBox(input: {id: \"k\", label: \"\(version + 1)\", _version: \(version)}) { id } }")
        }
        try await hub.ask("mutation { createBox(input: {id: \"gone\", label: \"l\"}) { id } }")
        let before = try await hub.ask("{ syncBoxes { items { id _version } startedAt } }").result
        #expect(before?["items"]?.array?.contains(["id": "k", "_version": 5]) == true)
        let mark = try #require(before?["startedAt"]?.integer)
        let withoutBox = SchemaPushFixture.notes.split(separator: "\n").filter { !$0.hasPrefix("type Box") }
        #expect(try await hub.push(withoutBox.joined(separator: "\n"), destructive: true).status == 200)
        #expect(try await hub.push(SchemaPushFixture.notes).status == 200)
        let all = try await hub.ask("{ syncBoxes { items { id } startedAt } }").result
        let made = try await hub.ask("mutation { createBox(input: {id: \"k\", label: \"new\"}) { id _version } }")
        #expect(made.result?["_version"] == 6)
        let delta = try await hub.ask("{ syncBoxes(lastSync: \(mark)) { items { id } } }")
        #expect(delta["extensions"]?["bincount"]?["gap"] == ["syncBoxes"])
        let later = try #require(all?["startedAt"]?.integer)
        let next = try await hub.ask("{ syncBoxes(lastSync: \(later)) { items { id _version } } }")
        #expect(next["extensions"]?["bincount"]?["gap"] == nil, "what was asked for since is whole")
        #expect(next.result?["items"] == [["id": "k", "_version": 6]])
        try await hub.stop()
        // The same from the database.
        try await hub.start()
        let again = try await hub.ask("mutation { createBox(input: {id: \"gone\", label: \"l\"}) { id _version } }")
        #expect(again.result?["_version"] == 2)
        try await hub.stop()
    }

    @Test func `a field that goes and comes back, or has another type, makes newer records of those that lose a value`()
        async throws
    {
        try await hub.start()
        try await hub.ask("mutation { createNote(input: {id: \"1\", title: \"t\", body: \"held\"}) { id } }")
        try await hub.ask("mutation { createNote(input: {id: \"2\", title: \"t\"}) { id } }")
        let number = SchemaPushFixture.notes.replacing("body: String", with: "body: Int")
        var version = 1
        for pushes in [[SchemaPushFixture.smaller, SchemaPushFixture.notes], [number]] {
            let before = try await hub.ask("{ syncNotes { items { id } startedAt } }").result
            let mark = try #require(before?["startedAt"]?.integer)
            for text in pushes { #expect(try await hub.push(text, destructive: true).status == 200) }
            version += 1
            let delta = try await hub.ask("{ syncNotes(lastSync: \(mark)) { items { id body _version } } }")
            let held = delta.result?["items"]?.array?.filter { $0["id"] == "1" }
            #expect(held == [["id": "1", "body": .null, "_version": .integer(Int64(version))]])
            #expect(try await hub.ask("{ getNote(id: \"2\") { _version } }").result?["_version"] == 1)
            guard pushes.count > 1 else { continue }
            try await hub.ask(
                "mutation { updateNote(input: {id: \"1\", body: \"again\", _version: \(version)}) { id } }")
            version += 1
        }
        try await hub.stop()
    }

    @Test func `what a push changes after a restore has versions that no life before has given`() async throws {
        try await hub.start()
        try await hub.ask("mutation { createNote(input: {id: \"1\", title: \"t\", body: \"held\"}) { id } }")
        try await hub.stop()
        let copy = hub.directory.file("copy.sqlite")
        _ = try HubBackup.take(of: hub.data, to: copy, time: SystemTimeSource())
        // What the client saw in the version that follows is lost with the life it is of.
        try await hub.start()
        try await hub.ask("mutation { updateNote(input: {id: \"1\", title: \"lost\", _version: 1}) { id } }")
        try await hub.stop()
        _ = try HubRestore.restore(copy, into: hub.data, replacing: true, time: SystemTimeSource())
        try await hub.start()
        #expect(try await hub.push(SchemaPushFixture.smaller, destructive: true).status == 200)
        let note = try await hub.ask("{ getNote(id: \"1\") { title _version } }").result
        #expect(note == ["title": "t", "_version": .integer(HubLives.span + 1)])
        try await hub.stop()
    }

    @Test func ofTwoPushesAtOnceTheSecondIsComparedWithWhatTheFirstMade() async throws {
        try await hub.start()
        let crate =
            SchemaPushFixture.notes
            + "\ntype Crate @model @auth(rules: [{ allow: groups, groups: [\"everyone\"] }]) { id: ID! }"
        let hub = hub
        async let first = hub.push(SchemaPushFixture.larger)
        async let second = hub.push(crate)
        let statuses = try await [first.status, second.status]
        #expect(statuses.sorted() == [200, 409], "each lacks what the other adds")
        let isFirst = statuses[0] == 200
        let made = try await hub.ask("{ \(isFirst ? "listShelves" : "listCrates") { items { id } } }")
        #expect(made["errors"] == nil)
        try await hub.stop()
    }

    @Test func `of those that wait for a push the next is carried out, and each after it is compared with that`()
        async throws
    {
        try await hub.start()
        let commits = try await hub.server.holdCommits()
        func adding(_ models: String...) -> String {
            let rule = "@auth(rules: [{ allow: groups, groups: [\"everyone\"] }])"
            return SchemaPushFixture.notes + models.map { "\ntype \($0) @model \(rule) { id: ID! }" }.joined()
        }
        let schemas = [adding("Crate"), adding("Crate", "Rack"), adding("Crate", "Cart"), adding("Crate", "Door")]
        let hub = hub
        let statuses = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
            for (index, schema) in schemas.enumerated() {
                group.addTask { (index, try await hub.push(schema).status) }
                // When this is answered, that is there.
                _ = try await hub.send("GET", "/schema", key: "admin")
            }
            commits.open()
            return try await group.reduce(into: [Int: Int]()) { $0[$1.0] = $1.1 }
        }
        #expect(statuses.count == 4)
        #expect((1...3).compactMap { statuses[$0] }.sorted() == [200, 409, 409], "each lacks what the others add")
        try await hub.stop()
    }

    @Test func recordsThatDoNotFitKeepTheOldSchemaInItsPlace() async throws {
        try await hub.start()
        try await hub.ask("mutation { createNote(input: {id: \"1\", title: \"t\", mood: cross}) { id } }")
        let refused = try await hub.push(
            SchemaPushFixture.notes.replacing("calm cross", with: "calm"), destructive: true)
        #expect(refused.status == 409)
        #expect(refused.json["problems"]?[0]?.string == "Note.mood: Mood lacks cross, which rows hold")
        #expect(try await hub.ask("{ getNote(id: \"1\") { mood } }").result?["mood"] == "cross")
        #expect(
            try await hub.ask("mutation { createNote(input: {title: \"t\", mood: cross}) { id } }")["errors"] == nil)
        try await hub.stop()
    }

    private func copies() throws -> [String] {
        try Files.list(hub.data).filter { $0.hasPrefix("before-schema-") }
    }

    @Test func `what cannot be carried out is foretold, and refused before anything is copied`() async throws {
        let served =
            SchemaPushFixture.notes.replacing("  mood: Mood", with: "  mood: Mood\n  spot: Spot")
            + "\ntype Spot { row: Int name: String }"
        var resolvers = ResolverOptions()
        resolvers.functions = [FunctionDefinition(name: "tell", target: .program(["/bin/true"]))]
        try resolvers.addAfter("Box.create=tell")
        try await hub.start(served, resolvers: resolvers)
        try await hub.ask("mutation { createNote(input: {id: \"1\", title: \"t\", spot: {row: 1}}) { id } }")
        let withoutBox = served.split(separator: "\n").filter { !$0.hasPrefix("type Box") }.joined(separator: "\n")
        let records = "the records do not fit the schema, so nothing was changed"
        let functions = "the functions that the hub is started with do not fit the schema, so nothing was changed"
        let cases: [(schema: String, message: String, problem: String)] = [
            (
                served.replacing(" name: String }", with: " }"), records,
                "Note.spot: Spot.name is gone, and values would be lost"
            ),
            (
                served.replacing(" name: String }", with: " name: String shelf: Int! }"), records,
                "Note.spot: Spot.shelf is new and required"
            ),
            (withoutBox, functions, "--after Box.create names the model Box, which the schema does not have"),
            (
                served.replacing("type Box @model", with: "type Box @model @conflict(strategy: LAMBDA)"), functions,
                "Box: its conflicts are decided by a function (LAMBDA), and none is configured; "
                    + "add --conflict Box=NAME and --function NAME=COMMAND"
            ),
        ]
        for (schema, message, problem) in cases {
            let trial = try await hub.push(schema, destructive: true, trial: true)
            #expect(trial.status == 200)
            #expect(trial.json["refusal"]?.string == "\(message): \(problem)")
            let refused = try await hub.push(schema, destructive: true)
            #expect(refused.status == 409)
            #expect(refused.json["message"]?.string == message)
            #expect(refused.json["problems"] == [.string(problem)])
        }
        #expect(try copies().isEmpty)
        #expect(HubBackup.last(in: hub.data) == nil)
        // What goes on purpose is no obstacle.
        let smaller = served.replacing("  body: String\n", with: "")
        try await hub.ask("mutation { createNote(input: {id: \"2\", title: \"t\", body: \"b\"}) { id } }")
        #expect(try await hub.push(smaller, destructive: true, trial: true).json["refusal"] == nil)
        #expect(try await hub.push(smaller, destructive: true).status == 200)
        try await hub.stop()
        hub.loop.stop()
    }

    @Test func `the copy of a push that fails goes, and one that is kept passes for no backup`() async throws {
        try await hub.start()
        try await hub.ask("mutation { createNote(input: {id: \"1\", title: \"t\", body: \"kept\"}) { id } }")
        let taken = try HubBackup.take(of: hub.data, to: hub.directory.file("backup.sqlite"), time: SystemTimeSource())
        // A table that lies in the way of the new model's.
        let connection = try Connection.open(path: HubBackup.database(in: hub.data))
        try connection.execute("CREATE TABLE Crate(x)")
        let schema =
            SchemaPushFixture.smaller
            + "\ntype Crate @model @auth(rules: [{ allow: groups, groups: [\"everyone\"] }]) { id: ID! }"
        #expect(try await hub.push(schema, destructive: true).status == 500)
        #expect(try copies().isEmpty)
        #expect(try await hub.ask("{ getNote(id: \"1\") { body } }").result?["body"] == "kept")
        try connection.execute("DROP TABLE Crate")
        #expect(try await hub.push(schema, destructive: true).status == 200)
        #expect(try copies().count == 2, "the copy and its manifest")
        #expect(HubBackup.last(in: hub.data) == taken)
        try await hub.stop()
        hub.loop.stop()
    }

    @Test func onlyAdminsMayAndMistakesAreNamed() async throws {
        try await hub.start()
        #expect(try await hub.push(SchemaPushFixture.larger, key: "all").status == 403)
        #expect(try await hub.push(SchemaPushFixture.larger, key: nil).status == 401)
        #expect(try await hub.send("GET", "/schema", key: "all").status == 403)
        let wrong = try await hub.push("type A @model {\n  b: Nope\n}")
        #expect(wrong.status == 422)
        #expect(wrong.json["mistakes"]?[0]?["line"] == 2)
        #expect(
            try await hub.push("type A @model @auth(rules: [{ allow: groups, groupsField: \"x\" }]) { id: ID! }").status
                == 422)
        #expect(try await hub.send("POST", "/schema", ["nothing": 1], key: "admin").status == 400)
        #expect(try await hub.send("DELETE", "/schema", key: "admin").status == 405)
        let trial = try await hub.push(SchemaPushFixture.larger, trial: true)
        #expect(trial.status == 200 && trial.json["applied"] == false && texts(trial.json).count == 4)
        #expect(try await hub.ask("{ getNote(id: \"1\") { size } }")["errors"] != nil, "nothing was changed")
        try await hub.stop()
    }

    @Test func aSubscriptionThatAskedForWhatLeavesItsFilterHearsOfThatAfterAPushToo() async throws {
        try await hub.start()
        let subscriber = try await hub.subscribe(
            ["subscription { onUpdateNote(filter: {title: {eq: \"a\"}}) { id title } }"],
            extensions: ["bincount": ["left": true]])
        try await hub.ask("mutation { createNote(input: {id: \"1\", title: \"a\"}) { id } }")
        #expect(try await hub.push(SchemaPushFixture.larger).status == 200)
        try await hub.ask("mutation { updateNote(input: {id: \"1\", title: \"b\", _version: 1}) { id title } }")
        #expect(try await subscriber.next()["payload"]?["data"]?["onUpdateNote"]?["title"] == "b")
        try await hub.stop()
    }

    @Test func otherRulesEndTheSubscriptionsThatWouldShowSomethingElse() async throws {
        try await hub.start()
        let subscriber = try await hub.subscribe([
            "subscription { onCreateNote { id } }", "subscription { onCreateBox { id } }",
        ])
        let closed = SchemaPushFixture.notes.replacing(
            "  body: String", with: "  body: String @auth(rules: [{ allow: groups, groups: [\"admins\"] }])")
        #expect(try await hub.push(closed).status == 200)
        #expect(try await subscriber.next() == ["type": "complete", "id": "0"])
        try await hub.ask("mutation { createBox(input: {id: \"b\", label: \"l\"}) { id } }")
        #expect(try await subscriber.next()["id"] == "1")
        try await hub.stop()
    }

    @Test func aHubStartedWithAnotherSchemaThanThePushWasOverSaysSo() async throws {
        try await hub.start()
        #expect(try await hub.push(SchemaPushFixture.larger).status == 200)
        try await hub.ask("mutation { createShelf(input: {id: \"s\"}) { id } }")
        try await hub.stop()
        let hub = hub
        let error = await #expect(throws: HubError.self) { try await hub.start(SchemaPushFixture.notes + Self.edit) }
        #expect(error?.message.contains("schema pull") == true && error?.message.contains("Shelf") == true)
        // One that holds both is served, and the pushed one is forgotten.
        try await hub.start(SchemaPushFixture.larger + Self.edit)
        #expect(try await hub.ask("{ getShelf(id: \"s\") { id } }").result?["id"] == "s")
        #expect(try HubCheck.pushedSchema(of: hub.data) == nil)
        try await hub.stop()
    }

    /// What makes another schema of one, and touches no record.
    private static let edit = "\nenum Size { small large }"

    private func kept() throws -> [String] {
        try Files.list(hub.data).filter { $0.hasPrefix("pushed-schema-") }
    }

    @Test func `a start with the same schema under other comments keeps what was pushed over it`() async throws {
        try await hub.start()
        #expect(try await hub.push(SchemaPushFixture.larger).status == 200)
        try await hub.stop()
        let connection = try Connection.open(path: HubBackup.database(in: hub.data))
        func base() throws -> Value? { try connection.value("SELECT base FROM _pushed_schema") }
        let digest = Value.text(PushedSchema.digest(of: SchemaPushFixture.notes))
        #expect(try base() == digest, "as an earlier program finds it")
        // As earlier programs named the schema below it: by its digest, or by its text.
        try connection.execute("ALTER TABLE _pushed_schema DROP COLUMN base_text")
        for earlier in [digest, .text(SchemaPushFixture.notes)] {
            try connection.run("UPDATE _pushed_schema SET base=?", [earlier])
            try await hub.start()
            try await hub.stop()
            #expect(try base() == digest)
            try connection.run("UPDATE _pushed_schema SET base=?", [earlier])
        }
        let edited =
            "# edited\n\"What is written.\"\n"
            + SchemaPushFixture.notes.replacing("title: String!", with: "\"Its name.\" title:   String!  # its name")
        #expect(
            try HubCheck.superseded(in: hub.data, startedWith: try Schema(sdl: edited), text: edited) == nil)
        #expect(
            try HubCheck.served(in: hub.data, startedWith: try Schema(sdl: edited), text: edited).model("Shelf") != nil)
        try await hub.start(edited)
        #expect(try await hub.ask("{ syncShelves { items { id } } }")["errors"] == nil)
        #expect(try HubCheck.pushedSchema(of: hub.data) == SchemaPushFixture.larger)
        #expect(try base() == .text(PushedSchema.digest(of: edited)))
        #expect(try kept().isEmpty)
        try await hub.stop()
        hub.loop.stop()
    }

    @Test func `rules that were pushed give way with a warning, and are kept in a file`() async throws {
        try await hub.start()
        let closed = SchemaPushFixture.notes.replacing(
            "  body: String", with: "  body: String @auth(rules: [{ allow: groups, groups: [\"admins\"] }])")
        #expect(try await hub.push(closed).status == 200)
        try await hub.stop()
        let edited = SchemaPushFixture.notes + Self.edit
        let said = try HubCheck.superseded(in: hub.data, startedWith: try Schema(sdl: edited), text: edited)
        #expect(said?.contains("Note.body: its rules are others") == true, "\(said ?? "")")
        #expect(said?.contains("schema pull") == true)
        let lines = Locked<[String]>([])
        try await hub.start(edited, log: Log(level: .warning) { _, line in lines.withLock { $0.append(line) } })
        try await hub.stop()
        let file = try #require(try kept().first)
        #expect(
            lines.current.contains {
                $0.contains("gives way") && $0.contains("Note.body: its rules are others") && $0.contains(file)
            }, "\(lines.current)")
        #expect(try Files.readText(hub.data + "/" + file) == closed)
        // What is the same as what was pushed takes nothing away.
        try await hub.start(edited)
        #expect(try await hub.push(closed).status == 200)
        try await hub.stop()
        try Files.remove(hub.data + "/" + file)
        try await hub.start(closed)
        #expect(try HubCheck.pushedSchema(of: hub.data) == nil)
        #expect(try kept().isEmpty)
        try await hub.stop()
        hub.loop.stop()
    }

    /// A service manager would kill a hub that says nothing for a minute.
    @Test func `a long change of the tables is told of while it gets on, at the start as in a push`() async throws {
        try await hub.start()
        try await hub.stop()
        let connection = try Connection.open(path: HubBackup.database(in: hub.data))
        try connection.run(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<60000) INSERT INTO \
            Note(id,title,mood,"_version","_deleted","_lastChangedAt") SELECT 'n'||i,'t','calm',1,0,1 FROM n
            """)
        let told = Locked(0)
        func index(_ field: String, of text: String) -> String {
            text.replacing(
                "  \(field)\n", with: "  \(field) @index(name: \"i\(field.count)\", queryField: \"q\(field.count)\")\n")
        }
        let first = index("mood: Mood", of: SchemaPushFixture.notes)
        try await hub.start(first) { told.withLock { $0 += 1 } }
        #expect(told.current > 0)
        told.withLock { $0 = 0 }
        #expect(try await hub.ask("{ getNote(id: \"n7\") { id } }").result?["id"] == "n7")
        #expect(told.current == 0, "for what is short nobody waits")
        let pushed = try await hub.push(index("title: String!", of: first))
        #expect(pushed.status == 200, "\(pushed.json)")
        #expect(told.current > 0)
        try await hub.stop()
        hub.loop.stop()
    }
}

/// A schema that a program in the hub's process is a client of.
@Suite struct SchemaResidentTests {
    private let hub: SchemaPushFixture

    init() throws {
        hub = try SchemaPushFixture()
    }

    private func resident(_ text: String = SchemaPushFixture.notes) throws -> SchemaResident {
        SchemaResident(name: "the desk", schema: try Schema(sdl: text), remedy: "start the hub without it for that")
    }

    @Test func `what it works with never goes, whatever is allowed; what it does not know may`() async throws {
        try await hub.start(SchemaPushFixture.larger, resident: resident())
        let smaller = SchemaPushFixture.larger.replacing("  body: String\n", with: "")
        let refused = try await hub.push(smaller, destructive: true)
        #expect(refused.status == 409)
        #expect(
            refused.json["message"]?.string == "the desk runs in the hub and works with what would change "
                + "(Note.body: the field goes, with its values), so nothing was changed; start the hub without it for that"
        )
        #expect(refused.json["problems"] == ["Note.body: the field goes, with its values"])
        #expect(try await hub.ask("{ listNotes { items { body } } }")["errors"] == nil)
        // A look says so, and what else would change.
        let trial = try await hub.push(smaller, destructive: true, trial: true)
        #expect(trial.status == 200)
        #expect(trial.json["refusal"]?.string?.contains("the desk runs in the hub") == true)
        #expect(trial.json["changes"]?.array?.count == 1)
        // What it would have to send and does not know is as bad.
        let required = SchemaPushFixture.larger.replacing("  title: String!", with: "  title: String!\n  code: String!")
        #expect(try await hub.push(required, destructive: true).status == 409)
        // A model and a field of others are not its business.
        let shelves = SchemaPushFixture.larger.components(separatedAt: "\ntype Shelf")
        let pushed = try await hub.push(shelves, destructive: true)
        #expect(pushed.status == 200, "\(pushed.json)")
        #expect(pushed.json["applied"] == true)
        #expect(pushed.json["refusal"] == nil)
        try await hub.stop()
        hub.loop.stop()
    }

    /// A schema whose rules for the desk are these.
    private func ruled(_ note: String, _ body: String = "") -> String {
        """
        type Note @model @auth(rules: [{ allow: groups, groups: ["everyone", "admins"] }, \(note)]) {
          id: ID!
          title: String!
          body: String \(body)
        }
        type Box @model @auth(rules: [{ allow: groups, groups: ["everyone"] }]) { id: ID! label: String! }
        """
    }

    @Test func `rights that it needs go only where that is allowed, and are named by model and operation`() async throws
    {
        let full = ruled("{ allow: groups, groups: [\"desk\"], operations: [create, update, read] }")
        let desk = SchemaResident(
            name: "the desk", schema: try Schema(sdl: full), groups: ["desk"], remedy: "start the hub without it")
        try await hub.start(full, resident: desk)
        let body = "@auth(rules: [{ allow: groups, groups: [\"everyone\"] }])"
        let cases: [(schema: String, says: [String])] = [
            (
                ruled("{ allow: groups, groups: [\"desk\"], operations: [create, read] }"),
                ["Note: the desk may not update it any more"]
            ),
            (
                ruled("{ allow: groups, groups: [\"desk\"], operations: [create, update, get, list] }"),
                ["Note: the desk may not sync, listen it any more"]
            ),
            (
                ruled("{ allow: groups, groups: [\"desks\"], operations: [create, update, read] }"),
                ["Note: the desk may not create, update, get, list, sync, listen it any more"]
            ),
            (
                ruled(
                    "{ allow: groups, groups: [\"desk\"], provider: userPools, operations: [create, update, read] }"),
                ["Note: the desk may not create, update, get, list, sync, listen it any more"]
            ),
            (
                ruled("{ allow: owner, ownerField: \"title\", operations: [create, update, read] }"),
                ["Note: the desk may not create, update, get, list, sync, listen it any more"]
            ),
            (
                ruled("{ allow: groups, groups: [\"desk\"], operations: [create, update, read] }", body),
                ["Note.body: the desk may not create, update, get, list, sync, listen it any more"]
            ),
        ]
        for (schema, says) in cases {
            let refused = try await hub.push(schema)
            #expect(refused.status == 409, "\(refused.json)")
            let lost = (refused.json["changes"]?.array ?? []).filter { $0["isDestructive"] == true }
            #expect(lost.compactMap { $0["text"]?.string } == says)
            #expect(refused.json["message"]?.string?.contains("would lose rights that it works with") == true)
            let trial = try await hub.push(schema, destructive: true, trial: true)
            #expect(trial.json["changes"]?.array?.contains { $0["text"]?.string == says[0] } == true)
        }
        // The rules of others are not its business, and more rights are no loss.
        for rule in [
            "{ allow: groups, groups: [\"desk\", \"others\"], operations: [create, update, delete, read] }",
            "{ allow: public }", "{ allow: groups, groups: [\"desk\"], operations: [create, update, read] }",
        ] {
            let pushed = try await hub.push(ruled(rule))
            #expect(pushed.status == 200 && pushed.json["applied"] == true, "\(pushed.json)")
        }
        // Where it is told to, the hub does it, without a backup, and what is lost is not lost again.
        let pushed = try await hub.push(cases[0].schema, destructive: true)
        #expect(pushed.status == 200 && pushed.json["applied"] == true, "\(pushed.json)")
        #expect(pushed.json["backup"] == nil)
        #expect(try await hub.push(cases[0].schema + "\n# edited").status == 200)
        let more = try await hub.push(cases[1].schema.replacing("update, ", with: ""))
        let lost = (more.json["changes"]?.array ?? []).filter { $0["isDestructive"] == true }
        #expect(more.status == 409)
        #expect(lost.compactMap { $0["text"]?.string } == ["Note: the desk may not sync, listen it any more"])
        try await hub.stop()
        hub.loop.stop()
    }

    @Test func `a hub does not start with it over a schema that was pushed without it`() async throws {
        try await hub.start()
        #expect(try await hub.push(SchemaPushFixture.smaller, destructive: true).status == 200)
        try await hub.stop()
        let hub = hub
        let resident = try resident()
        let error = await #expect(throws: HubError.self) {
            try await hub.start(SchemaPushFixture.notes, resident: resident)
        }
        #expect(error?.message.contains("the desk cannot work with the schema that was pushed") == true)
        #expect(error?.message.contains("start the hub without it for that") == true)
        try await hub.start()
        try await hub.stop()
        hub.loop.stop()
    }
}

extension String {
    /// What stands before a text.
    fileprivate func components(separatedAt text: String) -> String {
        firstRange(of: text).map { String(self[..<$0.lowerBound]) } ?? self
    }
}
