import CTerminal
import Glibc
import System

/// The master side of a pseudo terminal: what a person at the keyboard and an eye on the screen are.
final class PseudoTerminal: Sendable {
    let master: Int32
    let slave: Int32

    init(columns: Int, rows: Int) throws {
        var slave: Int32 = -1
        master = cterminal_open_pseudo_terminal(Int32(columns), Int32(rows), &slave)
        guard master >= 0 else { throw BenchFailure("there is no pseudo terminal to be had") }
        self.slave = slave
    }

    deinit {
        close(master)
        close(slave)
    }

    func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(master, bytes, bytes.count)
    }

    /// How many bytes come within a time; returns with the first of them.
    func read(milliseconds: Int32) -> Int {
        var descriptor = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
        guard poll(&descriptor, 1, milliseconds) > 0 else { return 0 }
        var chunk = [UInt8](repeating: 0, count: 65_536)
        return max(0, Glibc.read(master, &chunk, chunk.count))
    }

    /// How many bytes come until none came for a time.
    func readUntilQuiet(milliseconds: Int32) -> Int {
        var total = 0
        while true {
            let count = read(milliseconds: milliseconds)
            if count == 0 { return total }
            total += count
        }
    }
}
