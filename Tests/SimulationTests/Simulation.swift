import Basics
import Models

@testable import DataStore
@testable import Hub

/// What a run has more of than others.
enum SimMood {
    case mixed
    /// Backups that are put back while each device changes what only it changes.
    case restores
    /// People who sign out and in again, and programs that start again, with a hub or without.
    case signOuts
    /// People who look after what waits: they change it, take it back, let it go again and carry it elsewhere.
    case decisions

    var ownChance: Int { self == .restores ? 700 : 80 }
    /// What has conditions, lists or relatives.
    var shapeChance: Int { self == .decisions ? 450 : 150 }
    var backupChance: Int { self == .restores ? 1000 : 300 }
}

/// One run: some devices and a hub work for a while in bad weather, then the weather clears and everything must add up.
final class Simulation {
    let seed: UInt64
    let world: SimWorld
    let oracle = SimOracle()
    let hub: SimHub
    let devices: [SimDevice]
    private let workload: SimWorkload
    private let duration: Int64
    private let mood: SimMood

    init(seed: UInt64, devices count: Int, acts: Int, mood: SimMood = .mixed, duration: Int64 = 40_000) throws {
        self.seed = seed
        self.mood = mood
        self.duration = duration
        world = SimWorld(seed: seed)
        hub = try SimHub(world, seed: seed)
        var devices: [SimDevice] = []
        for number in 0..<count {
            let role: SimRole = number == 0 ? .desk : number % 4 == 3 ? .supervisor : number == 4 ? .desk : .counter
            let name = "T" + padded(number + 1, 2)
            devices.append(
                try SimDevice(name, role, world, hub, oracle, seed: seed &* 1000 &+ UInt64(number)))
        }
        self.devices = devices
        workload = SimWorkload(world, oracle, devices, mood)
        let oracle = oracle
        hub.onCommit = { oracle.committed($0) }
        hub.onRequest = { request in
            guard let body = try? JSONValue(parsing: request.body),
                let value = oracle.ledger.foreignValue(in: body, of: request.credentials.person)
            else { return }
            oracle.fail("\(value) goes out as \(request.credentials.person ?? "nobody"), who did not write it")
        }
        for device in devices {
            device.killChance = world.pick([0, 0, 2, 8])
            world.after(world.below(3_000)) { device.boot() }
            for act in 0..<acts {
                world.after(world.below(Int(duration))) { [unowned self] in workload.act(device, act) }
            }
            makeTrouble(for: device)
        }
        troubleTheHub()
    }

    /// Link cuts of any length, kills and clock jumps.
    private func makeTrouble(for device: SimDevice) {
        // What is to be decided must wait for a while.
        for _ in 0..<(mood == .decisions ? 3 : world.below(3)) {
            let start = world.below(Int(duration))
            let length = world.pick(mood == .decisions ? [5_000, 30_000] : [50, 2_000, 20_000])
            world.after(start) { [unowned self] in
                device.link.isUp = mood != .decisions && world.chance(300)
                device.link.cut()
                world.after(world.below(length)) { device.link.isUp = true }
            }
        }
        for _ in 0..<world.below(2) { sometime { device.kill() } }
        for _ in 0..<world.pick([0, 0, 1, 3]) { sometime { device.switchPerson() } }
        if mood == .signOuts { for _ in 0..<world.pick([1, 2, 4]) { leaveAndReturn(device) } }
        if world.chance(400) {
            let jump = anyJump()
            sometime { device.clock.jump(jump) }
        }
        if world.chance(250) { driveLifecycle(of: device) }
        for _ in 0..<world.pick([0, 0, 0, 2]) { sometime { device.changePolicies() } }
        for _ in 0..<world.pick([0, 0, 0, 1, 2]) { sometime { device.changeScope() } }
        for _ in 0..<world.pick([0, 0, 1]) { sometime { device.askForSync() } }
        for _ in 0..<world.pick(mood == .decisions ? [5, 10, 15] : [0, 0, 1, 3]) {
            sometime { [unowned self] in workload.decide(device) }
        }
        if world.chance(mood == .decisions ? 250 : 40) { carryAway(device) }
        if world.chance(150) {
            let length = world.pick([200, 3_000, 15_000])
            sometime { [unowned self] in
                device.expireKey()
                world.after(world.below(length)) { device.renewKey() }
            }
        }
        if world.chance(150) {
            let length = world.pick([500, 10_000, 60_000])
            sometime { [unowned self] in
                device.fillDisk()
                world.after(world.below(length)) { device.freeDisk() }
            }
        }
    }

    /// Signs out for a while, in which the program may end.
    private func leaveAndReturn(_ device: SimDevice) {
        let (isEnded, length) = (world.chance(500), world.below(8_000))
        sometime { [unowned self] in
            device.signIn(false)
            if isEnded { world.after(world.below(4_000)) { device.kill() } }
            world.after(length) { device.signIn(true) }
        }
    }

    /// Clears a store with its unsent changes in a file, and takes that in a while later.
    private func carryAway(_ device: SimDevice) {
        let length = world.pick([1, 3_000, 12_000])
        sometime { [unowned self] in
            device.carryAway()
            world.after(world.below(length)) { [unowned self] in workload.takeIn(device) }
        }
    }

