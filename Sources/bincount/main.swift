// Arguments in, exit code out: 0 done, 1 the work failed, 2 wrong usage. Errors are one line on standard error.
import Glibc
import System

// Before the first task, so that every thread of the pool inherits the mask and a signal can be read as data.
SignalReader.block()
exit(Program.run(Array(CommandLine.arguments.dropFirst())))
