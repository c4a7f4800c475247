import Basics
import Models
import SQLite
import System
import Testing

@testable import Hub

@Suite struct BackupTests {
    /// A hub on a file, with so many notes.
    private func hub(_ directory: String, notes: Int) throws -> HubFixture {
        try Files.createDirectory(directory)
        let fixture = try HubFixture(connection: try Connection.open(path: HubBackup.database(in: directory)))
        for number in 0..<notes {
            fixture.create(["id": .string("n\(number)"), "title": .string(String(repeating: "t", count: 4000))])
        }
        return fixture
    }

    @Test func aBackupIsOneStateWhileTheHubGoesOn() throws {
        let directory = try TempDirectory("backup")
        let data = directory.file("hub")
        let hub = try hub(data, notes: 400)
        let stamp = hub.core.state.stamp
        var steps = 0
        let target = directory.file("copy.sqlite")
        let manifest = try HubBackup.take(of: data, to: target, time: ManualTimeSource()) { _, _ in
            // Between two parts of the copy somebody makes a note, and it is committed.
            steps += 1
            let answer = hub.create(["id": .string("late\(steps)"), "title": "x"])
            #expect(answer["errors"] == nil)
            #expect(!Files.exists(target))
        }
        #expect(steps > 1)
        #expect(manifest.rows["Note"] == 400)
        #expect(manifest.stamp == stamp)
        #expect(manifest.epoch == hub.core.epoch)
        #expect(try HubBackup.digest(of: target) == manifest.digest)
        #expect(HubBackup.last(in: data) == manifest)
        let copy = try Connection.open(path: target, options: .readOnly)
        #expect(try copy.value("SELECT count(*) FROM Note") == .integer(400))
        #expect(try HubVerify.check(copy, HubFixture.notes).filter(\.isFault) == [])
        #expect(!Files.exists(target + "-wal"))
        #expect(!Files.exists(target + ".partial"))
    }

    @Test func aRestoreBeginsALifeAboveAllThatClientsSaw() throws {
        let directory = try TempDirectory("restore")
        let data = directory.file("hub")
        let copy = directory.file("copy.sqlite")
        let time = ManualTimeSource()
        var epoch = ""
        var lost: (mark: Int64, version: JSONValue?) = (0, nil)
        do {
            let hub = try hub(data, notes: 2)
            _ = try HubBackup.take(of: data, to: copy, time: time)
            epoch = hub.core.epoch
            // A clock ahead of the restoring machine's: its stamps were seen too.
            hub.time.jump(milliseconds: 10_000_000)
            lost.version = hub.update(["id": "n0", "body": "lost", "_version": 1]).result?["_version"]
            hub.create(["id": "lost", "title": "t"])
            lost.mark = hub.sync().startedAt
        }
        #expect(lost.version == 2)
        #expect(throws: HubError.self) { try HubRestore.restore(copy, into: data, replacing: false, time: time) }
        let outcome = try HubRestore.restore(copy, into: data, replacing: true, time: time)
        #expect(try Files.exists(#require(outcome.setAside) + "/hub.sqlite"))
        let hub = try HubFixture(connection: try Connection.open(path: HubBackup.database(in: data)))
        #expect(hub.core.epoch == outcome.epoch)
        #expect(hub.core.epoch != epoch)
        // A mark of before is answered with everything, whatever its client knows of epochs.
        let all = hub.sync(lastSync: lost.mark)
        #expect(all.items.compactMap { $0["id"]?.string }.sorted() == ["n0", "n1"])
        #expect(all.startedAt > lost.mark)
        // What is made and changed now has versions that no earlier life ever gave.
        let made = hub.create(["id": "lost", "title": "other"]).result
        #expect(made?["_version"] == .integer(HubLives.span))
        let changed = hub.update(["id": "n1", "body": "new", "_version": 1]).result
        #expect(changed?["_version"] == .integer(HubLives.span + 1))
        #expect(try #require(changed?["_lastChangedAt"]?.integer) > lost.mark)
        let lives = hub.send("query { listNotes { items { id } } }")["extensions"]?["bincount"]?["lives"]
        #expect(lives?["has"]?[epoch]?.integer ?? 0 < lost.mark)
        #expect(lives?["began"]?.integer ?? 0 > lost.mark)
        let began = hub.send("query { listNotes { items { id } } }")["extensions"]?["bincount"]?["began"]
        #expect(began != nil && began == lives?["began"])
        #expect(try #require(lives?["since"]?[epoch]?.integer) <= lives?["has"]?[epoch]?.integer ?? 0)
        let database = try Connection.open(path: HubBackup.database(in: data), options: .readOnly)
        #expect(try HubVerify.check(database, HubFixture.notes).filter(\.isFault) == [])
    }

