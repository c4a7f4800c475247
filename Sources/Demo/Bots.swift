import Assembly
import Basics
import CountingApp
import Counting
import DataStore
import Models
import Screens
import System
import WarehouseModels

/// A computed counter: the real app on a real store, fed with scans and keys as a person would feed it.
package struct CounterBot: Sendable {
    package let device: DeviceStore
    package let name: String
    package let personID: String
    private let shell: AppShell<CounterApp>
    private let thread: ThreadExecutor

    /// Opens the terminal's store and signs the person in.
    package static func signIn(
        login: String, personID: String, directory: String, code: String, hub: HubLink
    ) async throws -> CounterBot {
        let device = try await DeviceStore.open(directory: directory, kind: .terminal, hub: hub, code: code)
        let thread = ThreadExecutor(name: "bot-\(login)")
        let driver = device.driver
        let shell = AppShell(
            machine: CounterApp(deviceCode: code), store: device.store, link: device.link, time: device.time, host: nil,
            executor: thread, environment: AppAssembly.environment(device),
            personChanged: { driver?.setPerson($0) })
        let bot = CounterBot(device: device, name: login, personID: personID, shell: shell, thread: thread)
        await shell.start()
        try await device.store.waitUntil { try $0.get(Person.self, id: personID) != nil }
        await bot.type(login)
        await shell.wait { $0.isIdle && $0.personID == personID }
        return bot
    }

    /// The tasks that this person may still count, in walking order.
    package func openTasks() async throws -> [BinTask] {
        let me = personID
        return try await device.store.query(BinTask.self, sort: [.ascending(BinTask.walkSequence)]).filter {
            ($0.state == .todo || $0.state == .open) && !$0.notForIDs.contains(me)
        }
    }

    /// Counts what lies in a bin: the bin's label, each item's label, how many; the next bin's label closes it.
    package func count(
        _ bin: Bin, shelf: [(barcode: String, cases: Int, quantity: Int)]
    ) async {
        await scan(bin.code)
        for stock in shelf {
            await scan(stock.barcode)
            let loose = stock.quantity - stock.cases * SampleWarehouse.caseSize
            await type(stock.cases > 0 ? "\(stock.cases)*\(SampleWarehouse.caseSize)+\(loose)" : "\(stock.quantity)")
        }
        if shelf.isEmpty {
            // Empty wants proof: the bin's own label once more.
            await type("E")
            await scan(bin.code)
        }
    }

    /// Closes the open bin, as before going home.
    package func closeBin() async {
        await type("C")
        await type("2")
    }

    private func scan(_ code: String) async {
        await shell.input(.scan(Scan(code), retracting: 0))
        await shell.wait { $0.isIdle }
    }

    /// Types characters and Enter.
    private func type(_ text: String) async {
        for character in text { await shell.input(.key(.character(character))) }
        await shell.input(.key(.enter))
        await shell.wait { $0.isIdle }
    }

    /// What the terminal shows, for a report that something went wrong.
    package func picture() async -> String {
        let view = await shell.view()
        return AppScreens.shipped.render(view.screen, size: GridSize(80, 24), state: view.state, language: "en").picture
    }

    package func stop() async {
        await shell.stop()
        await device.close()
        thread.stop()
    }
}

/// A computed supervisor on the real supervisor's view.
package struct SupervisorBot: Sendable {
    package let device: DeviceStore
    private let shell: AppShell<SupervisorApp>
    private let thread: ThreadExecutor

    /// Opens the supervisor's store and signs the person in.
    package static func signIn(login: String, directory: String, code: String, hub: HubLink) async throws -> SupervisorBot {
        let device = try await DeviceStore.open(directory: directory, kind: .supervisor, hub: hub, code: code)
        let thread = ThreadExecutor(name: "bot-\(login)")
        let driver = device.driver
        let shell = AppShell(
            machine: SupervisorApp(deviceCode: code, login: login), store: device.store, link: device.link,
            time: device.time, host: nil, executor: thread, environment: AppAssembly.environment(device),
            personChanged: { driver?.setPerson($0) })
        await shell.start()
        await shell.wait { $0.isSignedIn }
        return SupervisorBot(device: device, shell: shell, thread: thread)
    }

    /// Presses keys: letters and digits as they are.
    package func press(_ keys: String) async {
        for character in keys { await shell.input(.key(.character(character))) }
    }

    /// Releases a count that is semi-blind and shared with the floor.
    package func release() async { await press("R231") }

    /// Accepts every line that waits for a decision; gives how many there were.
    package func acceptLines() async throws -> Int {
        var accepted = 0
        while true {
            await shell.wait { $0.isSettled }
            let waiting = await shell.lineCount()
            guard waiting > 0 else { return accepted }
            await press("D1")
            await shell.wait { $0.showsLine }
            await press("1")
            accepted += 1
            try await device.store.waitUntil { tx in
                try tx.query(Decision.self).allSatisfy { ($0.result ?? .waiting) != .waiting }
            }
            await shell.home()
        }
    }

    /// Asks for something about the whole count, such as `S` stop or `X` export, and waits for the desk's answer.
    package func ask(_ key: String) async throws -> Decision? {
        await shell.home()
        let before = try await device.store.query(Decision.self).count
        await press(key + "1")
        try await device.store.waitUntil { tx in
            let decisions = try tx.query(Decision.self)
            return decisions.count > before && decisions.allSatisfy { ($0.result ?? .waiting) != .waiting }
        }
        return try await device.store.query(Decision.self).max { $0.sequence < $1.sequence }
    }

    package func stop() async {
        await shell.stop()
        await device.close()
        thread.stop()
    }
}

extension AppShell where Machine == SupervisorApp {
    fileprivate func lineCount() -> Int { inspect { $0.linesToDecide } }

    /// Goes back to the floor view.
    fileprivate func home() {
        for _ in 0..<6 { input(.key(.escape)) }
    }
}

extension DataStore {
    /// Returns when `condition` holds; it is asked again after every change, and never by the clock.
    package func waitUntil(_ condition: @escaping @Sendable (StoreTransaction) throws -> Bool) async throws {
        let changes = changedModels()
        if try await read(condition) { return }
        for await _ in changes where try await read(condition) { return }
    }
}
