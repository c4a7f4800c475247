import Basics
import DataStore
import Glibc
import Models
import System
import Transport
import WarehouseModels

/// Rows about the whole floor: a count seen elsewhere under load, and the return of 80 devices after an outage.
enum FloorRows {
    static func propagate(_ scale: Double) async throws -> Row {
        let floor = try await Floor("propagate")
        let ann = try await floor.store("A01", .terminal, person: "ann")
        let bob = try await floor.store("B01", .terminal, person: "bob")
        let lead = try await floor.store("S01", .supervisor)
        for each in [ann, bob, lead] {
            try await each.store.start()
            try await waitUntil(for: "a live store") { each.driver.status.isLive && each.driver.status.isComplete }
        }
        let clients = try floor.clients(78)
        var sockets: [WebSocketClient] = []
        let own = Tally()
        for (number, client) in clients.enumerated() {
            let scope: JSONValue = ["deviceID": ["eq": .string("T\(number)")]]
            sockets.append(try await client.subscribe(filter: scope) { _ in own.add() })
        }
        let load = SteadyLoad(clients, perSecond: 260) { try Floor.entry("L-", $0, person: $1) }
        try await Task.sleep(for: .milliseconds(500))

        var changes = bob.store.observe(CountEntry.self).makeAsyncIterator()
        var samples = Samples()
        var syncs = Samples()
        let probe = open(floor.directory.file("probe"), O_CREAT | O_WRONLY, 0o600)
        let block = [UInt8](repeating: 1, count: 4096)
        for number in 0..<max(20, Int(300 * scale)) {
            let entry = try StoreRows.entry(number)
            let start = ContinuousClock.now
            try await ann.store.save(entry)
            while let change = await changes.next(), change.id != entry.id {}
            samples.add((.now - start).inSeconds)
            syncs.add(
                seconds {
                    for _ in 0..<2 {
                        _ = write(probe, block, block.count)
                        fsync(probe)
                    }
                })
            try await Task.sleep(for: .milliseconds(13))
        }
        close(probe)
        let written = try await load.stop()
        _ = try await own.wait(for: written, since: .now, "entries in the clients' own scopes")
        let wanted = written + samples.values.count
        try await waitUntil(for: "the supervisor's store") { try await lead.store.count(CountEntry.self) == wanted }
        for socket in sockets { socket.close() }
        for each in [ann, bob, lead] { await each.store.close() }
        await floor.stop()
        let value = samples.percentile(0.5) * 1000
        let reference = syncs.percentile(0.5) * 1000
        return Row(
            id: "propagate", value: value, unit: "ms", reference: reference, ratio: value / reference,
            target: "p50 <= 10 ms, p99 <= 50 ms", met: value <= 10 && samples.percentile(0.99) <= 0.05,
            note:
                "save on one terminal to another's observe \(samples.milliseconds), while 78 protocol clients (one thread "
                + "of this process) wrote \(written) entries at 260/s and a supervisor's store took all; two fsyncs: "
                + syncs.milliseconds)
    }

    static func outage(_ scale: Double) async throws -> Row {
        let floor = try await Floor("outage")
        let clients = try floor.clients(80)
        let perDevice = max(100, Int(1800 * scale) / 100 * 100)
        let total = perDevice * 80
        var bodies: [[[UInt8]]] = []
        var writer = EntryWriter()
        for device in 0..<80 {
            bodies.append(
                try stride(from: 0, to: perDevice, by: 100).map { first in
                    try writer.body(
                        (first..<first + 100).map { try Floor.entry("U\(device)-", $0, person: device) })
                })
        }
        let lead = try await floor.store("S01", .supervisor)
        try await lead.store.start()
        try await waitUntil(for: "a live store") { lead.driver.status.isLive && lead.driver.status.isComplete }
        let start = ContinuousClock.now
        let value = try await HubRows.push(clients, bodies, of: 100)
        try await waitUntil(seconds: 300, for: "the supervisor's store") {
            try await Task.sleep(for: .milliseconds(20))
            return try await lead.store.count(CountEntry.self) == total
        }
        let complete = (ContinuousClock.now - start).inSeconds
        let memory = processMegabytes(peak: true)
        await lead.store.close()
        await floor.stop()
        // The target is for 144,000 entries; a smaller run is held to the same rate.
        let share = Double(total) / 144_000
        return Row(
            id: "outage", value: value, unit: "s", target: "< 15 s, a store complete 5 s later",
            met: value < 15 * share && complete - value < max(5 * share, 1),
            note:
                "\(total) entries, 80 connections, 100 per request, each acknowledged (\(short(Double(total) / value))/s); a "
                + "supervisor's live store complete \(short(complete - value)) s later; all in one process, "
                + "\(short(memory)) MB with the prepared requests")
    }
}

/// This process's memory in megabytes, now or at its largest.
func processMegabytes(peak: Bool, of pid: Int32? = nil) -> Double {
    let path = "/proc/\(pid.map(String.init) ?? "self")/status"
    guard let text = try? Files.readText(path) else { return 0 }
    for line in text.split(separator: "\n") where line.hasPrefix(peak ? "VmHWM:" : "VmRSS:") {
        let digits = line.filter { ("0"..."9").contains($0) }
        return (Double(digits) ?? 0) / 1024
    }
    return 0
}

/// Where this program's file is.
func executablePath() -> String {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = buffer.withUnsafeMutableBytes { bytes in
        bytes.withMemoryRebound(to: CChar.self) { text in
            text.baseAddress.map { readlink("/proc/self/exe", $0, text.count) } ?? 0
        }
    }
    return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
}