    @Test(arguments: ["Note", "_buried", "backup only"])
    func `a life begins above every version that was given, of a record that goes as of one that is there`(
        _ place: String
    ) throws {
        let directory = try TempDirectory("high")
        let data = directory.file("hub")
        let copy = directory.file("copy.sqlite")
        let high = HubLives.span * 6 / 5
        do {
            let hub = try hub(data, notes: 1)
            try hub.connection.run("UPDATE Note SET _version=?", [.integer(high)])
            _ = try HubBackup.take(of: data, to: copy, time: ManualTimeSource())
            if place == "backup only" { try hub.connection.run("DELETE FROM Note") }
            for number in 0..<5 where place == "Note" {
                hub.update(["id": "n0", "body": .string("\(number)"), "_version": .integer(high + Int64(number))])
            }
            if place == "_buried" {
                try hub.connection.run("INSERT INTO _buried VALUES('Note','n9',?)", [.integer(HubLives.span * 3 + 7)])
            }
        }
        _ = try HubRestore.restore(copy, into: data, replacing: true, time: ManualTimeSource())
        let hub = try HubFixture(connection: try Connection.open(path: HubBackup.database(in: data)))
        let floor = HubLives.span * (place == "_buried" ? 4 : 2)
        #expect(hub.create(["id": "new", "title": "t"]).result?["_version"] == .integer(floor))
        let changed = hub.update(["id": "n0", "body": "other", "_version": .integer(high)])
        #expect(changed.result?["_version"] == .integer(floor + 1))
    }

    @Test func aChangeOnAStateThatARestoreTookBackIsNoConflict() throws {
        let directory = try TempDirectory("ahead")
        let data = directory.file("hub")
        let copy = directory.file("copy.sqlite")
        do {
            let hub = try hub(data, notes: 1)
            _ = try HubBackup.take(of: data, to: copy, time: ManualTimeSource())
            hub.update(["id": "n0", "body": "first", "_version": 1])
        }
        _ = try HubRestore.restore(copy, into: data, replacing: true, time: ManualTimeSource())
        let hub = try HubFixture(connection: try Connection.open(path: HubBackup.database(in: data)))
        // Made on version 2, which is lost: the row is what that grew from.
        #expect(hub.update(["id": "n0", "title": "second", "_version": 2]).result?["title"] == "second")
        // Now the row is of this life, and version 2 is stale.
        #expect(hub.update(["id": "n0", "title": "third", "_version": 2]).result?["title"] == "second")
    }

