import Basics
import CTerminal
import DataStore
import Glibc
import Models
import Screens
import System
import Terminal
import Transport
import WarehouseModels

/// Rows about the terminal: from a key to the bytes on the tty, and from the program's start to its first paint.
enum TerminalRows {
    static func keyToTTY(_ scale: Double) async throws -> Row {
        // The terminal's process syncs meanwhile: a real store takes what 78 others write.
        let floor = try await Floor("key")
        let ann = try await floor.store("A01", .terminal, person: "ann")
        try await ann.store.start()
        let clients = try floor.clients(78)
        let load = SteadyLoad(clients, perSecond: 260) { try Floor.entry("L-", $0, person: $1, audience: ["counters"]) }
        let count = max(30, Int(300 * scale) / 6 * 6)
        let scans = max(40, Int(1000 * scale))
        let library = try screens()
        // In turns, so that what else the machine does meets both.
        var ours = Typed()
        var raw = Typed()
        for _ in 0..<3 {
            ours += try await onThread { try typeDigits(count, app: CountScreen(library)) }
            raw += try await onThread { try typeDigits(count, app: RawEcho()) }
        }
        let (taken, time) = try await onThread { try scanBurst(scans, library) }
        let written = try await load.stop()
        let synced = try await ann.store.count(CountEntry.self)
        await ann.store.close()
        await floor.stop()
        let value = ours.latency.percentile(0.99) * 1000
        let reference = raw.latency.percentile(0.99) * 1000
        let largest = ours.bytes.percentile(1)
        return Row(
            id: "key-to-tty", value: value, unit: "ms", reference: reference, ratio: value / reference,
            target: "p99 <= raw p99 + 2 ms, <= 60 bytes",
            met: value <= reference + 2 && largest <= 60 && taken == scans,
            note: "\(3 * count) digits on the count screen at 40x8 \(ours.latency.milliseconds); raw ncurses echo "
                + "\(raw.latency.milliseconds); bytes of a digit p50 \(Int(ours.bytes.percentile(0.5))), at most "
                + "\(Int(largest)); \(taken) of \(scans) scans at \(Int(Double(scans) / time))/s taken; the process "
                + "received \(synced) of \(written) entries at 260/s meanwhile")
    }

    /// The screens beside the sources, or in the working directory.
    private static func screens() throws -> ScreenLibrary {
        var files: [String: String] = [:]
        for name in try Files.list("screens") where name.hasSuffix(".screen") || name.hasSuffix(".catalog") {
            files[name] = try Files.readText("screens/" + name)
        }
        return ScreenLibrary.load(files: files, isTrusted: true)
    }

    private static func onThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        let thread = ThreadExecutor(name: "screen")
        defer { thread.stop() }
        return try await thread.run(body)
    }

    struct Typed: Sendable {
        var latency = Samples()
        var bytes = Samples()

        static func += (left: inout Typed, right: Typed) {
            left.latency += right.latency
            left.bytes += right.bytes
        }
    }

    /// Types digits, each after the last one's bytes; every sixth begins a new number and its bytes do not count.
    private static func typeDigits(_ count: Int, app: some KeyReader) throws -> Typed {
        let terminal = try PseudoTerminal(columns: 40, rows: 8)
        let result = Locked(Typed())
        let isOver = Locked(false)
        let person = ThreadExecutor(name: "person")
        try app.open(terminal.slave)
        person.async {
            _ = terminal.readUntilQuiet(milliseconds: 200)
            for index in 0..<count {
                let start = ContinuousClock.now
                terminal.type(String(index % 9 + 1))
                var bytes = terminal.read(milliseconds: 2000)
                let time = (ContinuousClock.now - start).inSeconds
                // Longer than a scanner's gap, so that each is a key of its own.
                bytes += terminal.readUntilQuiet(milliseconds: 40)
                result.withLock { result in
                    result.latency.add(bytes > 0 ? time : 2)
                    if index % 6 > 0 { result.bytes.add(Double(bytes)) }
                }
            }
            isOver.withLock { $0 = true }
        }
        while !isOver.current {
            var descriptor = pollfd(fd: terminal.slave, events: Int16(POLLIN), revents: 0)
            if poll(&descriptor, 1, 50) > 0 { app.readKeys() }
        }
        app.close()
        person.stop()
        return result.current
    }

    /// Sends scans at 200 a second; gives how many arrived whole and in order, and the seconds.
    private static func scanBurst(_ count: Int, _ library: ScreenLibrary) throws -> (taken: Int, seconds: Double) {
        let terminal = try PseudoTerminal(columns: 40, rows: 8)
        let app = CountScreen(library)
        try app.open(terminal.slave)
        let time = Locked<Double?>(nil)
        let scanner = ThreadExecutor(name: "scanner")
        let eye = ThreadExecutor(name: "eye")
        eye.async { while terminal.read(milliseconds: 1500) > 0 || time.current == nil {} }
        scanner.async {
            let start = ContinuousClock.now
            for index in 0..<count {
                let due = start + .microseconds(5000 * index)
                let left = (due - ContinuousClock.now).inSeconds
                if left > 0 { usleep(UInt32(left * 1_000_000)) }
                terminal.type("\(9_521_000_000_000 + index)\r")
            }
            time.withLock { $0 = (ContinuousClock.now - start).inSeconds }
        }
        var quiet = 0
        while time.current == nil || quiet < 10 {
            var descriptor = pollfd(fd: terminal.slave, events: Int16(POLLIN), revents: 0)
            quiet = poll(&descriptor, 1, 20) > 0 ? 0 : quiet + 1
            app.readKeys()
        }
        app.close()
        scanner.stop()
        eye.stop()
        let expected = (0..<count).map { String(9_521_000_000_000 + $0) }
        let right = zip(app.scans, expected).prefix { $0 == $1 }.count
        return (app.scans.count == count ? right : min(right, app.scans.count), time.current ?? 1)
    }
}

