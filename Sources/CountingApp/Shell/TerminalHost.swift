import Basics
import Screens
import System
import Terminal

/// One app on a terminal: how its host talks to it, whatever its machine.
package protocol HostedApp: Sendable {
    /// Hands over a key or a scan; on the UI's executor.
    func input(_ input: Input)
    /// Tells it the terminal's size.
    func resized(_ size: GridSize)
    /// About once a second.
    func tick()
    /// The program ends.
    func ending()
    /// What it shows now.
    func view() -> AppView
    /// The person's language.
    func language() -> String
}

/// A shell as the host sees it. Every call comes on the UI's executor, which is the shell's own.
package struct HostedShell<Machine: AppMachine & Sendable>: HostedApp {
    private let shell: AppShell<Machine>

    /// Hosts a shell that was made with `UI.executor`.
    package init(_ shell: AppShell<Machine>) {
        self.shell = shell
    }

    package func input(_ input: Input) { shell.assumeIsolated { $0.input(input) } }
    package func resized(_ size: GridSize) { shell.assumeIsolated { $0.send(.resized(size)) } }
    package func tick() { shell.assumeIsolated { $0.send(.tick) } }
    package func ending() { shell.assumeIsolated { $0.send(.ending) } }
    package func view() -> AppView { shell.assumeIsolated { $0.view() } }
    package func language() -> String { shell.assumeIsolated { $0.language } }
}

/// Puts an app on the terminal: keys in, pictures and sounds out. With several apps, one is in front.
@UI
package final class TerminalHost {
    private let loop: TerminalLoop
    private var screens: AppScreens
    private var apps: [any HostedApp] = []
    private var front = 0
    private var dirty = true
    private var isReloading: Bool
    /// Called for keys that the host's owner handles before the app, such as F8 in the demo; true means taken.
    package var intercept: (Input) -> Bool = { _ in false }
    /// Rows under the app's picture, such as the demo's shelf; nil for none.
    package var footer: (_ width: Int) -> [String] = { _ in [] }
    /// Called once when a signal or the end of the terminal asks for the end.
    package var onEnd: () -> Void = {}

    /// Takes over a loop's handlers.
    package init(loop: TerminalLoop, screens: AppScreens, reloads: Bool) {
        self.loop = loop
        self.screens = screens
        isReloading = reloads
        loop.onEvent = { [weak self] event in self?.handle(event) }
        loop.onPaint = { [weak self] in self?.paint() }
        scheduleTick()
    }

    /// Adds an app; the first is in front.
    package func add(_ app: any HostedApp) {
        apps.append(app)
        app.resized(appSize)
        dirty = true
    }

    /// Puts another app in front.
    package func bringToFront(_ index: Int) {
        front = index
        dirty = true
    }

    /// Which app is in front.
    package var frontIndex: Int { front }
    /// The picture may have changed.
    package func setNeedsPainting() { dirty = true }
    /// Makes a sound.
    package func play(_ sound: Sound) { loop.play(sound) }
    /// Ends the loop.
    package func stop(code: Int32 = 0) { loop.stop(code: code) }
    /// Acts as if a code had been scanned.
    package func inject(_ input: Input) { handle(.input(input)) }

    /// The room that the app has: the terminal less the footer where both have room, else all of it.
    private var appSize: GridSize {
        let size = loop.size
        let rows = footer(size.width).count
        let needed = size.width >= 80 ? 24 : 16
        return size.height - rows >= needed ? GridSize(size.width, size.height - rows) : size
    }

    private func handle(_ event: TerminalEvent) {
        guard apps.indices.contains(front) else { return }
        switch event {
        case .input(let input):
            if case .key = input { loop.silence() }
            if !intercept(input) { apps[front].input(input) }
        case .resized:
            for app in apps { app.resized(appSize) }
        case .signal, .hangUp:
            for app in apps { app.ending() }
            onEnd()
        }
        dirty = true
    }

    private func scheduleTick() {
        loop.after(milliseconds: 1000) { [weak self] in
            guard let self else { return }
            for app in self.apps { app.tick() }
            if self.isReloading, self.screens.reloadIfChanged() { self.dirty = true }
            self.dirty = true
            self.scheduleTick()
        }
    }

    private func paint() -> CellGrid? {
        guard dirty, apps.indices.contains(front) else { return nil }
        dirty = false
        let view = apps[front].view()
        loop.holdsFirstKey = view.actsAtOnce
        let size = appSize
        let picture = screens.library.render(
            view.screen, size: size, state: view.state, language: apps[front].language())
        let rows = footer(loop.size.width)
        guard !rows.isEmpty else { return picture }
        var whole = CellGrid(size: loop.size)
        whole.draw(picture)
        whole.cursor = picture.cursor
        // Below the picture where there is room, else over its blank rows; a full picture is never covered.
        var shown = rows
        var top: Int? = size.height < loop.size.height ? size.height : nil
        while top == nil, !shown.isEmpty {
            top = blankRows(of: picture, count: shown.count)
            if top == nil { shown.removeLast() }
        }
        for (index, row) in shown.enumerated() {
            whole.put(row, column: 0, row: (top ?? 0) + index, style: index == rows.count - 1 ? .plain : .reverse)
        }
        return whole
    }

    /// The first of `count` blank rows that lie lowest, if there are so many together.
    private func blankRows(of picture: CellGrid, count: Int) -> Int? {
        let blank = picture.rows.map { row in row.allSatisfy { $0 == " " } }
        var top = picture.size.height - count
        while top >= 0 {
            if blank[top..<top + count].allSatisfy({ $0 }) { return top }
            top -= 1
        }
        return nil
    }
}