    @Test func nothingIsRestoredOverARunningHubNorFromADamagedFile() throws {
        let directory = try TempDirectory("refused")
        let data = directory.file("hub")
        let copy = directory.file("copy.sqlite")
        do {
            _ = try hub(data, notes: 3)
            _ = try HubBackup.take(of: data, to: copy, time: ManualTimeSource())
        }
        let lock = try FileLock(data + "/hub.lock")
        #expect(throws: HubError.self) {
            try HubRestore.restore(copy, into: data, replacing: true, time: ManualTimeSource())
        }
        withExtendedLifetime(lock) {}
        let fresh = directory.file("fresh")
        var bytes = try Files.read(copy)
        bytes[bytes.count / 2] ^= 0xFF
        try Files.writeAtomically(bytes, to: copy)
        #expect(throws: HubError.self) {
            try HubRestore.restore(copy, into: fresh, replacing: false, time: ManualTimeSource())
        }
        #expect(!Files.exists(HubBackup.database(in: fresh)))
        #expect(throws: (any Error).self) {
            try HubRestore.restore(directory.file("none"), into: fresh, replacing: false, time: ManualTimeSource())
        }
    }

    @Test func aRestoreThatIsCutOffIsEndedByTheNextStart() throws {
        let directory = try TempDirectory("cut-restore")
        let path = HubBackup.database(in: directory.path)
        do { _ = try hub(directory.path, notes: 2) }
        try Files.rename(path, to: path + ".restored")
        for suffix in ["-wal", "-shm"] { try? Files.remove(path + suffix) }
        try HubRestore.finish(in: directory.path)
        #expect(Files.exists(path))
        // Where a database is, nothing is put over it.
        try Files.writeAtomically("other", to: path + ".restored")
        try HubRestore.finish(in: directory.path)
        #expect(Files.size(path) != 5)
    }

    /// A mistyped name must cost nobody's file, and least of all the database that is to be saved.
    @Test func aBackupReplacesAnEarlierOneAndNothingElse() throws {
        let directory = try TempDirectory("target")
        let data = directory.file("hub")
        let hub = try hub(data, notes: 2)
        let target = directory.file("copy.sqlite")
        func take(_ target: String) throws { _ = try HubBackup.take(of: data, to: target, time: ManualTimeSource()) }
        let live = HubBackup.database(in: data)
        for name in [live, data + "/../hub/hub.sqlite"] { #expect(throws: HubError.self) { try take(name) } }
        #expect(hub.create(["id": "after", "title": "t"]).result?["id"] == "after")
        #expect(try Connection.open(path: live, options: .readOnly).value("SELECT count(*) FROM Note") == .integer(3))
        for other in ["letter", "letter.json"] {
            try Files.writeAtomically("dear", to: directory.file(other))
            #expect(throws: HubError.self) { try take(directory.file("letter")) }
            #expect(try Files.readText(directory.file(other)) == "dear")
            try Files.remove(directory.file(other))
        }
        #expect(throws: HubError.self) { try take(directory.path) }
        #expect(try Files.list(directory.path) == ["hub"], "nothing is left of what was refused")
        try take(target)
        hub.create(["id": "later", "title": "t"])
        try take(target)
        #expect(BackupManifest(at: BackupManifest.path(of: target))?.rows["Note"] == 4)
        #expect(Files.rights(target) == 0o600 && Files.rights(BackupManifest.path(of: target)) == 0o600)
        // One that was cut off between the two files is a backup, by what lies beside it.
        try Files.rename(BackupManifest.path(of: target), to: BackupManifest.path(of: target + ".partial"))
        try take(target)
        #expect(try Files.list(directory.path) == ["copy.sqlite", "copy.sqlite.json", "hub"])
    }

    @Test func aBackupThatFailsLeavesTheEarlierOneAsItWasWithItsManifest() throws {
        let directory = try TempDirectory("failing")
        let data = directory.file("hub")
        let hub = try hub(data, notes: 2)
        let target = directory.file("copy.sqlite")
        _ = try HubBackup.take(of: data, to: target, time: ManualTimeSource())
        let before = try (Files.read(target), Files.read(BackupManifest.path(of: target)))
        hub.create(["id": "later", "title": "t"])
        // There is no room for the new manifest: its name is taken.
        try Files.createDirectory(BackupManifest.path(of: target + ".partial"))
        #expect(throws: (any Error).self) {
            try HubBackup.take(of: data, to: target, time: ManualTimeSource())
        }
        #expect(try Files.read(target) == before.0 && Files.read(BackupManifest.path(of: target)) == before.1)
        try Files.removeTree(BackupManifest.path(of: target + ".partial"))
        #expect(try Files.list(directory.path) == ["copy.sqlite", "copy.sqlite.json", "hub"])
        #expect(HubBackup.last(in: data)?.rows["Note"] == 2)
        let outcome = try HubRestore.restore(
            target, into: directory.file("fresh"), replacing: false, time: ManualTimeSource())
        #expect(outcome.manifest.rows["Note"] == 2)
    }

    @Test func `of two backups of a hub at once the second is refused and the first is whole`() throws {
        let directory = try TempDirectory("twice")
        let data = directory.file("hub")
        _ = try hub(data, notes: 400)
        let target = directory.file("copy.sqlite")
        var refused = 0
        let manifest = try HubBackup.take(of: data, to: target, time: ManualTimeSource()) { _, _ in
            #expect(throws: HubBackup.UnderWay.self) {
                try HubBackup.take(of: data, to: target, time: ManualTimeSource())
            }
            refused += 1
        }
        #expect(refused > 1)
        #expect(try HubBackup.digest(of: target) == manifest.digest)
    }

    @Test func `the backup that was just taken stays though a clock that was set back calls it the oldest`() throws {
        let directory = try TempDirectory("rotate-back")
        let data = directory.file("hub")
        _ = try hub(data, notes: 1)
        let time = ManualTimeSource()
        var names: [String] = []
        for step in [0, 60_000, 60_000, -86_400_000] as [Int64] {
            time.jump(milliseconds: step)
            names.append(HubBackup.name(at: time.now()))
            _ = try HubBackup.take(of: data, to: directory.file(names.last ?? ""), time: time)
        }
        #expect(try HubBackup.rotate(of: data, in: directory.path, keep: 2, taken: names[3]) == [names[0], names[1]])
        #expect(Files.exists(directory.file(names[3])) && Files.exists(directory.file(names[2])))
        #expect(try HubBackup.rotate(of: data, in: directory.path, keep: 1, taken: names[3]) == [names[2]])
    }

    @Test func `backups from a clock that ran ahead push out none that were taken after them`() throws {
        let directory = try TempDirectory("rotate-ahead")
        let data = directory.file("hub")
        let hub = try hub(data, notes: 1)
        let time = ManualTimeSource()
        let year: Int64 = 365 * 86_400_000
        var names: [String] = []
        for (number, step) in [year, 60_000, -year, 60_000, 60_000].enumerated() {
            time.jump(milliseconds: step)
            names.append(HubBackup.name(at: time.now()))
            _ = try HubBackup.take(of: data, to: directory.file(names.last ?? ""), time: time)
            hub.create(["id": .string("later\(number)"), "title": "t"])
        }
        #expect(names != names.sorted())
        let gone = try HubBackup.rotate(of: data, in: directory.path, keep: 3, taken: names.last)
        #expect(gone == Array(names.prefix(2)))
    }

    @Test func `what a backup left that was cut off goes a day later, and nothing else does`() throws {
        let directory = try TempDirectory("sweep")
        let name = "hub-20260131T235959Z.sqlite"
        let left = ["", "-journal", ".json"].map { name + ".partial" + $0 }
        let others = [name, name + ".json", "mine.sqlite.partial", name + ".partial.txt", "hub-x.sqlite.partial"]
        for file in left + others { try Files.writeAtomically("x", to: directory.file(file)) }
        // The files have this machine's time.
        let time = ManualTimeSource(SystemTimeSource().now())
        try HubBackup.sweep(directory.path, time: time)
        #expect(try Files.list(directory.path).count == left.count + others.count, "they may be under way")
        time.jump(milliseconds: 86_400_000 + 60_000)
        try HubBackup.sweep(directory.path, time: time)
        #expect(try Files.list(directory.path) == others.sorted())
    }

    @Test func rotationRemovesOnlyVerifiedBackupsOfItsOwn() throws {
        let directory = try TempDirectory("rotate")
        let data = directory.file("hub")
        _ = try hub(data, notes: 1)
        let backups = directory.file("backups")
        try Files.createDirectory(backups)
        let time = ManualTimeSource()
        var names: [String] = []
        for _ in 0..<4 {
            time.advance(milliseconds: 60_000)
            names.append(HubBackup.name(at: time.now()))
            _ = try HubBackup.take(of: data, to: backups + "/" + (names.last ?? ""), time: time)
        }
        let others = ["notes.txt", "hub-mine.sqlite", "hub-20200101T000000Z.sqlite"]
        for other in others { try Files.writeAtomically("kept", to: backups + "/" + other) }
        #expect(try HubBackup.rotate(of: data, in: backups, keep: 2) == Array(names.prefix(2)))
        for other in others + names.suffix(2) { #expect(Files.exists(backups + "/" + other), "\(other)") }
        #expect(try HubBackup.rotate(of: data, in: backups, keep: 2) == [])
    }

    @Test func `hubs that share a directory of backups write into none of another's and remove none`() throws {
        let directory = try TempDirectory("rotate-shared")
        let backups = directory.file("backups")
        try Files.createDirectory(backups)
        let time = ManualTimeSource()
        let both = ["one", "two"].map { directory.file($0) }
        for data in both { _ = try hub(data, notes: 1) }
        var names: [[String]] = [[], []]
        for _ in 0..<3 {
            time.advance(milliseconds: 60_000)
            for (position, data) in both.enumerated() {
                let name = HubBackup.name(in: backups, at: time.now())
                names[position].append(name)
                _ = try HubBackup.take(of: data, to: backups + "/" + name, time: time)
            }
        }
        #expect(Set(names.joined()).count == 6)
        #expect(try HubBackup.rotate(of: both[0], in: backups, keep: 1) == Array(names[0].prefix(2)))
        #expect(try HubBackup.rotate(of: both[0], in: backups, keep: 1) == [])
        #expect(try HubBackup.rotate(of: both[1], in: backups, keep: 2) == [names[1][0]])
        let begun = DateTime(milliseconds: time.now().milliseconds + 3_600_000)
        try Files.writeAtomically("x", to: backups + "/" + HubBackup.name(at: begun) + ".partial")
        #expect(HubBackup.name(in: backups, at: begun) != HubBackup.name(at: begun))
    }

    @Test func verifyKnowsParentsThatTheOtherSideDeclares() throws {
        let rights = "@auth(rules: [{ allow: groups, groups: [\"everyone\"], operations: [create, read] }])"
        let schema = try Schema(
            sdl: """
                type Post @model \(rights) { id: ID! comments: [Comment] @hasMany(references: ["postID"]) }
                type Comment @model \(rights) { id: ID! postID: ID }
                """)
        let hub = try HubFixture(schema)
        let made = hub.send("mutation { createComment(input: {id: \"c\", postID: \"nowhere\"}) { id } }")
        #expect(made.errorType == nil)
        let found = try HubVerify.check(hub.connection, schema)
        #expect(found.contains { $0.isOnlyNote && $0.problems == ["1 name a Post in postID that is not there"] })
    }

    @Test func verifyNamesWhatIsWrong() throws {
        let hub = try HubFixture()
        for number in 0..<5 { hub.create(["id": .string("n\(number)"), "title": "t", "boxID": "nowhere"]) }
        hub.update(["id": "n0", "body": "b", "_version": 1])
        hub.delete("n1", version: 1)
        hub.send(
            "mutation { m: createNote(input: {id: \"n9\", title: \"t\", boxID: \"nowhere\"}) { id } }", device: "T",
            ids: ["m": "one"])
        let whole = try HubVerify.check(hub.connection, HubFixture.notes)
        #expect(whole.filter(\.isFault) == [])
        // Parents that are not there are told, and are no damage.
        #expect(whole.contains { $0.isOnlyNote && $0.problems == ["5 name a Box in boxID that is not there"] })
        // A schema that is not the hub's hides no record from it, and what it cannot tell is said.
        let other = try HubVerify.check(hub.connection, Schema(models: []))
        #expect(other.map(\.examined).reduce(0, +) == whole.map(\.examined).reduce(0, +))
        #expect(other.contains { $0.isOnlyNote && $0.problems.first?.contains("the schema has no Note") == true })
        let damages = [
            ("UPDATE Note SET \"_version\"=0 WHERE id='n2'", "rows of Note"),
            ("UPDATE Note SET \"_lastChangedAt\"=9999999999999 WHERE id='n2'", "rows of Note"),
            ("UPDATE Note SET \"_lastChangedAt\"=0 WHERE id='n2'", "rows of Note"),
            ("UPDATE Note SET \"_ttl\"=NULL WHERE id='n1'", "rows of Note"),
            ("UPDATE Note SET \"_ttl\"=7 WHERE id='n2'", "rows of Note"),
            ("UPDATE _mutations SET version=77", "answered mutations"),
            ("UPDATE _images SET record='{'", "earlier states"),
            ("UPDATE _images SET version=77", "earlier states"),
            ("UPDATE _clock SET pruned_through=stamp+1", "clock"), ("UPDATE _life SET epoch='other'", "clock"),
        ]
        for (sql, check) in damages {
            try hub.connection.begin(.immediate)
            try hub.connection.execute(sql)
            let faults = try HubVerify.check(hub.connection, HubFixture.notes).filter(\.isFault)
            #expect(faults.map(\.check) == [check], "\(sql)")
            hub.connection.rollback()
        }
    }

    /// What SQLite itself finds is found too, and what is not the hub's own is no reason to stop.
    @Test func verifyFindsPagesThatWereDamaged() throws {
        let directory = try TempDirectory("damaged")
        do { _ = try hub(directory.path, notes: 60) }
        let path = HubBackup.database(in: directory.path)
        let database = try Connection.open(path: path)
        let page = try #require(
            try database.value("SELECT rootpage FROM sqlite_schema WHERE type='index' AND tbl_name='Note' LIMIT 1")?
                .integer)
        let size = try #require(try database.value("PRAGMA page_size")?.integer)
        try database.leaveWriteAheadLog()
        #expect(try HubVerify.run(directory.path, schema: HubFixture.notes).filter(\.isFault) == [])
        var bytes = try Files.read(path)
        // The cells of an index: its table stays readable.
        for place in Int((page - 1) * size) + 100..<Int(page * size) { bytes[place] = 0 }
        try Files.writeAtomically(bytes, to: path, mode: 0o600)
        let faults = try HubVerify.run(directory.path, schema: HubFixture.notes).filter(\.isFault)
        #expect(faults.first?.check == "pages and indexes" && faults.first?.problems.isEmpty == false, "\(faults)")
    }

    @Test func theHorizonIsWhatItIsSetTo() throws {
        let hub = try HubFixture()
        hub.core.retention = 3_600_000
        hub.create(["id": "1", "title": "a"])
        hub.create(["id": "2", "title": "b"])
        let start = hub.sync().startedAt
        hub.delete("1", version: 1)
        hub.time.advance(milliseconds: 3_600_000 - 1)
        try hub.core.prune()
        #expect(hub.syncAll(lastSync: start).items.contains { $0["_deleted"] == true })
        hub.time.advance(milliseconds: 2)
        try hub.core.prune()
        #expect(hub.syncAll(lastSync: start).items.map { $0["id"] } == ["2"])
    }

    @Test func aCompactionThatIsCutOffOpensNoGap() throws {
        let directory = try TempDirectory("prune")
        let path = directory.file("hub.sqlite")
        var mark: Int64 = 0
        do {
            let hub = try HubFixture(connection: try Connection.open(path: path))
            for number in 0..<20 { hub.create(["id": .string("n\(number)"), "title": "t"]) }
            mark = hub.sync().startedAt
            for number in 0..<10 { hub.delete("n\(number)", version: 1) }
            hub.time.advance(milliseconds: HubCore.horizon + 1)
            // Part by part, and cut off after each of the statements: what is forgotten is marked as forgotten.
            for _ in 0..<4 {
                try hub.core.prune(limit: 2)
                let other = try Connection.open(path: path, options: .readOnly)
                let left = try other.value("SELECT count(*) FROM Note WHERE \"_deleted\"=1")?.integer ?? 0
                let pruned = try other.value("SELECT pruned_through FROM _clock")?.integer ?? 0
                #expect(left == 10 || pruned > mark)
            }
            // It fails halfway: nothing of it is kept, the mark as little as the rows.
            let before = try hub.connection.rows("SELECT pruned_through FROM _clock")
            try hub.connection.execute(
                "CREATE TEMP TRIGGER cut BEFORE UPDATE ON _clock BEGIN SELECT RAISE(ABORT, 'cut off'); END")
            #expect(throws: (any Error).self) { try hub.core.prune(limit: 2) }
            #expect(try hub.connection.rows("SELECT pruned_through FROM _clock") == before)
            #expect(try hub.connection.value("SELECT count(*) FROM Note WHERE \"_deleted\"=1") == .integer(2))
        }
        let again = try HubFixture(connection: try Connection.open(path: path))
        // A mark of before gets everything, told as a gap; never a delta that misses a deletion.
        let page = again.sync(lastSync: mark)
        #expect(page.json["extensions"]?["bincount"]?["gap"] != nil)
        #expect(page.items.filter { $0["_deleted"] != true }.count == 10)
    }

    @Test
    func `after restores a change is on what the row is, or on what a restore took back of it, or a conflict`() {
        let span = HubLives.span
        // The second life is lost whole: the third began with a backup of the first.
        let third = HubLives(
            began: 0, floor: 2 * span, floors: [1, 2 * span],
            earlier: [HubLives.Earlier(epoch: "one", began: 0, through: 9)])
        #expect(third.isCurrent(6, 6))
        #expect(third.isCurrent(8, 6))
        #expect(!third.isCurrent(5, 6))
        #expect(!third.isCurrent(span + 1, 6), "it may have come from an older state of the row")
        #expect(!third.isCurrent(8, 2 * span + 1))
        #expect(!third.isCurrent(nil, 6))
        let kept = HubLives(began: 0, floor: 2 * span, floors: [1, span, 2 * span])
        #expect(kept.isCurrent(span + 1, 6))
        #expect(kept.isCurrent(span + 2, span + 1))
        #expect(!HubLives(began: 0, floor: 1, floors: [1]).isCurrent(8, 6))
    }
}
