import Glibc
import StoreWorkload

exit(Victim.run(CommandLine.arguments.dropFirst()))
