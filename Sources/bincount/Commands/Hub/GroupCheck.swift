import Basics
import Hub
import WarehouseModels

/// Refuses groups that no rule of the hub's schema names: whoever was put into one by a slip of the pen would have no right
/// at all, and nobody would say why.
struct GroupCheck {
    /// For the help of the commands that take groups.
    static let help = """
        A GROUP that no rule of the hub's schema names is refused;
        --any-group takes it all the same, since records' own lists may name others.
        """

    private let takesAny: Bool

    /// Takes `--any-group` off the command line.
    init(_ arguments: inout CommandLineArguments) throws {
        takesAny = arguments.flag("--any-group")
    }

    /// Refuses what no rule names of the schema that the hub in `data` served last. Where none was ever served there it
    /// only warns, by Bincount's own schema: the hub may be meant for another.
    func refuseUnknown(_ groups: Set<String>, _ data: String) throws {
        guard !takesAny, !groups.isEmpty else { return }
        let served = try RuleGroups.served(in: data)
        let known = served ?? RuleGroups.named(in: warehouse)
        guard let problem = RuleGroups.problem(groups, known) else { return }
        guard served == nil else { throw UsageError("\(problem); --any-group takes it all the same") }
        printError("warning: \(problem)")
    }
}
