import Glibc
import System

/// The program that a test starts and hurts: `storevictim DIRECTORY ACKNOWLEDGED`.
package enum Victim {
    /// Goes through the workload and notes the number of each step that was done in the second file. Exits with 0, or
    /// with 3 where a step failed three times.
    package static func run(_ arguments: some Collection<String>) -> Int32 {
        let words = Array(arguments)
        guard words.count == 2 else { return 2 }
        let file = open(words[1], O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard file >= 0 else { return 2 }
        let isDone = Workload(directory: words[0]).run { number in
            // No sync: it is to outlive this process, not the machine.
            let line = Array("\(number)\n".utf8)
            _ = write(file, line, line.count)
        } failed: { step, error in
            let line = Array("\(step): \(error)\n".utf8)
            _ = write(STDERR_FILENO, line, line.count)
        }
        return isDone ? 0 : 3
    }
}
