import Basics
import CountingApp
import Crypto
import SyncEngine
import System
import Terminal

/// An app that runs on a store, whatever its machine.
package protocol RunningApp: Sendable {
    /// The app as a terminal's host sees it.
    var hosted: any HostedApp { get }
    /// Starts the machine.
    func start() async
    /// Stops it; nothing touches the store afterwards.
    func stop() async
}

/// A shell with its way to start and stop.
package struct ShellApp<Machine: AppMachine & Sendable>: RunningApp {
    /// The shell.
    package let shell: AppShell<Machine>

    package var hosted: any HostedApp { HostedShell(shell) }
    package func start() async { await shell.start() }
    package func stop() async { await shell.stop() }
}

/// Passes what a shell reports on to the terminal's host once there is one.
package final class HostRelay: AppHost {
    private let target = Locked<TerminalHost?>(nil)

    package init() {}

    /// Names the host.
    @UI
    package func connect(_ host: TerminalHost) { target.withLock { $0 = host } }

    package func needsPainting() { tell { $0.setNeedsPainting() } }
    package func play(_ sound: Sound) { tell { $0.play(sound) } }
    package func quit() { tell { $0.stop() } }

    /// Shells on the terminal run on the UI's executor, so this is the UI's thread already.
    private func tell(_ body: @UI (TerminalHost) -> Void) {
        guard let host = target.current else { return }
        UI.assumeIsolated { body(host) }
    }
}

/// Makes the apps on a device's store.
package enum AppAssembly {
    /// The counter's app on the terminal.
    package static func counter(
        on device: DeviceStore, host: (any AppHost)?, executor: any SerialExecutor = UI.executor
    ) -> any RunningApp {
        let driver = device.driver
        let machine = CounterApp(deviceCode: device.deviceCode)
        return ShellApp(
            shell: AppShell(
                machine: machine, store: device.store, link: device.link, time: device.time, host: host,
                executor: executor, environment: environment(device),
                personChanged: { person in driver?.setPerson(person) }))
    }

    /// The supervisor's view on the terminal.
    package static func supervisor(
        on device: DeviceStore, login: String?, host: (any AppHost)?, executor: any SerialExecutor = UI.executor
    ) -> any RunningApp {
        let driver = device.driver
        let machine = SupervisorApp(
            deviceCode: device.deviceCode, login: login,
            utcOffsetMinutes: LocalTime.offsetMinutes(at: device.time.now()))
        return ShellApp(
            shell: AppShell(
                machine: machine, store: device.store, link: device.link, time: device.time, host: host,
                executor: executor, environment: environment(device),
                personChanged: { person in driver?.setPerson(person) }))
    }

    /// What the jobs of a device's apps are given.
    package static func environment(_ device: DeviceStore) -> @Sendable (Int?) -> JobEnvironment {
        let (time, code) = (device.time, device.deviceCode)
        return { offset in
            JobEnvironment(
                time: time, random: SystemRandom(), deviceCode: code, clockOffsetMilliseconds: offset,
                sha256: { SHA256.hexDigest($0) })
        }
    }
}
