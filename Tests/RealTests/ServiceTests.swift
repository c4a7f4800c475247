import Basics
import DataStore
import SyncEngine
import System
import Testing
import WarehouseModels

/// The hub as a service: its settings, its log, its unit.
@Suite(.enabled(if: Built.isThere, "build the programs first: swift build"), .serialized, .timeLimit(.minutes(5)))
struct ServiceTests {
    private func run(_ words: String...) async throws -> (code: System.ExitStatus, out: String, error: String) {
        let result = try await ChildProcess.run([Built.program] + words)
        return (
            result.status, String(decoding: result.standardOutput, as: UTF8.self),
            String(decoding: result.standardError, as: UTF8.self)
        )
    }

    @Test func `its log is JSON line by line and never holds a key`() async throws {
        let directory = try TempDirectory("log")
        let secrets = ["counter-key", "supervisor-key", "desk-key", "stolen-key-77"]
        let keys = directory.file("keys")
        try Files.writeAtomically(HubProcess.keys.joined(separator: "\n"), to: keys, mode: 0o600)
        let child = try ChildProcess([
            Built.program, "hub", "--data", directory.file("hub"), "--listen", "127.0.0.1:0", "--api-key-file", keys,
            "--log-level", "debug", "--log-format", "json",
        ])
        let line = try #require(await child.readLine())
        let url = String(line.dropFirst("listening on ".count))
        for (key, isGood) in [("counter-key", true), ("stolen-key-77", false)] {
            let driver = try AppSyncDriver(url: url, key: key, device: "T01", person: "ann")
            let store = try await DataStore(
                schema: warehouse, at: .directory(directory.file(key)),
                options: StoreOptions(
                    time: SystemTimeSource(), policies: syncPolicies(for: .terminal), checksParents: false),
                driver: driver)
            store.identity = "ann"
            let events = store.events
            try await store.start()
            try await store.save(entry("T01", 1))
            if isGood {
                try await store.flush(timeout: 120_000)
            } else {
                for await event in events { if case .paused = event { break } }
            }
            await store.close()
        }
        child.send(.terminate)
        #expect(await child.wait() == System.ExitStatus.code(0))
        let text = child.standardErrorText
        for secret in secrets { #expect(!text.contains(secret)) }
        for line in text.split(separator: "\n") {
            let json = try JSONValue(parsing: String(line))
            #expect(json["level"]?.string != nil && json["message"]?.string != nil && json["time"]?.string != nil)
            // What is about a request or a connection names it, apart from the words.
            if json["message"]?.string?.hasPrefix("credentials refused") == true {
                #expect(json["request"]?.string?.count == 36)
            }
        }
        #expect(text.contains("credentials refused"))
    }

    @Test func `--check tries everything and makes nothing`() async throws {
        let directory = try TempDirectory("check")
        let data = directory.file("hub")
        let good = try await run("hub", "--data", data, "--api-key", "k", "--check")
        #expect(good.code == .code(0), "\(good.error)")
        #expect(good.out.contains("in order"))
        #expect(!Files.exists(data))
        let config = directory.file("hub.conf")
        try Files.writeAtomically(
            "data = \(data)\napi-key = secret-77\nlisten = 127.0.0.1:0\nhorizon = soon\n", to: config)
        let bad = try await run("hub", "--config", config, "--check")
        #expect(bad.code == .code(2))
        #expect(bad.error.contains("\(config):4: horizon soon"))
        #expect(!bad.error.contains("secret-77"))
        try Files.writeAtomically("type Bin @model {", to: directory.file("bad.graphql"))
        let schema = try await run(
            "hub", "--data", data, "--api-key", "k", "--schema", directory.file("bad.graphql"), "--check")
        #expect(schema.code == .code(1))
        let open = directory.file("open.graphql")
        try Files.writeAtomically(
            "input AMPLIFY { globalAuthRule: AuthRule = { allow: public } }\ntype Note @model { title: String }\n",
            to: open)
        let sandbox = try await run("hub", "--data", data, "--api-key", "k", "--schema", open, "--no-desk", "--check")
        #expect(sandbox.code == .code(0), "\(sandbox.error)")
        #expect(sandbox.out.contains("warning: the schema's line 1: globalAuthRule lets every API key read, change"))
        let status = try await run("schema", "status", open)
        #expect(status.code == .code(0) && status.error.contains("open.graphql:1:17: globalAuthRule lets"))
        let issuer = try await run(
            "hub", "--data", data, "--oidc-issuer", "https://issuer.example", "--oidc-audience", "a", "--oidc-group",
            "admins", "--oidc-group-prefix", "idp-", "--check")
        #expect(issuer.code == .code(0), "\(issuer.error)")
        #expect(
            issuer.out.contains(
                "warning: the people of https://issuer.example have no rights by their groups: no rule of the schema "
                    + "names the group idp-admins"))
        let keys = directory.file("keys")
        try Files.writeAtomically("k\n", to: keys)
        for (mode, isSaid) in [("644", true), ("640", false)] {
            _ = try await ChildProcess.run(["/bin/chmod", mode, keys])
            let check = try await run("hub", "--data", data, "--api-key-file", keys, "--check")
            #expect(check.out.contains("warning: everybody on this machine can read the keys in \(keys)") == isSaid)
        }
        // Settings of a file make a hub start that flags say nothing of.
        try Files.writeAtomically("data = \(data)\napi-key = k\nlisten = 127.0.0.1:0\nno-desk = yes\n", to: config)
        let child = try ChildProcess([Built.program, "hub", "--config", config])
        #expect(await child.readLine()?.hasPrefix("listening on ") == true)
        child.send(.terminate)
        #expect(await child.wait() == System.ExitStatus.code(0))
    }

    @Test func `the unit starts this program on this directory and may write nothing else`() async throws {
        let unit = try await run("hub", "unit", "--data", "/srv/bin count", "--user", "floor")
        #expect(unit.code == .code(0))
        #expect(unit.out.contains("/bincount hub --data \"/srv/bin count\"\n"))
        for line in ["Type=notify", "User=floor", "ProtectSystem=strict", "NoNewPrivileges=true", "WatchdogSec=60"] {
            #expect(unit.out.contains(line + "\n"), "\(line)")
        }
        #expect(unit.out.contains("ReadWritePaths=\"/srv/bin count\"\n"))
        // What it is told to write it may write.
        let directory = try TempDirectory("unit")
        let config = directory.file("hub.conf")
        try Files.writeAtomically("export-csv = /srv/drop\n", to: config)
        let drops = try await run("hub", "unit", "--data", "/srv/hub", "--config", config)
        #expect(drops.out.contains("ReadWritePaths=/srv/hub /srv/drop\n"), "\(drops.error)")
    }
}
