import Assembly
import Basics
import CountingApp
import DataStore
import Glibc
import System
import Terminal
import WarehouseModels

/// Runs one app on this terminal from start to end: lock, store, screen loop, and a clean close.
enum TerminalProgram {
    static func run(
        data: String, screens: AppScreens, kind: DeviceKind, hub: HubLink?, code: String?,
        options: TerminalOptions,
        app: @escaping @Sendable (DeviceStore, any AppHost) async -> any RunningApp
    ) throws -> Int32 {
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else {
            throw UsageError("it needs a terminal for its screens; this is none")
        }
        // One app at a time works on a directory; the second says so and ends.
        let lock = try FileLock(locked(data))
        defer { withExtendedLifetime(lock) {} }
        let device = try waitFor {
            try await DeviceStore.open(directory: data, kind: kind, hub: hub, code: code)
        }
        var options = options
        options.errorLog = data + "/error.log"
        let host = HostRelay()
        let running = try waitFor { await app(device, host) }
        let exit = try TerminalLoop.run(options) { loop in
            let terminal = TerminalHost(loop: loop, screens: screens, reloads: true)
            terminal.onEnd = { [weak terminal] in terminal?.stop() }
            host.connect(terminal)
            terminal.add(running.hosted)
            Task { await running.start() }
        }
        waitForScreen {
            await running.stop()
            await device.close()
        }
        return exit
    }

    private static func locked(_ data: String) throws -> String {
        try Files.createDirectory(data)
        return data + "/app.lock"
    }
}