    private func sometime(_ body: @escaping () -> Void) { world.after(world.below(Int(duration)), body) }

    /// Somebody sets a clock: by hours, or by a year, forward or back.
    private func anyJump() -> Int64 {
        let year: Int64 = 365 * 86_400_000
        return world.pick([Int64(world.below(20_000_000)) - 10_000_000, year, -year])
    }

    /// Calls in any order and number, as programs and people make them.
    private func driveLifecycle(of device: SimDevice) {
        for _ in 0..<1 + world.below(5) {
            let call = world.below(20)
            sometime {
                switch call {
                case 0..<8: device.start()
                case 8..<14: device.stop()
                case 14..<19: device.clear(discarding: false)
                default: device.clear(discarding: true)
                }
            }
        }
    }

    private func troubleTheHub() {
        for _ in 0..<world.below(2) {
            world.after(world.below(Int(duration))) { [unowned self] in
                hub.kill()
                world.after(100 + world.below(8_000)) { [unowned self] in restartHub() }
            }
        }
        if world.chance(300) {
            let jump = anyJump()
            sometime { [unowned self] in hub.jumpClock(jump) }
        }
        if world.chance(300) { sometime { [unowned self] in forgetDeletions() } }
        if world.chance(mood.backupChance) { makeBackups() }
        if world.chance(100) {
            let length = world.below(10_000)
            sometime { [unowned self] in
                limitHubDisk(true)
                world.after(length) { [unowned self] in limitHubDisk(false) }
            }
        }
    }

    /// A backup now and then, and once one of them is put back.
    private func makeBackups() {
        for _ in 0..<1 + world.below(4) {
            sometime { [unowned self] in
                guard hub.isUp else { return }
                do { try hub.backUp(oracle.memory) } catch { oracle.fail("the hub cannot be backed up: \(error)") }
            }
        }
        for _ in 0..<world.pick(mood == .restores ? [1, 2, 3] : [1, 1, 2]) {
            sometime { [unowned self] in
                guard hub.hasBackup else { return }
                do {
                    oracle.restored(to: try hub.restore(world.below(3)))
                } catch {
                    oracle.fail("a backup cannot be put back: \(error)")
                }
                world.after(100 + world.below(8_000)) { [unowned self] in restartHub() }
            }
        }
    }

    /// Deletions of which nothing is under way any more, as after a month.
    private func forgetDeletions() {
        guard hub.isUp, oracle.discards.isEmpty, devices.allSatisfy({ $0.file == nil }) else { return }
        do {
            let old = try oracle.deletedRecords.filter { record in
                try devices.allSatisfy { try $0.core.entries(record.model, record.id).isEmpty }
            }
            try hub.forgetDeletions(old)
            for record in old { oracle.forget(record.model, record.id) }
        } catch {
            oracle.fail("the hub cannot prune: \(error)")
        }
    }

    private func limitHubDisk(_ isFull: Bool) {
        do { try hub.limitDisk(isFull) } catch { oracle.fail("the hub's disk cannot be limited: \(error)") }
    }

    private func restartHub() {
        do { try hub.restart() } catch { oracle.fail("the hub does not start again: \(error)") }
    }

    /// Runs everything and gives what was wrong; empty is good.
    func run() throws -> [String] {
        defer { world.end() }
        while world.step(until: duration), oracle.failures.isEmpty {}
        heal()
        rest()
        // What is parked is decided in the end, in some runs; by nobody in the others.
        for _ in 0..<world.pick(mood == .decisions ? [0, 2] : [0, 0, 0, 1]) where oracle.failures.isEmpty {
            for device in devices { workload.decideAll(device) }
            rest()
        }
        if oracle.failures.isEmpty { try SimChecks(self).run() }
        return oracle.failures
    }

    private func rest() {
        let end = world.now + 900_000
        while oracle.failures.isEmpty, !isQuiet {
            guard world.step(until: end) else { return oracle.fail("not quiet after fifteen minutes: \(unrest)") }
        }
    }

    private func heal() {
        limitHubDisk(false)
        restartHub()
        for device in devices {
            device.killChance = 0
            device.link.isUp = true
            device.link.weather = .calm
            device.freeDisk()
            device.boot()
            if device.isSignedOut { device.signIn(true) }
            device.resetPolicies()
            device.renewKey()
            device.start()
            workload.takeIn(device)
        }
    }

    /// Everyone is connected, nothing waits, nothing is under way.
    private var isQuiet: Bool { devices.allSatisfy(\.isQuiet) && hub.isUp && isCalm }

    /// Nothing is between hub and devices: all that was committed has had the time to arrive.
    private var isCalm: Bool {
        if oracle.commits != lastCommits {
            lastCommits = oracle.commits
            calmSince = world.now
        }
        return world.now - calmSince > Int64(SimWeather.stragglerDelay)
    }
    private var lastCommits = -1
    private var calmSince: Int64 = 0

    private var unrest: String {
        devices.filter { !$0.isQuiet }.map { "\($0.name) \($0.outbox) \($0.status.link)" }.joined(separator: ", ")
    }
}
