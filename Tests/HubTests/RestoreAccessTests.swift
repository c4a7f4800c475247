import Basics
import Models
import SQLite
import System
import Testing

@testable import Hub

/// Who may come in after a restore, and what is restored at all.
@Suite struct RestoreAccessTests {
    private let directory: TempDirectory
    private let time = ManualTimeSource()
    private var data: String { directory.file("hub") }
    private var copy: String { directory.file("copy.sqlite") }
    private var path: String { HubBackup.database(in: data) }

    init() throws {
        directory = try TempDirectory("restore-access")
    }

    private func store(_ directory: String? = nil) throws -> AccessStore {
        try AccessStore.open(dataDirectory: directory ?? data, time: time)
    }

    /// A hub with two terminals and a person, its backup, and what was decided since: one terminal is shut out, another
    /// enrolled, the person has another PIN.
    private func backedUp() throws -> (gone: String, stays: String, late: String) {
        try HubDirectory.make(data)
        let hub = try HubFixture(connection: try Connection.open(path: path))
        hub.create(["id": "1", "title": "t"])
        let access = try store()
        let gone = try access.addKey(forDevice: "T1").stored.id
        let stays = try access.addKey(forDevice: "T2").stored.id
        try access.setPIN(badge: "100", person: "ann", pin: "739201")
        _ = try HubBackup.take(of: data, to: copy, time: time)
        try access.revokeKey(gone)
        let late = try access.addKey(forDevice: "T3").stored.id
        try access.setPIN(badge: "100", person: "ann", pin: "510864")
        return (gone, stays, late)
    }

    private func good(_ access: AccessStore) throws -> Set<String> {
        Set(try access.keys().filter { $0.isValid(now: time.now().milliseconds) }.map(\.id))
    }

    @Test func whoWasShutOutSinceTheBackupStaysOutAndWhoWasLetInSinceStaysIn() throws {
        let keys = try backedUp()
        let before = try store().snapshot()
        let outcome = try HubRestore.restore(copy, into: data, replacing: true, time: time)
        #expect(outcome.keepsAccess)
        let after = try store()
        #expect(try good(after) == [keys.stays, keys.late])
        let snapshot = try after.snapshot()
        #expect(snapshot.secret == before.secret, "tokens of before are good")
        #expect(snapshot.people["ann"]?.generation == before.people["ann"]?.generation)
        #expect(snapshot.people["ann"]?.verifier.accepts("510864") == true)
        #expect(snapshot.people["ann"]?.verifier.accepts("739201") == false)
        // And the data is the backup's.
        #expect(try Connection.open(path: path, options: .readOnly).value("SELECT count(*) FROM Note") == .integer(1))
    }

    @Test func `asked for, keys and people are the backup's`() throws {
        let keys = try backedUp()
        let outcome = try HubRestore.restore(copy, into: data, replacing: true, takesAccess: true, time: time)
        #expect(!outcome.keepsAccess)
        #expect(try good(store()) == [keys.gone, keys.stays])
    }

    @Test func `of another hub, of a damaged one and of none there is nothing to keep`() throws {
        let keys = try backedUp()
        let other = directory.file("other")
        do {
            try HubDirectory.make(other)
            _ = try HubFixture(connection: try Connection.open(path: HubBackup.database(in: other)))
            _ = try store(other).addKey(forDevice: "X")
        }
        #expect(try !HubRestore.restore(copy, into: other, replacing: true, time: time).keepsAccess)
        #expect(try good(store(other)) == [keys.gone, keys.stays])
        let fresh = directory.file("fresh")
        #expect(try !HubRestore.restore(copy, into: fresh, replacing: false, time: time).keepsAccess)
        #expect(try good(store(fresh)) == [keys.gone, keys.stays])
        try Connection.open(path: path).execute("DROP TABLE _people")
        #expect(try !HubRestore.restore(copy, into: data, replacing: true, time: time).keepsAccess)
        #expect(try good(store()) == [keys.gone, keys.stays])
    }

    @Test func aNewerProgramsBackupIsRefusedBeforeAnythingIsTouched() throws {
        _ = try backedUp()
        let newer = directory.file("newer.sqlite")
        try Files.writeAtomically(try Files.read(copy), to: newer)
        try Connection.open(path: newer).execute("PRAGMA user_version=\(HubCore.formatVersion + 1)")
        let manifest = directory.file("manifest.sqlite")
        try Files.writeAtomically(try Files.read(copy), to: manifest)
        try Files.writeAtomically(
            "{\"format\": \(BackupManifest.format + 1), \"checksum\": 7}", to: BackupManifest.path(of: manifest))
        let stamp = try Connection.open(path: path, options: .readOnly).value("SELECT stamp FROM _clock")
        for file in [newer, manifest] {
            do {
                _ = try HubRestore.restore(file, into: data, replacing: true, time: time)
                Issue.record("\(file) was restored")
            } catch {
                #expect("\(error)".contains("newer program"), "\(error)")
            }
        }
        #expect(try Connection.open(path: path, options: .readOnly).value("SELECT stamp FROM _clock") == stamp)
        #expect(try Files.list(data).filter { $0.hasPrefix("before-restore-") || $0.contains("restor") } == [])
    }

    @Test func `nobody changes keys while a restore replaces the database, and none begins while somebody does`() throws
    {
        _ = try backedUp()
        do {
            let held = try AccessStore.lockOut(data)
            defer { withExtendedLifetime(held) {} }
            let refusal = #expect(throws: HubError.self) { try store().addKey(forDevice: "T4") }
            #expect(refusal?.description.contains("a backup is being restored into \(data) (process ") == true)
        }
        do {
            let (one, another) = (try store(), try store())
            defer { withExtendedLifetime((one, another)) {} }
            let refusal = #expect(throws: HubError.self) {
                try HubRestore.restore(copy, into: data, replacing: true, time: time)
            }
            #expect(refusal?.description.contains("are being changed") == true)
        }
        _ = try HubRestore.restore(copy, into: data, replacing: true, time: time)
        _ = try store().addKey(forDevice: "T4")
    }
}
