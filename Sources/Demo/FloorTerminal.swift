import Assembly
import Basics
import CountingApp
import DataStore
import Models
import Screens
import SyncEngine
import System
import WarehouseModels

/// Something that did not go as a person expected, in one line.
package struct FloorError: Error, CustomStringConvertible, Sendable {
    package let description: String

    package init(_ description: String) { self.description = description }
}

/// A terminal without a screen: a real app on a real store, fed with keys and scans.
package struct FloorTerminal<Machine: AppMachine & Sendable>: Sendable {
    /// The store and its link.
    package let device: DeviceStore
    /// The running app.
    package let shell: AppShell<Machine>
    private let executor: ThreadExecutor

    fileprivate init(device: DeviceStore, machine: Machine) {
        let driver = device.driver
        let executor = ThreadExecutor(name: "floor-terminal")
        self.device = device
        self.executor = executor
        shell = AppShell(
            machine: machine, store: device.store, link: device.link, time: device.time, host: nil, executor: executor,
            environment: AppAssembly.environment(device), personChanged: { driver?.setPerson($0) })
    }

    /// Ends app and store.
    package func close() async {
        await shell.stop()
        await device.close()
    }

    /// The id of the screen in front.
    package func screen() async -> String { await shell.view().screen }

    /// Waits until `condition` holds of what the store has.
    package func wait(until condition: @escaping @Sendable (StoreTransaction) throws -> Bool) async throws {
        let changes = device.store.changedModels()
        if try await device.store.read({ try condition($0) }) { return }
        for await _ in changes {
            if try await device.store.read({ try condition($0) }) { return }
        }
        throw FloorError("the store of \(device.deviceCode) was closed while something was waited for")
    }

    /// Cuts the link; what is done meanwhile waits in the outbox.
    package func goOffline() async { await device.store.stop() }

    /// Takes the link up again.
    package func goOnline() async throws { try await device.store.start() }
}

extension FloorTerminal where Machine == CounterApp {
    /// Opens a counter's terminal; with no hub it is local only.
    package static func counter(
        directory: String, hub: HubLink?, code: String, time: any TimeSource = SystemTimeSource()
    ) async throws -> FloorTerminal {
        let device = try await DeviceStore.open(
            directory: directory, kind: .terminal, hub: hub, code: code, time: time)
        let terminal = FloorTerminal(device: device, machine: CounterApp(deviceCode: code, answerDelay: 0))
        await terminal.shell.start()
        return terminal
    }

    /// Runs a counter's app on a store that is open already.
    package static func counter(on device: DeviceStore) async -> FloorTerminal {
        let terminal = FloorTerminal(device: device, machine: CounterApp(deviceCode: device.deviceCode, answerDelay: 0))
        await terminal.shell.start()
        return terminal
    }

    /// Hands over one key or scan and waits until it is carried out.
    package func input(_ input: Input) async {
        await shell.input(input)
        await shell.wait { $0.hasSettled }
    }

    /// Pulls the trigger on a label.
    package func scan(_ text: String) async { await input(.scan(Scan(text), retracting: 0)) }

    /// Types characters and Enter.
    package func enter(_ text: String) async {
        for character in text { await input(.key(.character(character))) }
        await input(.key(.enter))
    }

    /// Presses one key.
    package func press(_ key: Key) async { await input(.key(key)) }

    /// The page in front.
    package func page() async -> CounterApp.Page { await shell.inspect { $0.page } }

    /// Whether an error stands; news of the link may take the place of any other message at once.
    package func isRefused() async -> Bool { await shell.inspect { $0.isBlocked } }

    /// The message on the screen, by its id.
    package func message() async -> String { await shell.inspect { $0.message?.id ?? "" } }

    /// Signs in by a badge, once the person is known here.
    package func signIn(_ login: String) async throws {
        try await wait { try $0.exists(Person.self, where: Person.login == login) }
        await enter(login)
        guard await shell.inspect({ $0.personID }) != nil else {
            throw FloorError("\(login) could not sign in: \(await message())")
        }
    }

    /// Opens a bin by its label, closing the one before; what was left open there is stated to be all.
    package func open(_ bin: Bin) async throws {
        await scan(bin.barcode ?? bin.code)
        if await page() == .close { await press(.character("2")) }
        if await page() == .question { await press(.character("2")) }
        guard await shell.inspect({ $0.openBinID }) == bin.id else {
            throw FloorError("bin \(bin.code) did not open: \(await message())")
        }
    }

