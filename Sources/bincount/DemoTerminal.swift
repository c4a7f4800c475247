import Assembly
import Basics
import CountingApp
import Demo
import Glibc
import Screens
import System
import Terminal

/// The demo on this terminal: Ann's app with the shelf under it, the supervisor's view behind it.
enum DemoTerminal {
    static func run(
        directory: String, isFresh: Bool, options: TerminalOptions, log: Log
    ) throws -> Int32 {
        if isFresh, Files.exists(directory) {
            // Held while it is removed, so that a running demo is not pulled from under its own feet.
            let lock = try FileLock(directory + "/demo.lock")
            try Files.removeTree(directory)
            withExtendedLifetime(lock) {}
        }
        try Files.createDirectory(directory)
        let lock = try FileLock(directory + "/demo.lock")
        defer { withExtendedLifetime(lock) {} }
        print("Starting hub, desk and sample warehouse in \(directory) …")
        flushOutput()
        let floor = try waitFor { try await DemoFloor.start(directory: directory, log: log) }
        print(attachLines(floor))
        flushOutput()

        let (annRelay, sueRelay) = (HostRelay(), HostRelay())
        let ann = AppAssembly.counter(on: floor.ann, host: annRelay)
        let sue = AppAssembly.supervisor(on: floor.sue, login: "sue", host: sueRelay)
        let shelf = Locked(DemoShelf())
        let watch = Locked<Task<Void, Never>?>(nil)
        var options = options
        options.errorLog = directory + "/error.log"
        let screens = try AppScreens.load(directory: nil)
        let code = try TerminalLoop.run(options) { loop in
            let terminal = TerminalHost(loop: loop, screens: screens, reloads: false)
            terminal.onEnd = { [weak terminal] in terminal?.stop() }
            terminal.footer = { width in footer(shelf.current.text, width) }
            terminal.intercept = { [weak terminal] input in
                guard let terminal else { return false }
                return intercept(input, terminal, shelf.current, counter: ann.hosted)
            }
            annRelay.connect(terminal)
            sueRelay.connect(terminal)
            terminal.add(ann.hosted)
            terminal.add(sue.hosted)
            watch.withLock { task in
                task = Task { @UI in
                    for await now in floor.shelves() {
                        shelf.withLock { $0 = now }
                        terminal.setNeedsPainting()
                    }
                }
            }
            Task {
                await ann.start()
                await sue.start()
            }
        }
        waitForScreen {
            watch.current?.cancel()
            await ann.stop()
            await sue.stop()
            await floor.stop()
        }
        return code
    }

    /// The shelf in front of Ann and the demo's keys, in as many rows as a narrow terminal needs for them.
    private static func footer(_ shelf: String, _ width: Int) -> [String] {
        let keys = ["F9 pull the trigger  F8 supervisor and back  F3 leave", "F9 scan F8 lead F3"]
        let brief = width < 40 ? shelf.replacingAll(" cases of ", with: "x").replacingAll(" loose", with: "") : shelf
        var rows = [""]
        for word in brief.split(separator: " ") {
            let last = rows[rows.count - 1]
            if last.isEmpty {
                rows[rows.count - 1] = String(word)
            } else if last.count + 1 + word.count <= width {
                rows[rows.count - 1] = "\(last) \(word)"
            } else if rows.count < 4 {
                rows.append(String(word))
            } else {
                rows[rows.count - 1] = last + " \(word)"
            }
        }
        return rows + [keys.first { $0.count <= width } ?? keys[1]]
    }

    /// F9 scans, F8 changes sides, F3 leaves from the list of bins.
    @UI
    private static func intercept(
        _ input: Input, _ terminal: TerminalHost, _ shelf: DemoShelf, counter: any HostedApp
    ) -> Bool {
        switch input {
        case .key(.function(8)):
            terminal.bringToFront(1 - terminal.frontIndex)
            return true
        case .key(.function(9)):
            if terminal.frontIndex == 0, let label = shelf.label { terminal.inject(.scan(Scan(label), retracting: 0)) }
            return true
        case .key(.function(3)) where terminal.frontIndex == 0 && ["tasks", "signin"].contains(counter.view().screen):
            terminal.stop()
            return true
        default: return false
        }
    }

    private static func attachLines(_ floor: DemoFloor) -> String {
        let url = floor.site.hub.url
        let directory = floor.site.directory
        return """
            The hub runs at \(url) as long as this demo does. From other terminals:
              bincount count --data \(directory)/second --hub \(url) --api-key-file \(floor.keyFiles.counter)
              bincount supervise --data \(directory)/lead --hub \(url) --api-key-file \(floor.keyFiles.supervisor)
            Sign in there as dan; the supervisor is sue.
            """
    }
}
