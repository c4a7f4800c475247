import Assembly
import Basics
import Crypto
import DataStore
import Hub
import InventoryControl
import Models
import SyncEngine
import System
import WarehouseModels

/// A whole site in one process: hub on loopback, control desk, and the sample warehouse, under one directory.
package struct DemoSite: Sendable {
    /// Keys of one run; made at the first start and kept in a file only its owner can read.
    package struct Keys: Sendable {
        package let counter: String
        package let supervisor: String
        package let office: String
    }

    package let directory: String
    package let hub: HubServer
    package let desk: DeskProcess
    package let keys: Keys
    package let warehouseSample: SampleWarehouse
    /// Whether this start made the site; a later one goes on where the last ended.
    package let isNew: Bool

    /// Starts the site in `directory`; makes it there the first time.
    package static func start(
        directory: String, sample: SampleWarehouse? = nil, connectors: [ConnectorOptions] = [],
        time: any TimeSource = SystemTimeSource(), log: Log = .none
    ) async throws -> DemoSite {
        try Files.createDirectory(directory)
        let isNew = !Files.exists(directory + "/hub/hub.sqlite")
        let keys = try keys(in: directory)
        let deskKey = SecureRandom.hex(byteCount: 24)
        var options = HubOptions(
            dataDirectory: directory + "/hub", schema: warehouse,
            keys: try APIKeys([
                keys.counter, "\(keys.supervisor):supervisors", "\(keys.office):desk,admins", "\(deskKey):desk",
            ]), time: time, log: log)
        options.schemaText = warehouseText
        let hub = try await HubServer.start(options)
        let made = try sampleTime(in: directory, now: time.now())
        let sample = try sample ?? SampleWarehouse(asOf: made)
        let site = DemoSite(
            directory: directory, hub: hub,
            desk: try await DeskProcess.start(
                directory: directory + "/desk", hub: HubLink(url: hub.url, key: deskKey), connectors: connectors,
                time: time, log: log), keys: keys, warehouseSample: sample, isNew: isNew)
        if isNew { try await site.seed(time: time, log: log) }
        return site
    }

    /// Ends desk and hub; the directory stays.
    package func stop() async {
        await desk.stop()
        await hub.stop()
    }

    /// The link of a device with a counter's or a supervisor's key.
    package func link(supervisor: Bool = false) -> HubLink {
        HubLink(url: hub.url, key: supervisor ? keys.supervisor : keys.counter)
    }

    private static func keys(in directory: String) throws -> Keys {
        let path = directory + "/keys"
        if !Files.exists(path) {
            let made = (0..<3).map { _ in SecureRandom.hex(byteCount: 16) }
            try Files.writeAtomically(made.joined(separator: "\n") + "\n", to: path, mode: 0o600)
        }
        let words = try Files.readText(path).split(whereSeparator: \.isWhitespace).map(String.init)
        guard words.count == 3 else {
            throw SiteError(description: "\(path) holds no three keys; remove the directory to begin again")
        }
        return Keys(counter: words[0], supervisor: words[1], office: words[2])
    }

    /// The book's time is that of the first start, so that a second one has the same book.
    private static func sampleTime(in directory: String, now: DateTime) throws -> DateTime {
        let path = directory + "/made"
        if Files.exists(path), let time = DateTime(iso8601: String(try Files.readText(path).prefix { !$0.isNewline })) {
            return time
        }
        try Files.writeAtomically(now.iso8601 + "\n", to: path)
        return now
    }

    /// Why a site cannot be used.
    package struct SiteError: Error, CustomStringConvertible {
        package let description: String
    }

    /// Sends the sample's records to the hub as an office would, and waits until it has them.
    private func seed(time: any TimeSource, log: Log) async throws {
        let office = try await DeviceStore.open(
            directory: directory + "/office", kind: .desk, hub: HubLink(url: hub.url, key: keys.office),
            checksParents: false, time: time, log: log)
        let sample = warehouseSample
        try await office.store.transaction { tx in
            for zone in sample.zones { try tx.save(zone) }
            for item in sample.items { try tx.save(item) }
            for bin in sample.bins { try tx.save(bin) }
            for cost in sample.costs { try tx.save(cost) }
            for pack in sample.packs { try tx.save(pack) }
            for barcode in sample.barcodes { try tx.save(barcode) }
            for person in sample.people { try tx.save(person) }
            try tx.save(sample.snapshot)
            for line in sample.book { try tx.save(line) }
            for rule in sample.rules { try tx.save(rule) }
        }
        try await office.waitUntilSent()
        await office.close()
    }
}
