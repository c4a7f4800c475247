import CTerminal
import Glibc
import Screens

/// Why a terminal cannot be used.
public struct TerminalError: Error, CustomStringConvertible, Sendable {
    /// What is wrong, in one line.
    public let description: String
}

/// How the terminal is opened.
public struct TerminalOptions: Sendable {
    /// The descriptor that keys come from.
    public var input: Int32
    /// The descriptor that the screen is written to.
    public var output: Int32
    /// The terminal's type; nil for $TERM.
    public var type: String?
    /// How long an escape character waits for the rest of a key's sequence: 50 ms here, 100 to 200 over radio.
    public var escapeMilliseconds: Int32
    /// Where standard error goes while the screen is open; nil leaves it.
    public var errorLog: String?
    /// The site's scanners.
    public var scanner: ScannerSettings
    /// What the sounds are.
    public var sounds: SoundSettings

    /// Makes options; the defaults suit a terminal on the same machine.
    public init(
        input: Int32 = STDIN_FILENO, output: Int32 = STDOUT_FILENO, type: String? = nil,
        escapeMilliseconds: Int32 = 50, errorLog: String? = nil, scanner: ScannerSettings = .standard,
        sounds: SoundSettings = .standard
    ) {
        self.input = input
        self.output = output
        self.type = type
        self.escapeMilliseconds = escapeMilliseconds
        self.errorLog = errorLog
        self.scanner = scanner
        self.sounds = sounds
    }
}

/// The open terminal: draws grids, writing only what changed, and reads keys.
///
/// There is one in a process, and it belongs to the thread that opened it. A fatal signal gives the terminal back before
/// the handler that stood before runs.
public final class TerminalScreen {
    private var shown: CellGrid?
    private var isOpen = true
    private let divertsErrors: Bool

    /// Opens the terminal.
    public init(_ options: TerminalOptions = TerminalOptions()) throws(TerminalError) {
        cterminal_set_locale()
        let problem: UnsafePointer<CChar>?
        if let type = options.type {
            problem = type.withCString {
                cterminal_open($0, options.input, options.output, options.escapeMilliseconds)
            }
        } else {
            problem = cterminal_open(nil, options.input, options.output, options.escapeMilliseconds)
        }
        if let problem { throw TerminalError(description: String(cString: problem)) }
        var isDiverted = false
        if let log = options.errorLog {
            let failure = cterminal_divert_errors(log)
            if failure != 0 {
                cterminal_close()
                throw TerminalError(description: "\(log): \(String(cString: strerror(failure)))")
            }
            isDiverted = true
        }
        divertsErrors = isDiverted
    }

    deinit { close() }

    /// The terminal's size.
    public var size: GridSize {
        var columns: Int32 = 0
        var rows: Int32 = 0
        cterminal_size(&columns, &rows)
        return GridSize(Int(columns), Int(rows))
    }

    /// Shows a grid; cells that are shown already are not written again.
    public func draw(_ grid: CellGrid) {
        let changes = grid.changes(from: shown)
        if changes.isEmpty && grid.cursor == shown?.cursor && shown != nil { return }
        let size = size
        for change in changes where change.row < size.height {
            let cells = change.columns.prefix(max(0, size.width - change.columns.lowerBound)).map {
                cterminal_cell(grid[column: $0, row: change.row])
            }
            cterminal_put(Int32(change.row), Int32(change.columns.lowerBound), cells, cells.count)
        }
        if let cursor = grid.cursor, cursor.row < size.height, cursor.column < size.width {
            cterminal_cursor(Int32(cursor.row), Int32(cursor.column))
        } else {
            cterminal_cursor(-1, 0)
        }
        cterminal_flush(false)
        shown = grid
    }

    /// Writes the whole screen again, for when something else wrote on it.
    public func redraw() {
        guard let grid = shown else { return }
        shown = nil
        draw(grid)
        cterminal_flush(true)
    }

    /// Takes the terminal's new size; answers it.
    public func resize() -> GridSize {
        var columns: Int32 = 0
        var rows: Int32 = 0
        if cterminal_resize(&columns, &rows) { shown = nil }
        return size
    }

    /// The next key that has come; nil where none waits. Read until nil: a scanner sends many at once.
    public func readKey() -> Key? {
        var value: UInt32 = 0
        while true {
            let kind = cterminal_read_key(&value)
            if kind == CTERMINAL_NONE { return nil }
            if let key = Key(kind, value) { return key }
        }
    }

    /// Leaves the terminal to another program until ``resume()``.
    public func suspend() { cterminal_suspend() }

    /// Takes the terminal again and repaints it.
    public func resume() {
        cterminal_resume()
        redraw()
    }

    /// Writes a bell or another of the terminal's own sequences.
    public func write(_ sequence: String) {
        let bytes = sequence.utf8.map { CChar(bitPattern: $0) }
        cterminal_write(bytes, bytes.count)
    }

    /// Whether the terminal can show its whole screen inverse.
    public var canFlash: Bool { cterminal_can_flash() }

    /// The bytes that the calling thread has written so far, to the terminal and elsewhere; nil where the kernel does not
    /// count them. The difference around a ``draw(_:)`` is what it cost.
    public static var bytesWritten: Int? {
        let bytes = cterminal_bytes_written()
        return bytes < 0 ? nil : Int(bytes)
    }

    /// Gives the terminal back. What went to standard error meanwhile is in the log.
    public func close() {
        guard isOpen else { return }
        isOpen = false
        cterminal_close()
        if divertsErrors { cterminal_restore_errors(false) }
    }
}

extension cterminal_cell {
    fileprivate init(_ cell: Cell) {
        self.init(scalar: cell.scalar, marks: (cell.mark1, cell.mark2), style: cell.style.rawValue, width: cell.width)
    }
}

extension Key {
    /// A key of the C side; nil for one without a use.
    fileprivate init?(_ kind: cterminal_key, _ value: UInt32) {
        switch kind {
        case CTERMINAL_CHARACTER:
            switch value {
            case 0x0D: self = .enter
            case 0x09: self = .tab
            case 0x1B: self = .escape
            case 0..<0x20: self = .control(UInt8(value))
            default:
                guard let scalar = Unicode.Scalar(value) else { return nil }
                self = .character(Character(scalar))
            }
        case CTERMINAL_FUNCTION: self = .function(Int(value))
        case CTERMINAL_ENTER: self = .enter
        case CTERMINAL_BACKSPACE: self = .backspace
        case CTERMINAL_BACK_TAB: self = .backTab
        case CTERMINAL_UP: self = .up
        case CTERMINAL_DOWN: self = .down
        case CTERMINAL_LEFT: self = .left
        case CTERMINAL_RIGHT: self = .right
        case CTERMINAL_HOME: self = .home
        case CTERMINAL_END: self = .end
        case CTERMINAL_PAGE_UP: self = .pageUp
        case CTERMINAL_PAGE_DOWN: self = .pageDown
        case CTERMINAL_INSERT: self = .insert
        case CTERMINAL_DELETE: self = .delete
        case CTERMINAL_PASTE_START: self = .pasteStart
        case CTERMINAL_PASTE_END: self = .pasteEnd
        default: return nil
        }
    }
}
