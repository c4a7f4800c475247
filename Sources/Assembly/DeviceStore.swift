// Puts stores, engines, apps and desks together, for the executables and the demo.
import Basics
import CountingApp
import DataStore
import Models
import SyncEngine
import System
import Transport
import WarehouseModels

/// Where a device finds its hub, and what it shows there.
package struct HubLink: Sendable {
    /// The hub's URL as it prints it, ending in `/graphql`.
    package let url: String
    /// The device's API key, or a person's token.
    package let credentials: SyncCredentials
    /// Where a token is kept, which is renewed there as long as the hub allows; nil where nobody keeps it.
    package let tokenFile: String?
    /// The claim by which the hub knows a token's person, where that is not `sub`.
    package let personClaim: String?
    /// Whom to believe there; nil for those that the system trusts.
    package let tls: TLSClientContext?

    package init(url: String, key: String, tls: TLSClientContext? = nil) {
        self.init(url: url, credentials: .apiKey(key), tls: tls)
    }

    package init(
        url: String, credentials: SyncCredentials, tokenFile: String? = nil, personClaim: String? = nil,
        tls: TLSClientContext? = nil
    ) {
        self.url = url
        self.credentials = credentials
        self.tokenFile = tokenFile
        self.personClaim = personClaim
        self.tls = tls
    }

    /// What keeps a token that was renewed; nil for a key.
    package func renewing(_ log: Log) -> (@Sendable (String) -> Void)? {
        guard case .token = credentials else { return nil }
        let (file, url) = (tokenFile, url)
        return { token in
            guard let file else { return }
            do { try KeptToken(text: token, hub: url, file: file).write() } catch {
                log(.warning, "the renewed token could not be kept: \(error)")
            }
        }
    }
}

/// The store of one device in its directory, connected to a hub where one is given.
package struct DeviceStore: Sendable {
    /// The store.
    package let store: DataStore
    /// What moves its changes; nil where it is local-only.
    package let driver: AppSyncDriver?
    /// The device's code, unique at the hub.
    package let deviceCode: String
    /// The link's state as the screens show it.
    package let link: LinkMonitor
    /// The clocks.
    package let time: any TimeSource

    /// Opens or makes the store in `directory` and starts to synchronise.
    ///
    /// - Parameters:
    ///   - code: the device's code where the caller gives one; else the store's own, made at its first start.
    /// - Throws: `StoreError`, with a line that says what to do.
    package static func open(
        directory: String, kind: DeviceKind, hub: HubLink?, code: String? = nil, person: String? = nil,
        checksParents: Bool = true, time: any TimeSource = SystemTimeSource(), log: Log = .none
    ) async throws -> DeviceStore {
        try Files.createDirectory(directory)
        let deviceCode = try code ?? savedCode(in: directory)
        let options = StoreOptions(
            time: time, policies: syncPolicies(for: kind), isLocalOnly: hub == nil, checksParents: checksParents,
            migrations: warehouseMigrations, log: log)
        let driver = try hub.map {
            try AppSyncDriver(
                url: $0.url, credentials: $0.credentials, device: deviceCode,
                person: person ?? $0.credentials.person(claim: $0.personClaim), tls: $0.tls, log: log,
                configure: { [claim = $0.personClaim] options in
                    options.groups = [kind.group]
                    options.personClaim = claim
                }, renewing: $0.renewing(log), time: time)
        }
        let store = try await DataStore(
            schema: warehouse, at: .directory(directory), options: options, driver: driver)
        let facts: (@Sendable () -> LinkFacts)? = driver.map { driver in
            { @Sendable in DeviceStore.facts(of: driver.status, signInEnds: driver.signInEnds) }
        }
        let link = LinkMonitor(store: store, facts: facts)
        if let driver {
            // Whoever is signed in goes on: a start under nobody's name would look like a sign-out.
            if kind == .terminal, person == nil, let last = try await store.read({ try CounterApp.signedIn($0) }) {
                driver.setPerson(last)
            }
            try await store.start()
        }
        return DeviceStore(store: store, driver: driver, deviceCode: deviceCode, link: link, time: time)
    }

    /// Ends synchronising and closes the store.
    package func close() async {
        await store.stop()
        await store.close()
    }

    /// The code in the store's directory, made at the first start: a new or restored directory is a new device.
    static func savedCode(in directory: String) throws -> String {
        if let code = readCode(in: directory) { return code }
        // 30 bits in Crockford's alphabet: read aloud without doubt, and no two of a site alike.
        let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        var bits = SystemRandom().next()
        var code = "T"
        for _ in 0..<6 {
            code.append(alphabet[Int(bits & 31)])
            bits >>= 5
        }
        try save(code: code, in: directory)
        return code
    }

    /// Makes the directory the device of that code.
    static func save(code: String, in directory: String) throws {
        try Files.writeAtomically(code + "\n", to: directory + "/device")
    }

    /// The code under which the directory has data already; nil where any other would do.
    static func codeOfData(in directory: String) -> String? {
        Files.exists(directory + "/store.sqlite") ? readCode(in: directory) : nil
    }

    private static func readCode(in directory: String) -> String? {
        let text = (try? Files.readText(directory + "/device"))?.prefix { !$0.isWhitespace } ?? ""
        return text.isEmpty ? nil : String(text)
    }

    private static func facts(of status: SyncStatus, signInEnds: DateTime?) -> LinkFacts {
        LinkFacts(
            isOnline: status.isLive, lastContactUptime: status.lastContact,
            clockOffsetMilliseconds: status.clockOffsetMilliseconds.map { Int($0) }, pausedReason: status.pausedReason,
            signInEnds: signInEnds)
    }
}