    /// Counts an item of the open bin by its label and a quantity as people type it.
    package func count(_ label: String, _ quantity: String) async throws {
        await scan(label)
        await enter(quantity)
        if await message() == "quantity.large" { await press(.enter) }
        guard await !isRefused() else { throw FloorError("\(quantity) was not stored: \(await message())") }
    }

    /// States that the open bin is empty, proved by its check digits.
    package func empty(_ bin: Bin) async throws {
        await enter("E")
        await enter(bin.checkDigits)
        guard await !isRefused() else {
            throw FloorError("bin \(bin.code) was not emptied: \(await message())")
        }
    }

    /// Closes the open bin as wholly counted.
    package func closeBin() async throws {
        await enter("C")
        if await page() == .close { await press(.character("2")) }
        guard await shell.inspect({ $0.openBinID }) == nil else {
            throw FloorError("the bin did not close: \(await message())")
        }
    }

    /// Signs out and waits until nothing of anyone is unsent.
    package func signOut() async throws {
        if await page() == .bin { await press(.function(3)) }
        await press(.function(3))
        guard await page() == .signin else { throw FloorError("signing out failed: \(await message())") }
    }
}

extension FloorTerminal where Machine == SupervisorApp {
    /// Opens a supervisor's terminal and waits until the person is signed in.
    package static func supervisor(
        directory: String, hub: HubLink, code: String, login: String, time: any TimeSource = SystemTimeSource()
    ) async throws -> FloorTerminal {
        let device = try await DeviceStore.open(
            directory: directory, kind: .supervisor, hub: hub, code: code, time: time)
        let terminal = FloorTerminal(
            device: device, machine: SupervisorApp(deviceCode: code, login: login, answerDelay: 0))
        await terminal.shell.start()
        await terminal.shell.wait { $0.person != nil }
        return terminal
    }

    /// Presses keys named as screens name them.
    package func press(_ keys: Key...) async { for key in keys { await shell.input(.key(key)) } }

    /// Goes back to the floor.
    package func home() async {
        var presses = 0
        while await screen() != "floor", presses < 9 {
            await shell.input(.key(.escape))
            presses += 1
        }
    }

    /// Presses keys that ask for a decision, and gives it once the desk has answered, done or refused.
    private func ask(_ kind: DecisionKind, _ keys: [Key]) async throws -> Decision {
        let before = try await device.store.count(Decision.self, where: Decision.kind == kind)
        for key in keys { await shell.input(.key(key)) }
        let answered: Predicate<Decision> = Decision.kind == kind && Decision.result.isIn([.done, .refused])
        try await wait { tx in
            try tx.count(Decision.self, where: Decision.kind == kind) > before
                && tx.count(Decision.self, where: answered) == tx.count(Decision.self, where: Decision.kind == kind)
        }
        let all = try await device.store.query(Decision.self, where: answered)
        guard let last = all.max(by: { $0.sequence < $1.sequence }) else { throw FloorError("no decision was made") }
        return last
    }

    /// The same for one that must be carried out.
    @discardableResult
    package func decide(_ kind: DecisionKind, _ keys: [Key]) async throws -> Decision {
        let decision = try await ask(kind, keys)
        if decision.result == .refused {
            throw FloorError("\(kind.rawValue) refused: \(decision.resultText ?? "")")
        }
        return decision
    }

    /// Releases a new count.
    package func release(semiBlind: Bool, floor: Bool) async throws -> CountSession {
        await home()
        await press(.character("R"))
        if semiBlind { await press(.character("2")) }
        if floor { await press(.character("3")) }
        try await decide(.release, [.character("1")])
        try await wait { try $0.exists(CountSession.self, where: CountSession.state == .released) }
        guard
            let session = try await device.store.query(CountSession.self, where: CountSession.state == .released).first
        else { throw FloorError("the count was not released") }
        return session
    }

    /// Accepts every line that is to be decided now, one by one as shown; gives how many.
    ///
    /// A line that the desk refuses because it changed meanwhile is looked at again, as a person would.
    package func acceptAll() async throws -> Int {
        var accepted = 0
        while await shell.inspect({ !$0.floor.lines.isEmpty }) {
            await home()
            await press(.character("D"))
            await press(.character("1"))
            await shell.wait { $0.showsLine || $0.floor.lines.isEmpty }
            guard let id = await shell.inspect({ $0.showsLine ? $0.detail?.verdict.id : nil }) else { continue }
            if try await ask(.approve, [.character("1")]).result == .done { accepted += 1 }
            await shell.wait { app in !app.floor.lines.contains { $0.verdict.id == id } || app.floor.waiting.isEmpty }
        }
        await home()
        return accepted
    }
}
