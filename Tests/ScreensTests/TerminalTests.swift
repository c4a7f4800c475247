import CTerminal
import Glibc
import Screens
import Terminal
import Testing

/// A terminal of which the test holds the far end.
private final class PseudoTerminal {
    let master: Int32
    let slave: Int32

    init(_ size: GridSize) throws {
        var slave: Int32 = -1
        master = cterminal_open_pseudo_terminal(Int32(size.width), Int32(size.height), &slave)
        self.slave = slave
        try #require(master >= 0)
        _ = fcntl(master, F_SETFL, O_NONBLOCK)
    }

    deinit {
        close(master)
        close(slave)
    }

    func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(master, bytes, bytes.count)
    }

    /// What was written to the terminal since the last call.
    func written() -> String {
        var result: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(master, &buffer, buffer.count)
            guard count > 0 else { break }
            result += buffer[..<count]
        }
        return String(decoding: result, as: UTF8.self)
    }

    func resize(_ size: GridSize) {
        var window = winsize(
            ws_row: UInt16(size.height), ws_col: UInt16(size.width), ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(slave, UInt(TIOCSWINSZ), &window)
    }

    var modes: tcflag_t {
        var modes = termios()
        tcgetattr(slave, &modes)
        return modes.c_lflag
    }
}

/// One process has one curses, so these run one after the other.
@Suite("The terminal", .serialized)
struct TerminalTests {
    private func open(_ size: GridSize, type: String = "xterm-256color") throws -> (PseudoTerminal, TerminalScreen) {
        let pseudo = try PseudoTerminal(size)
        let screen = try TerminalScreen(
            TerminalOptions(input: pseudo.slave, output: pseudo.slave, type: type, escapeMilliseconds: 1))
        return (pseudo, screen)
    }

    private func grid(_ size: GridSize, _ rows: String...) -> CellGrid {
        var grid = CellGrid(size: size)
        for (row, text) in rows.enumerated() { grid.put(text, column: 0, row: row) }
        return grid
    }

    @Test("writes only what changed", arguments: ["xterm-256color", "vt100", "linux", "screen"])
    func writesChanges(type: String) throws {
        let size = GridSize(80, 24)
        let (pseudo, screen) = try open(size, type: type)
        defer { screen.close() }
        _ = pseudo.written()
        var state = ScreenState(values: Samples.values(for: "count"), focus: "count.expression")
        state["count.expression"] = .input("1")
        screen.draw(Shipped.library.render("count", size: size, state: state, language: "en"))
        let first = pseudo.written()
        #expect(first.contains("IN THIS BIN") && first.utf8.count < 2_500)
        state["count.expression"] = .input("12")
        screen.draw(Shipped.library.render("count", size: size, state: state, language: "en"))
        let digit = pseudo.written()
        #expect(digit.contains("2") && digit.utf8.count <= 60, "\(digit.utf8.count) bytes")
        screen.draw(Shipped.library.render("count", size: size, state: state, language: "en"))
        #expect(pseudo.written() == "")
        screen.redraw()
        #expect(pseudo.written().contains("IN THIS BIN"))
    }

    @Test("shows letters beyond ASCII and wide ones")
    func showsUnicode() throws {
        let (pseudo, screen) = try open(GridSize(20, 2))
        defer { screen.close() }
        screen.draw(grid(GridSize(20, 2), "Prüfung 北京 e\u{301}", "12345678901234567890"))
        let written = pseudo.written()
        #expect(written.contains("Prüfung 北京 e\u{301}") && written.contains("1234567890123456789"))
    }