/// What reads keys from a tty and shows something for them; used on one thread.
protocol KeyReader: AnyObject, Sendable {
    func open(_ tty: Int32) throws
    func readKeys()
    func close()
}

/// The count screen over the decoder, without the rules behind it.
// Guard of @unchecked Sendable: used on the thread that opens it only.
final class CountScreen: KeyReader, @unchecked Sendable {
    private let library: ScreenLibrary
    private var screen: TerminalScreen?
    private var decoder = InputDecoder()
    private var digits = ""
    private(set) var scans: [String] = []

    init(_ library: ScreenLibrary) { self.library = library }

    func open(_ tty: Int32) throws {
        screen = try TerminalScreen(TerminalOptions(input: tty, output: tty, type: "xterm-256color"))
        draw()
    }

    func readKeys() {
        // As the app's loop does it.
        var time = now
        if let deadline = decoder.deadline, time >= deadline {
            if let key = screen?.readKey() {
                time = deadline - 1
                take(decoder.feed(key, at: time))
            } else {
                take(decoder.tick(at: time))
            }
        }
        while let key = screen?.readKey() { take(decoder.feed(key, at: time)) }
        draw()
    }

    private var now: Int64 { SystemTimeSource().uptime() }

    private func take(_ inputs: [Input]) {
        for input in inputs {
            switch input {
            case .key(.character(let character)):
                digits = digits.count == 6 ? String(character) : digits + String(character)
            case .key: break
            case .scan(let scan, let retracting):
                digits.removeLast(min(retracting, digits.count))
                scans.append(scan.text)
            }
        }
    }

    private func draw() {
        let state = ScreenState(
            values: [
                "bin.code": "A12-07-05", "bin.who": "Ann Lee, T07-0031", "sync.badge": "live", "item.code": "SKU-4711",
                "item.name": "Hex bolt M8x40 zinc plated", "item.pack": "EA", "count.unit": "EA",
                "count.expression": .input(InputValue(digits, trailing: digits.isEmpty ? "" : " = \(digits)")),
                "count.total": .text("you 158 + Bob 12 = 170 (\(scans.count))"),
            ], focus: "count.expression")
        screen?.draw(library.render("count", size: GridSize(40, 8), state: state, language: "en"))
    }

    func close() {
        screen?.close()
        screen = nil
    }
}

/// ncurses that puts each character where the cursor is.
// Guard of @unchecked Sendable: used on the thread that opens it only.
final class RawEcho: KeyReader, @unchecked Sendable {
    private var column: Int32 = 0

    func open(_ tty: Int32) throws {
        cterminal_set_locale()
        if let problem = cterminal_open("xterm-256color", tty, tty, 50) {
            throw BenchFailure(String(cString: problem))
        }
        cterminal_flush(true)
    }

    func readKeys() {
        var value: UInt32 = 0
        while true {
            let kind = cterminal_read_key(&value)
            if kind == CTERMINAL_NONE { return }
            var cell = cterminal_cell(scalar: value, marks: (0, 0), style: 0, width: 1)
            cterminal_put(3, column, &cell, 1)
            column = (column + 1) % 39
            cterminal_cursor(3, column)
            cterminal_flush(false)
        }
    }

    func close() { cterminal_close() }
}