    @Test("reads keys, function keys, pastes and control characters")
    func readsKeys() throws {
        let (pseudo, screen) = try open(GridSize(20, 8))
        defer { screen.close() }
        #expect(screen.readKey() == nil)
        pseudo.type("a1é\r\n\t\u{7F}\u{8}\u{1D}\u{3}\u{13}")
        pseudo.type("\u{1B}OP\u{1B}[15~\u{1B}OA\u{1B}[200~x\u{1B}[201~\u{1B}[6~\u{1B}")
        usleepUntilReadable(pseudo.slave)
        var keys: [Key] = []
        while let key = screen.readKey() { keys.append(key) }
        #expect(
            keys == [
                .character("a"), .character("1"), .character("é"), .enter, .control(10), .tab, .backspace, .backspace,
                .control(0x1D), .control(3), .control(0x13), .function(1), .function(5), .up, .pasteStart,
                .character("x"), .pasteEnd, .pageDown, .escape,
            ])
    }

    private func usleepUntilReadable(_ descriptor: Int32) {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = Glibc.poll(&poll, 1, 5_000)
    }

    @Test("takes a new size")
    func resizes() throws {
        let (pseudo, screen) = try open(GridSize(80, 24))
        defer { screen.close() }
        #expect(screen.size == GridSize(80, 24))
        pseudo.resize(GridSize(20, 16))
        #expect(screen.resize() == GridSize(20, 16))
        _ = pseudo.written()
        screen.draw(grid(GridSize(20, 16), "SCAN ITEM"))
        #expect(pseudo.written().contains("SCAN ITEM"))
        // A grid made for another size is drawn as far as it fits.
        screen.draw(grid(GridSize(80, 24), "a grid that is wider than the terminal is"))
        #expect(screen.size == GridSize(20, 16))
    }

    @Test("gives the terminal back as it was, and asks for pastes only while it is open")
    func givesBack() throws {
        let pseudo = try PseudoTerminal(GridSize(80, 24))
        let before = pseudo.modes
        let screen = try TerminalScreen(
            TerminalOptions(input: pseudo.slave, output: pseudo.slave, type: "xterm"))
        #expect(pseudo.modes & tcflag_t(ICANON | ECHO | ISIG) == 0)
        #expect(pseudo.written().contains("\u{1B}[?2004h"))
        screen.close()
        #expect(pseudo.modes == before)
        let written = pseudo.written()
        #expect(written.contains("\u{1B}[?2004l") && written.contains("\u{1B}[?1049l"))
        screen.close()
        screen.draw(grid(GridSize(2, 2), "x"))
        #expect(screen.readKey() == nil)
    }

    @Test("says in one line why a terminal cannot be used")
    func refuses() throws {
        let file = Glibc.open("/dev/null", O_RDWR)
        defer { close(file) }
        #expect(throws: TerminalError.self) { try TerminalScreen(TerminalOptions(input: file, output: file)) }
        let pseudo = try PseudoTerminal(GridSize(80, 24))
        do {
            _ = try TerminalScreen(TerminalOptions(input: pseudo.slave, output: pseudo.slave, type: "no-such-type"))
            Issue.record("opened a terminal of no known type")
        } catch {
            #expect(error.description == "the terminal's type (TERM) is not known")
        }
    }

    @Test("is given back by a crash, with modes and cursor as they were, before the crash is reported")
    func survivesCrashes() async throws {
        // The pseudo terminal is made by this process, so that it outlives the child that crashes on it.
        let pseudo = try PseudoTerminal(GridSize(80, 24))
        let before = pseudo.modes
        let path = String(cString: try #require(ttyname(pseudo.slave)))
        await #expect(processExitsWith: .failure) { [path = path as String] in
            let slave = Glibc.open(path, O_RDWR | O_NOCTTY)
            let screen = try TerminalScreen(TerminalOptions(input: slave, output: slave, type: "xterm"))
            screen.draw(CellGrid(size: screen.size))
            let empty: [Int] = []
            print(empty[Int(slave)])
        }
        #expect(pseudo.modes == before)
        let written = pseudo.written()
        #expect(written.contains("\u{1B}[?2004h") && written.contains("\u{1B}[?1049h"))
        #expect(written.contains("\u{1B}[?2004l") && written.contains("\u{1B}[?1049l"))
    }

    @Test("runs a loop in which keys, scans and the jobs of the screen's actor take turns on one thread")
    func runsLoops() async throws {
        let pseudo = try PseudoTerminal(GridSize(80, 24))
        let path = String(cString: try #require(ttyname(pseudo.slave)))
        pseudo.type("7\r4006381333931\r")
        await #expect(processExitsWith: .exitCode(7)) { [path = path as String] in
            let slave = Glibc.open(path, O_RDWR | O_NOCTTY)
            let code = try TerminalLoop.run(TerminalOptions(input: slave, output: slave, type: "xterm")) { loop in
                var seen: [Input] = []
                var shown = CellGrid(size: loop.size)
                loop.onPaint = { shown }
                loop.onEvent = { event in
                    guard case .input(let input) = event else { return }
                    seen.append(input)
                    guard case .scan(let scan, _) = input else { return }
                    loop.play(.accepted)
                    shown.put("scanned \(scan.text)", column: 0, row: 3)
                    let isWhole = seen.contains(.key(.character("7"))) && seen.contains(.key(.enter))
                    Task { @UI in
                        shown.put("and a job ran", column: 0, row: 4)
                        await Task.yield()
                        UI.shared.assertIsolated()
                        loop.after(milliseconds: 1) { loop.stop(code: isWhole ? 7 : 2) }
                    }
                }
                loop.after(milliseconds: 30_000) { loop.stop(code: 3) }
            }
            exit(code)
        }
        let written = pseudo.written()
        #expect(written.contains("scanned 4006381333931") && written.contains("and a job ran"))
        #expect(written.contains("\u{7}"))
    }
}
